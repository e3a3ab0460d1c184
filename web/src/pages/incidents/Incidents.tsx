// The board: what burns, by how far people are with it, and below it what is over.
import { useState } from 'react';

import { usePages } from '../../api/query';
import { bodyOf } from '../../api/rows';
import type { Incident, Row } from '../../api/schema';
import { useMay, useMe } from '../../app/me';
import { useKeys } from '../../app/keys';
import { useParam } from '../../app/router';
import { useTitle } from '../../app/title';
import { Filters, Find, Pick, Tick } from '../../ui/Filters';
import { Pages } from '../../ui/List';
import { Board } from './Board';
import { Open } from './Open';
import { Over } from './Over';
import { severities } from './severity';
import './incidents.css';

export default function Incidents() {
  useTitle('Incidents');
  const may = useMay();
  const me = useMe();
  const [severity, setSeverity] = useParam('severity');
  const [mine, setMine] = useParam('mine');
  const [find, setFind] = useParam('find');
  const [opening, setOpening] = useState(false);
  const [dragged, setDragged] = useState<Row | null>(null);
  const going = usePages('listIncidents', { status: ['open', 'acknowledged', 'mitigated'], limit: 200 });
  useKeys({ n: may('write', '*') ? ['open an incident', () => setOpening(true)] : null });
  const names = [me.data?.id, me.data?.name].filter(Boolean);
  const fits = (r: Row) => {
    const d = bodyOf<Incident>(r);
    const text = `${r.name ?? ''} ${r.id} ${d.commander ?? ''} ${(d.responders ?? []).join(' ')} ${Object.values(d.labels ?? {}).join(' ')}`.toLowerCase();
    return (!severity || d.severity === severity) && (!mine || [d.commander, ...(d.responders ?? [])].some((p) => names.includes(p))) && (!find || text.includes(find.toLowerCase()));
  };
  const clear = severity || mine || find ? () => { setSeverity(null); setMine(null); setFind(null); } : undefined;
  return (
    <>
      <header className="head">
        <h1>Incidents</h1>
        {may('write', '*') ? <span className="end"><button type="button" className="button" onClick={() => setOpening(true)}>Open an incident</button></span> : null}
      </header>
      <Filters clear={clear}>
        <Find label="Find" value={find} set={setFind} placeholder="title, person, label" width="14rem" />
        <Pick label="Severity" value={severity} set={setSeverity} of={severities} />
        <Tick label="mine" value={mine} set={setMine} />
      </Filters>
      <div className="stack">
        <Pages of={going} none={<p className="dim incidents-quiet">Nothing burns. An alert that a trigger with <code>incident</code> takes opens one, or a person does.</p>}>
          {(rows) => <Board rows={rows.filter(fits)} all={rows.length} dragged={dragged} drag={setDragged} />}
        </Pages>
        <Over fits={fits} dragged={dragged} drag={setDragged} />
      </div>
      {opening ? <Open close={() => setOpening(false)} /> : null}
    </>
  );
}
