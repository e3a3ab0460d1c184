// What an attempt printed: live while it acts, whole when it is over; searchable, its colours as data, its lines virtual.
import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useEffect, useMemo, useRef, useState } from 'react';

import { call } from '../../api/client';
import { useKeys } from '../../app/keys';
import { useStore } from '../../lib/store';
import { visible } from '../../lib/text';
import { clock, parse } from '../../lib/time';
import { Empty, Failed, Loading } from '../../ui/State';
import { useZone } from '../../ui/Time';
import { className, plain, spans, strip, type Style } from './ansi';
import type { Logs } from './follow';
import { type LogLine, linesOf } from './model';

const slice = 4000; // lines that are read without a pause: a task stays short

/** Lets the browser do what waits, then goes on. */
const pause = () => new Promise<void>((done) => { const c = new MessageChannel(); c.port1.onmessage = () => done(); c.port2.postMessage(null); });

/** Reads a stored log, a slice at a time. */
async function parseLog(text: string, signal: AbortSignal): Promise<LogLine[]> {
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

export function Log({ run, path, attempt, stored, logs }: { run: string; path: string; attempt: number; stored: boolean; logs: Logs }) {
  const version = useStore(logs.version);
  const [whole, setWhole] = useState<LogLine[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    if (!stored) return;
    const stop = new AbortController();
    setWhole(null);
    setError(null);
    call('runLog', { path: { run }, query: { path, attempt } }, { signal: stop.signal })
      .then((text) => parseLog(text, stop.signal)).then(setWhole)
      .catch((e: unknown) => { if (!stop.signal.aborted) setError(e); });
    return () => stop.abort();
  }, [run, path, attempt, stored]);
  const live = useMemo(() => (stored ? [] : linesOf(logs.of(path, attempt))), [stored, logs, path, attempt, version]); // eslint-disable-line react-hooks/exhaustive-deps -- version says that logs changed
  if (error) return <Failed error={error} />;
  if (stored && !whole) return <Loading lines={6} what="the log" />;
  const lines = whole ?? live;
  if (lines.length === 0) return <Empty title={stored ? 'Nothing was printed' : 'Nothing has been printed yet'} />;
  return <Lines lines={lines} live={!stored} lost={stored ? 0 : logs.lost} />;
}

/** The indexes of the lines in which something occurs, found a slice at a time. */
function useMatches(lines: LogLine[], query: string): number[] | null {
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

function Lines({ lines, live, lost }: { lines: LogLine[]; live: boolean; lost: number }) {
  const box = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const [query, setQuery] = useState('');
  const [at, setAt] = useState(0);
  const [tail, setTail] = useState(live);
  const found = useMatches(lines, query);
  const virtual = useVirtualizer({ count: lines.length, getScrollElement: () => box.current, estimateSize: () => 18, overscan: 20 });
  useEffect(() => { if (tail && live) virtual.scrollToIndex(lines.length - 1); }, [lines.length, tail, live]); // eslint-disable-line react-hooks/exhaustive-deps -- when a line comes
  const current = found && found.length > 0 ? found[Math.min(at, found.length - 1)] : undefined;
  useEffect(() => { if (current !== undefined) { setTail(false); virtual.scrollToIndex(current, { align: 'center' }); } }, [current]); // eslint-disable-line react-hooks/exhaustive-deps -- when another one is looked at
  const step = (by: number) => { if (found?.length) setAt((Math.min(at, found.length - 1) + by + found.length) % found.length); };
  useKeys({ f: ['search in the log', () => field.current?.focus()], n: found?.length ? ['the next occurrence', () => step(1)] : null, p: found?.length ? ['the occurrence before', () => step(-1)] : null });
  const styles = useStyles(lines);
  const widest = useMemo(() => lines.reduce((n, l) => Math.max(n, Math.min(l.text.length, 20_000)), 0), [lines]);
  return (
    <div className="log">
      <div className="log-bar">
        <input ref={field} className="input" type="search" aria-label="Search in the log" placeholder="Search" spellCheck={false} value={query} onChange={(e) => { setQuery(e.target.value); setAt(0); }}
          onKeyDown={(e) => { if (e.key === 'Enter') { e.preventDefault(); step(e.shiftKey ? -1 : 1); } }} />
        <span className="dim num" role="status">{query ? (found ? (found.length ? `${Math.min(at, found.length - 1) + 1} of ${found.length.toLocaleString('en')}` : 'nowhere') : '…') : `${lines.length.toLocaleString('en')} lines`}</span>
        {found?.length ? (
          <span className="log-steps">
            <button type="button" className="button small" aria-label="The occurrence before" onClick={() => step(-1)}>↑</button>
            <button type="button" className="button small" aria-label="The next occurrence" onClick={() => step(1)}>↓</button>
          </span>
        ) : null}
        {lost > 0 ? <span className="tag wait">{lost} pieces were lost on the way; the stored log has them</span> : null}
        {live ? <button type="button" className="button small" aria-pressed={tail} onClick={() => setTail(!tail)}>{tail ? 'Following' : 'Follow'}</button> : null}
      </div>
      <div ref={box} className="log-box" tabIndex={0} role="log" aria-label="Log" aria-live="off" onWheel={() => setTail(false)}>
        <div style={{ height: virtual.getTotalSize(), position: 'relative', minWidth: `calc(${widest}ch + 9rem)` }}>
          {virtual.getVirtualItems().map((v) => {
            const l = lines[v.index];
            return l ? <LineRow key={v.index} top={v.start} n={v.index + 1} line={l} style={styles(v.index)} find={query.trim().toLowerCase()} here={v.index === current} /> : null;
          })}
        </div>
      </div>
    </div>
  );
}

/** The style in which a line begins: what the lines before it left on. Only lines with escapes change it. */
function useStyles(lines: LogLine[]): (i: number) => Style {
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

const LineRow = memo(function LineRow({ top, n, line, style, find, here }: { top: number; n: number; line: LogLine; style: Style; find: string; here: boolean }) {
  const zone = useZone();
  const list = spans(line.text.length > 20_000 ? `${line.text.slice(0, 20_000)}…` : line.text, style).spans;
  return (
    <div className="log-line" data-stream={line.stream} data-here={here || undefined} style={{ transform: `translateY(${top}px)` }}>
      <span className="no" aria-hidden>{n}</span><time dateTime={line.at}>{clock(parse(line.at), zone)}</time>
      <bdi dir="ltr">{list.map((s, i) => { const c = className(s.style); return <span key={i} {...(c ? { className: c } : {})}>{find ? marked(visible(s.text), find) : visible(s.text)}</span>; })}</bdi>
    </div>
  );
});

function marked(text: string, find: string) {
  const low = text.toLowerCase();
  const out: React.ReactNode[] = [];
  let from = 0;
  for (let i = low.indexOf(find); i >= 0 && out.length < 200; i = low.indexOf(find, from)) {
    out.push(text.slice(from, i), <mark key={i}>{text.slice(i, i + find.length)}</mark>);
    from = i + find.length;
  }
  out.push(text.slice(from));
  return out;
}
