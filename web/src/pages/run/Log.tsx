// What an attempt printed: live while it acts, whole when it is over; searchable, its colours as data, its lines virtual.
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState } from 'react';

import { call } from '../../api/client';
import { useKeys } from '../../app/keys';
import { useParam } from '../../app/router';
import { createKeptStore, useStore } from '../../lib/store';
import { Empty, Failed, Loading } from '../../ui/State';
import { toast } from '../../ui/Toasts';
import type { Logs } from './follow';
import { LogBar } from './LogBar';
import { LineRow } from './LogLine';
import { lineAt, onlyOf, parseLog, plainText, useMatches, useStyles } from './logtext';
import { type LogLine, linesOf } from './model';

const wraps = createKeptStore('tend.log.wrap', false, (v): v is boolean => typeof v === 'boolean');

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
  return <Lines name={`${run}-${path}-${attempt}`} lines={lines} live={!stored} lost={stored ? 0 : logs.lost} />;
}

function Lines({ name, lines, live, lost }: { name: string; lines: LogLine[]; live: boolean; lost: number }) {
  const box = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const [query, setQuery] = useState('');
  const [at, setAt] = useState(0);
  const [named, setNamed] = useParam('line');
  const [large, setLarge] = useParam('large');
  const [stream, setStream] = useParam('stream');
  const [tail, setTail] = useState(live && !named);
  const wrap = useStore(wraps);
  const errs = useMemo(() => onlyOf(lines, 'stderr'), [lines]);
  const some = errs.length > 0 && errs.length < lines.length;
  const only = some && stream === 'stderr' ? errs : null;
  const shown = useMemo(() => (only ? only.map((i) => lines[i]).filter((l) => l !== undefined) : lines), [only, lines]);
  const found = useMatches(shown, query);
  const virtual = useVirtualizer({ count: shown.length, getScrollElement: () => box.current, estimateSize: () => 18, overscan: 20, paddingEnd: 4 });
  useEffect(() => virtual.measure(), [virtual, wrap, only]);
  useEffect(() => { if (tail && live) virtual.scrollToIndex(shown.length - 1); }, [shown.length, tail, live]); // eslint-disable-line react-hooks/exhaustive-deps -- when a line comes
  const current = found && found.length > 0 ? found[Math.min(at, found.length - 1)] : undefined;
  const own = (n: number | undefined) => (n === undefined ? undefined : only ? only.indexOf(n) : n);
  const linked = own(lineAt(named, lines.length));
  const here = query ? current : linked;
  useEffect(() => { if (here !== undefined && here >= 0) { setTail(false); virtual.scrollToIndex(here, { align: 'center' }); } }, [here, wrap]); // eslint-disable-line react-hooks/exhaustive-deps -- when another one is looked at
  const step = (by: number) => { if (found?.length) setAt((Math.min(at, found.length - 1) + by + found.length) % found.length); };
  const link = (n: number) => {
    setNamed(String(n));
    void navigator.clipboard?.writeText(location.href).then(() => toast(`The link to line ${n.toLocaleString('en')} is copied.`), () => toast(`The link to line ${n.toLocaleString('en')} is in the address.`));
  };
  const number = (i: number) => (only?.[i] ?? i) + 1;
  const toggle = () => setLarge(large ? null : '1');
  useKeys({
    '/': ['search in the log', () => field.current?.focus()],
    f: [large ? 'the log beside the graph again' : 'the log as large as the page', toggle],
    n: found?.length ? ['the next occurrence', () => step(1)] : null, p: found?.length ? ['the occurrence before', () => step(-1)] : null,
  });
  const styles = useStyles(shown);
  const widest = useMemo(() => shown.reduce((n, l) => Math.max(n, Math.min(l.text.length, 20_000)), 0), [shown]);
  const count = `${shown.length.toLocaleString('en')} ${shown.length === 1 ? 'line' : 'lines'}`;
  return (
    <div className="log" data-wrap={wrap || undefined}>
      <LogBar field={field} query={query} setQuery={(q) => { setQuery(q); setAt(0); }} says={query ? (found ? (found.length ? `${Math.min(at, found.length - 1) + 1} of ${found.length.toLocaleString('en')}` : 'nowhere') : '…') : count}
        found={!!found?.length} step={step} lost={lost} live={live} tail={tail} setTail={setTail} errs={some ? errs.length : 0} only={!!only} setOnly={(o) => setStream(o ? 'stderr' : null)}
        wrap={wrap} setWrap={(w) => wraps.set(w)} large={!!large} setLarge={toggle} save={() => save(`${name}.log`, plainText(lines))}
        jump={(to) => { setTail(live && to === 'end'); virtual.scrollToIndex(to === 'end' ? shown.length - 1 : 0, { align: to }); box.current?.focus({ preventScroll: true }); }}
        link={query && current !== undefined ? () => link(number(current)) : undefined} />
      <div ref={box} className="log-box" tabIndex={0} role="log" aria-label="Log" aria-live="off" onWheel={() => setTail(false)}>
        <div style={{ height: virtual.getTotalSize(), position: 'relative', minWidth: wrap ? undefined : `calc(${widest}ch + 11rem)` }}>
          {virtual.getVirtualItems().map((v) => {
            const l = shown[v.index];
            return l ? <LineRow key={v.index} index={v.index} top={v.start} n={number(v.index)} line={l} style={styles(v.index)} find={query.trim().toLowerCase()} here={v.index === here} same={l.at.slice(0, 19) === shown[v.index - 1]?.at.slice(0, 19)} measure={wrap ? virtual.measureElement : undefined} link={link} /> : null;
          })}
        </div>
      </div>
    </div>
  );
}

function save(name: string, text: string) {
  const a = document.createElement('a');
  a.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  a.download = name.replace(/[^\w.-]+/g, '-');
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 10_000);
}
