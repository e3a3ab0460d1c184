// What arrived, and what was decided.
import { usePages } from '../../api/query';
import { bodyOf } from '../../api/rows';
import type { EventDetail, Row } from '../../api/schema';
import { Link, to, useParam } from '../../app/router';
import { useTitle } from '../../app/title';
import { Choice, Field } from '../../ui/Confirm';
import { Pages } from '../../ui/List';
import { Empty } from '../../ui/State';
import { Status } from '../../ui/Status';
import { Text } from '../../ui/Text';
import { Ago, At } from '../../ui/Time';
import './events.css';

const outcomes = ['started', 'joined', 'held', 'queued', 'unmatched', 'stale', 'refused', 'woke', 'resolves'] as const;

export default function Events() {
  useTitle('Events');
  const [outcome, setOutcome] = useParam('outcome');
  const [source, setSource] = useParam('source');
  const [group, setGroup] = useParam('group');
  const of = usePages('listEvents', { limit: 100, ...(outcome ? { status: [outcome] } : {}), ...(group ? { tag: group } : {}) });
  return (
    <>
      <header className="head"><h1>Events</h1></header>
      <div className="filters">
        <Choice label="Decision" value={outcome} set={setOutcome} of={outcomes} any="all" />
        <Field label="Source" value={source} set={setSource} placeholder="all" />
        <Field label="Group" value={group} set={setGroup} placeholder="all" />
      </div>
      <div className="panel">
        <Pages of={of} none={<Empty title={outcome || group ? 'No event was decided so' : 'Nothing arrived yet'}>{outcome || group ? 'Take a filter away to see others.' : <><code>tend connect alertmanager</code> says how alerts come here.</>}</Empty>}>
          {(rows) => (
            <div className="scroll"><table className="table events">
              <thead><tr><th>Decision</th><th>Event</th><th>Why</th><th>Source</th><th>Arrived</th></tr></thead>
              <tbody>{rows.filter((r) => !source || (bodyOf<EventDetail>(r).source ?? '').includes(source)).map((r) => <Line key={r.id} row={r} />)}</tbody>
            </table></div>
          )}
        </Pages>
      </div>
    </>
  );
}

function Line({ row }: { row: Row }) {
  const e = bodyOf<EventDetail>(row);
  const d = e.decision;
  return (
    <tr>
      <td><Status of={row.status ?? ''} /></td>
      <td className="name"><Link to={to.event(row.id)}><Text of={row.name || e.labels?.alertname || e.key || row.id} max={100} /></Link>{e.status ? <span className="dim"> <Text of={e.status} max={20} /></span> : null}</td>
      <td className="why">
        {d?.run ? <Link to={to.run(d.run)} className="mono">{d.run}</Link> : d?.incident ? <Link to={to.incident(d.incident)} className="mono">{d.incident}</Link> : null} <Text of={d?.why} max={160} className="dim" />
        {d?.until && !d.until.startsWith('0001') && (row.status === 'held' || row.status === 'queued') ? <span className="dim"> until <At at={d.until} /></span> : null}
      </td>
      <td><Text of={e.source} max={40} /></td>
      <td><Ago at={e.at ?? row.at} /></td>
    </tr>
  );
}
