// What is done with the whole of a log, a slice at a time, so that a hundred thousand lines never hold the page up.
import { useEffect, useMemo, useState } from 'react';

import { plain, spans, strip, type Style } from './ansi';
import type { LogLine } from './model';

const slice = 4000; // lines that are read without a pause: a task stays short

/** Lets the browser do what waits, then goes on. */
const pause = () => new Promise<void>((done) => { const c = new MessageChannel(); c.port1.onmessage = () => done(); c.port2.postMessage(null); });

/** Reads a stored log, a slice at a time. */
export async function parseLog(text: string, signal: AbortSignal): Promise<LogLine[]> {
  const out: LogLine[] = [];
  const open = new Map<string, LogLine>();
  let from = 0;
  while (from < text.length) {
    for (let i = 0; i < slice && from < text.length; i++) {
      let to = text.indexOf('\n', from);
      if (to < 0) to = text.length;
      if (to > from) {
        const l = JSON.parse(text.slice(from, to)) as LogLine & { more?: boolean };
        const going = open.get(l.stream);
        if (going) going.text += l.text;
        else out.push(l);
        if (l.more) open.set(l.stream, going ?? l);
        else open.delete(l.stream);
      }
      from = to + 1;
    }
    await pause();
    signal.throwIfAborted();
  }
  return out;
}

/** The indexes of the lines in which something occurs, found a slice at a time. */
export function useMatches(lines: readonly LogLine[], query: string): number[] | null {
  const [found, setFound] = useState<number[] | null>(null);
  useEffect(() => {
    const q = query.trim().toLowerCase();
    if (!q) { setFound(null); return; }
    let stopped = false;
    void (async () => {
      const out: number[] = [];
      for (let i = 0; i < lines.length; i++) {
        if (strip(lines[i]?.text ?? '').toLowerCase().includes(q)) out.push(i);
        if (i % slice === slice - 1) { await pause(); if (stopped) return; }
      }
      if (!stopped) setFound(out);
    })();
    return () => { stopped = true; };
  }, [lines, query]);
  return found;
}

/** The style in which a line begins: what the lines before it left on. Only lines with escapes change it. */
export function useStyles(lines: readonly LogLine[]): (i: number) => Style {
  return useMemo(() => {
    const marks: { i: number; to: Style }[] = [];
    let style = plain;
    for (let i = 0; i < lines.length; i++) {
      const text = lines[i]?.text ?? '';
      if (!text.includes('␛')) continue;
      style = spans(text.length > 65_536 ? text.slice(0, 65_536) : text, style).to;
      marks.push({ i, to: style });
    }
    return (i) => {
      let [lo, hi] = [0, marks.length];
      while (lo < hi) { const mid = (lo + hi) >> 1; if ((marks[mid]?.i ?? 0) < i) lo = mid + 1; else hi = mid; }
      return marks[lo - 1]?.to ?? plain;
    };
  }, [lines]);
}

/** The lines of one stream, as indexes of all. */
export const onlyOf = (lines: readonly LogLine[], stream: string): number[] => lines.flatMap((l, i) => (l.stream === stream ? [i] : []));

/** As a file: each line as it was printed, without colours. */
export const plainText = (lines: readonly LogLine[]): string => lines.map((l) => `${strip(l.text)}\n`).join('');

/** The line that an address names, as an index; "end": the last one. */
export function lineAt(text: string, n: number): number | undefined {
  if (text === 'end') return n > 0 ? n - 1 : undefined;
  const i = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  return i >= 1 && i <= n ? i - 1 : undefined;
}
