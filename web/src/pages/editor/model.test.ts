import { describe, expect, it } from 'vitest';

import { begin, next, readAs, worst, written } from './model';

describe('next', () => {
  it('takes back what was typed in one go', () => {
    let s = begin('a');
    for (const t of ['ab', 'abc', 'abcd']) s = next(s, { write: t, typed: true });
    s = next(s, { write: 'other' });
    expect(s.before).toEqual(['a', 'abcd']);
    s = next(next(s, 'undo'), 'undo');
    expect(s.text).toBe('a');
    expect(next(s, 'undo')).toBe(s);
    expect(next(next(s, 'redo'), 'redo').text).toBe('other');
  });
});

it('an error marks the innermost step', () => {
  const parts = [{ path: 'steps', line: 1, end: 9, list: true }, { path: 'a', line: 2, end: 9 }, { path: 'a.b', line: 4, end: 5 }];
  expect(worst(parts, [{ severity: 'error', line: 4 }, { severity: 'warning', line: 2 }, { severity: 'error' }, { severity: 'error', line: 40 }])).toEqual(['a.b']);
});

it('fields hold values of their types', () => {
  expect(readAs('number', '5')).toEqual({ value: 5 });
  expect(readAs('number', '{{ $.n }}')).toEqual({ value: '{{ $.n }}' });
  expect(readAs('list', '[1')).toHaveProperty('wrong');
  expect(readAs('map', '{"a":1}')).toEqual({ value: { a: 1 } });
  expect(readAs('string', ' x ')).toEqual({ value: ' x ' });
  expect([written(undefined), written('a'), written([1])]).toEqual(['', 'a', '[1]']);
});
