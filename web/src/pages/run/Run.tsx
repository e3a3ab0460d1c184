// A run: how it stands and why, its playbook as a graph with the progress in it, its steps over time, and one step in full.
import { useCallback, useEffect, useMemo, useState } from 'react';

import { address } from '../../api/client';
import { useAsk } from '../../api/query';
import type { GlanceHead } from '../../api/schema';
import { useKeys } from '../../app/keys';
import { Link, to, useParam, useParts } from '../../app/router';
import { useTitle } from '../../app/title';
import { Graph } from '../../ui/Graph';
import { person } from '../../lib/text';
import { over } from '../../ui/RunRow';
import { Failed, Loading, Shown } from '../../ui/State';
import { lookOf, Status } from '../../ui/Status';
import { Data, Sentence, Text } from '../../ui/Text';
import { At, Took } from '../../ui/Time';
import { toast } from '../../ui/Toasts';
import { Act, deeds } from './Act';
import { Changes } from './Changes';
import { useRun } from './follow';
import { Gantt } from './Gantt';
import type { Known } from './model';
import { StepPanel } from './StepPanel';
import './run.css';

export default function Run() {
  const { run = '' } = useParts();
  const { known, error, logs, again } = useRun(run);
  useTitle(known ? `${lookOf(known.head.status).says}: ${known.head.name}` : run);
  if (error) return <Failed error={error} what="run" retry={again} />;
  if (!known) return <Loading lines={12} what="the run" />;
  return <Body known={known} logs={logs} />;
}

const views = [{ id: 'graph', label: 'Graph' }, { id: 'time', label: 'Time line' }, { id: 'story', label: 'Story' }, { id: 'about', label: 'About' }];

function Body({ known, logs }: { known: Known; logs: ReturnType<typeof useRun>['logs'] }) {
  const h = known.head;
  const layout = useAsk('runGraph', { path: { run: h.id } }, { fixed: true });
  const [path, setPath] = useParam('step');
  const [view, setView] = useParam('view');
  const step = path ? known.at.get(path) : undefined;
  const choose = useCallback((p: string) => setPath(p), []); // eslint-disable-line react-hooks/exhaustive-deps -- it reads the address when it is called
  const choosePlace = useCallback((place: string) => {
    const at = known.places.get(place)?.path;
    if (at) setPath(at);
  }, [known.places]); // eslint-disable-line react-hooks/exhaustive-deps -- as above
  const now = useMemo(() => known.steps.find((s) => s.acts || (s.status === 'waiting' && (s.task || s.held || s.due)) || s.status === 'in-doubt') ?? known.steps.find((s) => s.status === 'failed'), [known.steps]);
  const i = known.steps.findIndex((s) => s.path === path);
  const move = (by: number) => { const s = known.steps[Math.max(0, Math.min(known.steps.length - 1, i + by))]; if (s) setPath(s.path); };
  useKeys({
    j: ['the next step', () => move(1)], k: ['the step before', () => move(-1)],
    '.': now ? ['the step where it stands', () => setPath(now.path)] : null,
    Escape: path ? ['close the step', () => setPath(null)] : null,
  });
  const narrow = useNarrow();
  const at = narrow ? view || 'graph' : view === 'story' || view === 'about' ? view : 'graph';
  return (
    <div className="run" data-open={step ? true : undefined}>
      <Head h={h} />
      <div className="tabs run-tabs" role="tablist" aria-label="Views">
        {views.filter((v) => narrow || v.id !== 'time').map((v) => <button key={v.id} type="button" role="tab" aria-selected={at === v.id} onClick={() => setView(v.id === 'graph' ? null : v.id)}>{narrow || v.id !== 'graph' ? v.label : 'Graph and time line'}</button>)}
      </div>
      <div className="run-body">
        {at === 'graph' || at === 'time' ? (
          <>
            {at === 'graph' ? (
              <section className="panel run-graph" aria-label="Graph">
                <Shown of={layout} what="graph">{(l) => <Graph layout={l} places={known.places} chosen={step?.place ?? ''} choose={choosePlace} follow={over(h.status) ? undefined : now?.place} />}</Shown>
              </section>
            ) : null}
            {!narrow || at === 'time' ? <section className="panel run-time" aria-label="Time line"><Gantt head={h} steps={known.steps} chosen={path} choose={choose} /></section> : null}
            {step ? <StepPanel key={step.path} known={known} step={step} logs={logs} close={() => setPath(null)} /> : null}
            {path && !step ? <section className="panel step"><div className="state"><strong>This step is not shown</strong><span>Of a long loop the last iterations and the first failures are kept.</span><span className="do"><button type="button" className="button small" onClick={() => setPath(null)}>Close</button></span></div></section> : null}
          </>
        ) : at === 'story' ? <Story known={known} choose={(p) => { setView(null); setPath(p); }} /> : <About known={known} />}
      </div>
    </div>
  );
}

function useNarrow(): boolean {
  const [narrow, set] = useState(() => matchMedia('(max-width: 64rem)').matches);
  useEffect(() => {
    const m = matchMedia('(max-width: 64rem)');
    const heard = () => set(m.matches);
    m.addEventListener('change', heard);
    return () => m.removeEventListener('change', heard);
  }, []);
  return narrow;
}

/** The sentence without what stands above it already: "Run run_… of name waits …" is "It waits …". */
function why(h: GlanceHead): string {
  for (const head of [`Run ${h.id} of ${h.name} `, `Run ${h.id} `]) if (h.explain.startsWith(head)) return `It ${h.explain.slice(head.length)}`;
  return h.explain;
}

function Head({ h }: { h: GlanceHead }) {
  const [opened, setOpened] = useState(false);
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
        <span className="end"><Act run={h.id} project={h.project} deeds={deeds(h)} /><button type="button" className="button" onClick={share}>Share</button></span>
      </header>
      <p className="run-why" data-long={opened || undefined} role="status" onClick={() => setOpened(!opened)}><Sentence of={why(h)} /></p>
      <dl className="run-facts">
        <div><dt>run</dt><dd><code>{h.id}</code></dd></div>
        <div><dt>started</dt><dd><At at={h.created} /> by <Text of={person(h.by.name || h.by.id || '')} max={40} /></dd></div>
        {h.cause?.trigger ? <div><dt>trigger</dt><dd><Text of={h.cause.trigger} max={60} /></dd></div> : null}
        {h.cause?.event ? <div><dt>event</dt><dd><Link to={to.event(h.cause.event)}>{h.cause.event}</Link></dd></div> : null}
        {h.cause?.incident ? <div><dt>incident</dt><dd><Link to={to.incident(h.cause.incident)}>{h.cause.incident}</Link></dd></div> : null}
        {h.cause?.parent ? <div><dt>called by</dt><dd><Link to={to.run(h.cause.parent, h.cause.path)}>{h.cause.parent}</Link></dd></div> : null}
        {h.cause?.carry ? <div><dt>goes on from</dt><dd><Link to={to.run(h.cause.carry)}>{h.cause.carry}</Link></dd></div> : null}
        {h.cause?.undoes ? <div><dt>undoes</dt><dd><Link to={to.run(h.cause.undoes)}>{h.cause.undoes}</Link></dd></div> : null}
        <div><dt>playbook</dt><dd><Link to={to.playbook(h.name)}><Text of={h.name} max={60} /></Link>{h.commit ? <> at <code title={h.commit}>{h.commit.slice(0, 12)}</code></> : null}</dd></div>
      </dl>
    </>
  );
}

function Story({ known, choose }: { known: Known; choose: (path: string) => void }) {
  const list = [...known.moments].reverse();
  return (
    <section className="panel run-story" aria-label="Story">
      <ol>{list.map((m, i) => (
        <li key={`${m.seq}-${i}`}><At at={m.at} /><span className="no">{m.seq}</span>{m.path && known.at.has(m.path) ? <button type="button" className="plainlink" onClick={() => choose(m.path ?? '')}><Text of={m.text} max={400} /></button> : <Text of={m.text} max={400} />}</li>
      ))}</ol>
      {known.earlier ? <p className="dim">{known.earlier} earlier moments are not kept; <code>tend runs show {known.head.id} --timeline</code></p> : null}
    </section>
  );
}

function About({ known }: { known: Known }) {
  const h = known.head;
  return (
    <div className="run-about">
      <section className="panel"><header><h2>Parameters</h2></header><div className="body">{Object.keys(known.params ?? {}).length ? <Data of={known.params} /> : <p className="dim">None.</p>}</div></section>
      <section className="panel"><header><h2>Outputs</h2></header><div className="body">{Object.keys(known.outputs ?? {}).length ? <Data of={known.outputs} /> : <p className="dim">{over(h.status) ? 'None.' : 'They come when it has ended.'}</p>}</div></section>
      <section className="panel"><header><h2>Since the last time</h2></header><div className="body"><Changes known={known} /></div></section>
      <section className="panel"><header><h2>What it is</h2></header><div className="body"><dl className="facts">
        {h.source ? <><dt>from</dt><dd><code><Text of={h.source} max={400} /></code></dd></> : null}
        {h.commit ? <><dt>commit</dt><dd><code>{h.commit}</code></dd></> : null}
        {h.author ? <><dt>author</dt><dd><Text of={h.author} /></dd></> : null}
        <dt>closure</dt><dd><code>{h.closure}</code></dd>
        <dt>project</dt><dd><Text of={h.project} /></dd>
        {h.changed?.length ? <><dt>changed</dt><dd>{h.changed.slice(0, 50).map((t) => <div key={t}><code><Text of={t} max={300} /></code></div>)}</dd></> : null}
        {h.erased ? <><dt>erased</dt><dd>{h.erased} entries had a text erased; the chain holds.</dd></> : null}
        {h.remarks?.map((r) => <Remark key={r} of={r} />)}
      </dl></div></section>
    </div>
  );
}

function Remark({ of }: { of: string }) { return <><dt>remark</dt><dd className="tone-bad"><Text of={of} max={400} /></dd></>; }
