// The timeline: everything that happened, the newest first, and a place to add to it. What people did and what tend did
// stand in one line of time; either can be looked at alone.
import { type FormEvent, useMemo, useState } from 'react';

import { useTell } from '../../api/query';
import type { Incident } from '../../api/schema';
import { useParam } from '../../app/router';
import { parse, day } from '../../lib/time';
import { Segments } from '../../ui/Filters';
import { useZone } from '../../ui/Time';
import { toastError } from '../../ui/Toasts';
import { Entry } from './Entry';
import { type Moment, moments, type Question } from './story';

const few = 100;

export function Timeline({ d, writes, questions }: { d: Incident; writes: boolean; questions: Question[] }) {
  const [all, setAll] = useState(false);
  const [by, setBy] = useParam('by');
  const zone = useZone();
  const lines = useMemo(() => moments(d, questions).reverse(), [d, questions]);
  const list = lines.filter((m) => !by || m.by === by);
  const shown = all ? list : list.slice(0, few);
  const n = (who: Moment['by']) => lines.filter((m) => m.by === who).length;
  const days = (m: Moment) => day(parse(m.line.at), zone);
  return (
    <section className="panel" aria-label="Timeline">
      <header>
        <h2>Timeline</h2>
        <span className="end"><Segments label="Whose" value={by} set={setBy} of={[{ value: '', label: 'All', n: lines.length }, { value: 'people', label: 'People', n: n('people') }, { value: 'machine', label: 'Machine', n: n('machine') }]} /></span>
      </header>
      {writes ? <Comment incident={d.id} /> : null}
      {list.length === 0 ? <div className="state dim">{by === 'people' ? 'Nobody has said or done anything yet.' : 'Neither an alert nor a run belongs to it.'}</div> : null}
      <ol className="incident-timeline">{shown.map((m, i) => {
        const above = shown[i - 1];
        return <Entry key={m.key} of={m} d={d} day={above && days(above) !== days(m) ? days(m) : undefined} />;
      })}</ol>
      {shown.length < list.length ? <div className="more"><button type="button" className="button small" onClick={() => setAll(true)}>Show all {list.length}</button></div> : null}
    </section>
  );
}

function Comment({ incident }: { incident: string }) {
  const [text, setText] = useState('');
  const tell = useTell('commentIncident');
  const send = (e?: FormEvent) => {
    e?.preventDefault();
    if (!text.trim() || tell.isPending) return;
    tell.mutate({ path: { incident }, body: { text: text.trim() } }, { onSuccess: () => setText(''), onError: toastError });
  };
  return (
    <form className="incident-comment" onSubmit={send}>
      <label className="sr" htmlFor="comment">What you saw or did</label>
      <textarea id="comment" className="input" rows={1} value={text} placeholder="What you saw or did" maxLength={16_000} onChange={(e) => setText(e.target.value)} onKeyDown={(e) => { if (e.key === 'Enter' && (e.metaKey || e.ctrlKey)) send(); }} />
      <button type="submit" className="button" disabled={!text.trim() || tell.isPending}>Add to the timeline</button>
    </form>
  );
}
