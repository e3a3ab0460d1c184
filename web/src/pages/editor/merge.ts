// Two changes of one text brought together, line by line. Pure. Where both changed the same lines, mine stay and it is said.
import { diff } from '../../lib/diff';

interface Hunk { from: number; to: number; lines: string[] }

/** What a text changed, as places of the one before. */
function hunks(was: string, is: string): Hunk[] {
  const out: Hunk[] = [];
  let at = 0;
  let open: Hunk | null = null;
  for (const l of diff(was, is)) {
    if (l.kind === 'same') { open = null; at++; continue; }
    if (!open) { open = { from: at, to: at, lines: [] }; out.push(open); }
    if (l.kind === 'gone') open.to = ++at;
    else open.lines.push(l.text);
  }
  return out;
}

export function merge(base: string, mine: string, theirs: string): { text: string; clashes: number } {
  const lines = base.split('\n');
  const [a, b] = [hunks(base, mine), hunks(base, theirs)];
  const touch = (x: Hunk, y: Hunk) => x.from < y.to && y.from < x.to || x.from === y.from && (x.from === x.to || y.from === y.to) || x.to === y.from && x.from === x.to || y.to === x.from && y.from === y.to;
  const same = (x: Hunk, y: Hunk) => x.from === y.from && x.to === y.to && x.lines.join('\n') === y.lines.join('\n');
  let clashes = 0;
  const take = [...a];
  for (const y of b) {
    if (a.some((x) => same(x, y))) continue;
    if (a.some((x) => touch(x, y))) clashes++;
    else take.push(y);
  }
  take.sort((x, y) => y.from - x.from || y.to - x.to);
  for (const h of take) lines.splice(h.from, h.to - h.from, ...h.lines);
  return { text: lines.join('\n'), clashes };
}
