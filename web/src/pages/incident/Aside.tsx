// Beside the timeline: what fires, what works on it, who belongs to it, and its facts.
import type { Incident as Doc } from '../../api/schema';
import { Link, to } from '../../app/router';
import { safe } from '../../lib/link';
import { Status } from '../../ui/Status';
import { Text } from '../../ui/Text';
import { Ago, At, Took } from '../../ui/Time';
import type { Act } from './Acts';
import { People } from './Now';
import { ended } from './story';

const worst = (s: string | undefined) => (s === 'resolved' ? 1 : 0);

export function Firing({ d }: { d: Doc }) {
  const list = (d.members ?? []).slice().sort((a, b) => worst(a.status) - worst(b.status) || b.since.localeCompare(a.since));
  if (!list.length) return null;
  return (
    <section className="panel" aria-label="Alerts">
      <header><h2>Alerts <span className="tally">{d.firing} of {list.length} fire</span></h2></header>
      <ul className="rows incident-list">{list.slice(0, 100).map((m) => (
        <li key={`${m.source}/${m.group ?? m.event}`}>
          <Status of={m.status === 'resolved' ? 'resolved' : 'burning'} says="" />
          <Link to={to.event(m.event)} className="clip"><Text of={m.name || m.group || m.event} max={120} /></Link>
          <span className="dim">{m.status === 'resolved' ? 'over ' : ''}<Ago at={m.since} /></span>
        </li>
      ))}</ul>
      {list.length > 100 ? <div className="state dim">and {list.length - 100} more</div> : null}
    </section>
  );
}

export function Runs({ d }: { d: Doc }) {
  const list = (d.runs ?? []).slice().reverse();
  if (!list.length) return null;
  return (
    <section className="panel" aria-label="Runs">
      <header><h2>Runs <span className="tally">{list.length}</span></h2></header>
      <ul className="rows incident-list">{list.slice(0, 50).map((r) => (
        <li key={r.run}>
          <Status of={r.status} says="" />
          <span className="clip"><Link to={to.run(r.run)}><Text of={r.playbook || r.run} max={80} /></Link> <span className="dim">{r.status}</span></span>
          <span className="dim"><Took from={r.began} to={ended(r.status) ? r.ended : undefined} /></span>
        </li>
      ))}</ul>
    </section>
  );
}

export function Roles({ d, change }: { d: Doc; change: ((a: Act) => void) | null }) {
  return (
    <section className="panel" aria-label="People">
      <header><h2>People</h2>{change ? <span className="end"><button type="button" className="button plain small" onClick={() => change('roles')}>Change</button></span> : null}</header>
      <div className="body"><dl className="facts">
        <dt>commander</dt><dd>{d.commander ? <Text of={d.commander} max={80} /> : <span className="dim">nobody</span>}</dd>
        <dt>responders</dt><dd><People of={d.responders} none="nobody" /></dd>
        <dt>stakeholders</dt><dd><People of={d.stakeholders} none="nobody" /></dd>
      </dl></div>
    </section>
  );
}

export function Facts({ d, change }: { d: Doc; change: ((a: Act) => void) | null }) {
  const labels = Object.entries(d.labels ?? {});
  return (
    <section className="panel" aria-label="Facts">
      <header><h2>Facts</h2>{change ? <span className="end"><button type="button" className="button plain small" onClick={() => change('links')}>Links and labels</button></span> : null}</header>
      <div className="body">
        <dl className="facts">
          <dt>opened</dt><dd><At at={d.opened} exact />{d.trigger ? <> by the trigger <Text of={d.trigger} max={60} /></> : null}</dd>
          {d.taken ? <><dt>taken</dt><dd><At at={d.taken} /></dd></> : null}
          {d.updateDue ? <><dt>update due</dt><dd><At at={d.updateDue} /></dd></> : null}
          {d.from?.length ? <><dt>took over</dt><dd>{d.from.map((i) => <Link key={i} to={to.incident(i)}>{i} </Link>)}</dd></> : null}
          <dt>project</dt><dd><Text of={d.project} /></dd>
          {labels.map(([k, v]) => <Pair key={k} name={k} of={v} />)}
          {(d.keys ?? []).map((k) => <Pair key={k} name="key" of={k} />)}
          <dt>id</dt><dd className="mono">{d.id}</dd>
        </dl>
        {d.links?.length ? (
          <ul className="incident-links">{d.links.map((l) => {
            const url = safe(l.url);
            return <li key={l.url}>{url ? <a href={url} rel="noreferrer noopener" target="_blank"><Text of={l.name || l.url} max={80} /> ↗</a> : <Text of={l.url} max={80} />}</li>;
          })}</ul>
        ) : null}
      </div>
    </section>
  );
}

const Pair = ({ name, of }: { name: string; of: string }) => <><dt><Text of={name} max={40} /></dt><dd><Text of={of} max={200} /></dd></>;
