import { expect, it } from 'vitest';

import { sinceOf } from './since';

it('counts back, to the minute', () => {
  const now = Date.parse('2026-03-02T10:00:31Z');
  expect(sinceOf('24h', now)).toBe('2026-03-01T10:00:00.000Z');
  expect(sinceOf('nonsense', now)).toBe('2026-03-02T10:00:00.000Z');
});
