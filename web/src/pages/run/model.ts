// A run as the page knows it: the glance, and the deltas that came since. Pure.
import type { Glance, GlanceHead, GlanceStep, RunMoment } from '../../api/schema';
import type { Place } from '../../ui/Graph';

export interface Delta { head?: GlanceHead; steps?: GlanceStep[]; gone?: string[]; moments?: RunMoment[] }

export interface Known extends Glance {
  /** Steps by their path. */
  at: Map<string, GlanceStep>;
  /** What stands at a place of the graph, over all iterations. */
  places: Map<string, Place>;
}


export type { Place };

const order = ['', 'pending', 'not-reached', 'skipped', 'carried', 'succeeded', 'ignored', 'undone', 'retrying', 'verifying', 'running', 'waiting', 'failed', 'in-doubt'];
const weight = (status: string) => order.indexOf(status);

/** What a step shows as: what holds it, or that it was undone, says more than its status. */
export function shownAs(s: Pick<GlanceStep, 'status' | 'undone' | 'held'>): string {
  if (s.undone) return 'undone';
  if (s.held && s.status === 'waiting') return 'held';
  return s.status;
}

function places(steps: GlanceStep[]): Map<string, Place> {
  const out = new Map<string, Place>();
  for (const s of steps) {
    if (s.kind === 'iteration') continue; // the loop's box counts them
    const status = s.undone ? 'undone' : s.status;
    const old = out.get(s.place);
    const mine: Place = {
      status, path: s.path, instances: 1, count: s.count ?? 0, done: s.done ?? 0, failed: s.failed ?? 0, attempts: s.attempts ?? 0,
      started: s.started, ended: s.ended, undone: s.undone ?? false, would: s.would ?? false, held: !!s.held && s.status === 'waiting',
    };
    if (!old) { out.set(s.place, mine); continue; }
    const worse = weight(status) >= weight(old.status) ? mine : old;
    out.set(s.place, { ...worse, instances: old.instances + 1, count: old.count + mine.count, done: old.done + mine.done, failed: old.failed + mine.failed, attempts: Math.max(old.attempts, mine.attempts), held: old.held || mine.held });
  }
  return out;
}

export function know(g: Glance): Known {
  return { ...g, at: new Map(g.steps.map((s) => [s.path, s])), places: places(g.steps) };
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
  return { ...k, head: d.head ?? k.head, steps, at, places: steps === k.steps ? k.places : places(steps), moments };
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

/** What differs between the parameters of two runs. */
export function differs(a: Record<string, unknown> = {}, b: Record<string, unknown> = {}): { name: string; was: unknown; is: unknown }[] {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
  return names.filter((n) => JSON.stringify(a[n]) !== JSON.stringify(b[n])).map((n) => ({ name: n, was: a[n], is: b[n] }));
}
