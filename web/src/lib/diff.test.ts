import { describe, expect, it } from 'vitest';

import { diff, hunks } from './diff';

const rebuild = (a: string, b: string) => {
  const d = diff(a, b);
  return [d.filter((l) => l.kind !== 'new').map((l) => l.text).join('\n'), d.filter((l) => l.kind !== 'gone').map((l) => l.text).join('\n')];
};

describe('diff', () => {
  it('holds both texts', () => {
    for (const [a, b] of [['a\nb\nc', 'a\nx\nc'], ['', 'a'], ['a\nb', ''], ['a\nb\na\nb', 'b\na'], ['x', 'x']] as const) expect(rebuild(a, b)).toEqual([a, b]);
  });
  it('keeps what is common', () => {
    expect(diff('a\nb\nc', 'a\nc\nd').map((l) => `${l.kind} ${l.text}`)).toEqual(['same a', 'gone b', 'same c', 'new d']);
  });
});

it('hunks leave out what is far from a change', () => {
  const a = Array.from({ length: 40 }, (_, i) => `line ${i}`);
  const h = hunks(diff(a.join('\n'), a.map((l, i) => (i === 20 ? 'other' : l)).join('\n')), 2);
  expect(h.filter((l) => l !== null)).toHaveLength(6);
  expect(hunks(diff('a', 'a'))).toEqual([]);
});
