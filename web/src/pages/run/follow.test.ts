import { describe, expect, it } from 'vitest';

import { Logs } from './follow';
import type { Piece } from './model';

const piece = (path: string, mib: number) => ({ path, attempt: 1, text: 'x'.repeat(mib << 20) }) as Piece;

describe('Logs', () => {
  it('keeps the newer part of what one attempt prints, and counts what it dropped', () => {
    const logs = new Logs();
    for (let i = 0; i < 40; i++) logs.add([piece('a', 1)]);
    const kept = logs.of('a', 1).length;
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThanOrEqual(32);
    expect(kept + logs.lost).toBe(40);
  });
  it('drops the attempt that began first', () => {
    const logs = new Logs();
    logs.add([piece('a', 20)]);
    logs.add([piece('b', 20)]);
    expect([logs.of('a', 1).length, logs.of('b', 1).length, logs.lost]).toEqual([0, 1, 0]);
  });
});
