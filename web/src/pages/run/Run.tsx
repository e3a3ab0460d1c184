// A run: how it stands and why, its playbook as a graph with the progress in it, its steps over time, and one step in full.
import { useCallback, useEffect, useMemo, useState } from 'react';

import { useAsk } from '../../api/query';
import { bodyOf, type TaskBody } from '../../api/rows';
import type { GlanceStep } from '../../api/schema';
import { useKeys } from '../../app/keys';
import { useParam, useParts } from '../../app/router';
import { useTitle } from '../../app/title';
import { Graph } from '../../ui/Graph';
import { withTarget } from '../../ui/places';
import { Failed, Loading, Shown } from '../../ui/State';
import { lookOf } from '../../ui/Status';
import { askedHere, AskedHere, type What } from './Asked';
import { useRun } from './follow';
import { Gantt } from './Gantt';
import { Head } from './Head';
import { type Known, matters, rowsOf } from './model';
import { About, Story } from './Sides';
import { Handle, useSide } from './Split';
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

const labels = { graph: 'Graph', time: 'Time line', story: 'Story', about: 'About' } as const;
type ViewName = keyof typeof labels;

function Body({ known, logs }: { known: Known; logs: ReturnType<typeof useRun>['logs'] }) {
  const h = known.head;
  const layout = useAsk('runGraph', { path: { run: h.id } }, { fixed: true });
  const [param, setPath] = useParam('step');
  const [view, setView] = useParam('view');
  const [large] = useParam('large');
  const [tab] = useParam('tab');
  const narrow = useMatch('(max-width: 64rem)');
  const wide = useMatch('(min-width: 100rem)');
  const side = useSide();
  const now = useMemo(() => matters(known.steps), [known.steps]);
  // What asks for attention is shown in full until somebody chooses another step, or closes it.
  const calls = !narrow && now && !now.acts ? now.path : '';
  const path = param === '-' ? '' : param || calls;
  const step = path ? known.at.get(path) : undefined;
  const close = () => setPath(calls ? '-' : null);
  const choose = useCallback((p: string) => setPath(p), []); // eslint-disable-line react-hooks/exhaustive-deps -- it reads the address when it is called
  const choosePlace = useCallback((place: string) => {
    const at = known.places.get(place)?.path;
    if (at) setPath(at);
  }, [known.places]); // eslint-disable-line react-hooks/exhaustive-deps -- as above
  const bound = useBound(now);
  const places = useMemo(() => withTarget(known.places, now?.place ?? '', bound?.targets), [known.places, now, bound]);
  const i = known.steps.findIndex((s) => s.path === path);
  const move = (by: number) => { const s = known.steps[Math.max(0, Math.min(known.steps.length - 1, i + by))]; if (s) setPath(s.path); };
  useKeys({
    j: ['the next step', () => move(1)], k: ['the step before', () => move(-1)],
    '.': now ? ['the step where it stands', () => setPath(now.path)] : null,
    Escape: path ? ['close the step', close] : null,
  });
  // On a phone the steps below each other say more than a piece of the graph.
  const order: ViewName[] = narrow ? ['time', 'graph', 'story', 'about'] : ['graph', 'time', 'story', 'about'];
  const at = order.find((v) => v === view) ?? order[0] ?? 'graph';
  const asked = askedHere(h.waits);
  const time = <section className="panel run-time" aria-label="Time line"><TimeLine known={known} chosen={path} choose={choose} /></section>;
  const right = path ? (step ? <StepPanel key={step.path} known={known} step={step} logs={logs} close={close} above={asked} /> : <Gone close={close} />) : at === 'graph' && !narrow ? time : null;
  const whole = !!large && tab === 'log' && !!step; // the log takes the room of all else
  return (
    <div className="run">
      <Head known={known} choose={choose} />
      <AskedHere tasks={asked} project={h.project} />
      <div className="tabs run-tabs" role="tablist" aria-label="Views">
        {order.map((v) => <button key={v} type="button" role="tab" aria-selected={at === v} onClick={() => setView(v === order[0] ? null : v)}>{v === 'time' && narrow ? 'Steps' : labels[v]}<Tally of={v} known={known} /></button>)}
      </div>
      <div className="run-body" data-large={whole || undefined} data-right={(right && !whole) || undefined} data-three={(wide && path && at === 'graph' && !whole) || undefined} style={{ '--side': `${side}%` } as React.CSSProperties}>
        {whole ? null : at === 'graph' ? (
          <section className="panel run-graph" aria-label="Graph">
            <Shown of={layout} what="graph">{(l) => <Graph layout={l} places={places} chosen={step?.place ?? ''} choose={choosePlace} follow={now?.place} />}</Shown>
          </section>
        ) : at === 'time' ? time : at === 'story' ? <Story known={known} choose={choose} /> : <About known={known} />}
        {wide && path && at === 'graph' && !whole ? time : null}
        {right ? <>{whole ? null : <Handle />}{right}</> : null}
      </div>
    </div>
  );
}

/** What there is behind a tab. */
function Tally({ of, known }: { of: ViewName; known: Known }) {
  const n = of === 'story' ? known.moments.length + (known.earlier ?? 0) : of === 'time' ? rowsOf(known.steps).length : 0;
  return n ? <> <span className="tally">{n.toLocaleString('en')}</span></> : null;
}

/** What a step that waits for an approval would do: its question holds it, before the step itself has begun. */
function useBound(s: GlanceStep | undefined): What | undefined {
  const t = useAsk('showTask', { path: { task: s?.task ?? '' } }, { when: !!s?.task });
  return s?.task && t.data?.id === s.task ? (bodyOf<TaskBody>(t.data).show as What | undefined) : undefined;
}

function TimeLine({ known, chosen, choose }: { known: Known; chosen: string; choose: (path: string) => void }) {
  const rows = useMemo(() => rowsOf(known.steps), [known.steps]);
  return <Gantt head={known.head} steps={rows} chosen={chosen} choose={choose} />;
}

const Gone = ({ close }: { close: () => void }) => (
  <section className="panel step" aria-label="Step"><div className="state"><strong>This step is not shown</strong><span>Of a long loop the last iterations and the first failures are kept.</span><span className="do"><button type="button" className="button small" onClick={close}>Close</button></span></div></section>
);

function useMatch(query: string): boolean {
  const [is, set] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const m = matchMedia(query);
    const heard = () => set(m.matches);
    m.addEventListener('change', heard);
    return () => m.removeEventListener('change', heard);
  }, [query]);
  return is;
}

