import { expect, it } from 'vitest';

import { choicesOf, fieldsOf } from './choices';

it('every kind of task can be answered, and nothing says yes by itself', () => {
  for (const t of ['approve', 'ask', 'manual', 'review', 'doubt']) expect(choicesOf(t).length).toBeGreaterThan(0);
  expect(choicesOf('strange')).toEqual([]);
});

it('reads both forms', () => {
  expect(fieldsOf({ fields: [{ name: 'n', type: 'number' }] })).toEqual([{ name: 'n', type: 'number' }]);
  expect(fieldsOf({ choices: ['a', 'b'], selector: 'single' })[0]).toMatchObject({ name: 'value', enum: ['a', 'b'], required: true });
  expect(fieldsOf({ choices: ['a'], selector: 'multi' })[0]).toMatchObject({ type: 'list' });
  expect(fieldsOf(undefined)).toEqual([]);
});
