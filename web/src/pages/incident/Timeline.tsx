// The timeline: everything that happened, the newest first, and a place to add to it.
import { type FormEvent, useState } from 'react';

import { useTell } from '../../api/query';
import type { Incident, Line } from '../../api/schema';
import { Link, to } from '../../app/router';
import { Lines, Text } from '../../ui/Text';
import { At } from '../../ui/Time';
import { toastError } from '../../ui/Toasts';

const few = 100;

export function Timeline({ d, writes }: { d: Incident; writes: boolean }) {
  const [all, setAll] = useState(false);
  const lines = (d.timeline ?? []).slice().reverse();
  const shown = all ? lines : lines.slice(0, few);
  return (
    <section className="panel" aria-label="Timeline">
      <header><h2>Timeline <span className="tally">{lines.length}</span></h2></header>
      {writes ? <Comment incident={d.id} /> : null}
      <ol className="incident-timeline">{shown.map((l, i) => <Entry key={lines.length - i} of={l} />)}</ol>
      {shown.length < lines.length ? <div className="more"><button type="button" className="button small" onClick={() => setAll(true)}>Show all {lines.length}</button></div> : null}
    </section>
  );
}

const marks: Record<string, string> = { commented: 'said', opened: 'opened', resolved: 'resolved', reopened: 'reopened' };

function Entry({ of: l }: { of: Line }) {
  return (
    <li data-what={l.what}>
      <At at={l.at} />
      <span className="what">{marks[l.what] ?? l.what}</span>
      <span className="text">{l.who ? <strong><Text of={l.who} max={60} /> </strong> : null}<Told of={l} /> {l.ref && !(l.text ?? '').endsWith(l.ref) ? <Ref of={l.ref} /> : null}</span>
    </li>
  );
}

/** The text of a line; an object at its end is a link. */
function Told({ of: l }: { of: Line }) {
  const text = l.text ?? '';
  if (!l.ref || !text.endsWith(l.ref)) return <Lines of={text} max={4000} />;
  return <><Lines of={text.slice(0, -l.ref.length)} max={4000} /><Ref of={l.ref} /></>;
}

/** What a line is about: an object has its address. */
function Ref({ of }: { of: string }) {
  const at = of.startsWith('run_') ? to.run(of) : of.startsWith('inc_') ? to.incident(of) : of.startsWith('evt_') ? to.event(of) : of.startsWith('task_') ? to.task(of) : '';
  return at ? <Link to={at} className="id">{of}</Link> : <Text of={of} max={80} className="id" />;
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
