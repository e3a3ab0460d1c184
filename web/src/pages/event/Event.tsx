// One event: what came, what was decided and why, and what it would lead to now.
import { useState } from 'react';

import { useAsk, useTell } from '../../api/query';
import type { EventDetail, Receipt } from '../../api/schema';
import { useMay } from '../../app/me';
import { Link, to, useParts } from '../../app/router';
import { useTitle } from '../../app/title';
import { Confirm } from '../../ui/Confirm';
import { Shown } from '../../ui/State';
import { Status } from '../../ui/Status';
import { Data, Sentence, Text } from '../../ui/Text';
import { At, Until } from '../../ui/Time';

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
  return (
    <>
      <header className="head">
        <Status of={e.decision.outcome} />
        <h1><Text of={e.name || e.labels?.alertname || e.key} max={200} /></h1>
        <span className="end">{may('publish', e.project) || may('start', e.project) ? <Link className="button" to={`${to.event(e.id)}/playbook`}>Make a playbook from this</Link> : null}{again ? <button type="button" className="button" onClick={() => setReplaying(true)}>Decide again</button> : null}</span>
      </header>
      <div className="sides">
        <div className="stack">
          <section className="panel" aria-label="Decision">
            <header><h2>What was decided</h2></header>
            <div className="body">
              <Decision d={e.decision} />
              {e.guard ? <p>Guard <strong><Text of={e.guard} max={80} /></strong>{e.until ? <> until <Until at={e.until} /></> : null}</p> : null}
              {e.chain?.length ? <p className="dim">It comes from <Text of={e.chain.join(' → ')} max={400} /></p> : null}
            </div>
          </section>
          <section className="panel" aria-label="Payload">
            <header><h2>What came</h2></header>
            <div className="body"><Data of={e.data ?? {}} /></div>
          </section>
        </div>
        <aside className="panel" aria-label="Facts"><div className="body"><dl className="facts">
          <dt>id</dt><dd className="mono">{e.id}</dd>
          <dt>arrived</dt><dd><At at={e.at} exact /></dd>
          <dt>source</dt><dd><Text of={e.source} max={80} /></dd>
          <dt>kind</dt><dd><Text of={e.kind} max={80} /></dd>
          {e.status ? <><dt>status</dt><dd><Text of={e.status} max={40} /></dd></> : null}
          <dt>project</dt><dd><Text of={e.project} max={80} /></dd>
          <dt>key</dt><dd><Text of={e.key} max={200} /></dd>
          {e.group ? <><dt>group</dt><dd><Link to={`/events?group=${encodeURIComponent(e.group)}`}><Text of={e.group} max={200} /></Link></dd></> : null}
          {Object.entries(e.labels ?? {}).map(([k, v]) => <Pair key={k} name={k} of={v} />)}
        </dl></div></aside>
      </div>
      {replaying ? <Again event={e.id} close={() => setReplaying(false)} /> : null}
    </>
  );
}

const Pair = ({ name, of }: { name: string; of: string }) => <><dt><Text of={name} max={60} /></dt><dd><Text of={of} max={300} /></dd></>;

function Decision({ d }: { d: Receipt }) {
  return (
    <p>
      <Status of={d.outcome} />{d.trigger ? <> by trigger <strong><Text of={d.trigger} max={80} /></strong></> : null}.{' '}
      {d.run ? <>Run <Link to={to.run(d.run)} className="mono">{d.run}</Link>. </> : null}
      {d.incident ? <>Incident <Link to={to.incident(d.incident)} className="mono">{d.incident}</Link>. </> : null}
      {d.why ? <Sentence of={d.why} /> : null}
      {d.until && !d.until.startsWith('0001') ? <> Until <Until at={d.until} />.</> : null}
    </p>
  );
}

function Again({ event, close }: { event: string; close: () => void }) {
  const [anyway, setAnyway] = useState(false);
  const tell = useTell('replayEvent');
  return (
    <Confirm title="Decide on this event again" does="Decide again" reason="none" close={close} asking={tell} submit={() => tell.mutate({ path: { event }, body: anyway ? { anyway } : {} })}>
      <p>The triggers that are live now look at it as if it came now. It may start a playbook, within the guards.</p>
      <label><input type="checkbox" checked={anyway} onChange={(x) => setAnyway(x.target.checked)} /> also if it is too old for the trigger</label>
      {tell.data ? <div role="status"><Decision d={tell.data} /></div> : null}
    </Confirm>
  );
}
