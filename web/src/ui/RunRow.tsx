// A run as a line: the same wherever runs are listed.
import { memo } from 'react';

import { bodyOf, type RunBody, type WaitOn } from '../api/rows';
import type { Row } from '../api/schema';
import { person } from '../lib/text';
import { Glyph, lookOf } from './Status';
import { Text } from './Text';
import { Ago, Took, Until } from './Time';
import './runrow.css';

/** Whether a status is the last one. */
export const over = (status: string | undefined) => ['succeeded', 'failed', 'cancelled', 'quarantined'].includes(status ?? '');

/** Where a run is shown. It stands here because lists are in many pages. */
const there = (id: string) => `/runs/${encodeURIComponent(id)}`;

/** In a few words what a run waits for. */
export function WaitWords({ of }: { of: WaitOn }) {
  switch (of.for) {
    case 'task': return <>a person must answer{of.until ? <> <Ago at={of.until} /></> : null}</>;
    case 'doubt': return <>a person must say whether it happened</>;
    case 'guard': return <>guard <Text of={of.on} max={60} /> holds it{of.until ? <> until <Until at={of.until} /></> : null}</>;
    case 'retry': return <>tries again <Until at={of.until} /></>;
    case 'time': return <>waits until <Until at={of.until} /></>;
    case 'event': return <>waits for the event <Text of={of.on} max={60} /></>;
    case 'lock': return <>waits for the lock <Text of={of.on} max={60} /></>;
    case 'child': return <>its sub-playbook goes on</>;
    case 'pause': return <>paused</>;
    case 'resume': return <>interrupted: <Text of={of.why} max={120} /></>;
    case 'permit': return <>stepped through: the next step waits to be let go</>;
    case 'runner': return <>no runner <Text of={of.on} max={60} /></>;
    default: return <Text of={of.why || of.for} max={120} />;
  }
}

export function cause(b: Partial<RunBody>): string {
  const c = b.cause;
  if (c?.trigger) return `trigger ${c.trigger}`;
  if (c?.parent) return 'another run';
  if (c?.undoes) return 'rollback';
  if (c?.carry) return 'retry';
  return person(b.by?.name || b.by?.id || '');
}

export const RunRow = memo(function RunRow({ row, open }: { row: Row; open?: (id: string) => void }) {
  const b = bodyOf<RunBody>(row);
  const status = row.status ?? '';
  const wait = over(status) ? undefined : b.waits?.[0];
  return (
    <a className="runrow" href={there(row.id)} data-tone={lookOf(status).tone} onClick={open ? (e) => {
      if (e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey) return;
      e.preventDefault();
      open(row.id);
    } : undefined}>
      <span><Glyph status={status} /></span>
      <span className="name clip"><Text of={row.name || 'nameless'} max={80} /></span>
      <span className="what clip">
        {status === 'failed' || status === 'quarantined' ? <Text of={b.fault?.message} max={240} /> : wait ? <WaitWords of={wait} /> : status === 'running' ? 'running' : lookOf(status).says}
        {b.undone ? <> · <span className="dim">{b.undone} undone</span></> : null}
        {b.observed ? <> · <span className="dim">{b.observed} only observed</span></> : null}
      </span>
      <span className="by clip dim"><Text of={cause(b)} max={60} /></span>
      <span className="took num"><Took from={b.started ?? row.at} to={over(status) ? b.ended : undefined} /></span>
      <span className="at num dim"><Ago at={row.at} /></span>
    </a>
  );
});

/** What the columns of runs are. */
export function RunHead() {
  return (
    <div className="runhead" aria-hidden>
      <span /><span className="name">Playbook</span><span className="what">How it stands</span><span className="by">Began by</span><span className="took num">Took</span><span className="at num">Began</span>
    </div>
  );
}
