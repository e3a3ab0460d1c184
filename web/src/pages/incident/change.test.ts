import { describe, expect, it } from 'vitest';

import { changed, inMinutes, labelsChanged, labelsWrong, linksChanged, linksWrong, people } from './change';

it('people are named with commas, each once', () => {
  expect(people(' ann, bob,,\nann ')).toEqual(['ann', 'bob']);
  expect(people('')).toEqual([]);
});

describe('inMinutes', () => {
  it('is a moment, nothing, or wrong', () => {
    expect(inMinutes('20', 0)).toBe('1970-01-01T00:20:00.000Z');
    expect(inMinutes(' ', 0)).toBeUndefined();
    for (const bad of ['soon', '-1', '0', 'Infinity', '1e9']) expect(inMinutes(bad, 0)).toBeNull();
  });
});

it('sends only what differs', () => {
  const d = { title: 'a', severity: 'major', commander: 'ann', responders: ['ann'] };
  const same = { title: 'a', severity: 'major', summary: '', next: '', commander: 'ann', responders: ['ann'], stakeholders: [] };
  expect(changed(d, same)).toEqual({});
  expect(changed(d, { ...same, next: 'look', responders: [] })).toEqual({ next: 'look', responders: [] });
});

it('links and labels are lines', () => {
  expect(linksWrong('javascript:alert(1) x')).toContain('is no address');
  expect(linksChanged([], 'https://a.example Board one')).toEqual({ links: [{ url: 'https://a.example', name: 'Board one' }] });
  expect(linksChanged([{ url: 'https://a.example' }], ' https://a.example ')).toEqual({});
  expect(labelsWrong('service')).toContain('a name');
  expect(labelsChanged({ a: '1', b: '2' }, 'a=1\nc=x=y')).toEqual({ labels: { b: null, c: 'x=y' } });
});
