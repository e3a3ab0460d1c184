import { expect, it } from 'vitest';

import { after, placeOf } from './model';

it('finds the place of a step of an iteration', () => {
  expect(placeOf('steps[1].foreach["a\\"]["].steps[0]')).toBe('steps[1].foreach.steps[0]');
  expect(placeOf('steps[1].foreach[7].steps[0]')).toBe('steps[1].foreach.steps[0]');
  expect(placeOf('steps[3]')).toBe('steps[3]');
});

it('reads what follows a step', () => {
  const boxes = [
    { path: 'steps[0]', title: 'a', lines: ['shell · mutate', 'undo none: a restart leaves nothing'] }, { path: 'steps[1]', title: 'b' },
    { path: 'steps[1].verify', role: 'verify', title: 'result.value < 3', lines: ['shell · read', 'within 1m'] }, { path: 'steps[1].undo', role: 'undo', title: 'echo restored' },
  ];
  expect(after({ boxes }, 'steps[0]')).toEqual({ undoNone: 'a restart leaves nothing' });
  expect(after({ boxes }, 'steps[1]')).toEqual({ verify: 'result.value < 3', within: '1m', undo: 'echo restored' });
  expect(after({ boxes }, 'steps[9]')).toEqual({});
});
