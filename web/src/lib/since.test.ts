import { expect, it } from 'vitest';

import { differs, otherwise } from './since';

it('says what differs', () => {
  expect(differs({ a: 1, b: [1], c: 'x' }, { a: 1, b: [2], d: true })).toEqual([{ name: 'b', was: [1], is: [2] }, { name: 'c', was: 'x', is: undefined }, { name: 'd', was: undefined, is: true }]);
});

it('names the steps that came out otherwise, of those that are over in both', () => {
  const s = (path: string, status: string, kind = 'action') => ({ path, label: path, status, kind });
  expect(otherwise([s('a', 'succeeded'), s('b', 'succeeded'), s('c', 'running'), s('d', 'failed', 'iteration')], [s('a', 'failed'), s('b', 'succeeded'), s('c', 'failed'), s('d', 'succeeded', 'iteration'), s('e', 'failed')]))
    .toEqual([{ path: 'a', label: 'a', was: 'succeeded', is: 'failed' }]);
});
