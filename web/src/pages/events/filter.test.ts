import { expect, it } from 'vitest';

import { apart, decisions, since, spans } from './filter';

it('asks the same question for a minute', () => {
  const now = Date.parse('2026-03-29T12:00:40Z');
  expect(since('1h', now)).toBe('2026-03-29T11:00:00.000Z');
  expect(since('1h', now + 10_000)).toBe(since('1h', now));
  expect(since('', now)).toBe('');
  expect(since('soon', now)).toBe('');
  for (const [span] of spans) expect(since(span, now)).not.toBe('');
});

it('every decision is in one of the parts', () => {
  const all = decisions.flatMap((d) => d.of);
  expect(new Set(all).size).toBe(all.length);
  expect(all.toSorted()).toEqual(['held', 'joined', 'queued', 'refused', 'resolves', 'stale', 'started', 'unmatched', 'woke']);
});

it('tells two alerts of a name apart by what is theirs', () => {
  expect(apart({ alertname: 'ShopDown', severity: 'critical', shop: 'cart', instance: 'web-1' })).toBe('web-1 · cart');
  expect(apart({ alertname: 'ShopDown' })).toBe('');
  expect(apart(undefined)).toBe('');
});
