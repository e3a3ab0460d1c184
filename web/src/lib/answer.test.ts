import { expect, it } from 'vitest';

import { choicesOf, endOf, fieldsOf, howOf, outputOf, questionOf, rulesOf } from './answer';

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

it('sends what the form holds', () => {
  expect(outputOf(fieldsOf({ choices: ['a'] }), { value: 'a', more: 1 })).toEqual({ value: 'a' });
  expect(outputOf(fieldsOf({ fields: [{ name: 'n', type: 'number' }] }), { n: 3 })).toEqual({ n: 3 });
});

it('says who may answer, and what becomes of no answer', () => {
  expect(rulesOf({ count: 2, votes: [{ answer: 'approve' }, { answer: 'reject' }], notAuthor: true })).toBe('2 different people must approve; 1 did; not whoever wrote the playbook.');
  expect(rulesOf({})).toBe('');
  expect(endOf({ type: 'approve', expires: '0001-01-01T00:00:00Z' })).toBeNull();
  expect(endOf({ type: 'approve', expires: '2026-01-01T00:00:00Z' })).toEqual({ until: '2026-01-01T00:00:00Z', as: 'no' });
  expect(endOf({ type: 'ask', expires: '2026-01-01T00:00:00Z', default: 'approve' })?.as).toBe('approved');
});

it('names work by hand by its title, and a question by what it asks', () => {
  const work = { type: 'manual', title: 'Unplug the north feed', message: '1. Wait.\n2. Pull.' };
  expect([questionOf(work, 'step'), howOf(work, 'step')]).toEqual(['Unplug the north feed', '1. Wait.\n2. Pull.']);
  expect([questionOf({ type: 'manual', message: 'Pull.' }), howOf({ type: 'manual', message: 'Pull.' })]).toEqual(['Pull.', '']);
  expect([questionOf({ type: 'approve', title: 'approve it', message: 'Sure?' }), howOf({ type: 'approve', title: 'approve it', message: 'Sure?' })]).toEqual(['Sure?', '']);
});
