import { describe, expect, it } from 'vitest';

import { readAs, written } from './fields';
import { begin, fileIn, next, slug, sweep, worst, wrongName } from './model';

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

it('a name is also that of a folder', () => {
  for (const good of ['disk-full', 'a', '9-lives']) expect(wrongName(good)).toBeUndefined();
  for (const bad of ['', 'Disk', '../etc', 'a/b', '-a', 'a-', 'a b', 'x'.repeat(61)]) expect(wrongName(bad)).toBeDefined();
});

it('a folder that is read is not repeated in the name of a file', () => {
  expect(fileIn(undefined, 'playbooks/x/playbook.yaml')).toBe('playbooks/x/playbook.yaml');
  expect(fileIn('playbooks', 'playbooks/x/playbook.yaml')).toBe('x/playbook.yaml');
  expect(fileIn('ops/playbooks/', 'playbooks/x/playbook.yaml')).toBe('x/playbook.yaml');
  expect(fileIn('ops', 'playbooks/x/playbook.yaml')).toBe('playbooks/x/playbook.yaml');
});

it('a title becomes a part of a branch as the server makes it', () => {
  expect([slug('Say it, with Care!'), slug('  '), slug('x'.repeat(50))]).toEqual(['say-it-with-care', '', 'x'.repeat(40)]);
});

describe('sweep', () => {
  it('drops drafts of long ago, and nothing else', () => {
    const day = 24 * 3_600_000;
    const kept: Record<string, string> = {
      'tend.draft.old.r': JSON.stringify({ text: 'a', at: 1 }), 'tend.draft.new.r': JSON.stringify({ text: 'b', at: 80 * day }),
      'tend.draft.none.r': JSON.stringify({ text: 'c' }), 'tend.draft.broken.r': '{', 'tend.zone': '"utc"',
    };
    const calls = { getItem: (k: string) => kept[k] ?? null, setItem: (k: string, v: string) => { kept[k] = v; }, removeItem: (k: string) => { delete kept[k]; } };
    sweep(100 * day, new Proxy(kept, { get: (t, k) => calls[k as keyof typeof calls] ?? t[k as string] }) as unknown as Storage);
    expect(Object.keys(kept).sort()).toEqual(['tend.draft.new.r', 'tend.draft.none.r', 'tend.zone']);
    expect(JSON.parse(kept['tend.draft.none.r'] ?? '')).toEqual({ text: 'c', at: 100 * day });
  });
});
