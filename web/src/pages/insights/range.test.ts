import { expect, it } from 'vitest';

import { change, duration, minutes, outcomes, span } from './range';

it('a span begins at midnight, and the question stays the same', () => {
  const now = Date.parse('2026-03-29T12:34:10Z');
  expect(span('7', now, true)).toEqual({ since: '2026-03-23T00:00:00.000Z', every: 'day' });
  expect(span('1', now, true)).toEqual({ since: '2026-03-28T13:00:00.000Z', every: 'hour' });
  expect(span('nonsense', now, true)).toEqual(span('28', now, true));
  expect(span('7', now + 20_000, true)).toEqual(span('7', now, true));
});

it('says figures as people do', () => {
  expect([12, 600, 7200, 400_000].map(duration)).toEqual(['12 s', '10 min', '2.0 h', '4.6 days']);
  expect([45, 150, 900].map(minutes)).toEqual(['45 min', '2.5 h', '15 h']);
});

it('compares with the time before', () => {
  const say = (n: number) => String(n);
  expect(change(3, 2, 1, say)).toEqual({ says: '▲ from 2', tone: 'good' });
  expect(change(3, 2, -1, say).tone).toBe('bad');
  expect(change(1, 2, -1, say)).toEqual({ says: '▼ from 2', tone: 'good' });
  expect(change(2, 2, 1, say).says).toBe('as before');
  expect(change(2, null, 1, say).says).toBe('nothing before');
  expect(change(null, 2, 1, say).says).toBe('2 before');
});

it('stacks what ran, and nothing twice', () => {
  const o = outcomes({ runs: 10, succeeded: 6, failed: 3, verified: 4, observed: 0, savedMinutes: 0 });
  expect(o).toEqual({ verified: 4, succeeded: 2, failed: 3, other: 1 });
  expect(Object.values(o).reduce((a, b) => a + b)).toBe(10);
});
