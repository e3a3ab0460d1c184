import type { Playbook, PlaybookRecord } from '../../api/schema';

/** Teams in order, who has none at the end; playbooks by name. */
export function byTeam(list: Playbook[]): [string, Playbook[]][] {
  const teams = new Map<string, Playbook[]>();
  for (const p of [...list].sort((a, b) => a.name.localeCompare(b.name))) teams.set(p.owner ?? '', [...(teams.get(p.owner ?? '') ?? []), p]);
  return [...teams].sort(([a], [b]) => Number(a === '') - Number(b === '') || a.localeCompare(b));
}

export const labelsOf = (p: Playbook): string[] => Object.entries(p.labels ?? {}).map(([k, v]) => `${k}=${v}`);

export const share = (r: Pick<PlaybookRecord, 'verified' | 'runs'>): string => `${Math.round((100 * r.verified) / Math.max(1, r.runs))} %`;
