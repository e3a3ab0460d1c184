import { expect, it, vi } from 'vitest';

vi.mock('uplot', () => ({ default: { paths: {} } })); // it wants a browser as soon as it is read
const { partName, stack, top } = await import('./draw');

it('bars stand on each other, the highest is drawn first', () => {
  expect(stack([1, 2], [{ values: [3, null] }, { values: [1, 2] }])).toEqual([[1, 2], [4, 2], [3, 0]]);
});

it('an axis ends at a round number, not far above what there is', () => {
  expect([0, 3, 4, 9, 45, 100, 1234].map(top)).toEqual([4, 4, 4, 12, 60, 120, 1600]);
});

it('says what a part is', () => {
  const at = Date.parse('2026-11-23T14:00:00Z') / 1000;
  expect([partName(at, 'hour', true), partName(at, 'day', true), partName(at, 'week', true)]).toEqual(['23 Nov 14:00', '23 Nov', 'the week from 23 Nov']);
});
