import { expect, it } from 'vitest';

import { className, plain, spans, strip } from './ansi';

it('colours, and carries the style on', () => {
  const a = spans('␛[1;31merror␛[0m: it ␛[32mbegan', plain);
  expect(a.spans.map((s) => [s.text, className(s.style)])).toEqual([['error', 'ansi-1 ansi-b'], [': it ', ''], ['began', 'ansi-2']]);
  expect(className(spans('still', a.to).spans[0]!.style)).toBe('ansi-2');
});

it('knows the pictures of escapes and the escapes themselves', () => {
  expect(strip('\u001b[31mred\u001b[0m ␛[32mgreen␛[m')).toBe('red green');
});

it('leaves out what moves the cursor or names a link', () => {
  expect(strip('␛[2J␛[1;1Hx␛[?25l␛]8;;https://evil.example␇click␛]8;;␇␛(B')).toBe('xclick␛(B');
});

it('takes 256 and true colours', () => {
  expect(spans('␛[38;5;196mx', plain).spans[0]!.style.fg).toBe(9);
  expect(spans('␛[38;2;10;150;10mx', plain).spans[0]!.style.fg).toBe(2);
});

it('is text, whatever it is', () => {
  for (const text of ['<script>alert(1)</script>', '␛[', '␛[999999999999;;;;m<b>', '␛']) expect(spans(text, plain).spans.map((s) => s.text).join('')).not.toContain('\u001b');
});
