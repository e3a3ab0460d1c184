import { expect, it } from 'vitest';

import { folded, raw, shapeOf, word } from './data';

it('keeps texts and numbers apart', () => {
  expect(shapeOf('20')).toEqual({ kind: 'word', text: '"20"', type: 'text' });
  expect(shapeOf(20)).toEqual({ kind: 'word', text: '20', type: 'number' });
  expect(word('true')).toBe('"true"');
  expect(word('')).toBe('""');
  expect(word('/var/log')).toBe('/var/log');
  expect(shapeOf(null)).toMatchObject({ text: 'null' });
});

it('shows a script as its lines, and a text that ends in a line break as one line', () => {
  expect(shapeOf('a\nb\n')).toEqual({ kind: 'lines', lines: ['a', 'b'] });
  expect(shapeOf('a\r\nb')).toEqual({ kind: 'lines', lines: ['a', 'b'] });
  expect(shapeOf('x'.repeat(1000)).kind).toBe('lines');
  expect(shapeOf('echo 912\n')).toMatchObject({ kind: 'word' });
});

it('puts short lists in a line, and long ones below each other', () => {
  expect(shapeOf([0, 'a'])).toEqual({ kind: 'row', items: [0, 'a'] });
  expect(shapeOf(Array.from({ length: 60 }, (_, i) => `host-${i}`)).kind).toBe('list');
  expect(shapeOf(['a\nb']).kind).toBe('list');
  expect(shapeOf([])).toEqual({ kind: 'nothing', says: 'empty list' });
});

it('makes a table of rows that are alike', () => {
  expect(shapeOf([{ a: 1, b: 'x' }, { a: 2, b: 'y' }])).toMatchObject({ kind: 'table', columns: ['a', 'b'] });
  expect(shapeOf([{ a: 1 }, { b: 2 }]).kind).toBe('list');
  expect(shapeOf([{ a: {} }, { a: {} }]).kind).toBe('list');
});

it('folds what is large, unless little would be left', () => {
  expect(folded(100, 20)).toBe(20);
  expect(folded(24, 20)).toBe(24);
  expect(raw({ a: 'x\ny' })).toBe('{\n  "a": "x\\ny"\n}');
});
