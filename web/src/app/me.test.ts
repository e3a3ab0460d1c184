import { expect, it } from 'vitest';

import type { Me } from '../api/schema';
import { askedOf, may } from './me';

const me = { groups: [], id: 'user:a', local: false, name: 'a', may: [
  { verb: 'view', all: true, except: ['secret'] }, { verb: 'start', projects: ['shop'] }, { verb: 'halt', all: true, server: true },
] } as unknown as Me;

it('offers what is allowed and nothing else', () => {
  expect(may(me, 'view', 'shop')).toBe(true);
  expect(may(me, 'view', 'secret')).toBe(false);
  expect(may(me, 'start', 'shop')).toBe(true);
  expect(may(me, 'start', 'other')).toBe(false);
  expect(may(me, 'halt')).toBe(true);
  expect(may(me, 'start')).toBe(false);
  expect(may(me, 'approve', 'shop')).toBe(false);
  expect(may(undefined, 'view', 'shop')).toBe(false);
});

it('knows who is asked', () => {
  const who = { id: 'user:ada@example.org', groups: ['sre', 'oncall/db'] };
  for (const from of [undefined, [], ['ada@example.org'], ['user:ada@example.org'], ['sre'], ['group:sre'], ['x', 'oncall/db']]) expect(askedOf(from, who)).toBe(true);
  for (const from of [['bob'], ['group:ada@example.org'], ['shop']]) expect(askedOf(from, who)).toBe(false);
  expect(askedOf(['sre'], undefined)).toBe(false);
});
