import { expect, it } from 'vitest';

import type { Me } from '../api/schema';
import { may } from './me';

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
