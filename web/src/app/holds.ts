// What guards hold back now: Home and the page of guards say it.
import { bodyOf, type RunBody } from '../api/rows';
import type { EventDetail, Row } from '../api/schema';
import { parse } from '../lib/time';

export interface Hold { id: string; run?: string; event?: string; name: string; path?: string; guard: string; until?: string; why?: string }

/** What guards hold back: steps of runs, and events that wait. What is let go first stands before what waits longer. */
export function holds(runs: Row[], events: Row[], now: number): Hold[] {
  const out: Hold[] = [];
  for (const r of runs) {
    for (const w of bodyOf<RunBody>(r).waits ?? []) {
      if (w.for !== 'guard') continue;
      const until = Number.isNaN(parse(w.until)) ? undefined : w.until;
      out.push({ id: `${r.id} ${w.path}`, run: r.id, name: r.name ?? '', path: w.path, guard: w.on ?? '', ...(until ? { until } : {}), ...(w.why ? { why: w.why } : {}) });
    }
  }
  for (const r of events) {
    const e = bodyOf<EventDetail>(r);
    const until = e.decision?.until ?? e.until;
    if (!until || !(parse(until) > now)) continue;
    out.push({ id: r.id, event: r.id, name: r.name || e.name || e.key || r.id, guard: e.guard ?? '', until, ...(e.decision?.why ? { why: e.decision.why } : {}) });
  }
  const at = (h: Hold) => (h.until ? parse(h.until) : Infinity);
  return out.sort((a, b) => (at(a) === at(b) ? a.id.localeCompare(b.id) : at(a) - at(b)));
}
