// How a run stands: its name, its state, why, and where it comes from.
import { useState } from 'react';

import { address } from '../../api/client';
import type { GlanceHead } from '../../api/schema';
import { useKeys } from '../../app/keys';
import { go, Link, to } from '../../app/router';
import { linked, type Target } from '../../lib/linked';
import { listed, near } from '../../lib/near';
import { useStore } from '../../lib/store';
import { person } from '../../lib/text';
import { over } from '../../ui/RunRow';
import { lookOf, Status } from '../../ui/Status';
import { Lines, Sentence, Text } from '../../ui/Text';
import { At, Took } from '../../ui/Time';
import { toast } from '../../ui/Toasts';
import { Act, deeds } from './Act';
import type { Known } from './model';

export function Head({ known, choose }: { known: Known; choose: (path: string) => void }) {
  const h = known.head;
  const share = () => {
    const a = document.createElement('a');
    a.href = address('reportRun', { path: { run: h.id } });
    a.download = `${h.id}.html`;
    a.click();
    toast('The report is one file that needs nothing else. Secrets are out.');
  };
  return (
    <>
      <header className="head run-head" data-tone={lookOf(h.status).tone}>
        <h1><Text of={h.name} max={90} /></h1>
        <Status of={h.status} />
        {h.undone ? <span className="tag wait">{h.undone} undone</span> : null}
        <span className="run-took"><Took from={h.started || h.created} to={over(h.status) ? h.ended : undefined} /></span>
        <span className="end"><Near run={h.id} /><Act run={h.id} project={h.project} deeds={deeds(h)} /><button type="button" className="button" onClick={share}>Share</button></span>
      </header>
      <Why known={known} choose={choose} />
      <Fault h={h} />
      <dl className="run-facts">
        <div><dt>run</dt><dd><code>{h.id}</code></dd></div>
        <div><dt>started</dt><dd><At at={h.created} /> by <Text of={person(h.by.name || h.by.id || '')} max={40} /></dd></div>
        {h.cause?.trigger ? <div><dt>trigger</dt><dd><Text of={h.cause.trigger} max={60} /></dd></div> : null}
        {h.cause?.event ? <div><dt>event</dt><dd><Link to={to.event(h.cause.event)}>{h.cause.event}</Link></dd></div> : null}
        {h.cause?.incident ? <div><dt>incident</dt><dd><Link to={to.incident(h.cause.incident)}>{h.cause.incident}</Link></dd></div> : null}
        {h.cause?.parent ? <div><dt>called by</dt><dd><Link to={to.run(h.cause.parent, h.cause.path)}>{h.cause.parent}</Link></dd></div> : null}
        {h.cause?.carry ? <div><dt>goes on from</dt><dd><Link to={to.run(h.cause.carry)}>{h.cause.carry}</Link></dd></div> : null}
        {h.cause?.undoes ? <div><dt>undoes</dt><dd><Link to={to.run(h.cause.undoes)}>{h.cause.undoes}</Link></dd></div> : null}
        <div><dt>playbook</dt><dd><Link to={to.playbook(h.name)}><Text of={h.name} max={60} /></Link>{h.commit ? <> at <Link to={`${to.playbook(h.name)}?view=versions`} title={h.commit}><code>{h.commit.slice(0, 12)}</code></Link></> : null}</dd></div>
      </dl>
    </>
  );
}

/** The runs beside it in the list that somebody came from: ten failures are looked through without going back. */
function Near({ run }: { run: string }) {
  const of = useStore(listed);
  const n = near(of, run);
  useKeys({
    '[': n?.before ? ['the run before, of the list', () => go(to.run(n.before ?? ''))] : null,
    ']': n?.after ? ['the next run of the list', () => go(to.run(n.after ?? ''))] : null,
  });
  if (!n) return null;
  return (
    <nav className="run-near" aria-label="Runs of the list">
      {n.before ? <Link className="button plain small" to={to.run(n.before)} title="The run before, of the list ([)" aria-label="The run before, of the list">‹</Link> : null}
      <Link to={of.from} title="Back to the list">{(n.at + 1).toLocaleString('en')} of {n.n.toLocaleString('en')}</Link>
      {n.after ? <Link className="button plain small" to={to.run(n.after)} title="The next run of the list (])" aria-label="The next run of the list">›</Link> : null}
    </nav>
  );
}

/** The sentence without what stands above it already: "Run run_… of name waits …" is "It waits …". */
export function short(h: Pick<GlanceHead, 'id' | 'name' | 'why'>, fault = ''): string {
  if (fault && h.why.endsWith(`${fault}.`)) h = { ...h, why: h.why.slice(0, -fault.length - 1).trimEnd() };
  for (const head of [`Run ${h.id} of ${h.name} `, `Run ${h.id} `]) if (h.why.startsWith(head)) return `It ${h.why.slice(head.length)}`;
  return h.why;
}

/** What it failed with, which stands in full below the sentence. */
const faultOf = (h: GlanceHead) => (h.status === 'failed' || h.status === 'quarantined' ? (h.fault?.message ?? '') : '');

function Fault({ h }: { h: GlanceHead }) {
  const message = faultOf(h);
  return message ? <pre className="run-fault" tabIndex={0} role="group" aria-label="The error"><Lines of={message} max={8000} /></pre> : null;
}

/** Why it is where it is. The steps and runs that it names are links. */
function Why({ known, choose }: { known: Known; choose: (path: string) => void }) {
  const [opened, setOpened] = useState(false);
  const h = known.head;
  const targets: Target[] = [];
  for (const path of new Set([...(h.waits ?? []).map((x) => x.path ?? ''), h.fault?.path ?? '', ...(h.doubts ?? []), ...known.steps.filter((s) => s.acts).slice(0, 4).map((s) => s.path)])) {
    const s = known.at.get(path);
    if (s) targets.push({ text: s.label, to: s.path });
  }
  for (const id of h.why.match(/\brun_[0-9a-z]{10,}/g) ?? []) if (id !== h.id) targets.push({ text: id, to: to.run(id) });
  return (
    <p className="run-why" data-long={opened || undefined} role="status" onClick={(e) => { if (e.target === e.currentTarget) setOpened(!opened); }}>
      {linked(short(h, faultOf(h)), targets).map((p, i) => (p.to === undefined ? <Sentence key={i} of={p.text} /> : p.to.startsWith('/runs/') ? <Link key={i} to={p.to}>{p.text}</Link>
        : <button key={i} type="button" className="plainlink" onClick={() => choose(p.to ?? '')}><Text of={p.text} max={120} /></button>))}
      {faultOf(h) && known.at.get(h.fault?.path ?? '')?.log ? <Link className="run-fault-link" to={`${to.run(h.id, h.fault?.path)}&tab=log&line=end`}>Open the log at its end</Link> : null}
    </p>
  );
}
