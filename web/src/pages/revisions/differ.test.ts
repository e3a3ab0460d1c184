import { expect, it } from 'vitest';

import { differ } from './differ';

it('tells what came, went and changed', () => {
  const f = (file: string, sum: string) => ({ file, sum, size: 1 });
  expect(differ([f('a', '1'), f('b', '1'), f('c', '1')], [f('d', '1'), f('b', '2'), f('a', '1')])).toEqual([
    { file: 'b', how: 'changed' }, { file: 'c', how: 'gone' }, { file: 'd', how: 'new' },
  ]);
  expect(differ([], [])).toEqual([]);
});
