import { describe, expect, it } from 'vitest';

import { bytes, clip, label, nth, visible } from './text';

describe('visible', () => {
  it('shows what would turn or hide text', () => {
    expect(visible('a\u202eb')).toBe('a⟨202E⟩b');
    expect(visible('a\u0000b\u001b[31m')).toBe('a␀b␛[31m');
    expect(visible('x\u{e0041}')).toBe('x⟨E0041⟩');
  });
  it('shows what has no width, and takes towers down', () => {
    expect(visible('pay\u200bpal\u00ad\u2060x')).toBe('pay⟨200B⟩pal⟨00AD⟩⟨2060⟩x');
    expect(visible('ad\u200dmin')).toBe('ad⟨200D⟩min');
    expect(visible(`Z${'\u0301'.repeat(500)}algo`)).toBe(`Z${'\u0301'.repeat(6)}⟨…⟩algo`);
  });
  it('leaves people’s text alone', () => {
    for (const text of ['grüß dich', 'שלום', '日本語', '👩‍🚒', 'می‌خواهم', 'ติ๋ม', 'Việt', 'ế̤', 'a\tb\nc']) expect(visible(text)).toBe(text);
  });
});

describe('clip', () => {
  it('cuts no character in two', () => {
    expect(clip('a😀b', 2)).toBe('a…');
    expect(clip('a😀b', 3)).toBe('a😀…');
    expect(clip('abc', 3)).toBe('abc');
  });
});

it('labels are one short line, whatever comes', () => {
  const big = '<script>alert(1)</script>\n'.repeat(50_000);
  expect(label(big).length).toBeLessThan(210);
  expect(label('  a \r\n b\u2028c ')).toBe('a b c');
});

it('bytes', () => {
  expect([0, 1023, 1024, 10 * 1024, 5 * 1024 ** 2].map(bytes)).toEqual(['0 B', '1023 B', '1.0 KiB', '10 KiB', '5.0 MiB']);
});

it('nth', () => { expect([1, 2, 3, 4, 11, 12, 21, 102, 113].map(nth)).toEqual(['1st', '2nd', '3rd', '4th', '11th', '12th', '21st', '102nd', '113th']); });
