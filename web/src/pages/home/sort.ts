// What Home makes of rows.
import { bodyOf, type RunBody, type TaskBody } from '../../api/rows';
import type { Incident, Row } from '../../api/schema';
import { parse } from '../../lib/time';
import { severities } from '../../ui/Severity';

export { type Hold, holds } from '../../app/holds';

/** What ended within the last hours. */
export function lately(rows: Row[], now: number, hours: number): Row[] {
  return rows.filter((r) => {
    const at = parse(bodyOf<RunBody>(r).ended ?? r.at);
    return at > now - hours * 3_600_000;
  });
}

const rank = (severity: string | undefined) => { const i = (severities as readonly string[]).indexOf(severity ?? ''); return i < 0 ? severities.length : i; };

/** Whether nobody has said that it is theirs. */
export const unclaimed = (i: Partial<Incident>) => !i.commander && !(i.responders ?? []).length;

/** The worst first: by severity, what nobody has before what somebody has, what is mitigated last, then what burns longest. */
export function worstIncidents(rows: Row[]): Row[] {
  const key = (r: Row) => { const i = bodyOf<Incident>(r); return [r.status === 'mitigated' ? 1 : 0, rank(i.severity), unclaimed(i) ? 0 : 1, parse(i.opened ?? r.at)]; };
  return [...rows].sort((a, b) => {
    const [x, y] = [key(a), key(b)];
    for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return (x[i] ?? 0) - (y[i] ?? 0);
    return a.id.localeCompare(b.id);
  });
}

/** What is due first; of what has no end, what waits longest. */
export function byDue(rows: Row[]): Row[] {
  const at = (r: Row) => { const t = parse(bodyOf<TaskBody>(r).expires); return Number.isNaN(t) ? Infinity : t; };
  return [...rows].sort((a, b) => (at(a) === at(b) ? parse(a.at) - parse(b.at) : at(a) - at(b)));
}

/** Since when there was no trouble: the end of the last run that failed, or of the last incident. Undefined: there was none. */
export function quietSince(failed: Row[], incidents: Row[]): string | undefined {
  const ends = [...failed.map((r) => bodyOf<RunBody>(r).ended ?? r.at), ...incidents.map((r) => bodyOf<Incident>(r).ended)].filter((t): t is string => !Number.isNaN(parse(t)));
  return ends.reduce<string | undefined>((last, t) => (last === undefined || parse(t) > parse(last) ? t : last), undefined);
}

export interface Same { last: Row; n: number }

/** Runs of a playbook that failed with the same words are one line, where the last of them stands. */
export function alike(rows: Row[]): Same[] {
  const by = new Map<string, Same>();
  for (const r of rows) {
    const key = `${r.project ?? ''} ${r.name ?? ''} ${(bodyOf<RunBody>(r).fault?.message ?? '').slice(0, 200)}`;
    const same = by.get(key);
    if (same) same.n++;
    else by.set(key, { last: r, n: 1 });
  }
  return [...by.values()];
}
