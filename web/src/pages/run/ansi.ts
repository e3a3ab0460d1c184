// ANSI colours as data: what is not a colour is left out, and nothing of it reaches the document but classes and text. A log
// holds escapes as their pictures (␛), because what records it makes control characters visible.

export interface Style { fg: number | null; bold: boolean; dim: boolean; italic: boolean; underline: boolean }
export interface Span { text: string; style: Style }

export const plain: Style = { fg: null, bold: false, dim: false, italic: false, underline: false };

const escape = /[\u001b␛](?:\[([0-9;:<=>?]*)([ -/]*[@-~])|\][^\u0007\u001b␛␇]*(?:[\u0007␇]|[\u001b␛]\\)|[@-Z\\-_])/g;

/** Text without escapes: what is searched and copied. */
export function strip(text: string): string {
  return text.includes('␛') || text.includes('\u001b') ? text.replace(escape, '') : text;
}

/** The style after some codes (SGR). Of the 256 colours and of true colours the nearest of the sixteen is taken. */
export function sgr(style: Style, codes: string): Style {
  const s = { ...style };
  const list = codes === '' ? [0] : codes.split(/[;:]/).map((c) => (c === '' ? 0 : Number(c)));
  for (let i = 0; i < list.length; i++) {
    const c = list[i] ?? 0;
    if (c === 0) Object.assign(s, plain);
    else if (c === 1) s.bold = true;
    else if (c === 2) s.dim = true;
    else if (c === 3) s.italic = true;
    else if (c === 4) s.underline = true;
    else if (c === 22) s.bold = s.dim = false;
    else if (c === 23) s.italic = false;
    else if (c === 24) s.underline = false;
    else if (c >= 30 && c <= 37) s.fg = c - 30;
    else if (c >= 90 && c <= 97) s.fg = c - 90 + 8;
    else if (c === 39) s.fg = null;
    else if (c === 38 || c === 48) {
      const mode = list[i + 1];
      if (mode === 5) {
        if (c === 38) s.fg = of256(list[i + 2] ?? 0);
        i += 2;
      } else if (mode === 2) {
        if (c === 38) s.fg = nearest(list[i + 2] ?? 0, list[i + 3] ?? 0, list[i + 4] ?? 0);
        i += 4;
      }
    }
  }
  return s;
}

function of256(n: number): number {
  if (n < 16) return n;
  if (n >= 232) return n > 243 ? 15 : 8;
  const v = n - 16;
  const part = (x: number) => (x === 0 ? 0 : 55 + 40 * x);
  return nearest(part(Math.floor(v / 36)), part(Math.floor(v / 6) % 6), part(v % 6));
}

function nearest(r: number, g: number, b: number): number {
  const bright = Math.max(r, g, b) > 192 ? 8 : 0;
  const limit = Math.max(r, g, b) / 2;
  return bright + (r > limit ? 1 : 0) + (g > limit ? 2 : 0) + (b > limit ? 4 : 0);
}

/** A line as spans, and the style in which the next one begins. */
export function spans(text: string, from: Style): { spans: Span[]; to: Style } {
  if (!text.includes('␛') && !text.includes('\u001b')) return { spans: text ? [{ text, style: from }] : [], to: from };
  const out: Span[] = [];
  let style = from;
  let at = 0;
  for (const m of text.matchAll(escape)) {
    if (m.index > at) out.push({ text: text.slice(at, m.index), style });
    at = m.index + m[0].length;
    if (m[2] === 'm') style = sgr(style, m[1] ?? '');
  }
  if (at < text.length) out.push({ text: text.slice(at), style });
  return { spans: out, to: style };
}

export const className = (s: Style) => [s.fg === null ? '' : `ansi-${s.fg}`, s.bold ? 'ansi-b' : '', s.dim ? 'ansi-d' : '', s.italic ? 'ansi-i' : '', s.underline ? 'ansi-u' : ''].filter(Boolean).join(' ');
