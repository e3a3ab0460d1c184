// What arrived, what was decided, and why. Everything is filtered by the server: a page of the list is a page of what is wanted.
import { useAsk, usePages } from '../../api/query';
import { bodyOf, type EventBody } from '../../api/rows';
import type { Row } from '../../api/schema';
import { go, Link, to, useParam } from '../../app/router';
import { useTitle } from '../../app/title';
import { Filters, Find, Pick, Segments } from '../../ui/Filters';
import { Cell, GlyphCell, Line, List, Pages } from '../../ui/List';
import { Empty } from '../../ui/State';
import { decided, lookOf } from '../../ui/Status';
import { Sentence, Text } from '../../ui/Text';
import { Ago, At, serverNow } from '../../ui/Time';
import { apart, decisions, since, spans } from './filter';
import './events.css';

export default function Events() {
  useTitle('Events');
  const [decision, setDecision] = useParam('decision');
  const [source, setSource] = useParam('source');
  const [group, setGroup] = useParam('group');
  const [within, setWithin] = useParam('within');
  const connected = useAsk('listIntegrations', {}, { fixed: true });
  const from = since(within, serverNow());
  const of = usePages('listEvents', {
    limit: 100, ...(source ? { source } : {}), ...(group ? { tag: group } : {}), ...(from ? { since: from } : {}),
    ...(decisions.find((d) => d.value === decision)?.of.length ? { status: decisions.find((d) => d.value === decision)?.of ?? [] } : {}),
  });
  const any = Boolean(decision || source || group || within);
  const sources = [...new Set([...(connected.data?.sources ?? []).map((s) => s.name), 'api'])];
  return (
    <>
      <header className="head">
        <h1>Events</h1>
        <Filters label="Only these events" clear={any ? () => go('/events', { replace: true }) : undefined}>
          <Segments label="Decision" value={decision} set={setDecision} of={decisions} />
          <Find label="Source" value={source} set={setSource} list={sources} whole />
          <Find label="Group" value={group} set={setGroup} whole />
          <Pick label="Arrived" value={within} set={setWithin} of={spans} any="at any time" />
        </Filters>
      </header>
      <div className="panel" aria-busy={of.isFetching}>
        <Pages of={of} none={any
          ? <Empty title="No event is like that" />
          : <Empty title="Nothing arrived yet"><Link to="/integrations">Integrations</Link> says which sources there are; <code>tend connect alertmanager</code> adds one.</Empty>}>
          {(rows) => (
            <div className={of.isPlaceholderData ? 'old' : undefined}>
              <List label="Events" className="events-list" head={['', 'Decision', 'Event', { says: 'Why', from: 'm' }, { says: 'Source', from: 'l' }, { says: 'Arrived', num: true }]}>
                {rows.map((r) => <One key={r.id} row={r} />)}
              </List>
            </div>
          )}
        </Pages>
      </div>
    </>
  );
}

function One({ row }: { row: Row }) {
  const e = bodyOf<EventBody>(row);
  const d = e.decision;
  const status = row.status ?? '';
  const differs = apart(e.labels);
  const look = lookOf(decided(status));
  const waits = status === 'held' || status === 'queued';
  return (
    <Line tone={status === 'refused' ? 'bad' : waits ? 'wait' : undefined}>
      <GlyphCell status={decided(status)} />
      <Cell className={`tone-${look.tone}`}>{look.says}</Cell>
      <Cell clip>
        <Link className="whole" to={to.event(row.id)}><Text of={row.name || e.labels?.alertname || e.key || row.id} max={120} /></Link>
        {differs ? <span className="dim"> <Text of={differs} max={160} /></span> : null}
        {e.status && e.status !== 'firing' ? <span className="dim"> {e.status}</span> : null}
      </Cell>
      <Cell clip from="m">
        {d?.run ? <Link to={to.run(d.run)}><Text of={d.playbook || d.run} max={60} /></Link> : d?.incident ? <Link to={to.incident(d.incident)}>an incident</Link> : null}
        {d?.run || d?.incident ? ' ' : null}
        <span className="dim">{d?.run && d.trigger ? <>by trigger <Text of={d.trigger} max={60} /></> : <Sentence of={d?.why} />}{waits && d?.until && !d.until.startsWith('0001') ? <>, until <At at={d.until} /></> : null}</span>
      </Cell>
      <Cell clip small from="l"><Text of={e.source} max={40} /></Cell>
      <Cell num small><Ago at={row.at} /></Cell>
    </Line>
  );
}
