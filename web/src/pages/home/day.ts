// The last 24 hours, as marks in lanes and spans. Pure.
import type { Incident, Row } from '../../api/schema';
import { bodyOf } from '../../api/rows';
import { parse } from '../../lib/time';
import { severities } from '../../ui/Severity';

export const day = 24 * 3_600_000;
const slot = day / 48;

// The worst last.
const order = ['cancelled', 'succeeded', 'pending', 'running', 'cancelling', 'undoing', 'paused', 'waiting', 'failed', 'quarantined', 'interrupted', 'in-doubt'];

/** How bad the status of a run is, against another. */
export const badness = (status: string | undefined) => order.indexOf(status ?? '');

/** Runs of one lane that began within the same half hour. */
export interface Mark {
  /** Where it stands: 0 is a day ago, 1 is now. */
  x: number;
  /** When the half hour begins. */
  from: number;
  /** The worst run, of those the newest. */
  worst: Row;
  n: number;
  /** How many of each status, the worst first. */
  of: [string, number][];
}

export interface Lane { name: string; others: number; n: number; failed: number; marks: Mark[] }

function marksOf(rows: Row[], now: number): Mark[] {
  const slots = new Map<number, Row[]>();
  for (const r of rows) {
    const s = Math.floor(parse(r.at) / slot);
    const in_ = slots.get(s);
    if (in_) in_.push(r);
    else slots.set(s, [r]);
  }
  return [...slots].sort(([a], [b]) => a - b).map(([s, in_]) => {
    const of = new Map<string, number>();
    for (const r of in_) of.set(r.status ?? '', (of.get(r.status ?? '') ?? 0) + 1);
    const worst = in_.reduce((w, r) => (badness(r.status) > badness(w.status) || (badness(r.status) === badness(w.status) && parse(r.at) > parse(w.at)) ? r : w));
    return { x: Math.min(1, Math.max(0, ((s + 0.5) * slot - (now - day)) / day)), from: s * slot, worst, n: in_.length, of: [...of].sort(([a], [b]) => badness(b) - badness(a)) };
  });
}

/** A lane for each playbook, what is worst now first; what has no room is in the last one. */
export function lanes(rows: Row[], now: number, max: number): Lane[] {
  const by = new Map<string, Row[]>();
  for (const r of rows) {
    const t = parse(r.at);
    if (Number.isNaN(t) || t < now - day) continue;
    const name = r.name ?? '';
    const in_ = by.get(name);
    if (in_) in_.push(r);
    else by.set(name, [r]);
  }
  const score = (in_: Row[]) => Math.max(...in_.map((r) => Math.max(badness(r.status), badness('pending'))));
  const newest = (in_: Row[]) => Math.max(...in_.map((r) => parse(r.at)));
  const sorted = [...by].sort(([a, x], [b, y]) => score(y) - score(x) || newest(y) - newest(x) || a.localeCompare(b));
  const lane = (name: string, in_: Row[], others = 0): Lane => ({ name, others, n: in_.length, failed: in_.filter((r) => r.status === 'failed' || r.status === 'quarantined').length, marks: marksOf(in_, now) });
  if (sorted.length <= max) return sorted.map(([name, in_]) => lane(name, in_));
  const rest = sorted.slice(max - 1);
  return [...sorted.slice(0, max - 1).map(([name, in_]) => lane(name, in_)), lane('', rest.flatMap(([, in_]) => in_), rest.length)];
}

export interface Span { id: string; title: string; severity: string; status: string; from: number; to: number; began: string; ended?: string; row: number }

/** Incidents as spans, the worst on top, in as few rows as hold them without one over the other. */
export function spans(rows: Row[], now: number, max = 3): Span[] {
  const start = now - day;
  const taken: [number, number][][] = [];
  const out: Span[] = [];
  const rank = (severity: string | undefined) => { const i = (severities as readonly string[]).indexOf(severity ?? ''); return i < 0 ? severities.length : i; };
  const all = rows.map((r) => ({ r, b: bodyOf<Incident>(r) })).map(({ r, b }) => ({ r, b, from: parse(b.opened ?? r.at), to: parse(b.ended) }))
    .filter(({ from, to }) => !Number.isNaN(from) && (Number.isNaN(to) || to > start)).sort((a, b) => rank(a.b.severity) - rank(b.b.severity) || a.from - b.from);
  for (const { r, b, from, to } of all) {
    const x0 = Math.min(0.995, Math.max(0, (from - start) / day));
    const x1 = Number.isNaN(to) ? 1 : Math.min(1, (to - start) / day);
    const end = Math.max(x1, x0 + 0.02) + 0.005;
    let row = taken.findIndex((t) => t.every(([f, e]) => end <= f || x0 >= e));
    if (row < 0) row = taken.push([]) - 1;
    if (row >= max) continue;
    taken[row]?.push([x0, end]);
    out.push({ id: r.id, title: r.name ?? '', severity: b.severity ?? '', status: r.status ?? '', from: x0, to: x1, began: b.opened ?? r.at ?? '', ...(Number.isNaN(to) || !b.ended ? {} : { ended: b.ended }), row });
  }
  return out;
}

/** What is known of the day: what was asked last says more than what was asked before. */
export function merge(older: Row[], newer: Row[], now: number): Row[] {
  const by = new Map<string, Row>();
  for (const r of older) by.set(r.id, r);
  for (const r of newer) by.set(r.id, r);
  return [...by.values()].filter((r) => parse(r.at) >= now - day).sort((a, b) => parse(b.at) - parse(a.at));
}

/** Full hours on the axis: where, and when. */
export function hoursOf(now: number, offsetMinutes: number, every = 3): { x: number; at: number }[] {
  const out: { x: number; at: number }[] = [];
  const step = every * 3_600_000;
  const shift = offsetMinutes * 60_000;
  for (let t = Math.ceil((now - day + shift) / step) * step - shift; t <= now; t += step) out.push({ x: (t - (now - day)) / day, at: t });
  return out;
}
