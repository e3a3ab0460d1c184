import { expect, it } from 'vitest';

import { Parser } from './sse';

it('gives the same events wherever the stream is cut', () => {
  const text = ': hello\n\nid: 7\nevent: delta\ndata: {"a":1}\n\nevent: logs\r\ndata: one\r\ndata: two\r\n\r\n';
  const whole = new Parser().push(text);
  expect(whole).toEqual([{ id: '7', name: 'delta', data: '{"a":1}' }, { id: '7', name: 'logs', data: 'one\ntwo' }]);
  for (let i = 0; i < text.length; i++) {
    const p = new Parser();
    expect([...p.push(text.slice(0, i)), ...p.push(text.slice(i))]).toEqual(whole);
  }
});

it('says nothing of an event that is not complete', () => {
  expect(new Parser().push('event: delta\ndata: {}\n')).toEqual([]);
});
