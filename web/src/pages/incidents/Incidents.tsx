// The board: what burns, by how far people are with it.
import { useState } from 'react';

import { usePages, useTell } from '../../api/query';
import { bodyOf } from '../../api/rows';
import type { Incident, Row } from '../../api/schema';
import { useMay, useMe } from '../../app/me';
import { useKeys } from '../../app/keys';
import { go, Link, to, useParam } from '../../app/router';
import { useTitle } from '../../app/title';
import { Choice, Confirm, Field } from '../../ui/Confirm';
import { Pages } from '../../ui/List';
import { Empty } from '../../ui/State';
import { Glyph } from '../../ui/Status';
import { Text } from '../../ui/Text';
import { Ago, At, useNow } from '../../ui/Time';
import { parse } from '../../lib/time';
import { toast } from '../../ui/Toasts';
import { bySeverity, columns, Severity, severities } from './severity';
import './incidents.css';

export default function Incidents() {
  useTitle('Incidents');
  const may = useMay();
  const me = useMe();
  const [severity, setSeverity] = useParam('severity');
  const [mine, setMine] = useParam('mine');
  const [opening, setOpening] = useState(false);
  const going = usePages('listIncidents', { status: ['open', 'acknowledged', 'mitigated'], limit: 200 });
  const over = usePages('listIncidents', { status: ['resolved', 'merged'], limit: 30 });
  useKeys({ n: may('write', '*') ? ['open an incident', () => setOpening(true)] : null });
  const shown = (rows: Row[]) => rows.filter((r) => {
    const d = bodyOf<Incident>(r);
    return (!severity || d.severity === severity) && (!mine || d.commander === me.data?.id || (d.responders ?? []).includes(me.data?.id ?? ''));
  });
  return (
    <>
      <header className="head">
        <h1>Incidents</h1>
        {may('write', '*') ? <span className="end"><button type="button" className="button" onClick={() => setOpening(true)}>Open an incident</button></span> : null}
      </header>
      <div className="filters">
        <Choice label="Severity" value={severity} set={setSeverity} of={severities} any="all" />
        <label className="incidents-mine"><input type="checkbox" checked={mine !== ''} onChange={(e) => setMine(e.target.checked ? 'yes' : null)} /> where I am commander or responder</label>
      </div>
      <Pages of={going} none={<div className="panel"><Empty title="Nothing burns">An alert that a trigger with `incident` takes opens one, or a person does.</Empty></div>}>
        {(rows) => (
          <div className="incidents-board">
            {columns.map((c) => {
              const list = shown(rows).filter((r) => r.status === c.status).sort(bySeverity);
              return (
                <section key={c.status} className="panel" aria-label={c.says}>
                  <header><h2><Glyph status={c.status === 'open' ? 'burning' : c.status} quiet />{c.says} <span className="tally">{list.length}</span></h2></header>
                  {list.length ? <ul className="rows">{list.map((r) => <Card key={r.id} row={r} />)}</ul> : <div className="state dim">{c.none}</div>}
                </section>
              );
            })}
          </div>
        )}
      </Pages>
      <section className="panel incidents-over" aria-label="Over">
        <header><h2>Over</h2></header>
        <Pages of={over} none={<div className="state dim">None is over yet.</div>}>
          {(rows) => (
            <div className="scroll"><table className="table">
              <thead><tr><th>Incident</th><th>Severity</th><th>Opened</th><th>Ended</th><th>Commander</th><th className="num">Events</th></tr></thead>
              <tbody>{shown(rows).map((r) => {
                const d = bodyOf<Incident>(r);
                return (
                  <tr key={r.id}>
                    <td><Link to={to.incident(r.id)}><Glyph status={r.status === 'merged' ? 'skipped' : 'resolved'} /> <Text of={r.name} max={120} /></Link></td>
                    <td><Severity of={d.severity} /></td><td><At at={d.opened} /></td><td><At at={d.ended} /></td><td><Text of={d.commander} max={40} /></td><td className="num">{d.events ?? 0}</td>
                  </tr>
                );
              })}</tbody>
            </table></div>
          )}
        </Pages>
      </section>
      {opening ? <Open close={() => setOpening(false)} /> : null}
    </>
  );
}

function Card({ row }: { row: Row }) {
  const d = bodyOf<Incident>(row);
  const now = useNow();
  const late = !Number.isNaN(parse(d.nextBy)) && parse(d.nextBy) < now;
  return (
    <li>
      <Link to={to.incident(row.id)} className="incidents-card">
        <span className="top"><Severity of={d.severity} /><span className="end"><Ago at={d.opened ?? row.at} /></span></span>
        <strong><Text of={row.name} max={140} /></strong>
        <span className="facts-line">
          {d.firing ? <span className="tag bad">{d.firing} firing</span> : <span className="tag good">quiet</span>}
          {d.commander || d.responders?.length ? <span>with <Text of={d.commander || d.responders?.join(', ')} max={40} /></span> : <span className="tone-bad">nobody has it</span>}
          {(d.runs ?? []).some((r) => !['succeeded', 'failed', 'cancelled'].includes(r.status)) ? <span className="tone-live">a run works on it</span> : null}
        </span>
        {d.next ? <span className={late ? 'tone-bad' : 'dim'}>next: <Text of={d.next} max={100} /> {d.nextBy ? <Ago at={d.nextBy} /> : null}</span> : null}
      </Link>
    </li>
  );
}

function Open({ close }: { close: () => void }) {
  const [title, setTitle] = useState('');
  const [severity, setSeverity] = useState('major');
  const [summary, setSummary] = useState('');
  const [key, setKey] = useState('');
  const tell = useTell('openIncident');
  return (
    <Confirm title="Open an incident" does="Open the incident" reason="none" close={close} asking={tell} ready={title.trim() !== ''}
      submit={() => tell.mutate({ body: { title: title.trim(), severity, ...(summary ? { summary } : {}), ...(key ? { key } : {}) } }, { onSuccess: (i) => { toast('The incident is open.'); go(to.incident(i.id)); } })}>
      <Field label="Title: what users notice" value={title} set={setTitle} required autoFocus />
      <Choice label="Severity" value={severity} set={setSeverity} of={severities} />
      <Field label="Summary" value={summary} set={setSummary} lines={3} />
      <Field label="Key" value={key} set={setKey} hint="Events with the same key join it. Without one only people add to it." />
    </Confirm>
  );
}
