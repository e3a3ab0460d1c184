import { expect, it } from 'vitest';

import { busyOf, gaps, marksOf, placeAt, scaleOf, ticks } from './scale';

const s = (from: number, to: number) => ({ from, to });

it('finds what lies between', () => {
  expect(gaps([s(0, 10), s(5, 20), s(30, 40)], 0, 50)).toEqual([s(20, 30), s(40, 50)]);
  expect(gaps([s(0, 90)], 0, 50)).toEqual([]);
  expect(gaps([], 0, 50)).toEqual([s(0, 50)]);
});

it('cuts a wait that takes most of the whole, and gives the room to what happened', () => {
  const scale = scaleOf([s(0, 1000), s(841_000, 842_000)], 0, 842_000); // a second, 14 minutes of waiting, a second
  expect(scale.map((p) => [p.from, p.to, p.cut])).toEqual([[0, 1000, false], [1000, 841_000, true], [841_000, 842_000, false]]);
  expect(scale[0]?.x1).toBeCloseTo(0.45);
  expect(scale[1]?.x1).toBeCloseTo(0.55);
  expect(placeAt(scale, 500)).toBeCloseTo(0.225);
  expect(placeAt(scale, 421_000)).toBeCloseTo(0.5);
  expect(placeAt(scale, 842_000)).toBe(1);
});

it('leaves what is short, what acts, and what is nothing but a wait', () => {
  expect(scaleOf([s(0, 500), s(2000, 2500)], 0, 2500)).toHaveLength(1);
  expect(scaleOf([s(0, 600_000)], 0, 601_000)).toHaveLength(1);
  expect(scaleOf([], 0, 600_000)).toEqual([{ from: 0, to: 600_000, x0: 0, x1: 1, cut: false }]);
  expect(scaleOf([], 5, 5)).toHaveLength(1);
});

it('cuts a second wait that is long beside what is left, also one that still goes on', () => {
  const scale = scaleOf([s(0, 1000), s(61_000, 62_000)], 0, 662_000);
  expect(scale.filter((p) => p.cut).map((p) => p.to - p.from)).toEqual([60_000, 600_000]);
  expect(scale.at(-1)?.x1).toBeCloseTo(1);
});

it('never goes back, and fills the whole', () => {
  for (let seed = 1; seed < 200; seed++) {
    let n = seed;
    const next = () => (n = (n * 48271) % 2147483647) % 100_000;
    const busy = Array.from({ length: 6 }, () => { const from = next(); return s(from, from + (next() % 5000)); });
    const scale = scaleOf(busy, 0, 120_000);
    let x = -1;
    for (let t = 0; t <= 120_000; t += 1500) { const at = placeAt(scale, t); expect(at).toBeGreaterThanOrEqual(x); x = at; }
    expect(x).toBeCloseTo(1);
    const marks = marksOf(scale, 4);
    expect(marks.every((m, i) => m.x >= 0 && m.x <= 1 && m.x > (marks[i - 1]?.x ?? -1))).toBe(true);
  }
});

it('takes for busy what acts, and of what waits only when it was over', () => {
  const at = (ms: number) => new Date(ms).toISOString();
  expect(busyOf([
    { kind: 'action', status: 'succeeded', started: at(0), ended: at(10) },
    { kind: 'foreach', status: 'running', started: at(0) },
    { kind: 'action', status: 'waiting', started: at(20) },
    { kind: 'action', status: 'running', started: at(20), acts: at(30) },
    { kind: 'wait', status: 'succeeded', started: at(20), ended: at(40) },
    { kind: 'action', status: 'succeeded', started: at(0), began: at(45), ended: at(48) }, // it waited for an answer before
    { kind: 'action', status: 'pending' },
  ], 50)).toEqual([s(0, 10), s(30, 50), s(40, 40), s(45, 48)]);
});

it('has round ticks', () => { expect([ticks(4000), ticks(900_000), ticks(90)]).toEqual([1000, 300_000, 50]); });
