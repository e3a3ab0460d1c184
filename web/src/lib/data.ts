// How data is shown to people: what is short in a line, what has lines as lines, what is large folded. Pure.

export type Shape =
  | { kind: 'nothing'; says: string }
  | { kind: 'word'; text: string; type: 'text' | 'number' | 'truth' | 'null' }
  | { kind: 'lines'; lines: string[] } // a text of several lines, or a very long one
  | { kind: 'row'; items: unknown[] } // a short list of short things
  | { kind: 'list'; items: unknown[] }
  | { kind: 'table'; columns: string[]; rows: Record<string, unknown>[] }
  | { kind: 'map'; entries: [string, unknown][] };

const longWord = 400; // characters of a text that stands in a line
const rowLength = 90; // of a list that stands in a line

const plainObject = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v);
const scalar = (v: unknown) => typeof v !== 'object' || v === null;

/** A text that would be read as something else stands in quotes. */
export function word(v: unknown): string {
  if (typeof v !== 'string') return String(v);
  return v === '' || v.trim() !== v || /^(true|false|null|-?\d+(\.\d+)?)$/.test(v) ? JSON.stringify(v) : v;
}

export function shapeOf(v: unknown): Shape {
  if (v === null || v === undefined) return { kind: 'word', text: 'null', type: 'null' };
  if (typeof v === 'string') {
    const text = v.replace(/\r\n/g, '\n');
    const inner = text.replace(/\n$/, '');
    if (inner.includes('\n') || text.length > longWord) return { kind: 'lines', lines: inner.split('\n') };
    return { kind: 'word', text: word(inner), type: 'text' };
  }
  if (typeof v === 'number' || typeof v === 'bigint') return { kind: 'word', text: String(v), type: 'number' };
  if (typeof v === 'boolean') return { kind: 'word', text: String(v), type: 'truth' };
  if (Array.isArray(v)) return shapeOfList(v);
  if (!plainObject(v)) return { kind: 'nothing', says: '' };
  const entries = Object.entries(v);
  return entries.length ? { kind: 'map', entries } : { kind: 'nothing', says: 'empty' };
}

function shapeOfList(v: unknown[]): Shape {
  if (v.length === 0) return { kind: 'nothing', says: 'empty list' };
  if (v.every(scalar)) {
    const words = v.map(word);
    if (words.every((w) => !w.includes('\n')) && words.reduce((n, w) => n + w.length + 2, 0) <= rowLength) return { kind: 'row', items: v };
    return { kind: 'list', items: v };
  }
  const first = v[0];
  if (v.length > 1 && plainObject(first)) {
    const columns = Object.keys(first);
    const same = columns.length > 0 && columns.length <= 6 && v.every((r) => plainObject(r) && Object.keys(r).length === columns.length
      && columns.every((c) => c in r && scalar(r[c]) && String(r[c]).length <= 60 && !String(r[c]).includes('\n')));
    if (same) return { kind: 'table', columns, rows: v as Record<string, unknown>[] };
  }
  return { kind: 'list', items: v };
}

/** How many of something are shown before somebody asks for all. */
export const folded = (n: number, most: number) => (n > most + Math.ceil(most / 4) ? most : n);

/** JSON as somebody takes it along. */
export const raw = (v: unknown): string => (typeof v === 'string' ? v : JSON.stringify(v, null, 2) ?? '');
