import { expect, it } from 'vitest';

import { anchored, fitZoom, isLarge, linesFor, mapSize, middle, stepZoom } from './graph';

it('zooms in steps, and no further than the last one', () => {
  expect(stepZoom(1, 1)).toBe(1.25);
  expect(stepZoom(1, -1)).toBe(0.85);
  expect(stepZoom(0.93, 1)).toBe(1);
  expect(stepZoom(2.5, 1)).toBe(2.5);
  expect(stepZoom(0.2, -1)).toBe(0.2);
});

it('shows all of it, or its width where all would be too small to see', () => {
  expect(fitZoom({ w: 500, h: 500 }, { w: 300, h: 400 })).toBe(1);
  expect(fitZoom({ w: 500, h: 500 }, { w: 400, h: 1000 })).toBe(0.5);
  expect(fitZoom({ w: 500, h: 500 }, { w: 1000, h: 70_000 })).toBe(0.5);
});

it('keeps what is under the pointer under it', () => {
  expect(anchored({ scroll: 100, point: 50, view: 400, all: 2000, from: 1, to: 2 })).toBe(250);
  // What was in the middle because it is narrow grows out of the view.
  const to = anchored({ scroll: 0, point: 200, view: 400, all: 300, from: 1, to: 2, centred: true });
  expect(to + 200).toBe(300);
});

it('puts what matters in the middle', () => {
  expect(middle(1000, 100, 500)).toBe(800);
  expect(middle(10, 20, 500)).toBe(0);
  expect(middle(1000, 900, 500)).toBe(996);
});

it('has an overview where it is larger than the view', () => {
  expect(isLarge({ w: 500, h: 500 }, { w: 520, h: 600 })).toBe(false);
  expect(isLarge({ w: 500, h: 500 }, { w: 300, h: 5000 })).toBe(true);
  expect(mapSize({ w: 300, h: 80_000 }, { w: 72, h: 400 })).toEqual({ w: 34, h: 400 });
  expect(mapSize({ w: 1000, h: 1000 }, { w: 72, h: 400 })).toEqual({ w: 72, h: 72 });
});

it('writes the targets that a run knows', () => {
  const lines = ['shell · mutate', 'target path:{{ $.params.path }}', 'target b'];
  expect(linesFor(lines, undefined, 0)).toEqual(lines);
  expect(linesFor(lines, 'path:/var', 3)).toEqual(['shell · mutate', 'target path:/var and 2 more']);
});
