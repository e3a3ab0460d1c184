import { expect, it } from 'vitest';

import { dayOf, sinceOf } from './since';

it('counts back, to the minute', () => {
  const now = Date.parse('2026-03-02T10:00:31Z');
  expect(sinceOf('24h', now)).toBe('2026-03-01T10:00:00.000Z');
  expect(sinceOf('nonsense', now)).toBe('2026-03-02T10:00:00.000Z');
});

it('days begin where they are shown', () => {
  expect(dayOf('2026-03-02', 'utc')).toBe('2026-03-02T00:00:00.000Z');
  expect(dayOf('2026-12-31', 'utc', 1)).toBe('2027-01-01T00:00:00.000Z');
  expect(dayOf('soon', 'utc')).toBe('');
  expect(dayOf('2026-03-02', 'local')).toBe(new Date(2026, 2, 2).toISOString());
});
