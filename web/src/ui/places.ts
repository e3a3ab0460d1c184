// What stands at the places of a graph, over all iterations. Pure.
import type { GlanceStep } from '../api/schema';
import type { Place } from './GraphBox';

export type { Place };

const order = ['', 'pending', 'not-reached', 'skipped', 'carried', 'succeeded', 'ignored', 'undone', 'retrying', 'verifying', 'running', 'waiting', 'failed', 'in-doubt'];
const weight = (status: string) => order.indexOf(status);

export function placesOf(steps: GlanceStep[]): Map<string, Place> {
  const out = new Map<string, Place>();
  for (const s of steps) {
    if (s.kind === 'iteration') continue; // the loop's box counts them
    const status = s.undone ? 'undone' : s.status;
    const old = out.get(s.place);
    const mine: Place = {
      status, path: s.path, instances: 1, count: s.count ?? 0, done: s.done ?? 0, failed: s.failed ?? 0, attempts: s.attempts ?? 0,
      started: s.started, ended: s.ended, undone: s.undone ?? false, would: s.would ?? false, held: !!s.held && s.status === 'waiting',
      target: s.target, targets: s.targets ?? 0,
    };
    if (!old) { out.set(s.place, mine); continue; }
    const worse = weight(status) >= weight(old.status) ? mine : old;
    out.set(s.place, { ...worse, instances: old.instances + 1, count: old.count + mine.count, done: old.done + mine.done, failed: old.failed + mine.failed, attempts: Math.max(old.attempts, mine.attempts), held: old.held || mine.held });
  }
  return out;
}

/** With what a question says that a place is about, where the step itself does not know it yet. */
export function withTarget(places: Map<string, Place>, place: string, targets: readonly string[] | undefined): Map<string, Place> {
  const p = places.get(place);
  if (!p || p.target || !targets?.length) return places;
  return new Map(places).set(place, { ...p, target: targets[0], targets: targets.length });
}
