import { expect, it } from 'vitest';

import type { Playbook } from '../../api/schema';
import { byTeam, labelsOf, share } from './list';

const p = (name: string, owner?: string) => ({ name, owner, digest: '', mode: 'auto', mutates: false, project: 'default', source: '', labels: { a: 'b' } }) as Playbook;

it('groups by team, who has none last', () => {
  expect(byTeam([p('z', 'shop'), p('y'), p('a', 'shop'), p('b', 'core')]).map(([t, l]) => `${t}:${l.map((x) => x.name)}`)).toEqual(['core:b', 'shop:a,z', ':y']);
  expect(labelsOf(p('x'))).toEqual(['a=b']);
  expect(share({ verified: 1, runs: 3 })).toBe('33 %');
});
