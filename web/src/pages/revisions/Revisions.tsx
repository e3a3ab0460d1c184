// What is live from which repository, and what came before it.
import { useState } from 'react';

import { useAsk, useTell } from '../../api/query';
import type { Finding, Repository, Revision } from '../../api/schema';
import { useMay } from '../../app/me';
import { useParam } from '../../app/router';
import { useTitle } from '../../app/title';
import { Confirm } from '../../ui/Confirm';
import { Empty, Shown } from '../../ui/State';
import { Status } from '../../ui/Status';
import { Data, Sentence, Text } from '../../ui/Text';
import { Ago, At } from '../../ui/Time';
import { toast, toastError } from '../../ui/Toasts';
import './revisions.css';

export default function Revisions() {
  useTitle('Revisions');
  const asked = useAsk('listRepositories', {});
  const [chosen, choose] = useParam('repository');
  return (
    <>
      <header className="head"><h1>Revisions</h1></header>
      <Shown of={asked} none={{ when: (d) => d.repositories.length === 0, show: <div className="panel"><Empty title="No repository is configured">The server’s file names them under <code>repositories</code>.</Empty></div> }}>{(d) => {
        const of = d.repositories.find((r) => r.name === chosen) ?? d.repositories[0];
        return (
          <div className="sides revisions">
            <div className="stack">{of ? <One key={of.name} of={of} /> : null}</div>
            <nav className="panel" aria-label="Repositories">
              <header><h2>Repositories <span className="tally">{d.repositories.length}</span></h2></header>
              <ul className="rows">{d.repositories.map((r) => (
                <li key={r.name}><button type="button" className="revisions-pick" aria-current={r === of || undefined} onClick={() => choose(r.name)}>
                  <Status of={r.healthy ? 'succeeded' : 'failed'} says="" /><strong><Text of={r.name} max={60} /></strong><span className="dim"><Text of={r.branch ?? r.place} max={40} /></span>
                </button></li>
              ))}</ul>
            </nav>
          </div>
        );
      }}</Shown>
    </>
  );
}

type Doing = { what: 'pin'; revision: string } | { what: 'unpin' } | { what: 'rollback' };

function One({ of: r }: { of: Repository }) {
  const may = useMay();
  const publishes = may('publish', r.project);
  const list = useAsk('listRevisions', { path: { repository: r.name }, query: { limit: 50 } });
  const look = useTell('lookAtRepository');
  const [doing, setDoing] = useState<Doing | null>(null);
  return (
    <>
      <section className="panel" aria-label="Repository">
        <header>
          <h2><Status of={r.healthy ? 'succeeded' : 'failed'} says={r.healthy ? 'live' : 'not what it should be'} /> <Text of={r.name} max={80} /></h2>
          {publishes ? (
            <span className="end">
              <button type="button" className="button small" disabled={look.isPending} onClick={() => look.mutate({ path: { repository: r.name } }, { onSuccess: () => toast('It was looked at.'), onError: toastError })}>Look now</button>
              {r.pin ? <button type="button" className="button small" onClick={() => setDoing({ what: 'unpin' })}>Unpin</button> : null}
              <button type="button" className="button small danger" onClick={() => setDoing({ what: 'rollback' })}>Roll back</button>
            </span>
          ) : null}
        </header>
        <div className="body">
          <dl className="facts">
            <dt>place</dt><dd><Text of={r.place} max={200} />{r.path ? <> · <Text of={r.path} max={80} /></> : null}</dd>
            {r.branch ? <><dt>branch</dt><dd><Text of={r.branch} max={80} /></dd></> : null}
            <dt>project</dt><dd><Text of={r.project} max={60} />{r.environment ? <> · <Text of={r.environment} max={60} /></> : null}{r.owner ? <> · owned by <Text of={r.owner} max={60} /></> : null}</dd>
            <dt>looked at</dt><dd>{r.looked ? <Ago at={r.looked} /> : 'never yet'}</dd>
            {r.live ? <><dt>live</dt><dd><Commit of={r.live} /> since <At at={r.live.liveSince} /></dd></> : null}
            {r.pin ? <><dt>pinned</dt><dd><span className="mono">{r.pin.revision.slice(0, 12)}</span> by <Text of={r.pin.by} max={60} /> <Ago at={r.pin.at} />{r.pin.why ? <>: <Text of={r.pin.why} max={200} /></> : null}</dd></> : null}
            {r.waiting ? <><dt>waits</dt><dd><Commit of={r.waiting} /> is good, and another one is pinned</dd></> : null}
          </dl>
          {r.problem ? <p className="tone-bad" role="alert"><Sentence of={r.problem} /> {r.since ? <span className="dim">since <Ago at={r.since} /></span> : null}</p> : null}
        </div>
        {r.refused ? <div className="revisions-refused"><strong className="tone-bad">The newest revision is refused; the last good one stays.</strong> <Commit of={r.refused} /><Findings of={r.refused.findings ?? []} total={(r.refused.errors ?? 0) + (r.refused.warnings ?? 0)} /></div> : null}
      </section>
      <section className="panel" aria-label="History">
        <header><h2>History</h2></header>
        <Shown of={list} none={{ when: (d) => d.revisions.length === 0, show: <Empty title="No revision was seen yet" /> }}>{(d) => (
          <ol className="rows">{d.revisions.map((v) => <Past key={v.id} of={v} pin={publishes && v.status === 'good' ? () => setDoing({ what: 'pin', revision: v.id }) : null} />)}</ol>
        )}</Shown>
      </section>
      {doing ? <Do doing={doing} repository={r.name} close={() => setDoing(null)} /> : null}
    </>
  );
}

function Commit({ of }: { of: Revision }) {
  return <><span className="mono" title={of.id}>{of.id.slice(0, 12)}</span> <Text of={of.title} max={100} />{of.author ? <span className="dim"> by <Text of={of.author} max={60} /></span> : null}</>;
}

function Past({ of: v, pin }: { of: Revision; pin: (() => void) | null }) {
  return (
    <li className="revisions-past">
      <Status of={v.status === 'live' ? 'running' : v.status === 'good' ? 'succeeded' : 'refused'} says={v.status} />
      <div>
        <p><Commit of={v} /></p>
        <p className="dim">
          {v.playbooks} playbooks, {v.triggers} triggers, {v.guards} guards
          {v.errors ? <span className="tone-bad">, {v.errors} errors</span> : null}{v.warnings ? <>, {v.warnings} warnings</> : null}
          {v.changed?.length ? <>; changes <Text of={v.changed.join(', ')} max={200} /></> : null}
          {v.rewritten ? <span className="tone-doubt">; history was rewritten: <span className="mono">{v.rewritten.slice(0, 12)}</span> is no ancestor</span> : null}
        </p>
        {v.status === 'refused' && v.findings?.length ? <details><summary>Findings</summary><Findings of={v.findings} total={(v.errors ?? 0) + (v.warnings ?? 0)} /></details> : null}
      </div>
      <span className="dim"><Ago at={v.committed ?? v.seen} /></span>
      {pin ? <button type="button" className="button small" onClick={pin}>Pin</button> : null}
    </li>
  );
}

function Findings({ of, total }: { of: Finding[]; total: number }) {
  return (
    <ul className="revisions-findings">
      {of.map((f, i) => (
        <li key={i}>
          <span className={`tag ${f.severity === 'error' ? 'bad' : 'wait'}`}>{f.severity}</span> <code><Text of={`${f.file}${f.line ? `:${f.line}:${f.column ?? 1}` : ''}`} max={120} /></code> <Sentence of={f.message} /> <span className="dim">{f.rule}</span>
          {f.source ? <Data of={f.source} max={400} /> : null}
          {f.remedy ? <p className="dim"><Sentence of={f.remedy} /></p> : null}
        </li>
      ))}
      {total > of.length ? <li className="dim">and {total - of.length} more: <code>tend lint</code> shows all</li> : null}
    </ul>
  );
}

function Do({ doing, repository, close }: { doing: Doing; repository: string; close: () => void }) {
  const pin = useTell('pinRevision');
  const unpin = useTell('unpinRevision');
  const back = useTell('rollbackRevision');
  const path = { repository };
  const done = (text: string) => ({ onSuccess: () => { toast(text); close(); } });
  switch (doing.what) {
    case 'pin':
      return <Confirm title={<>Pin {doing.revision.slice(0, 12)}</>} does="Make it live and keep it" reason="required" close={close} asking={pin} submit={(why) => pin.mutate({ path, body: { revision: doing.revision, why } }, done('It is live, and pinned.'))}><p>It becomes live, also while Git is away, and stays so until it is unpinned. Runs go on with what they began with.</p></Confirm>;
    case 'unpin':
      return <Confirm title="Unpin" does="Follow the newest good revision" close={close} asking={unpin} submit={(why) => unpin.mutate({ path, body: { why } }, done('The newest good revision is live.'))} />;
    case 'rollback':
      return <Confirm danger title="Roll back" does="Go back to the revision before" reason="required" close={close} asking={back} submit={(why) => back.mutate({ path, body: { why } }, done('The revision before is live, and pinned.'))}><p>The revision that was live before becomes live and is pinned. Runs go on with what they began with.</p></Confirm>;
  }
}
