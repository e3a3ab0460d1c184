// What is over, the newest first. A card that is dropped here is resolved.
import { useState } from 'react';

import { usePages } from '../../api/query';
import { bodyOf } from '../../api/rows';
import type { Incident, Row } from '../../api/schema';
import { Link, to } from '../../app/router';
import { parse, took } from '../../lib/time';
import { Cell, GlyphCell, Line, List, Pages } from '../../ui/List';
import { Text } from '../../ui/Text';
import { At } from '../../ui/Time';
import { Move } from './Move';
import { Severity } from './severity';

export function Over({ fits, dragged, drag }: { fits: (r: Row) => boolean; dragged: Row | null; drag: (r: Row | null) => void }) {
  const over = usePages('listIncidents', { status: ['resolved', 'merged'], limit: 50 });
  const [resolving, setResolving] = useState<Row | null>(null);
  const ended = (r: Row) => bodyOf<Incident>(r).ended ?? r.at ?? '';
  return (
    <section className="panel incidents-over" aria-label="Over" data-over={dragged ? 'may' : undefined}
      onDragOver={(e) => { if (dragged) e.preventDefault(); }} onDrop={(e) => { e.preventDefault(); setResolving(dragged); drag(null); }}>
      <header><h2>{dragged ? 'Drop it here to resolve it' : 'Over'}</h2></header>
      <Pages of={over} none={<p className="state dim">None is over yet.</p>}>
        {(rows) => {
          const list = rows.filter(fits).sort((a, b) => ended(b).localeCompare(ended(a)));
          return list.length ? (
            <List label="Incidents that are over" className="incidents-list" head={['', 'Incident', 'Severity', { says: 'Commander', from: 'm' }, { says: 'Events', num: true, from: 'm' }, { says: 'Burned for', num: true, from: 'm' }, { says: 'Ended', num: true }]}>
              {list.map((r) => {
                const d = bodyOf<Incident>(r);
                return (
                  <Line key={r.id}>
                    <GlyphCell status={r.status === 'merged' ? 'skipped' : 'resolved'} />
                    <Cell clip><Link className="whole" to={to.incident(r.id)}><Text of={r.name} max={160} /></Link>{d.into ? <span className="dim"> merged</span> : null}</Cell>
                    <Cell><Severity of={d.severity} /></Cell>
                    <Cell clip small from="m"><Text of={d.commander} max={40} /></Cell>
                    <Cell num small from="m">{d.events ?? 0}</Cell>
                    <Cell num small from="m">{took(parse(d.ended) - parse(d.opened))}</Cell>
                    <Cell num small><At at={d.ended} /></Cell>
                  </Line>
                );
              })}
            </List>
          ) : <p className="state dim">None of those that are loaded fits the filters.</p>;
        }}
      </Pages>
      {resolving ? <Move row={resolving} to="resolved" close={() => setResolving(null)} /> : null}
    </section>
  );
}
