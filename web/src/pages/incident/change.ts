import type { Incident, IncidentChange } from '../../api/schema';

/** Names as people write them: with commas between them, each once. */
export const people = (text: string): string[] => [...new Set(text.split(/[,\n]/).map((p) => p.trim()).filter(Boolean))];

/** When it will be in so many minutes; '' is not said, null is no number. */
export function inMinutes(text: string, now: number): string | null | undefined {
  if (text.trim() === '') return undefined;
  const n = Number(text);
  if (!Number.isFinite(n) || n <= 0 || n > 60 * 24 * 30) return null;
  return new Date(now + n * 60_000).toISOString();
}

type Edited = Required<Pick<IncidentChange, 'title' | 'severity' | 'summary' | 'next' | 'commander' | 'responders' | 'stakeholders'>>;

/** What differs from the incident: nothing else is sent, so that what somebody else changed meanwhile stays. */
export function changed(d: Pick<Incident, keyof Edited>, now: Edited): IncidentChange {
  const out: IncidentChange = {};
  for (const k of ['title', 'severity', 'summary', 'next', 'commander'] as const) if (now[k] !== (d[k] ?? '')) out[k] = now[k];
  for (const k of ['responders', 'stakeholders'] as const) if (now[k].join('\n') !== (d[k] ?? []).join('\n')) out[k] = now[k];
  return out;
}
