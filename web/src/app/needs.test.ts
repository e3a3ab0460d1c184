import { expect, it } from 'vitest';

import type { Row } from '../api/schema';
import { needs } from './needs';
import { titleOf } from './title';

const me = { id: 'user:ada', groups: ['sre'] };
const task = (body: unknown, status = 'open'): Row => ({ id: 't', kind: 'task', status, project: 'shop', body });
const only = (...verbs: string[]) => (verb: string) => verbs.includes(verb);

it('counts what waits for this person and nothing else', () => {
  expect(needs(task({ type: 'approve' }), me, only('approve'))).toBe(true);
  expect(needs(task({ type: 'approve' }), me, only('answer'))).toBe(false);
  expect(needs(task({ type: 'doubt' }), me, only('answer'))).toBe(true);
  expect(needs(task({ type: 'approve', from: ['dba'] }), me, only('approve'))).toBe(false);
  expect(needs(task({ type: 'approve', from: ['sre'] }), me, only('approve'))).toBe(true);
  expect(needs(task({ type: 'approve', votes: [{ answer: 'approve', by: { id: 'user:ada' } }] }), me, only('approve'))).toBe(false);
  expect(needs(task({ type: 'approve' }, 'answered'), me, only('approve'))).toBe(false);
  expect(needs(task({ type: 'approve' }), undefined, only('approve'))).toBe(false);
});

it('says in the title what waits', () => {
  expect(titleOf('Runs', 2)).toBe('(2) Runs · tend');
  expect(titleOf('Home', 0)).toBe('Home · tend');
  expect(titleOf('', 1)).toBe('(1) tend');
});

it('a question that was handed on waits for whom it was handed to', () => {
  const ann = { id: 'user:ann', groups: ['sre'] };
  const of = (body: object) => needs({ id: 't', kind: 'task', status: 'open', project: 'p', body: { type: 'approve', from: ['bob'], ...body } }, ann, () => true);
  expect(of({})).toBe(false);
  expect(of({ delegated: [{ by: {}, to: ['ann'] }] })).toBe(true);
  expect(of({ escalated: [{ to: ['group:sre'] }] })).toBe(true);
  expect(of({ escalated: [{}] })).toBe(false);
  expect(of({ assignee: 'user:ann' })).toBe(true);
  expect(of({ from: [], notRequester: true, requesterID: 'user:ann' })).toBe(false);
});
