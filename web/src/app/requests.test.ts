import { expect, it } from 'vitest';

import { stopsOf } from './requests';

const says = (status: string, waits: string | undefined, asks: boolean) => stopsOf({ status, ...(waits ? { waits } : {}) }, asks).map((s) => (s.here ? `[${s.says}]` : s.says)).join(' ');

it('a request is a line of steps, with one where it stands', () => {
  expect(says('running', undefined, false)).toBe('asked [is being done] done');
  expect(says('waiting', 'people', true)).toBe('asked [a person decides] done by tend done');
  expect(says('waiting', 'time', false)).toBe('asked [waits for its time] done');
  expect(says('succeeded', undefined, true)).toBe('asked decided worked on [done]');
  expect(says('failed', undefined, false)).toBe('asked worked on [failed]');
});
