// A run as the page knows it: the glance, and the deltas that came since. Pure.
import type { Glance, GlanceHead, GlanceStep, RunMoment } from '../../api/schema';
import { type Place, placesOf } from '../../ui/places';

export interface Delta { head?: GlanceHead; steps?: GlanceStep[]; gone?: string[]; moments?: RunMoment[] }

export interface Known extends Glance {
  /** Steps by their path. */
  at: Map<string, GlanceStep>;
  /** What stands at a place of the graph, over all iterations. */
  places: Map<string, Place>;
}


export type { Place };

/** What a step shows as: what holds it, or that it was undone, says more than its status. */
export function shownAs(s: Pick<GlanceStep, 'status' | 'undone' | 'held'>): string {
  if (s.undone) return 'undone';
  if (s.held && s.status === 'waiting') return 'held';
  return s.status;
}

export function know(g: Glance): Known {
  return { ...g, at: new Map(g.steps.map((s) => [s.path, s])), places: placesOf(g.steps) };
}

/** What is known after a delta; null when the delta does not fit, and all of it must be asked for again. */
export function apply(k: Known, d: Delta): Known | null {
  let { steps } = k;
  const at = new Map(k.at);
  if (d.gone?.length) {
    const gone = new Set(d.gone);
    steps = steps.filter((s) => !gone.has(s.path));
    for (const p of gone) at.delete(p);
  }
  if (d.steps?.length) {
    const changed = new Map(d.steps.map((s) => [s.path, s]));
    const fresh = d.steps.filter((s) => !at.has(s.path));
    steps = steps.map((s) => changed.get(s.path) ?? s);
    for (const s of d.steps) at.set(s.path, s);
    if (fresh.length) {
      const after = new Map<string, GlanceStep[]>();
      for (const s of fresh) {
        const key = s.after ?? '';
        if (key !== '' && !at.has(key)) return null;
        after.set(key, [...(after.get(key) ?? []), s]);
      }
      const out: GlanceStep[] = [];
      const place = (s: GlanceStep) => {
        out.push(s);
        for (const next of after.get(s.path) ?? []) place(next);
      };
      for (const s of after.get('') ?? []) place(s);
      for (const s of steps) place(s);
      if (out.length !== steps.length + fresh.length) return null;
      steps = out;
    }
  }
  // The glance may have been asked after the stream began: then it holds already what the stream tells.
  const last = k.moments.at(-1)?.seq ?? 0;
  const more = (d.moments ?? []).filter((m) => m.seq > last);
  const moments = more.length ? [...k.moments, ...more].slice(-2000) : k.moments;
  return { ...k, head: d.head ?? k.head, steps, at, places: steps === k.steps ? k.places : placesOf(steps), moments };
}

/** A piece of what an attempt printed. */
export interface Piece { at: string; attempt: number; path: string; stream: string; text: string }

export interface LogLine { at: string; stream: string; text: string }

/** Live pieces as lines: the last one may go on. */
export function linesOf(pieces: Piece[]): LogLine[] {
  const out: LogLine[] = [];
  const open = new Map<string, LogLine>();
  for (const p of pieces) {
    const parts = p.text.split('\n');
    for (const [i, text] of parts.entries()) {
      const last = i === parts.length - 1;
      if (last && text === '') break;
      const going = open.get(p.stream);
      if (going) going.text += text;
      else {
        const line = { at: p.at, stream: p.stream, text };
        out.push(line);
        open.set(p.stream, line);
      }
      if (!last) open.delete(p.stream);
    }
  }
  return out;
}

/** The step that a person must see: what waits for somebody or something, is in doubt or acts; else what failed. */
export function matters(steps: readonly GlanceStep[]): GlanceStep | undefined {
  let acts: GlanceStep | undefined;
  let failed: GlanceStep | undefined;
  for (const s of steps) {
    if (s.status === 'in-doubt' || (s.status === 'waiting' && (s.task || s.held || s.due))) return s;
    if (!acts && s.acts) acts = s;
    if (!failed && s.status === 'failed' && s.kind !== 'iteration' && s.kind !== 'foreach' && s.kind !== 'parallel' && s.kind !== 'steps' && s.kind !== 'lock') failed = s;
  }
  return acts ?? failed ?? steps.find((s) => s.status === 'failed');
}

/** The rows of the time line: an iteration of one step is that step, in one row. */
export function rowsOf(steps: readonly GlanceStep[]): GlanceStep[] {
  const kids = new Map<string, number>();
  for (const s of steps) if (s.parent && !s.section?.match(/^(verify|undo|probe|until)$/)) kids.set(s.parent, (kids.get(s.parent) ?? 0) + 1);
  const out: GlanceStep[] = [];
  const less: { depth: number }[] = []; // iterations that were left out, around where we are
  for (const s of steps) {
    while (less.length && s.depth <= (less.at(-1)?.depth ?? 0)) less.pop();
    if (s.kind === 'iteration' && kids.get(s.path) === 1) { less.push({ depth: s.depth }); continue; }
    out.push(less.length ? { ...s, depth: s.depth - less.length } : s);
  }
  return out;
}
