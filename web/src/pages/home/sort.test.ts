import { expect, it } from 'vitest';

import type { Row } from '../../api/schema';
import { holds, lately } from './sort';

const run = (id: string, body: unknown): Row => ({ id, kind: 'run', name: id, body });

it('says what guards hold, the next to go first, what no time ends last', () => {
  const rows = [
    run('a', { waits: [{ path: 's', for: 'guard', on: 'freeze', until: '0001-01-01T00:00:00Z' }, { path: 't', for: 'task', on: 'x' }] }),
    run('b', { waits: [{ path: 's', for: 'guard', on: 'late', until: '2026-01-01T02:00:00Z' }] }),
    run('c', { waits: [{ path: 's', for: 'guard', on: 'soon', until: '2026-01-01T01:00:00Z', why: 'cooldown' }] }),
    run('d', {}),
  ];
  expect(holds(rows).map((h) => [h.run, h.guard, h.until])).toEqual([
    ['c', 'soon', '2026-01-01T01:00:00Z'], ['b', 'late', '2026-01-01T02:00:00Z'], ['a', 'freeze', undefined]]);
});

it('lately is by the end, not by the begin', () => {
  const now = Date.parse('2026-01-02T00:00:00Z');
  const rows = [run('old', { ended: '2025-12-31T00:00:00Z' }), { ...run('new', { ended: '2026-01-01T23:00:00Z' }), at: '2025-12-01T00:00:00Z' }];
  expect(lately(rows, now, 24).map((r) => r.id)).toEqual(['new']);
});
