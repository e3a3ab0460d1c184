import { expect, it } from 'vitest';

import type { Playbook, PlaybookRecord } from '../../api/schema';
import { byTeam, labelsOf, tone, unproven, worstFirst } from './list';

const p = (name: string, owner?: string) => ({ name, owner, digest: '', mode: 'auto', mutates: false, project: 'default', source: '', labels: { a: 'b' } }) as Playbook;
const r = (of: Partial<PlaybookRecord>, status?: string) => ({ runs: status ? 1 : 0, verifies: false, last: status ? [{ status }] : [], ...of }) as PlaybookRecord;

it('groups by team, who has none last', () => {
  expect(byTeam([p('z', 'shop'), p('y'), p('a', 'shop'), p('b', 'core')]).map(([t, l]) => `${t}:${l.map((x) => x.name)}`)).toEqual(['core:b', 'shop:a,z', ':y']);
  expect(labelsOf(p('x'))).toEqual(['a=b']);
});

it('says why nothing was verified', () => {
  expect(unproven(undefined)).toMatch(/not run/);
  expect(unproven(r({}, 'succeeded'))).toMatch(/nothing to verify/);
  expect(unproven(r({ verifies: true }, 'succeeded'))).toMatch(/no run came/);
});

it('what is wrong comes first', () => {
  const of: Record<string, PlaybookRecord> = { a: r({}, 'succeeded'), b: r({}, 'in-doubt'), c: r({}, 'failed') };
  expect(worstFirst([p('a'), p('b'), p('c'), p('d')], (x) => of[x.name]).map((x) => x.name)).toEqual(['c', 'b', 'a', 'd']);
  expect(tone(r({}, 'waiting'))).toBe('wait');
});
