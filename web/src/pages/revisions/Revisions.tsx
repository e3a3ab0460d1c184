// What runs in production, from which repository; what came before it, and what each revision changed.
import { useState } from 'react';

import { useAsk, useTell } from '../../api/query';
import type { Finding, Repository, Revision } from '../../api/schema';
import { useMay } from '../../app/me';
import { useParam } from '../../app/router';
import { useTitle } from '../../app/title';
import { count, person } from '../../lib/text';
import { Confirm } from '../../ui/Confirm';
import { Cell, GlyphCell, Line, List } from '../../ui/List';
import { Shown } from '../../ui/State';
import { Data, Sentence, Text } from '../../ui/Text';
import { Ago, At } from '../../ui/Time';
import { toast, toastError } from '../../ui/Toasts';
import { Difference } from './Difference';
import './revisions.css';

export default function Revisions() {
  useTitle('Revisions');
  const asked = useAsk('listRepositories', {});
  const [chosen, choose] = useParam('repository');
  const [, setShown] = useParam('show');
  return (
    <>
      <header className="head"><h1>Revisions</h1></header>
      <Shown of={asked} none={{ when: (d) => d.repositories.length === 0, show: <p className="dim">No repository is configured. The server’s file names them under <code>repositories</code>.</p> }}>{(d) => {
        const list = d.repositories.slice().sort((a, b) => Number(a.healthy) - Number(b.healthy));
        const of = list.find((r) => r.name === chosen) ?? list[0];
        return (
          <div className="stack">
            <section className="panel" aria-label="In production">
              <List label="In production" className="revisions-live" head={['', 'Repository', 'Lives', { says: 'By', from: 'm' }, { says: 'Since', num: true, from: 'm' }, 'It stands']}>
                {list.map((r) => (
                  <Line key={r.name} chosen={list.length > 1 && r === of} tone={r.problem || r.refused ? 'bad' : r.pin ? 'wait' : undefined}>
                    <GlyphCell status={r.problem || r.refused ? 'failed' : r.pin ? 'paused' : 'succeeded'} />
                    <Cell clip>{list.length > 1 ? <button type="button" className="revisions-pick" aria-current={r === of || undefined} onClick={() => { setShown(null); choose(r.name); }}><Text of={r.name} max={60} /></button> : <strong><Text of={r.name} max={60} /></strong>}</Cell>
                    <Cell clip>{r.live ? <><span className="mono">{r.live.id.slice(0, 10)}</span> <Text of={r.live.title} max={120} /></> : <span className="tone-bad">nothing</span>}</Cell>
                    <Cell clip small from="m"><Text of={r.live?.author?.replace(/ <.*>$/, '')} max={40} /></Cell>
                    <Cell num small from="m"><At at={r.live?.liveSince} /></Cell>
                    <Cell clip><Stands of={r} /></Cell>
                  </Line>
                ))}
              </List>
            </section>
            {of ? <One key={of.name} of={of} /> : null}
          </div>
        );
      }}</Shown>
    </>
  );
}

/** In a few words whether what is live is what should be. */
function Stands({ of: r }: { of: Repository }) {
  if (r.problem) return <span className="tone-bad">cannot be looked at{r.since ? <> since <Ago at={r.since} /></> : null}</span>;
  if (r.refused) return <span className="tone-bad">the newest revision is refused</span>;
  if (r.pin) return <span className="tone-wait">pinned by <Text of={person(r.pin.by)} max={40} /></span>;
  return <span className="dim">the newest one lives{r.looked ? <>, looked at <Ago at={r.looked} /></> : null}</span>;
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
          <h2><Text of={r.name} max={80} /></h2>
          <span className="dim clip"><Text of={r.place} max={200} />{r.path ? <> · <Text of={r.path} max={80} /></> : null}{r.branch ? <> · <Text of={r.branch} max={80} /></> : null} · {r.project}{r.environment ? `, ${r.environment}` : ''}{r.owner ? <> · owned by <Text of={r.owner} max={60} /></> : null}</span>
          {publishes ? (
            <span className="end">
              <button type="button" className="button small" disabled={look.isPending} onClick={() => look.mutate({ path: { repository: r.name } }, { onSuccess: () => toast('It was looked at.'), onError: toastError })}>Look now</button>
              {r.pin ? <button type="button" className="button small" onClick={() => setDoing({ what: 'unpin' })}>Unpin</button> : null}
              <button type="button" className="button small danger" onClick={() => setDoing({ what: 'rollback' })}>Roll back</button>
            </span>
          ) : null}
        </header>
        {r.problem ? <p className="revisions-says tone-bad" role="alert"><Sentence of={r.problem} /></p> : null}
        {r.pin ? <p className="revisions-says"><span className="mono">{r.pin.revision.slice(0, 10)}</span> is pinned by <Text of={person(r.pin.by)} max={60} />, <Ago at={r.pin.at} />{r.pin.why ? <>: <Text of={r.pin.why} max={200} /></> : null}{r.waiting ? <>. <Commit of={r.waiting} /> is good and waits.</> : null}</p> : null}
        {r.refused ? <div className="revisions-refused"><p><strong className="tone-bad">The newest revision is refused; the last good one stays.</strong> <Commit of={r.refused} /></p><Findings of={r.refused.findings ?? []} total={(r.refused.errors ?? 0) + (r.refused.warnings ?? 0)} /></div> : null}
        <Shown of={list} none={{ when: (d) => d.revisions.length === 0, show: <p className="state dim">No revision was seen yet.</p> }}>{(d) => (
          <ol className="rows" aria-label="History">{d.revisions.map((v, i) => <Past key={v.id} of={v} before={d.revisions.slice(i + 1).find((x) => x.status !== 'refused')} pin={publishes && v.status === 'good' ? () => setDoing({ what: 'pin', revision: v.id }) : null} />)}</ol>
        )}</Shown>
      </section>
      {doing ? <Do doing={doing} repository={r.name} close={() => setDoing(null)} /> : null}
    </>
  );
}

function Commit({ of }: { of: Revision }) {
  return <><span className="mono" title={of.id}>{of.id.slice(0, 10)}</span> <Text of={of.title} max={100} />{of.author ? <span className="dim"> by <Text of={of.author} max={60} /></span> : null}</>;
}

const looks: Record<string, [string, string]> = { live: ['succeeded', 'lives'], good: ['carried', 'lived'], refused: ['refused', 'refused'] };

function Past({ of: v, before, pin }: { of: Revision; before: Revision | undefined; pin: (() => void) | null }) {
  const [shown, show] = useParam('show');
  const open = shown === v.id;
  const [glyph, says] = looks[v.status] ?? ['pending', v.status];
  return (
    <li className="revisions-past" data-status={v.status} data-open={open || undefined}>
      <List label={`Revision ${v.id.slice(0, 10)}`} className="revisions-line">
        <Line>
          <GlyphCell status={v.status === 'good' ? 'skipped' : glyph} />
          <Cell small>{says}</Cell>
          <Cell>
            <p><Commit of={v} /></p>
            <p className="dim">{v.changed?.length ? <>changes <strong><Text of={v.changed.join(', ')} max={200} /></strong> · </> : null}{count(v.playbooks, 'playbook')}, {count(v.triggers, 'trigger')}, {count(v.guards, 'guard')}{v.errors ? <span className="tone-bad">, {count(v.errors, 'error')}</span> : null}{v.warnings ? <>, {count(v.warnings, 'warning')}</> : null}{v.rewritten ? <span className="tone-doubt"> · history was rewritten: <span className="mono">{v.rewritten.slice(0, 10)}</span> is no ancestor</span> : null}</p>
          </Cell>
          <Cell num small>{v.liveSince ? <>live <At at={v.liveSince} /></> : <>seen <At at={v.seen} /></>}</Cell>
          <Cell num>
            <button type="button" className="button small" aria-expanded={open} onClick={() => show(open ? null : v.id)}>{v.status === 'refused' ? 'Findings' : 'What it changed'}</button>
            {pin ? <> <button type="button" className="button small" onClick={pin}>Pin</button></> : null}
          </Cell>
        </Line>
      </List>
      {open ? <div className="revisions-open">{v.status === 'refused' ? <Findings of={v.findings ?? []} total={(v.errors ?? 0) + (v.warnings ?? 0)} /> : <Difference repository={v.repository} was={before} is={v} />}</div> : null}
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
      {total > of.length ? <li className="dim">and {total - of.length} more</li> : null}
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
