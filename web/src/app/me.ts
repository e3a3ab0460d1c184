// Who looks, and what they may: nothing else is offered to them. The server refuses it as well.
import { useAsk } from '../api/query';
import type { Me } from '../api/schema';

export type Verb = Me['may'][number]['verb'];

/** Whether somebody may do something within a project; without one, to the server itself. */
export function may(me: Me | undefined, verb: string, project?: string): boolean {
  const power = me?.may.find((p) => p.verb === verb);
  if (!power) return false;
  if (project === undefined) return power.server ?? false;
  return power.all ? !(power.except ?? []).includes(project) : (power.projects ?? []).includes(project);
}

export const useMe = () => useAsk('me', {});

/** Tells whether the person may do something, anywhere (project undefined: the server; '*': in some project). */
export function useMay(): (verb: string, project?: string) => boolean {
  const { data } = useMe();
  return (verb, project) => {
    if (project === '*') return data?.may.some((p) => p.verb === verb && (p.all || (p.projects ?? []).length > 0)) ?? false;
    return may(data, verb, project);
  };
}

/** Whether a question that goes to some is asked of the person: by id, by name of the kind that the server takes, or by group. */
export function askedOf(from: string[] | undefined, me: Pick<Me, 'id' | 'groups'> | undefined): boolean {
  if (!from || from.length === 0) return true;
  if (!me) return false;
  return from.some((f) => f === me.id || f === me.id.replace(/^(user|os):/, '') || me.groups.some((g) => f === g || f === `group:${g}`));
}
