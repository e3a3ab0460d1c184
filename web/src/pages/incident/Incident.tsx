// One incident: who has it, what fires, what was done, and what comes next.
import { useState } from 'react';

import { useAsk, useTell } from '../../api/query';
import { call } from '../../api/client';
import type { Incident as Doc } from '../../api/schema';
import { useMay } from '../../app/me';
import { useKeys } from '../../app/keys';
import { Link, to, useParts } from '../../app/router';
import { useTitle } from '../../app/title';
import { safe } from '../../lib/link';
import { parse } from '../../lib/time';
import { Severity } from '../../ui/Severity';
import { Shown } from '../../ui/State';
import { Status } from '../../ui/Status';
import { Lines, Text } from '../../ui/Text';
import { Ago, At, Until, useNow } from '../../ui/Time';
import { toast, toastError } from '../../ui/Toasts';
import { Acts, type Act } from './Acts';
import { Items } from './Items';
import { Timeline } from './Timeline';
import './incident.css';

export default function Incident() {
  const { incident = '' } = useParts();
  const asked = useAsk('showIncident', { path: { incident } });
  useTitle(asked.data?.title ?? 'Incident');
  return <Shown of={asked} what="incident" lines={12}>{(d) => <Body of={d} />}</Shown>;
}

function Body({ of: d }: { of: Doc }) {
  const may = useMay();
  const writes = may('write', d.project);
  const over = d.status === 'resolved' || d.status === 'merged';
  const [act, setAct] = useState<Act | null>(null);
  const take = useTell('takeIncident');
  const takeIt = () => take.mutate({ path: { incident: d.id } }, { onSuccess: () => toast('It is yours.'), onError: toastError });
  useKeys(writes && !over ? { t: ['take this incident', takeIt], u: ['say how it stands', () => setAct('update')], x: ['resolve this incident', () => setAct('resolve')] } : {});
  return (
    <>
      <header className="head incident-head">
        <Status of={d.status === 'open' ? 'burning' : d.status} />
        <h1><Text of={d.title} max={300} /></h1>
        <Severity of={d.severity} />
        <span className="end">
          {writes && !over ? (
            <>
              <button type="button" className="button primary" onClick={takeIt} disabled={take.isPending}>Take it</button>
              <button type="button" className="button" onClick={() => setAct('update')}>Say how it stands</button>
              {d.status === 'mitigated' ? null : <button type="button" className="button" onClick={() => setAct('mitigate')}>Mitigated</button>}
              <button type="button" className="button" onClick={() => setAct('resolve')}>Resolve</button>
            </>
          ) : null}
          {writes && d.status === 'resolved' ? <button type="button" className="button" onClick={() => setAct('reopen')}>Reopen</button> : null}
          <More d={d} writes={writes} over={over} act={setAct} />
        </span>
      </header>
      {d.into ? <p className="incident-into">Its story goes on in <Link to={to.incident(d.into)}>{d.into}</Link>.</p> : null}
      <div className="sides">
        <div className="stack">
          <Standing d={d} />
          <Timeline d={d} writes={writes} />
        </div>
        <aside className="stack" aria-label="Facts">
          <Facts d={d} />
          <Firing d={d} />
          <Runs d={d} />
          <Tasks d={d} />
          <Items d={d} writes={writes} />
        </aside>
      </div>
      {act ? <Acts act={act} d={d} close={() => setAct(null)} /> : null}
    </>
  );
}

function More({ d, writes, over, act }: { d: Doc; writes: boolean; over: boolean; act: (a: Act) => void }) {
  const save = (name: string, text: string, type: string) => {
    const url = URL.createObjectURL(new Blob([text], { type }));
    const a = Object.assign(document.createElement('a'), { href: url, download: name });
    a.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  };
  return (
    <details className="incident-more">
      <summary className="button" aria-label="More to do">More</summary>
      <div className="panel">
        {writes && !over ? <button type="button" className="button plain" onClick={() => act('page')}>Page somebody</button> : null}
        {writes && !over ? <button type="button" className="button plain" onClick={() => act('merge')}>Merge into another one</button> : null}
        {writes && !over && (d.members?.length ?? 0) > 1 ? <button type="button" className="button plain" onClick={() => act('split')}>Split some alerts off</button> : null}
        <button type="button" className="button plain" onClick={() => { call('exportIncident', { path: { incident: d.id } }).then((t) => save(`${d.id}.md`, t, 'text/markdown'), toastError); }}>Export as Markdown</button>
        <button type="button" className="button plain" onClick={() => save(`${d.id}.json`, JSON.stringify(d, null, 2), 'application/json')}>Export as JSON</button>
      </div>
    </details>
  );
}

function Standing({ d }: { d: Doc }) {
  const now = useNow();
  const due = parse(d.nextBy);
  const over = d.status === 'resolved' || d.status === 'merged';
  return (
    <section className="panel" aria-label="How it stands">
      <div className="incident-standing">
        <div>
          <h2>How it stands</h2>
          {d.summary ? <Lines of={d.summary} /> : <span className="dim">Nobody has said yet.</span>}
        </div>
        {over ? null : (
          <div className={!Number.isNaN(due) && due < now ? 'late' : undefined}>
            <h2>Next</h2>
            {d.next ? <Lines of={d.next} /> : <span className="dim">No next step is named.</span>}
            {d.nextBy ? <p>expected <Until at={d.nextBy} /></p> : null}
          </div>
        )}
      </div>
    </section>
  );
}

const span = (s: number | undefined) => (s === undefined ? undefined : s < 90 ? `${Math.round(s)} s` : s < 5400 ? `${Math.round(s / 60)} min` : `${(s / 3600).toFixed(1)} h`);

function Facts({ d }: { d: Doc }) {
  const people = (list: string[] | undefined) => (list?.length ? list.map((p, i) => <span key={p}>{i ? ', ' : ''}<Text of={p} max={60} /></span>) : <span className="dim">nobody</span>);
  return (
    <section className="panel" aria-label="Facts">
      <div className="body">
        <dl className="facts">
          <dt>id</dt><dd className="mono">{d.id}</dd>
          <dt>project</dt><dd><Text of={d.project} /></dd>
          <dt>opened</dt><dd><At at={d.opened} exact /></dd>
          {d.taken ? <><dt>taken</dt><dd><At at={d.taken} />{d.toTake !== undefined ? <span className="dim"> after {span(d.toTake)}</span> : null}</dd></> : null}
          {d.ended ? <><dt>ended</dt><dd><At at={d.ended} />{d.toResolve !== undefined ? <span className="dim"> after {span(d.toResolve)}</span> : null}</dd></> : null}
          <dt>commander</dt><dd>{d.commander ? <Text of={d.commander} max={80} /> : <span className="tone-bad">nobody</span>}</dd>
          <dt>responders</dt><dd>{people(d.responders)}</dd>
          <dt>stakeholders</dt><dd>{people(d.stakeholders)}</dd>
          {d.from?.length ? <><dt>took over</dt><dd>{d.from.map((i) => <Link key={i} to={to.incident(i)}>{i} </Link>)}</dd></> : null}
          {(d.keys ?? []).map((k) => <Pair key={k} name="key" of={k} />)}
          {Object.entries(d.labels ?? {}).map(([k, v]) => <Pair key={k} name={k} of={v} />)}
        </dl>
        {d.links?.length ? (
          <ul className="incident-links">{d.links.map((l) => {
            const url = safe(l.url);
            return <li key={l.url}>{url ? <a href={url} rel="noreferrer noopener" target="_blank"><Text of={l.name || l.url} max={80} /> ↗</a> : <Text of={l.url} max={80} />}</li>;
          })}</ul>
        ) : null}
      </div>
    </section>
  );
}

const Pair = ({ name, of }: { name: string; of: string }) => <><dt><Text of={name} max={40} /></dt><dd><Text of={of} max={200} /></dd></>;

function Firing({ d }: { d: Doc }) {
  const list = d.members ?? [];
  return (
    <section className="panel" aria-label="Alerts">
      <header><h2>Alerts <span className="tally">{d.firing} of {list.length} fire</span></h2></header>
      {list.length ? (
        <ul className="rows incident-list">{list.slice(0, 200).map((m) => (
          <li key={`${m.source}/${m.group ?? m.event}`}>
            <Status of={m.status === 'resolved' ? 'resolved' : 'burning'} says={m.status ?? 'firing'} />
            <Link to={to.event(m.event)} className="clip"><Text of={m.name || m.group || m.event} max={120} /></Link>
            <span className="dim"><Ago at={m.since} /></span>
          </li>
        ))}</ul>
      ) : <div className="state dim">People opened it; no alert has joined.</div>}
      {list.length > 200 ? <div className="state dim">and {list.length - 200} more</div> : null}
    </section>
  );
}

function Runs({ d }: { d: Doc }) {
  const list = d.runs ?? [];
  if (!list.length) return null;
  return (
    <section className="panel" aria-label="Runs">
      <header><h2>Runs <span className="tally">{list.length}</span></h2></header>
      <ul className="rows incident-list">{list.map((r) => (
        <li key={r.run}>
          <Status of={r.status} />
          <Link to={to.run(r.run)} className="clip"><Text of={r.playbook || r.run} max={80} /></Link>
          <span className="dim"><Ago at={r.ended ?? r.began} /></span>
        </li>
      ))}</ul>
    </section>
  );
}

/** What people are asked by the runs of the incident. */
function Tasks({ d }: { d: Doc }) {
  const runs = new Set((d.runs ?? []).map((r) => r.run));
  const asked = useAsk('listTasks', { query: { status: ['open'], limit: 200 } }, { when: runs.size > 0 });
  const list = (asked.data?.rows ?? []).filter((r) => runs.has(r.parent ?? ''));
  if (!list.length) return null;
  return (
    <section className="panel" aria-label="Tasks">
      <header><h2>Waits for people <span className="tally">{list.length}</span></h2></header>
      <ul className="rows incident-list">{list.map((r) => <li key={r.id}><Status of="open" says="" /><Link to={to.task(r.id)} className="clip"><Text of={r.name} max={120} /></Link><span className="dim">{r.due ? <Ago at={r.due} /> : null}</span></li>)}</ul>
    </section>
  );
}

