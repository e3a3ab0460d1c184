// What is other than the last time that a playbook ran: its text, its parameters, and what they led to.
import type { ReactNode } from 'react';

import { useAsk } from '../api/query';
import type { GlanceHead, GlanceStep } from '../api/schema';
import { word } from '../lib/data';
import { differs, otherwise } from '../lib/since';
import { over } from './RunRow';
import { Loading } from './State';
import { lookOf, Status } from './Status';
import { Text } from './Text';
import { Ago, Took } from './Time';

interface Now { head: GlanceHead; steps: GlanceStep[]; params?: Record<string, unknown> | undefined }

const short = (v: unknown) => (v === undefined ? 'nothing' : typeof v === 'string' ? word(v) : JSON.stringify(v));

export function Since({ now, run, source }: { now: Now; run: (id: string) => ReactNode; source: (says: ReactNode) => ReactNode }) {
  const h = now.head;
  const list = useAsk('listRuns', { query: { name: h.name, project: h.project, limit: 50 } }, { fixed: true });
  if (list.isPending) return <Loading lines={1} />;
  const rows = list.data?.rows ?? [];
  const i = rows.findIndex((r) => r.id === h.id);
  const before = rows[i + 1];
  if (i < 0 || !before) return <p className="dim">{i < 0 ? 'The run before it is further back than is looked.' : 'It is the first run of this playbook.'}</p>;
  return <Compare now={now} before={before.id} run={run} source={source} />;
}

function Compare({ now, before, run, source }: { now: Now; before: string; run: (id: string) => ReactNode; source: (says: ReactNode) => ReactNode }) {
  const g = useAsk('glanceRun', { path: { run: before } }, { fixed: true });
  if (!g.data) return <Loading lines={3} />;
  const [a, b]: [GlanceHead, GlanceHead] = [g.data.head, now.head];
  const params = differs(g.data.params, now.params);
  const steps = otherwise(g.data.steps, now.steps);
  return (
    <dl className="facts">
      <dt>run before</dt><dd>{run(before)} <Status of={a.status} />{over(a.status) ? <span className="dim"> after <Took from={a.started || a.created} to={a.ended} /></span> : null} <span className="dim"><Ago at={a.created} /></span></dd>
      <dt>playbook</dt>
      <dd>{a.closure === b.closure ? 'the same' : (
        <><strong className="tone-wait">another one</strong>{a.commit && b.commit && a.commit !== b.commit ? <>: <code>{a.commit.slice(0, 10)}</code> → <code>{b.commit.slice(0, 10)}</code></> : null}{b.author ? <> by <Text of={b.author} max={60} /></> : null}. {source('What changed in it')}</>
      )}</dd>
      <dt>parameters</dt>
      <dd>{params.length === 0 ? 'the same' : params.map((p) => <div key={p.name}><Text of={p.name} max={60} />: <code className="dim"><Text of={short(p.was)} max={120} /></code> → <code><Text of={short(p.is)} max={120} /></code></div>)}</dd>
      {steps.length ? <><dt>steps</dt><dd>{steps.slice(0, 12).map((s) => <div key={s.path}><Text of={s.label} max={80} />: <span className="dim">{lookOf(s.was).says}</span> → <span className={`tone-${lookOf(s.is).tone}`}>{lookOf(s.is).says}</span></div>)}{steps.length > 12 ? <div className="dim">and {steps.length - 12} more</div> : null}</dd></> : null}
    </dl>
  );
}
