import { expect, it } from 'vitest';

import type { Row } from '../../api/schema';
import { hoursOf, lanes, merge, spans } from './day';

const now = Date.parse('2026-01-02T12:00:00Z');
const ago = (minutes: number) => new Date(now - minutes * 60_000).toISOString();
const run = (id: string, name: string, status: string, minutes: number): Row => ({ id, kind: 'run', name, status, at: ago(minutes) });

it('puts what is worst first and the rest into one lane', () => {
  const of = lanes([run('1', 'fine', 'succeeded', 5), run('2', 'broken', 'failed', 300), run('3', 'unknown', 'in-doubt', 900), run('4', 'goes', 'running', 1), run('5', 'gone', 'succeeded', 25 * 60)], now, 3);
  expect(of.map((l) => [l.name, l.others, l.n, l.failed])).toEqual([['unknown', 0, 1, 0], ['broken', 0, 1, 1], ['', 2, 2, 0]]);
});

it('shows the worst of a half hour, and how many there were', () => {
  const [lane] = lanes([run('a', 'x', 'succeeded', 61), run('b', 'x', 'failed', 65), run('c', 'x', 'succeeded', 70), run('d', 'x', 'succeeded', 5)], now, 5);
  expect(lane?.marks.map((m) => [m.worst.id, m.n, m.of])).toEqual([['b', 3, [['failed', 1], ['succeeded', 2]]], ['d', 1, [['succeeded', 1]]]]);
  const [first, second] = lane?.marks ?? [];
  expect(first && second && first.x < second.x && second.x <= 1 && first.x > 0.9).toBe(true);
});

it('lays spans beside each other, and one over the other where they overlap', () => {
  const inc = (id: string, opened: number, ended?: number): Row => ({ id, kind: 'incident', name: id, status: ended === undefined ? 'open' : 'resolved', body: { opened: ago(opened), ...(ended === undefined ? {} : { ended: ago(ended) }), severity: 'major' } });
  const of = spans([inc('old', 3000, 2000), inc('a', 1400, 1000), inc('b', 1100), inc('c', 600, 300)], now);
  expect(of.map((s) => [s.id, s.row, s.to === 1])).toEqual([['a', 0, false], ['b', 1, true], ['c', 0, false]]);
});

it('keeps what is newer, and of the day alone', () => {
  const of = merge([run('a', 'x', 'running', 100), run('z', 'x', 'succeeded', 24 * 60 + 1)], [run('a', 'x', 'failed', 100), run('b', 'x', 'running', 1)], now);
  expect(of.map((r) => [r.id, r.status])).toEqual([['b', 'running'], ['a', 'failed']]);
});

it('marks the full hours of the zone', () => {
  expect(hoursOf(now, 60).map((h) => new Date(h.at).toISOString().slice(11, 16))).toEqual(['14:00', '17:00', '20:00', '23:00', '02:00', '05:00', '08:00', '11:00']);
});
