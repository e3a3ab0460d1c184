import { expect, it } from 'vitest';

import { lineAt, onlyOf, parseLog, plainText } from './logtext';

const line = (text: string, stream = 'stdout') => ({ at: '2026-01-01T00:00:00Z', stream, text });

it('reads a stored log, and joins what was printed in pieces', async () => {
  const rows = [line('one'), { ...line('tw'), more: true }, line('bad', 'stderr'), line('o')];
  const lines = await parseLog(rows.map((r) => JSON.stringify(r)).join('\n'), new AbortController().signal);
  expect(lines.map((l) => l.text)).toEqual(['one', 'two', 'bad']);
  expect(onlyOf(lines, 'stderr')).toEqual([2]);
});

it('is saved without colours', () => { expect(plainText([line('␛[1mmoving␛[0m x'), line('y')])).toBe('moving x\ny\n'); });

it('finds the line of an address', () => {
  expect([lineAt('1', 3), lineAt('3', 3), lineAt('end', 3)]).toEqual([0, 2, 2]);
  expect([lineAt('4', 3), lineAt('0', 3), lineAt('x', 3), lineAt('', 3), lineAt('end', 0)]).toEqual([undefined, undefined, undefined, undefined, undefined]);
});
