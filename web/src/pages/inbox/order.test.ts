import { expect, it } from 'vitest';

import { byDue } from './order';

it('what ends first comes first', () => {
  const row = (id: string, expires: string | undefined, at: string) => ({ id, kind: 'task', at, body: { expires } });
  const list = [row('d', undefined, '2026-01-02T00:00:00Z'), row('c', '0001-01-01T00:00:00Z', '2026-01-01T00:00:00Z'), row('b', '2026-01-05T00:00:00Z', ''), row('a', '2026-01-04T00:00:00Z', '')];
  expect(list.sort(byDue).map((r) => r.id)).toEqual(['a', 'b', 'c', 'd']);
});
