import { expect, it } from 'vitest';

import type { Row } from '../../api/schema';
import { byDay, bySection, sectionsOf, spanOf, step } from './lines';

const run = (id: string, at: string): Row => ({ id, kind: 'run', at });
const now = Date.parse('2026-01-03T12:00:00Z');
const says = (items: ReturnType<typeof byDay>) => items.map((i) => (i.kind === 'head' ? i.title : i.row.id));

it('says where another day begins, and nothing where there is only today', () => {
  expect(says(byDay([run('a', '2026-01-03T01:00:00Z')], 'utc', now))).toEqual(['a']);
  expect(says(byDay([run('a', '2026-01-03T01:00:00Z'), run('b', '2026-01-02T23:00:00Z'), run('c', '2025-12-31T00:00:00Z')], 'utc', now))).toEqual(['a', 'Yesterday, 2026-01-02', 'b', '2025-12-31', 'c']);
});

it('leaves out sections without runs', () => {
  expect(says(bySection([{ title: 'In doubt', rows: [] }, { title: 'Failed', rows: [run('a', ''), run('b', '')] }]))).toEqual(['Failed', 'a', 'b']);
});

it('has the sections of a state', () => {
  expect(sectionsOf('failed').map((s) => s.title)).toEqual(['Failed']);
  expect(sectionsOf('going').map((s) => s.title)).toEqual(['In doubt', 'Waiting', 'Going on']);
  expect(sectionsOf('')).toHaveLength(6);
});

it('reads a span', () => {
  expect(spanOf('24h')).toBe(86_400_000);
  expect(spanOf('7d')).toBe(7 * 86_400_000);
  expect(spanOf('soon')).toBeNaN();
});

it('steps over heads', () => {
  const items = byDay([run('a', '2026-01-03T01:00:00Z'), run('b', '2026-01-02T23:00:00Z')], 'utc', now);
  expect([step(items, -1, 1), step(items, 0, 1), step(items, 2, 1), step(items, 2, -1), step(items, 0, -1)]).toEqual([0, 2, 2, 0, 0]);
});
