// What may happen now: mode, halts, guards, and what was loosened.
import { useState } from 'react';

import { useAsk } from '../../api/query';
import type { Guard, Halt, Mode, Override, Rules } from '../../api/schema';
import { useKeys } from '../../app/keys';
import { useMay } from '../../app/me';
import { useParam } from '../../app/router';
import { useTitle } from '../../app/title';
import { scopeOf } from '../../lib/scope';
import { Empty, Shown } from '../../ui/State';
import { Glyph } from '../../ui/Status';
import { Sentence, Text } from '../../ui/Text';
import { Ago, Until } from '../../ui/Time';
import { Do, type Doing, says } from './Do';
import './guards.css';

export default function Guards() {
  useTitle('Guards and halt');
  const may = useMay();
  const rules = useAsk('rules', {});
  const [doing, setDoing] = useState<Doing | null>(null);
  const halts = may('halt') || may('halt', '*');
  useKeys({ h: halts ? ['halt', () => setDoing({ what: 'halt' })] : null });
  return (
    <>
      <header className="head">
        <h1>Guards and halt</h1>
        <span className="end">
          {may('override') || may('override', '*') ? <button type="button" className="button" onClick={() => setDoing({ what: 'mode' })}>Change a mode</button> : null}
          {halts ? <button type="button" className="button danger" onClick={() => setDoing({ what: 'halt' })}>Halt</button> : null}
        </span>
      </header>
      <Shown of={rules} lines={10}>{(r) => (
        <div className="stack">
          <div className="guards-top">
            <Halts list={r.halts} letGo={(halt) => setDoing({ what: 'unhalt', halt })} />
            <Modes list={r.modes} />
          </div>
          <Overrides list={r.overrides} end={(override) => setDoing({ what: 'end', override })} />
          <Table rules={r} loosen={(guard) => setDoing({ what: 'override', guard })} />
        </div>
      )}</Shown>
      {doing ? <Do doing={doing} close={() => setDoing(null)} /> : null}
    </>
  );
}

function Halts({ list, letGo }: { list: Halt[]; letGo: (h: Halt | null) => void }) {
  const may = useMay();
  return (
    <section className={`panel${list.length ? ' guards-halted' : ''}`} aria-label="Halts">
      <header><h2>Halts <span className="tally">{list.length}</span></h2>{list.length > 1 && may('unhalt') ? <span className="end"><button type="button" className="button small" onClick={() => letGo(null)}>End all</button></span> : null}</header>
      {list.length ? (
        <ul className="rows guards-list">{list.map((h) => (
          <li key={h.id}>
            <strong><Text of={scopeOf(h)} max={160} /></strong>
            <span>by <Text of={h.by} max={60} /> <Ago at={h.at} />{h.why ? <>: <Text of={h.why} max={300} /></> : null}</span>
            {may('unhalt', h.project) || may('unhalt') ? <button type="button" className="button small" onClick={() => letGo(h)}>Let it go on</button> : null}
          </li>
        ))}</ul>
      ) : <div className="state dim">Nothing is halted.</div>}
    </section>
  );
}

function Modes({ list }: { list: Mode[] }) {
  return (
    <section className="panel" aria-label="Modes">
      <header><h2>Modes</h2></header>
      <ul className="rows guards-list">{list.map((m, i) => (
        <li key={i}><strong>{i === 0 ? 'the server' : <Text of={scopeOf(m)} max={120} />}</strong><span className={`tag ${m.mode === 'auto' ? 'good' : 'wait'}`}>{m.mode}</span><span className="dim">{says[m.mode] ?? ''}</span></li>
      ))}</ul>
    </section>
  );
}

function Overrides({ list, end }: { list: Override[]; end: (o: Override) => void }) {
  const may = useMay();
  if (!list.length) return null;
  return (
    <section className="panel" aria-label="Loosened guards">
      <header><h2>Loosened for a while <span className="tally">{list.length}</span></h2></header>
      <ul className="rows guards-list">{list.map((o) => (
        <li key={o.id}>
          <strong><Text of={o.guard} max={80} /></strong>
          <span>{o.playbook ? <>for <Text of={o.playbook} max={60} /> </> : null}{o.targets?.length ? <>on <Text of={o.targets.join(', ')} max={120} /> </> : null}until <Until at={o.until} />, by <Text of={o.by} max={60} />: <Text of={o.why} max={200} /></span>
          {may('override', o.project) ? <button type="button" className="button small" onClick={() => end(o)}>End it</button> : null}
        </li>
      ))}</ul>
    </section>
  );
}

function Table({ rules, loosen }: { rules: Rules; loosen: (g: Guard) => void }) {
  const may = useMay();
  const [find, setFind] = useParam('find');
  const loosened = new Set(rules.overrides.map((o) => `${o.project}\n${o.guard}`));
  const list = rules.guards.filter((g) => !find || `${g.name} ${g.rule} ${g.says} ${g.project}`.toLowerCase().includes(find.toLowerCase()));
  return (
    <section className="panel" aria-label="Guards">
      <header><h2>Guards <span className="tally">{rules.guards.length}</span></h2><span className="end"><input className="input" type="search" aria-label="Find a guard" placeholder="find" value={find} onChange={(e) => setFind(e.target.value)} /></span></header>
      {list.length ? (
        <div className="scroll"><table className="table guards">
          <thead><tr><th>Guard</th><th>What it says</th><th>Otherwise</th><th>Project</th><th><span className="sr">Do</span></th></tr></thead>
          <tbody>{list.map((g) => (
            <tr key={`${g.project}/${g.name}`}>
              <td><span className="status"><Glyph status="held" quiet /><Text of={g.name} max={80} /></span></td>
              <td className="rule"><Sentence of={g.says || g.rule} /></td>
              <td>{g.then ?? 'hold'}</td>
              <td><Text of={g.project} max={40} /></td>
              <td>{loosened.has(`${g.project}\n${g.name}`) ? <span className="tag wait">loosened</span> : may('override', g.project) ? <button type="button" className="button small plain" onClick={() => loosen(g)}>Loosen</button> : null}</td>
            </tr>
          ))}</tbody>
        </table></div>
      ) : <Empty title="No guard is called so" />}
    </section>
  );
}
