/** What a list of events can be narrowed to; the first is all of them. */
export const decisions: { value: string; label: string; glyph?: string; of: string[] }[] = [
  { value: '', label: 'All', of: [] },
  { value: 'acted', label: 'Acted on', glyph: 'event-started', of: ['started', 'joined', 'woke', 'resolves'] },
  { value: 'back', label: 'Held back', glyph: 'event-held', of: ['held', 'queued'] },
  { value: 'unmatched', label: 'No trigger', glyph: 'event-unmatched', of: ['unmatched'] },
  { value: 'away', label: 'Turned away', glyph: 'event-refused', of: ['refused', 'stale'] },
];

const hours: Record<string, number> = { '1h': 1, '24h': 24, '7d': 168, '30d': 720 };

export const spans = [['1h', 'in the last hour'], ['24h', 'in the last day'], ['7d', 'in the last week'], ['30d', 'in the last 30 days']] as const;

/** From when on, for a span; to the minute, so that the same question is asked for a minute. */
export function since(span: string, now: number): string {
  const n = hours[span];
  return n ? new Date(Math.floor(now / 60_000) * 60_000 - n * 3_600_000).toISOString() : '';
}

const told = new Set(['alertname', 'severity', 'job', 'prometheus', 'monitor', 'receiver', 'alertstate']);

/** What tells an event from the others of its name: its labels, without those that all of the name share or that others show. */
export function apart(labels: Record<string, string> | undefined): string {
  return Object.entries(labels ?? {}).filter(([k, v]) => v && !told.has(k)).sort(([a], [b]) => a.localeCompare(b)).slice(0, 4).map(([, v]) => v).join(' · ');
}
