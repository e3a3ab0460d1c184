// Three columns in one panel. A card is moved by its menu, by dragging it, or by a key; each asks for a reason.
import { useState } from 'react';

import { bodyOf } from '../../api/rows';
import type { Incident, Row } from '../../api/schema';
import { useMay } from '../../app/me';
import { useKeys } from '../../app/keys';
import { go, Link, to } from '../../app/router';
import { parse, relative, took } from '../../lib/time';
import { over } from '../../ui/RunRow';
import { Glyph } from '../../ui/Status';
import { Text } from '../../ui/Text';
import { useNow } from '../../ui/Time';
import { type Place, Move, moves } from './Move';
import { bySeverity, columns, Severity } from './severity';

interface Drag { dragged: Row | null; drag: (r: Row | null) => void }

const places: Place[] = ['open', 'acknowledged', 'mitigated', 'resolved'];

export function Board({ rows, all, dragged, drag }: { rows: Row[]; all: number } & Drag) {
  const may = useMay();
  const [moving, setMoving] = useState<{ row: Row; to: Place } | null>(null);
  const [at, setAt] = useState('');
  const cols = columns.map((c) => ({ ...c, list: rows.filter((r) => r.status === c.status).sort(bySeverity) }));
  const flat = cols.flatMap((c) => c.list);
  const here = flat.find((r) => r.id === at);
  const choose = (r: Row | undefined) => { if (r) { setAt(r.id); document.getElementById(`card-${r.id}`)?.focus(); } };
  const step = (by: number) => choose(flat[Math.max(0, Math.min(flat.length - 1, flat.findIndex((r) => r.id === at) + by))] ?? flat[0]);
  const side = (by: number) => {
    const i = cols.findIndex((c) => c.status === here?.status);
    for (let j = i + by; j >= 0 && j < cols.length; j += by) if (cols[j]?.list.length) { choose(cols[j]?.list[0]); return; }
  };
  const shift = (by: number) => {
    const next = places[places.indexOf(here?.status as Place) + by];
    if (here && next && may('write', here.project)) setMoving({ row: here, to: next });
  };
  useKeys(flat.length ? {
    j: ['the next incident', () => step(1)], k: ['the incident before', () => step(-1)], l: ['the next column', () => side(1)], h: ['the column before', () => side(-1)],
    '>': ['move it a column on', () => shift(1)], '<': ['move it a column back', () => shift(-1)], Enter: here ? ['open it', () => go(to.incident(here.id))] : null,
  } : {});
  return (
    <>
      <div className="panel incidents-board">
        {cols.map((c) => (
          <section key={c.status} aria-label={c.says} data-over={dragged && dragged.status !== c.status ? 'may' : undefined}
            onDragOver={(e) => { if (dragged && dragged.status !== c.status) e.preventDefault(); }}
            onDrop={(e) => { e.preventDefault(); if (dragged && dragged.status !== c.status) setMoving({ row: dragged, to: c.status }); drag(null); }}>
            <header><h2><Glyph status={c.status === 'open' ? 'burning' : c.status} quiet />{c.says} <span className="tally">{c.list.length}</span></h2></header>
            {c.list.length
              ? <ul>{c.list.map((r) => <Card key={r.id} row={r} chosen={r.id === at} choose={() => setAt(r.id)} can={may('write', r.project)} move={(p) => setMoving({ row: r, to: p })} drag={drag} />)}</ul>
              : <p className="dim">{all > 0 && rows.length === 0 ? 'None fits the filters.' : c.none}</p>}
          </section>
        ))}
      </div>
      {moving ? <Move {...moving} close={() => setMoving(null)} /> : null}
    </>
  );
}

function Card({ row, chosen, choose, can, move, drag }: { row: Row; chosen: boolean; choose: () => void; can: boolean; move: (p: Place) => void; drag: (r: Row | null) => void }) {
  const d = bodyOf<Incident>(row);
  const now = useNow();
  const due = parse(d.nextBy);
  const late = due < now;
  const works = (d.runs ?? []).filter((r) => !over(r.status));
  const who = d.commander || d.responders?.join(', ');
  return (
    <li className="incidents-card" data-late={late || undefined} data-chosen={chosen || undefined} draggable={can}
      onDragStart={(e) => { e.dataTransfer.setData('text/plain', row.id); e.dataTransfer.effectAllowed = 'move'; drag(row); }} onDragEnd={() => drag(null)}>
      <span className="top"><Severity of={d.severity} /><span title="How long it burns">{took(Math.max(0, now - parse(d.opened ?? row.at))).replace(/ \d\d s$/, '')}</span></span>
      <Link id={`card-${row.id}`} to={to.incident(row.id)} className="whole" draggable={false} onFocus={choose}><Text of={row.name} max={140} /></Link>
      <span className="line">
        {d.firing ? <span className="tone-bad">{d.firing} {d.firing === 1 ? 'fires' : 'fire'}</span> : d.events ? <span className="tone-good">quiet</span> : null}
        {who ? <span>with <Text of={who} max={40} /></span> : <span className="tone-bad">nobody has it</span>}
        {works.length ? <span className="tone-live"><Text of={works[0]?.playbook} max={30} /> {works[0]?.status}</span> : null}
      </span>
      {d.next ? <span className="line next"><Text of={d.next} max={120} /></span> : null}
      {Number.isNaN(due) ? null : <span className={`line${late ? ' tone-bad' : ''}`}>{late ? <strong>overdue by {relative(due, now).replace(' ago', '')}</strong> : <>due {relative(due, now)}</>}</span>}
      {can ? <Menu row={row} move={move} /> : null}
    </li>
  );
}

function Menu({ row, move }: { row: Row; move: (p: Place) => void }) {
  const [open, setOpen] = useState(false);
  return (
    <details className="incidents-menu" open={open} onToggle={(e) => setOpen(e.currentTarget.open)} onKeyDown={(e) => { if (e.key === 'Escape') setOpen(false); }} onBlur={(e) => { if (!e.currentTarget.contains(e.relatedTarget)) setOpen(false); }}>
      <summary className="button plain small" aria-label="Move it">⋯</summary>
      <div className="panel">{places.filter((p) => p !== row.status).map((p) => <button key={p} type="button" className="button plain" onClick={() => { setOpen(false); move(p); }}>{moves[p].does}</button>)}</div>
    </details>
  );
}
