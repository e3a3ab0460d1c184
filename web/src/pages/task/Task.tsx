// One question, with all that is needed to decide on it in view.
import { useState } from 'react';

import { useAsk } from '../../api/query';
import { bodyOf, type TaskBody } from '../../api/rows';
import type { Row } from '../../api/schema';
import { askedOf, useMay, useMe } from '../../app/me';
import { Link, to, useParts } from '../../app/router';
import { useTitle } from '../../app/title';
import { safe } from '../../lib/link';
import { person } from '../../lib/text';
import { Shown } from '../../ui/State';
import { Status } from '../../ui/Status';
import { Data, Lines, Sentence, Text } from '../../ui/Text';
import { At, Until } from '../../ui/Time';
import { Acts, type Act } from './Acts';
import { Answer } from './Answer';
import { Said } from './Said';
import './task.css';

export default function Task() {
  const { task = '' } = useParts();
  const asked = useAsk('showTask', { path: { task } });
  useTitle(asked.data?.name ?? 'Task');
  return <Shown of={asked} what="task" lines={10}>{(row) => <Body row={row} b={bodyOf<TaskBody>(row)} />}</Shown>;
}

function Body({ row, b }: { row: Row; b: Partial<TaskBody> }) {
  const me = useMe();
  const may = useMay();
  const [act, setAct] = useState<Act | null>(null);
  const open = row.status === 'open';
  const verb = b.type === 'approve' || b.type === 'review' ? 'approve' : 'answer';
  const mine = open && askedOf(b.from, me.data) && may(verb, row.project);
  return (
    <>
      <header className="head">
        <Status of={row.status ?? ''} says={open ? 'waits for a person' : (row.status ?? '')} />
        <h1><Text of={row.name} max={300} /></h1>
        {open && may('answer', row.project) ? (
          <span className="end">
            {b.assignee === me.data?.id ? null : <button type="button" className="button" onClick={() => setAct('claim')}>I see to it</button>}
            <button type="button" className="button" onClick={() => setAct('assign')}>Assign</button>
            {mine ? <button type="button" className="button" onClick={() => setAct('delegate')}>Delegate</button> : null}
            {b.type === 'approve' && may('break', row.project) ? <button type="button" className="button danger" onClick={() => setAct('break')}>Break the glass</button> : null}
          </span>
        ) : null}
      </header>
      <div className="sides">
        <div className="stack">
          <section className="panel" aria-label="Question">
            <div className="body task-question">
              <Lines of={b.message || row.name} />
              <Context b={b} />
              {mine ? <Answer row={row} b={b} /> : open ? <p className="dim">It is asked of {b.from?.length ? <Text of={b.from.map(person).join(', ')} max={200} /> : 'people who may answer'}.</p> : null}
            </div>
          </section>
          <Plan b={b} />
          <Said row={row} b={b} />
        </div>
        <aside className="stack" aria-label="Facts"><Facts row={row} b={b} /><Run run={row.parent} path={b.path} /></aside>
      </div>
      {act ? <Acts act={act} row={row} b={b} close={() => setAct(null)} /> : null}
    </>
  );
}

/** What holds for the answer. */
function Context({ b }: { b: Partial<TaskBody> }) {
  const votes = (b.votes ?? []).filter((v) => v.answer === 'approve').length;
  const parts = [
    (b.count ?? 1) > 1 ? `${b.count} different people must approve; ${votes} did` : '',
    b.notRequester ? 'not whoever asked for the run' : '',
    b.notAuthor ? 'not whoever wrote the playbook' : '',
  ].filter(Boolean);
  return (
    <p className="dim">
      {parts.length ? `${parts.join('; ')}. ` : ''}
      {b.expires && !b.expires.startsWith('0001') ? <>Until <Until at={b.expires} />; no answer is {b.default ? <Text of={b.default} max={60} /> : 'no'}.</> : 'It waits until somebody answers.'}
    </p>
  );
}

interface What { action?: string; effect?: string; inputs?: Record<string, unknown>; targets?: string[]; irreversible?: boolean; runner?: string }

/** What would be done, as it is bound to the answer: when any of it changes, the answer is void. */
function Plan({ b }: { b: Partial<TaskBody> }) {
  const s = b.show as What | undefined;
  const rules = useAsk('rules', {}, { when: s !== undefined });
  if (!s) return null;
  const project = rules.data?.guards ?? [];
  return (
    <section className="panel" aria-label="What would be done">
      <header><h2>What would be done</h2>{s.effect ? <span className={`tag ${s.effect === 'mutate' ? 'wait' : ''}`}>{s.effect}</span> : null}{s.irreversible ? <span className="tag bad">cannot be undone</span> : null}</header>
      <div className="body stack">
        <dl className="facts">
          <dt>action</dt><dd className="mono"><Text of={s.action} max={120} /></dd>
          {s.runner ? <><dt>runner</dt><dd><Text of={s.runner} max={120} /></dd></> : null}
          <dt>targets</dt><dd>{s.targets?.length ? <ul className="task-targets">{s.targets.slice(0, 200).map((t) => <li key={t} className="mono"><Text of={t} max={300} /></li>)}{s.targets.length > 200 ? <li className="dim">and {s.targets.length - 200} more</li> : null}</ul> : <span className="dim">none are named</span>}</dd>
          {project.length ? <><dt>guards</dt><dd><Text of={project.map((g) => g.name).join(', ')} max={400} /> <span className="dim">are asked again before it begins</span></dd></> : null}
        </dl>
        {s.inputs ? <Data of={Object.keys(s.inputs).length === 1 && s.inputs['with'] ? s.inputs['with'] : s.inputs} /> : null}
        <p className="dim"><Sentence of="The answer is bound to this: if the inputs or the targets change, it is asked again." /></p>
      </div>
    </section>
  );
}

function Facts({ row, b }: { row: Row; b: Partial<TaskBody> }) {
  return (
    <section className="panel" aria-label="Facts"><div className="body">
      <dl className="facts">
        <dt>id</dt><dd className="mono">{row.id}</dd>
        <dt>asked</dt><dd><At at={row.at} exact /></dd>
        <dt>by</dt><dd><Text of={person(b.requesterID || b.requester || '')} max={80} /></dd>
        {b.author ? <><dt>author</dt><dd><Text of={b.author} max={120} /></dd></> : null}
        <dt>of</dt><dd>{b.from?.length ? <Text of={b.from.map(person).join(', ')} max={300} /> : 'anybody who may'}</dd>
        <dt>with</dt><dd>{b.assignee ? <Text of={person(b.assignee)} max={80} /> : <span className="dim">nobody yet</span>}</dd>
        <dt>project</dt><dd><Text of={row.project} max={80} /></dd>
        {b.reviews ? <><dt>reviews</dt><dd><Link to={to.task(b.reviews)}>{b.reviews}</Link></dd></> : null}
        {(b.escalated ?? []).map((e, i) => <Pair key={i} name="escalated" of={(e.to ?? []).map(person).join(', ')} />)}
        {(b.delegated ?? []).map((d, i) => <Pair key={i} name="delegated" of={`${d.by.name} to ${(d.to ?? []).map(person).join(', ')}`} />)}
      </dl>
      {b.links?.length ? <ul className="task-links">{b.links.map((l) => { const url = safe(l.url); return <li key={l.url}>{url ? <a href={url} rel="noreferrer noopener" target="_blank"><Text of={l.name || l.url} max={80} /> ↗</a> : <Text of={l.url} max={80} />}</li>; })}</ul> : null}
    </div></section>
  );
}

const Pair = ({ name, of }: { name: string; of: string }) => <><dt>{name}</dt><dd><Text of={of} max={200} /></dd></>;

/** Where the question comes from. */
function Run({ run, path }: { run: string | undefined; path: string | undefined }) {
  const asked = useAsk('glanceRun', { path: { run: run ?? '' } }, { when: Boolean(run) });
  if (!run) return null;
  const h = asked.data?.head;
  return (
    <section className="panel" aria-label="Run">
      <header><h2>Run</h2>{h ? <Status of={h.status} /> : null}</header>
      <div className="body">
        <p><Link to={to.run(run, path)}>{h ? <Text of={h.name} max={120} /> : run}</Link></p>
        {h ? (
          <dl className="facts">
            <dt>began</dt><dd><At at={h.started ?? h.created} /></dd>
            <dt>asked by</dt><dd><Text of={h.by.name} max={80} /></dd>
            {h.commit ? <><dt>commit</dt><dd className="mono">{h.commit.slice(0, 12)}</dd></> : null}
            {h.author ? <><dt>author</dt><dd><Text of={h.author} max={80} /></dd></> : null}
            {h.cause?.incident ? <><dt>incident</dt><dd><Link to={to.incident(h.cause.incident)}>{h.cause.incident}</Link></dd></> : null}
            {h.changed?.length ? <><dt>changed so far</dt><dd><Text of={h.changed.join(', ')} max={300} /></dd></> : null}
          </dl>
        ) : null}
        {h ? <LastTime name={h.name} project={h.project} run={run} closure={h.closure} /> : null}
      </div>
    </section>
  );
}

/** What changed since the playbook ran last. */
function LastTime({ name, project, run, closure }: { name: string; project: string; run: string; closure: string }) {
  const list = useAsk('listRuns', { query: { name, project, limit: 20 } });
  const rows = list.data?.rows ?? [];
  const i = rows.findIndex((r) => r.id === run);
  const before = i < 0 ? undefined : rows[i + 1];
  const glance = useAsk('glanceRun', { path: { run: before?.id ?? '' } }, { when: before !== undefined, fixed: true });
  if (!list.data) return null;
  if (!before) return <p className="dim">{i < 0 ? null : 'It is the first run of this playbook.'}</p>;
  const g = glance.data?.head;
  return <p className="dim">The run before, <Link to={to.run(before.id)}>{before.id}</Link>, {before.status}; the playbook is {g ? (g.closure === closure ? 'the same' : <strong className="tone-wait">another one since{g.commit ? ` ${g.commit.slice(0, 10)}` : ''}</strong>) : '…'}.</p>;
}
