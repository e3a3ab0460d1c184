import { bodyOf, type TaskBody } from '../../api/rows';
import type { Me, Row } from '../../api/schema';
import { askedOf } from '../../app/me';
import { parse } from '../../lib/time';

export const kinds: Record<string, string> = { approve: 'approval', ask: 'form', manual: 'work by hand', doubt: 'doubt', review: 'review' };

/** What is over first comes first; what has no end comes last, the oldest of it first. */
export function byDue(a: Row, b: Row): number {
  const due = (r: Row) => { const t = parse(bodyOf<TaskBody>(r).expires); return Number.isNaN(t) ? Infinity : t; };
  const [x, y] = [due(a), due(b)];
  return x === y ? (a.at ?? '').localeCompare(b.at ?? '') : x - y;
}

/** The right that answering takes. */
export const verbOf = (b: Partial<TaskBody>) => (b.type === 'approve' || b.type === 'review' ? 'approve' : 'answer');

/** Whether an open question waits for this person: they were asked, may answer, and have not. */
export function waitsFor(r: Row, me: Me | undefined, may: (verb: string, project?: string) => boolean): boolean {
  const b = bodyOf<TaskBody>(r);
  if (r.status !== 'open' || !me || !may(verbOf(b), r.project)) return false;
  if ((b.votes ?? []).some((v) => v.by.id === me.id)) return false;
  if (b.notRequester && b.requesterID === me.id) return false;
  return b.assignee === me.id || askedOf(b.from, me) || (b.delegated ?? []).some((d) => askedOf(d.to, me)) || (b.escalated ?? []).some((e) => askedOf(e.to, me));
}
