// One event: what was decided and why, what came, and what else came of the same.
import { useState } from 'react';

import { useAsk } from '../../api/query';
import { bodyOf, type EventBody } from '../../api/rows';
import type { EventDetail } from '../../api/schema';
import { useMay } from '../../app/me';
import { Link, to, useParts } from '../../app/router';
import { useTitle } from '../../app/title';
import { Cell, GlyphCell, Line, List } from '../../ui/List';
import { Shown } from '../../ui/State';
import { decided, lookOf } from '../../ui/Status';
import { Data, Text } from '../../ui/Text';
import { Ago, At } from '../../ui/Time';
import { Decision } from './Decision';
import { Again } from './Again';
import './event.css';

export default function Event() {
  const { event = '' } = useParts();
  const asked = useAsk('showEvent', { path: { event } });
  useTitle(asked.data?.name ?? 'Event');
  return <Shown of={asked} what="event" lines={10}>{(e) => <Body e={e} />}</Shown>;
}

function Body({ e }: { e: EventDetail }) {
  const may = useMay();
  const [replaying, setReplaying] = useState(false);
  // What has started a run, or waits for its turn, is not decided on twice.
  const again = may('write', e.project) && !['started', 'queued', 'held'].includes(e.decision.outcome);
  const sketch = (may('publish', e.project) || may('start', e.project)) && e.status !== 'resolved' && e.status !== 'vanished';
  return (
    <>
      <header className="head">
        <h1><Text of={e.name || e.labels?.alertname || e.key} max={200} /></h1>
        {e.status ? <span className={`tag${e.status === 'firing' ? ' bad' : ''}`}><Text of={e.status} max={20} /></span> : null}
        <span className="dim">from <Link to={`/events?source=${encodeURIComponent(e.source)}`}><Text of={e.source} max={80} /></Link>, <Ago at={e.at} /></span>
        <span className="end">
          {sketch ? <Link className="button" to={`${to.event(e.id)}/playbook`}>Make a playbook from this</Link> : null}
          {again ? <button type="button" className="button" onClick={() => setReplaying(true)}>Decide again</button> : null}
        </span>
      </header>
      <div className="sides">
        <div className="stack">
          <section className="panel event-decided" aria-label="Decision" data-tone={lookOf(decided(e.decision.outcome)).tone}>
            <div className="body"><Decision d={e.decision} playbook={e.playbook} guard={e.guard} project={e.project} /></div>
            {e.again ? <p className="body dim">It was decided again for <Text of={e.again.name || e.again.id} max={80} />.</p> : null}
            {e.chain?.length ? <p className="body dim">What led to it: <Text of={e.chain.join(' → ')} max={400} /></p> : null}
          </section>
          <section className="panel" aria-label="What came">
            <header><h2>What came</h2></header>
            <div className="body event-came">
              {Object.keys(e.labels ?? {}).length ? <dl className="facts">{Object.entries(e.labels ?? {}).map(([k, v]) => <Pair key={k} name={k} of={v} />)}</dl> : null}
              {Object.keys(e.data ?? {}).length ? <Data of={e.data ?? {}} /> : <p className="dim">It brought no data.</p>}
            </div>
          </section>
        </div>
        <aside className="stack">
          <section className="panel" aria-label="Facts"><div className="body"><dl className="facts">
            <dt>arrived</dt><dd><At at={e.at} exact /></dd>
            <dt>kind</dt><dd><Text of={e.kind} max={80} /></dd>
            <dt>project</dt><dd><Text of={e.project} max={80} /></dd>
            <dt>key</dt><dd className="mono"><Text of={e.key} max={200} /></dd>
            {e.group && e.group !== e.key ? <><dt>group</dt><dd className="mono"><Text of={e.group} max={200} /></dd></> : null}
            <dt>id</dt><dd className="mono">{e.id}</dd>
          </dl></div></section>
          {e.group ? <Same e={e} /> : null}
        </aside>
      </div>
      {replaying ? <Again event={e.id} close={() => setReplaying(false)} /> : null}
    </>
  );
}

const Pair = ({ name, of }: { name: string; of: string }) => <><dt><Text of={name} max={60} /></dt><dd><Text of={of} max={300} /></dd></>;

/** The last events of the same group: one alert over its life. */
function Same({ e }: { e: EventDetail }) {
  const asked = useAsk('listEvents', { query: { tag: e.group ?? '', limit: 9 } });
  const rows = (asked.data?.rows ?? []).filter((r) => r.id !== e.id).slice(0, 8);
  return (
    <section className="panel" aria-label="The same">
      <header><h2>The same</h2>{rows.length ? <span className="end"><Link to={`/events?group=${encodeURIComponent(e.group ?? '')}`}>all</Link></span> : null}</header>
      <Shown of={asked} lines={3}>{() => rows.length === 0 ? <p className="body dim">Nothing else of this group came.</p> : (
        <List label="Events of the same group" className="event-same">{rows.map((r) => {
          const look = lookOf(decided(r.status));
          return (
            <Line key={r.id}>
              <GlyphCell status={decided(r.status)} />
              <Cell clip><Link className="whole" to={to.event(r.id)}>{look.says}</Link> <span className="dim"><Text of={bodyOf<EventBody>(r).status} max={20} /></span></Cell>
              <Cell num small><Ago at={r.at} /></Cell>
            </Line>
          );
        })}</List>
      )}</Shown>
    </section>
  );
}

