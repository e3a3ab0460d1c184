import { expect, test } from 'vitest';

import { address, byNeed, standing, troubled } from './standing';

const fail = { grade: 'fail', text: 'x' } as const;
const warn = { grade: 'warn', text: 'x' } as const;

test('a state has a shape and a word', () => {
  expect(standing(fail, '2026-01-01T00:00:00Z').says).toBe('does not work');
  expect(standing(warn).status).toBe('interrupted');
  expect(standing(undefined).says).toBe('ready');
  expect(standing(undefined, undefined).says).toBe('ready');
  expect(standing(undefined, '').says).toBe('nothing yet');
  expect(standing(undefined, '2026-01-01T00:00:00Z').says).toBe('works');
});

test('what does not work comes first, and the rest stays in order', () => {
  const list = [{ name: 'a' }, { name: 'b', trouble: warn }, { name: 'c' }, { name: 'd', trouble: fail }];
  expect(byNeed(list).map((x) => x.name)).toEqual(['d', 'b', 'a', 'c']);
  expect(list[0]?.name).toBe('a');
  expect(troubled(list, [], [{ trouble: warn }])).toBe(3);
});

test('a hook is below the address of the server', () => {
  expect(address('https://tend.example.org/', 'http://127.0.0.1:8420', '/hooks/am')).toBe('https://tend.example.org/hooks/am');
  expect(address(undefined, 'http://127.0.0.1:8420', '/hooks/am')).toBe('http://127.0.0.1:8420/hooks/am');
});
