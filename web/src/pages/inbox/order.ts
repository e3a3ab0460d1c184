import { bodyOf, type TaskBody } from '../../api/rows';
import type { Row } from '../../api/schema';
import { parse } from '../../lib/time';

export const kinds: Record<string, string> = { approve: 'approval', ask: 'form', manual: 'work by hand', doubt: 'doubt', review: 'review' };

/** What is over first comes first; what has no end comes last, the oldest of it first. */
export function byDue(a: Row, b: Row): number {
  const due = (r: Row) => { const t = parse(bodyOf<TaskBody>(r).expires); return Number.isNaN(t) ? Infinity : t; };
  const [x, y] = [due(a), due(b)];
  return x === y ? (a.at ?? '').localeCompare(b.at ?? '') : x - y;
}
