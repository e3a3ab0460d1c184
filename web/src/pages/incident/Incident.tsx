// One incident: how bad it is, who has it, what is needed now, and everything that happened.
import { useMemo, useState } from 'react';

import { useAsk, useTell } from '../../api/query';
import { call } from '../../api/client';
import { bodyOf, type TaskBody } from '../../api/rows';
import type { Incident as Doc } from '../../api/schema';
import { useMay, useMe } from '../../app/me';
import { useKeys } from '../../app/keys';
import { Link, to, useParts } from '../../app/router';
import { useTitle } from '../../app/title';
import { questionOf } from '../../lib/answer';
import { Shown } from '../../ui/State';
import { Status } from '../../ui/Status';
import { Text } from '../../ui/Text';
import { toast, toastError } from '../../ui/Toasts';
import { Acts, type Act } from './Acts';
import { Facts, Firing, Roles, Runs } from './Aside';
import { Items } from './Items';
import { Now } from './Now';
import type { Question } from './story';
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
  const me = useMe();
  const writes = may('write', d.project);
  const over = d.status === 'resolved' || d.status === 'merged';
  const can = writes && !over;
  const [act, setAct] = useState<Act | null>(null);
  const questions = useQuestions(d);
  const waits = questions.filter((q) => q.status === 'open').sort((a, b) => (a.due ?? '9').localeCompare(b.due ?? '9'));
  const path = { incident: d.id };
  const name = me.data?.name || me.data?.id || '';
  const take = useTell('takeIncident');
  const command = useTell('updateIncident');
  const takeIt = () => take.mutate({ path }, { onSuccess: () => toast('It is yours.'), onError: toastError });
  const commandIt = () => command.mutate({ path, body: { commander: name, ...(d.status === 'open' ? { status: 'acknowledged' } : {}) } }, { onSuccess: () => toast('You command it.'), onError: toastError });
  const mine = (d.responders ?? []).includes(name);
  useKeys(can ? {
    t: ['take this incident', takeIt], u: ['say how it stands', () => setAct('update')], x: ['resolve this incident', () => setAct('resolve')],
    c: ['comment on this incident', () => document.getElementById('comment')?.focus()],
  } : {});
  return (
    <>
      <header className="head incident-head">
        <Status of={d.status === 'open' ? 'burning' : d.status} />
        <h1><Text of={d.title} max={300} /></h1>
        <span className="end">
          {can ? (
            <>
              {mine ? null : <button type="button" className="button primary" onClick={takeIt} disabled={take.isPending}>Take it</button>}
              <button type="button" className={`button${mine ? ' primary' : ''}`} onClick={() => setAct('update')}>Say how it stands</button>
              {d.status === 'mitigated' ? null : <button type="button" className="button" onClick={() => setAct('mitigate')}>Mitigated</button>}
              <button type="button" className="button" onClick={() => setAct('resolve')}>Resolve</button>
            </>
          ) : null}
          {writes && d.status === 'resolved' ? <button type="button" className="button" onClick={() => setAct('reopen')}>Reopen</button> : null}
          <More d={d} can={can} act={setAct} />
        </span>
      </header>
      {d.into ? <p className="incident-into">Its story goes on in <Link to={to.incident(d.into)}>{d.into}</Link>.</p> : null}
      <div className="stack">
        <Now d={d} writes={writes} waits={waits} act={setAct} command={commandIt} />
        <div className="sides">
          <Timeline d={d} writes={writes} questions={questions} />
          <aside className="stack" aria-label="Facts">
            <Firing d={d} />
            <Runs d={d} />
            <Roles d={d} change={can ? setAct : null} />
            <Items d={d} writes={writes} />
            <Facts d={d} change={writes && d.status !== 'merged' ? setAct : null} />
          </aside>
        </div>
      </div>
      {act ? <Acts act={act} d={d} close={() => setAct(null)} /> : null}
    </>
  );
}

/** What people were asked by the runs of the incident. */
function useQuestions(d: Doc): (Question & { due: string | undefined })[] {
  const runs = new Set((d.runs ?? []).map((r) => r.run));
  const asked = useAsk('listTasks', { query: { limit: 500 } }, { when: runs.size > 0 });
  return useMemo(() => {
    const mine = new Set((d.runs ?? []).map((r) => r.run));
    return (asked.data?.rows ?? []).filter((r) => mine.has(r.parent ?? '')).map((r) => ({ id: r.id, at: r.at ?? '', name: questionOf(bodyOf<TaskBody>(r), r.name), status: r.status ?? '', run: r.parent ?? '', due: r.due }));
  }, [asked.data, d.runs]);
}

function More({ d, can, act }: { d: Doc; can: boolean; act: (a: Act) => void }) {
  const [open, setOpen] = useState(false);
  const save = (name: string, text: string, type: string) => {
    const url = URL.createObjectURL(new Blob([text], { type }));
    const a = Object.assign(document.createElement('a'), { href: url, download: name });
    a.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  };
  const item = (says: string, run: () => void) => <button type="button" className="button plain" onClick={() => { setOpen(false); run(); }}>{says}</button>;
  return (
    <details className="incident-more" open={open} onToggle={(e) => setOpen(e.currentTarget.open)} onKeyDown={(e) => { if (e.key === 'Escape') setOpen(false); }} onBlur={(e) => { if (!e.currentTarget.contains(e.relatedTarget)) setOpen(false); }}>
      <summary className="button" aria-label="More to do">More</summary>
      <div className="panel">
        {can ? item('Page somebody', () => act('page')) : null}
        {can ? item('Change who is who', () => act('roles')) : null}
        {can ? item('Merge into another one', () => act('merge')) : null}
        {can && (d.members?.length ?? 0) > 1 ? item('Split some alerts off', () => act('split')) : null}
        {can && d.status !== 'open' ? item('Put it back to open', () => act('back')) : null}
        {item('Export as Markdown', () => { call('exportIncident', { path: { incident: d.id } }).then((t) => save(`${d.id}.md`, t, 'text/markdown'), toastError); })}
        {item('Export as JSON', () => save(`${d.id}.json`, JSON.stringify(d, null, 2), 'application/json'))}
      </div>
    </details>
  );
}
