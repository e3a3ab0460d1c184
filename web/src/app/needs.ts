// What waits, for the rail, the title and Home: the same questions, so that they are asked once.
import { useAsk } from '../api/query';
import { bodyOf, type TaskBody } from '../api/rows';
import type { Me, Row } from '../api/schema';
import { askedOf, useMay, useMe } from './me';

/** Incidents that are not over. What is mitigated is no longer noticed by users: it does not burn, and is not over. */
const going = ['open', 'acknowledged', 'mitigated'];
export const burns = (row: Row) => row.status === 'open' || row.status === 'acknowledged';

type Somebody = Pick<Me, 'id' | 'groups'> | undefined;
type May = (verb: string, project?: string) => boolean;

const to = (list: string[] | undefined, me: Somebody) => (list?.length ?? 0) > 0 && askedOf(list, me);
const usedUp = (t: Partial<TaskBody>, by: string | undefined) => by !== undefined && (t.votes ?? []).some((v) => v.for?.id === by);

/** To whom this person handed their answer on, as long as it can be taken back; else undefined. */
export function handedOn(row: Row, me: Somebody): string[] | undefined {
  const t = bodyOf<TaskBody>(row);
  if (row.status !== 'open' || !me || usedUp(t, me.id)) return undefined;
  return t.delegated?.find((d) => d.by.id === me.id)?.to;
}

/** Whether the server would take an answer of this person, as package task judges it: once each, and not while it is handed on. */
export function answers(row: Row, me: Somebody, may: May): boolean {
  const t = bodyOf<TaskBody>(row);
  if (row.status !== 'open' || !me || !may(t.type === 'approve' || t.type === 'review' ? 'approve' : 'answer', row.project)) return false;
  if ((t.votes ?? []).some((v) => v.by.id === me.id)) return false;
  if (own(t, me)) return !(t.delegated ?? []).some((d) => d.by.id === me.id);
  return (t.delegated ?? []).some((d) => to(d.to, me) && !usedUp(t, d.by.id));
}

/** Whether a person is asked themselves, from the beginning or since nobody decided in time: only they can hand it on. */
function own(t: Partial<TaskBody>, me: Somebody): boolean {
  return askedOf(t.from, me) || (t.escalated ?? []).some((e) => to(e.to, me));
}
export const handsOn = (row: Row, me: Somebody, may: May) => answers(row, me, may) && own(bodyOf<TaskBody>(row), me);

/** Whether a task waits for this person: they can answer it, with a yes too, or see to it. */
export function needs(row: Row, me: Somebody, may: May): boolean {
  const t = bodyOf<TaskBody>(row);
  if (!me || (t.notRequester && t.requesterID === me.id)) return false;
  if (answers(row, me, may)) return true;
  return row.status === 'open' && t.assignee === me.id && may(t.type === 'approve' || t.type === 'review' ? 'approve' : 'answer', row.project)
    && !(t.votes ?? []).some((v) => v.by.id === me.id) && !(t.delegated ?? []).some((d) => d.by.id === me.id);
}

export const useOpenTasks = () => useAsk('listTasks', { query: { status: ['open'], limit: 200 } });
export const useIncidents = () => useAsk('listIncidents', { query: { status: going, limit: 200 } });
export const useDoubts = () => useAsk('listRuns', { query: { status: ['in-doubt'], limit: 200 } });

/** How much waits, by the page where it is; undefined while it is not known. */
export function useCounts(): Record<string, { n: number; says: string; tone: 'wait' | 'bad' | 'doubt' } | undefined> {
  const me = useMe();
  const may = useMay();
  const tasks = useOpenTasks();
  const incidents = useIncidents();
  const doubts = useDoubts();
  return {
    '/inbox': tasks.data && me.data ? { n: tasks.data.rows.filter((t) => needs(t, me.data, may)).length, says: 'for you', tone: 'wait' } : undefined,
    '/incidents': incidents.data ? { n: incidents.data.rows.filter(burns).length, says: 'burning', tone: 'bad' } : undefined,
    '/runs': doubts.data ? { n: doubts.data.rows.length, says: 'in doubt', tone: 'doubt' } : undefined,
  };
}
