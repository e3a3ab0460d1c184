// What stands in the list, line by line: runs, and heads where another day or another state begins. Pure.
import type { Row } from '../../api/schema';
import { day, parse, type Zone } from '../../lib/time';

export type Item = { kind: 'run'; key: string; row: Row } | { kind: 'head'; key: string; title: string };

/** The states as filters, and as sections of the order that has the worst first: who is waited for before what is over. */
export const groups: { id: string; label: string; of: string[]; glyph: string }[] = [
  { id: 'going', label: 'Going on', of: ['running', 'waiting', 'paused', 'interrupted', 'undoing', 'cancelling', 'in-doubt', 'pending'], glyph: 'running' },
  { id: 'waiting', label: 'Waiting', of: ['waiting', 'paused', 'interrupted'], glyph: 'waiting' },
  { id: 'in-doubt', label: 'In doubt', of: ['in-doubt'], glyph: 'in-doubt' },
  { id: 'failed', label: 'Failed', of: ['failed', 'quarantined'], glyph: 'failed' },
  { id: 'succeeded', label: 'Succeeded', of: ['succeeded'], glyph: 'succeeded' },
  { id: 'cancelled', label: 'Cancelled', of: ['cancelled'], glyph: 'cancelled' },
];

export const sections: { title: string; of: string[] }[] = [
  { title: 'In doubt', of: ['in-doubt'] },
  { title: 'Waiting', of: ['interrupted', 'waiting', 'paused'] },
  { title: 'Going on', of: ['running', 'undoing', 'cancelling', 'pending'] },
  { title: 'Failed', of: ['failed', 'quarantined'] },
  { title: 'Succeeded', of: ['succeeded'] },
  { title: 'Cancelled', of: ['cancelled'] },
];

/** The sections of a state; of an unknown one, itself. */
export function sectionsOf(status: string): { title: string; of: string[] }[] {
  if (!status) return sections;
  const want = groups.find((g) => g.id === status)?.of ?? [status];
  return sections.map((s) => ({ ...s, of: s.of.filter((x) => want.includes(x)) })).filter((s) => s.of.length > 0);
}

const units: Record<string, number> = { h: 3_600_000, d: 86_400_000 };

/** "24h", "7d": milliseconds; NaN where it is nothing like that. */
export function spanOf(text: string): number {
  const m = /^(\d{1,4})([hd])$/.exec(text);
  return m ? Number(m[1]) * (units[m[2] ?? ''] ?? NaN) : NaN;
}

/** Newest first: a head for each day but where there is only today. */
export function byDay(rows: Row[], zone: Zone, now: number): Item[] {
  const out: Item[] = [];
  const today = day(now, zone);
  const before = day(now - 86_400_000, zone);
  let last = '';
  for (const row of rows) {
    const t = parse(row.at);
    const d = Number.isNaN(t) ? '' : day(t, zone);
    if (d !== last && (d !== today || out.length > 0)) out.push({ kind: 'head', key: `day ${d}`, title: d === today ? 'Today' : d === before ? `Yesterday, ${d}` : d });
    last = d;
    out.push({ kind: 'run', key: row.id, row });
  }
  return out;
}

/** A head for each section that has runs. */
export function bySection(of: { title: string; rows: Row[] }[]): Item[] {
  return of.flatMap((s) => (s.rows.length ? [{ kind: 'head' as const, key: `section ${s.title}`, title: s.title }, ...s.rows.map((row) => ({ kind: 'run' as const, key: row.id, row }))] : []));
}

/** The next run from a line, in a direction; -1: none is chosen. */
export function step(items: Item[], at: number, by: 1 | -1): number {
  for (let i = at + by; i >= 0 && i < items.length; i += by) if (items[i]?.kind === 'run') return i;
  return at;
}
