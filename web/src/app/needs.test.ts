import { expect, it } from 'vitest';

import type { Row } from '../api/schema';
import { answers, burns, handedOn, handsOn, needs } from './needs';
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

it('whoever handed it on does not answer until they took it back; who got it answers once, and hands it no further', () => {
  const [ann, bob] = [{ id: 'user:ann', groups: [] }, { id: 'user:bob', groups: [] }];
  const of = (body: object): Row => ({ id: 't', kind: 'task', status: 'open', project: 'p', body: { type: 'approve', from: ['ann'], ...body } });
  const all = () => true;
  const handed = [{ by: { id: 'user:ann', name: 'ann' }, to: ['bob'] }];
  expect([answers(of({}), ann, all), handsOn(of({}), ann, all), answers(of({}), bob, all)]).toEqual([true, true, false]);
  const after = of({ delegated: handed });
  expect([needs(after, ann, all), answers(after, ann, all), handedOn(after, ann)]).toEqual([false, false, ['bob']]);
  expect([needs(after, bob, all), answers(after, bob, all), handsOn(after, bob, all), handedOn(after, bob)]).toEqual([true, true, false, undefined]);
  const used = of({ delegated: handed, count: 2, votes: [{ answer: 'approve', by: { id: 'user:cy', name: 'cy' }, for: { id: 'user:ann', name: 'ann' } }] });
  expect([answers(used, bob, all), handedOn(used, ann)]).toEqual([false, undefined]);
  expect(needs(of({ delegated: handed, assignee: 'user:ann' }), ann, all)).toBe(false);
  // Asked of whoever may: they can hand it on as well.
  expect(answers(of({ from: [], delegated: handed }), ann, all)).toBe(false);
});

it('what is mitigated does not burn', () => {
  const of = (status: string): Row => ({ id: 'i', kind: 'incident', status });
  expect(['open', 'acknowledged', 'mitigated', 'resolved'].filter((s) => burns(of(s)))).toEqual(['open', 'acknowledged']);
});
