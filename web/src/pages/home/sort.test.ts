import { expect, it } from 'vitest';

import type { Row } from '../../api/schema';
import { alike, byDue, holds, lately, quietSince, worstIncidents } from './sort';

const run = (id: string, body: unknown): Row => ({ id, kind: 'run', name: id, body });

it('says what guards hold, the next to go first, what no time ends last', () => {
  const rows = [
    run('a', { waits: [{ path: 's', for: 'guard', on: 'freeze', until: '0001-01-01T00:00:00Z' }, { path: 't', for: 'task', on: 'x' }] }),
    run('b', { waits: [{ path: 's', for: 'guard', on: 'late', until: '2026-01-01T02:00:00Z' }] }),
    run('c', { waits: [{ path: 's', for: 'guard', on: 'soon', until: '2026-01-01T01:00:00Z', why: 'cooldown' }] }),
    run('d', {}),
  ];
  expect(holds(rows, [], 0).map((h) => [h.run, h.guard, h.until])).toEqual([
    ['c', 'soon', '2026-01-01T01:00:00Z'], ['b', 'late', '2026-01-01T02:00:00Z'], ['a', 'freeze', undefined]]);
});

it('lately is by the end, not by the begin', () => {
  const now = Date.parse('2026-01-02T00:00:00Z');
  const rows = [run('old', { ended: '2025-12-31T00:00:00Z' }), { ...run('new', { ended: '2026-01-01T23:00:00Z' }), at: '2025-12-01T00:00:00Z' }];
  expect(lately(rows, now, 24).map((r) => r.id)).toEqual(['new']);
});

it('knows of events that a guard holds, as long as it does', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  const event = (id: string, until: string): Row => ({ id, kind: 'event', name: id, status: 'held', body: { guard: 'cooldown', decision: { until, why: 'rests' } } });
  expect(holds([], [event('over', '2025-12-31T23:00:00Z'), event('held', '2026-01-01T01:00:00Z')], now)).toEqual([
    { id: 'held', event: 'held', name: 'held', guard: 'cooldown', until: '2026-01-01T01:00:00Z', why: 'rests' }]);
});

it('puts the worst incident first, and what nobody has before what somebody has', () => {
  const inc = (id: string, severity: string, more: object = {}, status = 'open'): Row => ({ id, kind: 'incident', status, body: { severity, opened: '2026-01-01T00:00:00Z', ...more } });
  expect(worstIncidents([
    inc('minor', 'minor'), inc('mitigated', 'critical', {}, 'mitigated'), inc('taken', 'critical', { commander: 'user:ada' }),
    inc('young', 'critical', { opened: '2026-01-01T01:00:00Z' }), inc('old', 'critical'), inc('odd', 'whatever'),
  ]).map((r) => r.id)).toEqual(['old', 'young', 'taken', 'minor', 'odd', 'mitigated']);
});

it('what is due first comes first', () => {
  const task = (id: string, at: string, expires?: string): Row => ({ id, kind: 'task', at, body: expires ? { expires } : {} });
  expect(byDue([task('never', '2026-01-01T00:00:00Z'), task('late', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'), task('soon', '2026-01-01T00:00:00Z', '2026-01-01T01:00:00Z'), task('longest', '2025-01-01T00:00:00Z')])
    .map((r) => r.id)).toEqual(['soon', 'late', 'longest', 'never']);
});

it('is quiet since the last trouble ended', () => {
  expect(quietSince([run('a', { ended: '2026-01-01T01:00:00Z' }), run('b', { ended: '2026-01-01T03:00:00Z' })], [{ id: 'i', kind: 'incident', body: { ended: '2026-01-01T02:00:00Z' } }])).toBe('2026-01-01T03:00:00Z');
  expect(quietSince([], [])).toBeUndefined();
});

it('says once what failed alike', () => {
  const bad = (id: string, message: string, name = 'x'): Row => ({ id, kind: 'run', name, body: { fault: { kind: 'f', message } } });
  expect(alike([bad('c', 'refused'), bad('b', 'refused'), bad('a', 'other'), bad('d', 'refused', 'y')]).map((s) => [s.last.id, s.n])).toEqual([['c', 2], ['a', 1], ['d', 1]]);
});
