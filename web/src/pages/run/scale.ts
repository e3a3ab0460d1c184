// The scale of the time line: times to places, where spans in which nothing happens are cut. Pure.

export interface Span { from: number; to: number }

/** A piece of the scale: the times between from and to lie between x0 and x1, of 0 … 1. */
export interface Piece extends Span { x0: number; x1: number; cut: boolean }

/** A span of waiting is cut when it is longer than this part of the whole … */
export const share = 0.2;
/** … and longer than so many milliseconds: what is shorter is read as it is. */
export const least = 2000;
/** What is left of a cut span, of the whole. */
export const stub = 0.1;

/** The spans between from and to in which none of those is, in their order. */
export function gaps(busy: readonly Span[], from: number, to: number): Span[] {
  const out: Span[] = [];
  let at = from;
  for (const b of [...busy].sort((x, y) => x.from - y.from)) {
    if (b.from > at) out.push({ from: at, to: Math.min(b.from, to) });
    at = Math.max(at, b.to);
    if (at >= to) return out;
  }
  if (at < to) out.push({ from: at, to });
  return out;
}

/**
 * The scale of a run: the longest gaps are cut, one after the other, while there is one that takes more than its share of what
 * is left. What is between them has the room in proportion.
 */
export function scaleOf(busy: readonly Span[], from: number, to: number): Piece[] {
  if (!(to > from)) return [{ from, to: from + 1, x0: 0, x1: 1, cut: false }];
  let left = to - from;
  const cuts: Span[] = [];
  for (const g of gaps(busy, from, to).sort((a, b) => b.to - b.from - (a.to - a.from))) {
    const long = g.to - g.from;
    if (long < least || long <= share * left || cuts.length === 4) break;
    // Where nothing but waiting is there is nothing to make room for.
    if (left - long <= 0) break;
    cuts.push(g);
    left -= long;
  }
  cuts.sort((a, b) => a.from - b.from);
  const room = 1 - cuts.length * stub;
  const out: Piece[] = [];
  let [at, x] = [from, 0];
  const add = (end: number, cut: boolean) => {
    if (end <= at) return;
    const x1 = x + (cut ? stub : ((end - at) / left) * room);
    out.push({ from: at, to: end, x0: x, x1, cut });
    [at, x] = [end, x1];
  };
  for (const c of cuts) { add(c.from, false); add(c.to, true); }
  add(to, false);
  return out;
}

/** Where a time lies, of 0 … 1. */
export function placeAt(scale: readonly Piece[], t: number): number {
  for (const p of scale) if (t <= p.to) return Math.max(p.x0, p.x0 + ((t - p.from) / (p.to - p.from)) * (p.x1 - p.x0));
  return 1;
}

/** Round times that divide a span into at most so many parts. */
export function ticks(span: number, parts = 5): number {
  const steps = [10, 50, 100, 250, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000, 10_800_000, 21_600_000, 86_400_000];
  return steps.find((s) => span / s <= parts) ?? Math.ceil(span / parts / 86_400_000) * 86_400_000;
}

/** Marks of the axis, from the beginning, that do not lie in what is cut and are apart from each other. */
export function marksOf(scale: readonly Piece[], parts: number): { at: number; x: number }[] {
  const from = scale[0]?.from ?? 0;
  const out: { at: number; x: number }[] = [];
  for (const p of scale) {
    if (p.cut) continue;
    const step = ticks((p.to - p.from) / Math.max(0.05, p.x1 - p.x0), parts);
    for (let t = Math.ceil((p.from - from) / step) * step; from + t <= p.to; t += step) {
      const x = placeAt(scale, from + t);
      const last = out.at(-1);
      if (x < 0.86 && (!last || x - last.x >= 0.9 / parts) && !scale.some((c) => c.cut && x > c.x0 - 0.8 / parts && x < c.x1)) out.push({ at: t, x });
    }
  }
  return out;
}

const around = /^(iteration|foreach|parallel|steps|lock|call)$/;

/** When something was done: of steps that act, from their beginning to their end; of those that wait, only these moments. */
export function busyOf(steps: readonly { kind: string; status: string; started?: string; began?: string; ended?: string; acts?: string }[], now: number): Span[] {
  const out: Span[] = [];
  for (const s of steps) {
    const from = Date.parse(s.began ?? s.acts ?? s.started ?? '');
    if (Number.isNaN(from)) continue;
    const to = Date.parse(s.ended ?? '');
    if (s.kind === 'action' && (s.acts || !Number.isNaN(to))) out.push({ from, to: Number.isNaN(to) ? now : Math.max(to, from) });
    else if (!around.test(s.kind) && !Number.isNaN(to)) out.push({ from: to, to });
  }
  return out;
}
