import { expect, it } from 'vitest';

import { full, offset, parse, relative, short, took } from './time';

it('says how long', () => {
  expect([0, 850, 12_400, 59_999, 185_000, 7_800_000, 273_600_000, -5].map(took)).toEqual(
    ['0 ms', '850 ms', '12 s', '59 s', '3 min 05 s', '2 h 10 min', '3 d 4 h', '0 ms']);
});

it('says when, roughly', () => {
  const now = Date.parse('2026-11-28T12:00:00Z');
  expect(relative(now - 12_000, now)).toBe('12 s ago');
  expect(relative(now + 240_000, now)).toBe('in 4 min');
  expect(relative(now - 100, now)).toBe('now');
});

it('always with the zone', () => {
  const at = new Date('2026-11-28T14:03:22.5Z');
  expect(full(at, 'utc')).toBe('2026-11-28 14:03:22 UTC');
  expect(offset(at, 'utc')).toBe('UTC');
  expect(short(at, Date.parse('2026-11-28T23:00:00Z'), 'utc')).toBe('14:03:22');
  expect(short(at, Date.parse('2026-11-30T23:00:00Z'), 'utc')).toBe('11-28 14:03');
});

it('knows that no time is no time', () => {
  expect(parse(undefined)).toBeNaN();
  expect(parse('0001-01-01T00:00:00Z')).toBeNaN();
});
