// What an incident needs now, the most pressing first. The page and nobody's memory says it.
import type { Incident } from '../../api/schema';
import { parse } from '../../lib/time';

export type Need =
  | { what: 'late'; at: string }
  | { what: 'doubt'; run: string; name: string }
  | { what: 'task'; task: string; name: string; due: string | undefined }
  | { what: 'nobody' }
  | { what: 'update'; at: string }
  | { what: 'commander' }
  | { what: 'quiet' }
  | { what: 'next' };

export interface Waits { id: string; name: string; due: string | undefined }

/** over: nothing is needed. tasks: what people are asked by its runs. */
export function needs(d: Pick<Incident, 'status' | 'severity' | 'next' | 'nextBy' | 'updateDue' | 'commander' | 'responders' | 'firing' | 'members' | 'runs'>, tasks: Waits[], now: number): Need[] {
  if (d.status === 'resolved' || d.status === 'merged') return [];
  const out: Need[] = [];
  const late = parse(d.nextBy) < now;
  const alone = !d.commander && !d.responders?.length;
  if (late) out.push({ what: 'late', at: d.nextBy ?? '' });
  for (const r of d.runs ?? []) if (r.status === 'in-doubt') out.push({ what: 'doubt', run: r.run, name: r.playbook ?? r.run });
  for (const t of tasks) out.push({ what: 'task', task: t.id, name: t.name, due: t.due });
  if (alone) out.push({ what: 'nobody' });
  if (!late && parse(d.updateDue) < now) out.push({ what: 'update', at: d.updateDue ?? '' });
  if (!alone && !d.commander && (d.severity === 'critical' || d.severity === 'major')) out.push({ what: 'commander' });
  if (d.firing === 0 && (d.members?.length ?? 0) > 0) out.push({ what: 'quiet' });
  else if (!d.next && !alone) out.push({ what: 'next' });
  return out;
}
