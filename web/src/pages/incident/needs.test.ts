import { expect, it } from 'vitest';

import { needs } from './needs';

const now = Date.parse('2026-01-01T12:00:00Z');
const d = { status: 'open', severity: 'critical', firing: 1, members: [{ event: 'e', source: 's', since: '' }] };
const of = (more: object, tasks: { id: string; name: string; due: string | undefined }[] = []) => needs({ ...d, ...more }, tasks, now).map((n) => n.what);

it('says what is pressing first', () => {
  expect(of({})).toEqual(['nobody']);
  expect(of({ responders: ['ann'] })).toEqual(['commander', 'next']);
  expect(of({ commander: 'ann', next: 'x', nextBy: '2026-01-01T11:00:00Z' })).toEqual(['late']);
  expect(of({ commander: 'ann', next: 'x', nextBy: '2026-01-01T13:00:00Z' })).toEqual([]);
  expect(of({ commander: 'ann', next: 'x', updateDue: '2026-01-01T11:00:00Z' })).toEqual(['update']);
  expect(of({ severity: 'minor', responders: ['ann'], firing: 0 })).toEqual(['quiet']);
  expect(of({ responders: ['ann'], runs: [{ run: 'r', began: '', status: 'in-doubt' }] }, [{ id: 't', name: 'sure?', due: undefined }])).toEqual(['doubt', 'task', 'commander', 'next']);
  expect(of({ status: 'resolved' })).toEqual([]);
});
