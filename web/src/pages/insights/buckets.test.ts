import { expect, it } from 'vitest';

import { buckets, duration, ratio } from './buckets';

it('buckets touch each other and end now', () => {
  const now = Date.parse('2026-03-29T12:00:00Z');
  for (const [days, n] of [['7', 7], ['28', 4], ['91', 13], ['nonsense', 4]] as const) {
    const list = buckets(days, now);
    expect(list).toHaveLength(n);
    expect(list.at(-1)?.until).toBe('2026-03-29T12:00:00.000Z');
    for (let i = 1; i < list.length; i++) expect(list[i]?.since).toBe(list[i - 1]?.until);
  }
});

it('says figures as people do', () => {
  expect([0, 12, 600, 7200].map(duration)).toEqual(['–', '12 s', '10 min', '2.0 h']);
  expect([ratio(1, 0), ratio(1, 3)]).toEqual(['–', '33 %']);
});
