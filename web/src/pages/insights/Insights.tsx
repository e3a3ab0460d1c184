// What the playbooks were good for: at a glance, over time, by team, by playbook, and what was noisy.
import { lazy, Suspense, useEffect } from 'react';

import { hear } from '../../api/live';
import { useAsk } from '../../api/query';
import type { Insights as Told, Team } from '../../api/schema';
import { useParam } from '../../app/router';
import { useTitle } from '../../app/title';
import { Filters, Segments } from '../../ui/Filters';
import { Empty, Loading, Shown } from '../../ui/State';
import { Ago, serverNow, useZone } from '../../ui/Time';
import { Figures } from './Figures';
import { outcomes, ranges, span, usual } from './range';
import { Books, Guards, Noise, Teams } from './Tables';
import './insights.css';

const Plot = lazy(() => import('./Plot'));

export default function Insights() {
  useTitle('Insights');
  const [range, setRange] = useParam('range');
  const zone = useZone();
  const { since, every } = span(range, serverNow(), zone === 'utc');
  const name = zone === 'utc' ? 'UTC' : Intl.DateTimeFormat().resolvedOptions().timeZone;
  const asked = useAsk('insights', { query: { since, every, zone: name, compare: true } }, { keep: true, fixed: true });
  // Adding up reads a lot: when something changed it is asked again, but once a minute at most.
  const { refetch, dataUpdatedAt } = asked;
  useEffect(() => hear((what) => { if (what === 'changed' && dataUpdatedAt && Date.now() - dataUpdatedAt > 60_000) void refetch(); }), [refetch, dataUpdatedAt]);
  const label = ranges.find((r) => r.value === range)?.label ?? usual.label;
  return (
    <>
      <header className="head">
        <h1>Insights</h1>
        <Filters label="The time that is added up"><Segments label="The last" value={range} set={setRange} of={ranges.map((r) => ({ value: r === usual ? '' : r.value, label: r.label }))} /></Filters>
        {dataUpdatedAt ? <span className="dim">added up <Ago at={new Date(serverNow() - (Date.now() - dataUpdatedAt)).toISOString()} /></span> : null}
      </header>
      <Shown of={asked} lines={10} none={{ when: nothing, show: <div className="panel"><Empty title={`Nothing ran in the last ${label}`}>What playbooks save is counted from their first run on; the label <code>saves</code> of a playbook says how long a person would have needed.</Empty></div> }}>
        {(d) => <div className={`stack${asked.isPlaceholderData ? ' old' : ''}`}><All of={d} every={every} label={label} /></div>}
      </Shown>
    </>
  );
}

const nothing = (d: Told) => d.total.runs === 0 && d.total.incidents === 0 && d.alerts.length === 0 && !d.before?.runs;

function All({ of: d, every, label }: { of: Told; every: 'hour' | 'day' | 'week'; label: string }) {
  const series = d.series ?? [];
  const at = series.map((p) => Date.parse(p.since) / 1000);
  const of = (f: (t: Team) => number | null) => series.map((p) => f(p.sum));
  const end = Date.parse(d.until) / 1000;
  return (
    <>
      <Figures now={d.total} before={d.before} label={label} />
      <section className="insights-plots" aria-label="Over time">
        <Suspense fallback={[1, 2, 3].map((i) => <figure key={i} className="panel insights-plot"><Loading lines={6} /></figure>)}>
          <Plot title="Runs" unit="runs" every={every} at={at} end={end} none="Nothing ran yet." stacked lines={[
            { name: 'verified', tone: 'good', values: of((t) => outcomes(t).verified) },
            { name: 'succeeded', tone: 'live', values: of((t) => outcomes(t).succeeded) },
            { name: 'failed', tone: 'bad', values: of((t) => outcomes(t).failed) },
            { name: 'cancelled', tone: 'off', values: of((t) => outcomes(t).other) },
          ]} />
          <Plot title="Minutes saved" unit="min" every={every} at={at} end={end} none="No minutes were saved yet: a playbook says with the label saves how long a person would have needed." stacked lines={[
            { name: 'saved', tone: 'good', values: of((t) => t.savedMinutes) },
          ]} />
          <Plot title="Minutes to resolve" unit="min" every={every} at={at} end={end} none="No incident was acknowledged or resolved yet." lines={[
            { name: 'to acknowledge', tone: 'wait', values: of((t) => (t.taken ? t.mttaSeconds / 60 : null)) },
            { name: 'to resolve', tone: 'live', values: of((t) => (t.resolved ? t.mttrSeconds / 60 : null)) },
          ]} />
        </Suspense>
      </section>
      <Teams of={d.teams} />
      <Books of={d.playbooks} />
      <div className="insights-two">
        <Noise of={d.alerts} />
        <Guards of={d.total} />
      </div>
      {d.unread ? <p className="dim">{d.unread} runs or incidents could not be read, and are not counted.</p> : null}
    </>
  );
}
