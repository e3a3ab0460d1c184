// What waits, for the rail, the title and Home: the same questions, so that they are asked once.
import { useAsk } from '../api/query';
import { bodyOf, type TaskBody } from '../api/rows';
import type { Me, Row } from '../api/schema';
import { askedOf, useMay, useMe } from './me';

/** Incidents that are not over. */
export const burning = ['open', 'acknowledged', 'mitigated'];

/** Whether a task waits for this person: it is open, asked of them, they may, and they have not voted yet. */
export function needs(row: Row, me: Pick<Me, 'id' | 'groups'> | undefined, may: (verb: string, project?: string) => boolean): boolean {
  const t = bodyOf<TaskBody>(row);
  if (row.status !== 'open' || me === undefined || !may(t.type === 'approve' || t.type === 'review' ? 'approve' : 'answer', row.project)) return false;
  if ((t.votes ?? []).some((v) => v.by.id === me.id) || (t.notRequester && t.requesterID === me.id)) return false;
  const handed = [...(t.delegated ?? []), ...(t.escalated ?? [])];
  return t.assignee === me.id || askedOf(t.from, me) || handed.some((h) => (h.to?.length ?? 0) > 0 && askedOf(h.to, me));
}

export const useOpenTasks = () => useAsk('listTasks', { query: { status: ['open'], limit: 200 } });
export const useBurning = () => useAsk('listIncidents', { query: { status: burning, limit: 200 } });
export const useDoubts = () => useAsk('listRuns', { query: { status: ['in-doubt'], limit: 200 } });

/** How much waits, by the page where it is; undefined while it is not known. */
export function useCounts(): Record<string, { n: number; says: string; tone: 'wait' | 'bad' | 'doubt' } | undefined> {
  const me = useMe();
  const may = useMay();
  const tasks = useOpenTasks();
  const incidents = useBurning();
  const doubts = useDoubts();
  return {
    '/inbox': tasks.data && me.data ? { n: tasks.data.rows.filter((t) => needs(t, me.data, may)).length, says: 'for you', tone: 'wait' } : undefined,
    '/incidents': incidents.data ? { n: incidents.data.rows.length, says: 'not over', tone: 'bad' } : undefined,
    '/runs': doubts.data ? { n: doubts.data.rows.length, says: 'in doubt', tone: 'doubt' } : undefined,
  };
}
