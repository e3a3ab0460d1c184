import { expect, it } from 'vitest';

import { near } from './near';

it('says what stands beside one', () => {
  const of = { ids: ['a', 'b', 'c'], from: '/runs' };
  expect(near(of, 'b')).toEqual({ at: 1, n: 3, before: 'a', after: 'c' });
  expect(near(of, 'a')?.before).toBeUndefined();
  expect(near(of, 'x')).toBeNull();
  expect(near({ ids: ['a'], from: '' }, 'a')).toBeNull();
});
