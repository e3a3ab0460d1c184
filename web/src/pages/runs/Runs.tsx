// All runs, the newest first: what is shown is in the address. The list is virtual; more is asked for at its end.
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState } from 'react';

import { usePages } from '../../api/query';
import { useKeys } from '../../app/keys';
import { go, to, useParam } from '../../app/router';
import { useTitle } from '../../app/title';
import { Filters, Find, Segments } from '../../ui/Filters';
import { RunRow } from '../../ui/RunRow';
import { Empty, Failed, Loading } from '../../ui/State';
import './runs.css';

const groups: { id: string; label: string; of: string[]; glyph: string }[] = [
  { id: 'going', label: 'Going on', of: ['running', 'waiting', 'paused', 'interrupted', 'undoing', 'cancelling', 'in-doubt', 'pending'], glyph: 'running' },
  { id: 'waiting', label: 'Waiting', of: ['waiting', 'paused', 'interrupted'], glyph: 'waiting' },
  { id: 'in-doubt', label: 'In doubt', of: ['in-doubt'], glyph: 'in-doubt' },
  { id: 'failed', label: 'Failed', of: ['failed', 'quarantined'], glyph: 'failed' },
  { id: 'succeeded', label: 'Succeeded', of: ['succeeded'], glyph: 'succeeded' },
  { id: 'cancelled', label: 'Cancelled', of: ['cancelled'], glyph: 'cancelled' },
];

const states = [{ value: '', label: 'All' }, ...groups.map((g) => ({ value: g.id, label: g.label, glyph: g.glyph }))];

const goRun = (id: string) => go(to.run(id));

export default function Runs() {
  useTitle('Runs');
  const [status, setStatus] = useParam('status');
  const [name, setName] = useParam('name');
  const [project, setProject] = useParam('project');
  const group = groups.find((g) => g.id === status);
  const list = usePages('listRuns', {
    limit: 200, ...(group ? { status: group.of } : status ? { status: [status] } : {}), ...(name ? { name } : {}), ...(project ? { project } : {}),
  });
  const rows = useMemo(() => list.data?.pages.flatMap((p) => p.rows) ?? [], [list.data]);
  const [at, setAt] = useState(-1);
  const box = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => 32, overscan: 12 });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && last >= rows.length - 40) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage, last, rows.length]);
  const step = (by: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, at + by));
    setAt(next);
    virtual.scrollToIndex(next);
  };
  useKeys({
    j: ['the next run', () => step(1)],
    k: ['the run before', () => step(-1)],
    Enter: at >= 0 ? ['open the run', () => { const r = rows[at]; if (r) goRun(r.id); }] : null,
  });
  return (
    <div className="runs">
      <header className="head">
        <h1>Runs</h1>
        <Filters label="Only these runs" clear={status || name || project ? () => go('/runs', { replace: true }) : undefined}>
          <Segments label="State" value={status} set={setStatus} of={states} />
          <Find label="Playbook" value={name} set={setName} whole />
          <Find label="Project" value={project} set={setProject} whole />
        </Filters>
      </header>
      <section className="panel" aria-label="List of runs" aria-busy={list.isFetching}>
        {list.error && rows.length === 0 ? <Failed error={list.error} retry={() => { void list.refetch(); }} /> : null}
        {list.isPending ? <Loading lines={12} what="runs" /> : null}
        {list.data && rows.length === 0 && !list.isFetching ? (
          <Empty title={status || name || project ? 'No run is like that' : 'Nothing has run yet'}>
            {status || name || project ? <button type="button" className="button small" onClick={() => go('/runs')}>Show all</button> : <>A trigger, <code>tend run</code> or a person starts a playbook.</>}
          </Empty>
        ) : null}
        <div ref={box} className={`runs-box${list.isPlaceholderData ? ' old' : ''}`} hidden={rows.length === 0} tabIndex={0} aria-label="Runs, the newest first">
          <div style={{ height: virtual.getTotalSize(), position: 'relative' }}>
            {items.map((v) => {
              const row = rows[v.index];
              return row ? <div key={row.id} className="runs-line" data-chosen={v.index === at || undefined} style={{ transform: `translateY(${v.start}px)` }}><RunRow row={row} open={goRun} /></div> : null;
            })}
          </div>
        </div>
        {rows.length > 0 ? <footer className="runs-foot dim" role="status">{rows.length.toLocaleString('en')}{hasNextPage ? ' and more' : ''} {rows.length === 1 ? 'run' : 'runs'}</footer> : null}
      </section>
    </div>
  );
}
