import type { Playbook, PlaybookRecord } from '../../api/schema';

/** Teams in order, who has none at the end; playbooks by name. */
export function byTeam(list: Playbook[]): [string, Playbook[]][] {
  const teams = new Map<string, Playbook[]>();
  for (const p of [...list].sort((a, b) => a.name.localeCompare(b.name))) teams.set(p.owner ?? '', [...(teams.get(p.owner ?? '') ?? []), p]);
  return [...teams].sort(([a], [b]) => Number(a === '') - Number(b === '') || a.localeCompare(b));
}

export const labelsOf = (p: Playbook): string[] => Object.entries(p.labels ?? {}).map(([k, v]) => `${k}=${v}`);

/** Why there is no share of verified runs. */
export function unproven(r: PlaybookRecord | undefined): string {
  if (!r?.runs) return 'it has not run yet';
  return r.verifies ? 'no run came to its verification yet' : 'it has nothing to verify';
}

/** How a playbook stands by its last run: what is wrong is marked. */
export function tone(r: PlaybookRecord | undefined): 'bad' | 'doubt' | 'wait' | undefined {
  const status = r?.last[0]?.status;
  if (status === 'failed' || status === 'quarantined') return 'bad';
  if (status === 'in-doubt' || status === 'interrupted') return 'doubt';
  return status === 'waiting' ? 'wait' : undefined;
}

const ranks = ['bad', 'doubt', 'wait', undefined];

/** What is wrong first, and then by name. */
export function worstFirst(list: Playbook[], of: (p: Playbook) => PlaybookRecord | undefined): Playbook[] {
  return list.toSorted((a, b) => ranks.indexOf(tone(of(a))) - ranks.indexOf(tone(of(b))) || a.name.localeCompare(b.name));
}
