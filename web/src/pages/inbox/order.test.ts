import { expect, it } from 'vitest';

import type { Me } from '../../api/schema';
import { byDue, waitsFor } from './order';

it('what ends first comes first', () => {
  const row = (id: string, expires: string | undefined, at: string) => ({ id, kind: 'task', at, body: { expires } });
  const list = [row('d', undefined, '2026-01-02T00:00:00Z'), row('c', '0001-01-01T00:00:00Z', '2026-01-01T00:00:00Z'), row('b', '2026-01-05T00:00:00Z', ''), row('a', '2026-01-04T00:00:00Z', '')];
  expect(list.sort(byDue).map((r) => r.id)).toEqual(['a', 'b', 'c', 'd']);
});

it('what waits for somebody', () => {
  const me = { id: 'user:ann', name: 'ann', groups: ['sre'], may: [], local: false } as Me;
  const of = (body: object, status = 'open') => waitsFor({ id: 't', kind: 'task', status, project: 'p', body: { type: 'approve', ...body } }, me, () => true);
  expect(of({})).toBe(true);
  expect(of({}, 'approved')).toBe(false);
  expect(of({ from: ['group:sre'] })).toBe(true);
  expect(of({ from: ['bob'] })).toBe(false);
  expect(of({ from: ['bob'], delegated: [{ by: me, to: ['ann'] }] })).toBe(true);
  expect(of({ from: ['bob'], assignee: 'user:ann' })).toBe(true);
  expect(of({ votes: [{ answer: 'approve', by: { id: 'user:ann', name: '', via: '' } }] })).toBe(false);
  expect(of({ notRequester: true, requesterID: 'user:ann' })).toBe(false);
  expect(waitsFor({ id: 't', kind: 'task', status: 'open', body: {} }, me, () => false)).toBe(false);
});
