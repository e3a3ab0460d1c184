// What Home makes of rows.
import { bodyOf, type RunBody } from '../../api/rows';
import type { Row } from '../../api/schema';
import { parse } from '../../lib/time';

export interface Hold { run: string; name: string; path: string; guard: string; until?: string; why?: string }

/** What guards hold back, what is let go first before what waits longer. */
export function holds(rows: Row[]): Hold[] {
  const out: Hold[] = [];
  for (const r of rows) {
    for (const w of bodyOf<RunBody>(r).waits ?? []) {
      if (w.for !== 'guard') continue;
      const until = Number.isNaN(parse(w.until)) ? undefined : w.until;
      out.push({ run: r.id, name: r.name ?? '', path: w.path, guard: w.on ?? '', ...(until ? { until } : {}), ...(w.why ? { why: w.why } : {}) });
    }
  }
  const at = (h: Hold) => (h.until ? parse(h.until) : Infinity);
  return out.sort((a, b) => (at(a) === at(b) ? a.run.localeCompare(b.run) : at(a) - at(b)));
}

/** What ended within the last hours. */
export function lately(rows: Row[], now: number, hours: number): Row[] {
  return rows.filter((r) => {
    const ended = parse(bodyOf<RunBody>(r).ended ?? r.at);
    return now - ended < hours * 3_600_000;
  });
}
