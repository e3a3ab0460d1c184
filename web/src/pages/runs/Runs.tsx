// All runs: what is shown is in the address. The list is virtual; more is asked for at its end.
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';

import { useAsk } from '../../api/query';
import { useKeys } from '../../app/keys';
import { go, to, useParam } from '../../app/router';
import { useTitle } from '../../app/title';
import { listed } from '../../lib/near';
import { Filters, Find, Pick, Segments } from '../../ui/Filters';
import { RunHead, RunRow } from '../../ui/RunRow';
import { Empty, Failed, Loading } from '../../ui/State';
import { serverNow, useZone } from '../../ui/Time';
import { byDay, bySection, groups, spanOf, step } from './lines';
import { useRuns } from './useRuns';
import './runs.css';

const states = [{ value: '', label: 'All' }, ...groups.map((g) => ({ value: g.id, label: g.label, glyph: g.glyph }))];
const orders = [{ value: '', label: 'Newest' }, { value: 'worst', label: 'Worst first' }];
const spans = [['1h', 'the last hour'], ['24h', 'the last 24 hours'], ['7d', 'the last 7 days'], ['30d', 'the last 30 days']] as const;

const goRun = (id: string) => go(to.run(id));

// Where a run has two lines (ui/runrow.css).
const narrow = typeof matchMedia === 'undefined' ? null : matchMedia('(max-width: 466px)');
const useNarrow = () => useSyncExternalStore((heard) => { narrow?.addEventListener('change', heard); return () => narrow?.removeEventListener('change', heard); }, () => narrow?.matches ?? false);

export default function Runs() {
  useTitle('Runs');
  const [status, setStatus] = useParam('status');
  const [name, setName] = useParam('name');
  const [project, setProject] = useParam('project');
  const [order, setOrder] = useParam('order');
  const [span, setSpan] = useParam('since');
  const zone = useZone();
  const worst = order === 'worst';
  const since = useMemo(() => { const ms = spanOf(span); return Number.isNaN(ms) ? undefined : serverNow() - ms; }, [span]);
  const list = useRuns({ status, name, project, since, worst });
  const books = useAsk('listPlaybooks', {});
  const names = useMemo(() => [...new Set(books.data?.playbooks.map((p) => p.name))].sort(), [books.data]);
  const projects = useMemo(() => [...new Set(books.data?.playbooks.map((p) => p.project))].sort(), [books.data]);
  const items = useMemo(() => (worst ? bySection(list.of) : byDay(list.of[0]?.rows ?? [], zone, serverNow())), [list.of, worst, zone]);
  const ids = useMemo(() => items.flatMap((i) => (i.kind === 'run' ? [i.row.id] : [])), [items]);
  useEffect(() => listed.set({ ids, from: location.pathname + location.search }), [ids]);
  const [at, setAt] = useState(-1);
  const box = useRef<HTMLDivElement>(null);
  const tall = useNarrow() ? 46 : 32;
  const virtual = useVirtualizer({ count: items.length, getScrollElement: () => box.current, estimateSize: (i) => (items[i]?.kind === 'head' ? 28 : tall), getItemKey: (i) => items[i]?.key ?? i, overscan: 12 });
  useEffect(() => virtual.measure(), [virtual, items, tall]);
  const shown = virtual.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  const { more, ask, n } = list;
  useEffect(() => { if (more && last >= items.length - 40) ask(); });
  const walk = (by: 1 | -1) => {
    const next = step(items, at, by);
    setAt(next);
    if (next >= 0) virtual.scrollToIndex(next);
  };
  useKeys({
    j: ['the next run', () => walk(1)],
    k: ['the run before', () => walk(-1)],
    Enter: at >= 0 ? ['open the run', () => { const i = items[at]; if (i?.kind === 'run') goRun(i.row.id); }] : null,
  });
  const narrowed = status || name || project || since !== undefined;
  const clear = () => go(`/runs${worst ? '?order=worst' : ''}`, { replace: true });
  return (
    <div className="runs">
      <header className="head">
        <h1>Runs</h1>
        <Filters label="Only these runs" clear={narrowed ? clear : undefined}>
          <Segments label="State" value={status} set={setStatus} of={states} />
          <Pick label="Time" value={span} set={setSpan} of={spans} any="all" />
          <Find label="Playbook" value={name} set={setName} list={names} whole />
          {projects.length > 1 || project ? <Pick label="Project" value={project} set={setProject} of={projects} /> : null}
        </Filters>
        <span className="end"><Segments label="Order" value={order} set={setOrder} of={orders} /></span>
      </header>
      <section className="panel" aria-label="List of runs" aria-busy={list.asking}>
        {list.error && n === 0 ? <Failed error={list.error} retry={list.again} /> : null}
        {list.loading ? <Loading lines={12} what="runs" /> : null}
        {!list.loading && !list.error && n === 0 && !list.more ? (
          <Empty title={narrowed ? 'No run is like that' : 'Nothing has run yet'}>
            {narrowed ? <button type="button" className="button small" onClick={clear}>Show all</button> : <>A trigger, a schedule or a person starts a playbook; it stands here from its first step on.</>}
          </Empty>
        ) : null}
        {n > 0 ? <RunHead /> : null}
        <div ref={box} className={`runs-box${list.old ? ' old' : ''}`} hidden={n === 0} tabIndex={0} aria-label={worst ? 'Runs, the worst first' : 'Runs, the newest first'}>
          <div style={{ height: virtual.getTotalSize(), position: 'relative' }}>
            {shown.map((v) => {
              const i = items[v.index];
              if (!i) return null;
              return i.kind === 'head'
                ? <h2 key={i.key} className="runs-line runs-day" style={{ transform: `translateY(${v.start}px)`, height: v.size }}>{i.title}</h2>
                : <div key={i.key} className="runs-line" data-chosen={v.index === at || undefined} style={{ transform: `translateY(${v.start}px)`, height: v.size }}><RunRow row={i.row} open={goRun} /></div>;
            })}
          </div>
        </div>
        {n > 0 ? <footer className="runs-foot dim" role="status">{n.toLocaleString('en')}{list.more ? ' and more' : ''} {n === 1 ? 'run' : 'runs'}</footer> : null}
      </section>
    </div>
  );
}
