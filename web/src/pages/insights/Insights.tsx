// What the playbooks were good for, by team and over time.
import { useQueries } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';

import { call } from '../../api/client';
import { useAsk } from '../../api/query';
import type { Team } from '../../api/schema';
import { useParam } from '../../app/router';
import { useTitle } from '../../app/title';
import { Choice } from '../../ui/Confirm';
import { Empty, Loading, Shown } from '../../ui/State';
import { Text } from '../../ui/Text';
import { serverNow } from '../../ui/Time';
import { buckets, type Bucket, duration, ratio, ranges } from './buckets';
import './insights.css';

const Plot = lazy(() => import('./Plot'));

export default function Insights() {
  useTitle('Insights');
  const [range, setRange] = useParam('range');
  const list = buckets(range || '28', Math.ceil(serverNow() / 3_600_000) * 3_600_000);
  const since = list[0]?.since ?? '';
  const asked = useAsk('insights', { query: { since } }, { keep: true });
  return (
    <>
      <header className="head"><h1>Insights</h1></header>
      <div className="filters"><Choice label="The last" value={range || '28'} set={setRange} of={ranges} /></div>
      <Shown of={asked} lines={10} none={{ when: (d) => d.total.runs === 0 && d.total.incidents === 0, show: <div className="panel"><Empty title="Nothing ran in this time">What playbooks save is counted from their first run on; <code>saves</code> in a playbook declares minutes.</Empty></div> }}>{(d) => (
        <div className="stack">
          <Totals of={d.total} />
          <Trends of={list} />
          <Teams of={d.teams} />
          {d.unread ? <p className="dim">{d.unread} runs could not be read, and are not counted.</p> : null}
        </div>
      )}</Shown>
    </>
  );
}

function Totals({ of: t }: { of: Team }) {
  const figures: [string, string, string][] = [
    ['Runs', String(t.runs), `${t.succeeded} succeeded, ${t.failed} failed`],
    ['Verified', ratio(t.verified, t.runs), `${t.verified} runs proved that they helped`],
    ['Minutes saved', t.savedMinutes.toLocaleString(), t.undeclared ? `as declared; ${t.undeclared} runs declare none` : 'as declared by the playbooks'],
    ['Pages avoided', String(t.pagesAvoided), 'handled without calling anybody'],
    ['To acknowledge', duration(t.mttaSeconds), 'in the mean'],
    ['To resolve', duration(t.mttrSeconds), `in the mean, of ${t.incidents} incidents`],
    ['Held by guards', String(t.held), Object.entries(t.guards ?? {}).sort((a, b) => b[1] - a[1]).slice(0, 2).map(([n, c]) => `${n} ${c}`).join(', ') || 'nothing was held'],
    ['Observed', String(t.observed), 'would have been done'],
  ];
  return <dl className="insights-totals panel">{figures.map(([name, value, note]) => <div key={name}><dt>{name}</dt><dd><strong>{value}</strong><span className="dim"><Text of={note} max={80} /></span></dd></div>)}</dl>;
}

function Trends({ of: list }: { of: Bucket[] }) {
  const asked = useQueries({
    queries: list.map((b) => ({ queryKey: ['insights', b.since, b.until], queryFn: ({ signal }: { signal: AbortSignal }) => call('insights', { query: b }, { signal }), staleTime: 10 * 60_000 })),
  });
  const ready = asked.every((q) => q.data);
  const at = list.map((b) => Date.parse(b.since) / 1000);
  const of = (f: (t: Team) => number | null) => asked.map((q) => (q.data ? f(q.data.total) : null));
  return (
    <section className="insights-plots" aria-label="Over time">
      {ready ? (
        <Suspense fallback={<Loading lines={6} />}>
          <Plot title="Runs" at={at} lines={[{ name: 'verified', tone: 'good', values: of((t) => t.verified) }, { name: 'all', tone: 'live', values: of((t) => t.runs) }, { name: 'failed', tone: 'bad', values: of((t) => t.failed) }]} />
          <Plot title="Minutes saved" at={at} lines={[{ name: 'minutes', tone: 'good', values: of((t) => t.savedMinutes) }]} />
          <Plot title="Minutes to resolve an incident" at={at} lines={[{ name: 'to acknowledge', tone: 'wait', values: of((t) => (t.incidents ? t.mttaSeconds / 60 : null)) }, { name: 'to resolve', tone: 'live', values: of((t) => (t.incidents ? t.mttrSeconds / 60 : null)) }]} />
        </Suspense>
      ) : <Loading lines={6} />}
    </section>
  );
}

function Teams({ of }: { of: Team[] }) {
  return (
    <section className="panel" aria-label="Teams">
      <header><h2>By team</h2></header>
      <div className="scroll"><table className="table">
        <thead><tr><th>Team</th><th className="num">Runs</th><th className="num">Verified</th><th className="num">Failed</th><th className="num">Minutes saved</th><th className="num">Pages avoided</th><th className="num">Incidents</th><th className="num">To resolve</th><th className="num">Held</th><th className="num">Changes of playbooks</th></tr></thead>
        <tbody>{of.map((t) => (
          <tr key={t.team}>
            <td>{t.team ? <Text of={t.team} max={60} /> : <span className="dim">no owner</span>}</td>
            <td className="num">{t.runs}</td><td className="num">{ratio(t.verified, t.runs)}</td><td className="num">{t.failed}</td><td className="num">{t.savedMinutes}</td><td className="num">{t.pagesAvoided}</td><td className="num">{t.incidents}</td><td className="num">{t.incidents ? duration(t.mttrSeconds) : '–'}</td><td className="num">{t.held}</td><td className="num">{t.changes}</td>
          </tr>
        ))}</tbody>
      </table></div>
    </section>
  );
}
