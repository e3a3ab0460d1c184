// By team, by playbook, by alert, by guard: what there is most to learn from stands first.
import type { ReactNode } from 'react';

import type { Fared, Noise as Alert, Team } from '../../api/schema';
import { Link, to } from '../../app/router';
import { Cell, Line, List } from '../../ui/List';
import { Share } from '../../ui/Share';
import { Text } from '../../ui/Text';
import { duration, minutes } from './range';

const nobody = '(none)';
const unproven = 'no run had anything to verify';
const quiet = (n: number) => (n ? n.toLocaleString('en') : <span className="dim">0</span>);

export function Teams({ of }: { of: Team[] }) {
  if (of.length === 0) return null;
  const teams = of.toSorted((a, b) => Number(a.team === nobody) - Number(b.team === nobody) || b.failed - a.failed || b.runs - a.runs || a.team.localeCompare(b.team));
  return (
    <section className="panel" aria-label="Teams">
      <header><h2>By team</h2></header>
      <List label="Teams" className="insights-teams" head={['Team', ...['Runs', 'Failed', 'Verified', 'Saved'].map((says) => ({ says, num: true })), ...['Pages avoided', 'Incidents', 'To acknowledge', 'To resolve'].map((says) => ({ says, num: true, from: 'm' as const })), ...['Held', 'Changes', 'Lead time'].map((says) => ({ says, num: true, from: 'l' as const }))]}>
        {teams.map((t) => (
          <Line key={t.team} tone={t.failed ? 'bad' : undefined}>
            <Cell clip>{t.team === nobody ? <span className="dim">no owner</span> : <Link className="whole" to={`/playbooks?team=${encodeURIComponent(t.team)}`}><Text of={t.team} max={60} /></Link>}</Cell>
            <Cell num>{quiet(t.runs)}</Cell>
            <Cell num className={t.failed ? 'tone-bad' : ''}>{quiet(t.failed)}</Cell>
            <Cell num><Share part={t.verified} of={t.verifiable} none={unproven} /></Cell>
            <Cell num>{t.savedMinutes ? minutes(t.savedMinutes) : <span className="dim">–</span>}</Cell>
            <Cell num from="m">{quiet(t.pagesAvoided)}</Cell>
            <Cell num from="m">{quiet(t.incidents)}</Cell>
            <Cell num from="m">{t.taken ? duration(t.mttaSeconds) : <span className="dim">–</span>}</Cell>
            <Cell num from="m">{t.resolved ? duration(t.mttrSeconds) : <span className="dim">–</span>}</Cell>
            <Cell num from="l">{quiet(t.held)}</Cell>
            <Cell num from="l">{quiet(t.changesLive)}</Cell>
            <Cell num from="l">{t.changesLive ? duration(t.leadSeconds) : <span className="dim">–</span>}</Cell>
          </Line>
        ))}
      </List>
    </section>
  );
}

const most = 8;

function Ranked({ title, none, children }: { title: string; none: string; children: ReactNode[] }) {
  return (
    <section className="panel" aria-label={title}>
      <header><h2>{title}</h2></header>
      {children.length ? children : <p className="body dim">{none}</p>}
    </section>
  );
}

const book = (b: Fared) => `${to.playbook(b.name)}?project=${encodeURIComponent(b.project)}`;

/** Which playbooks helped most, and which failed most. */
export function Books({ of }: { of: Fared[] }) {
  const helped = of.filter((b) => b.verified).toSorted((a, b) => b.savedMinutes - a.savedMinutes || b.verified - a.verified).slice(0, most);
  const failed = of.filter((b) => b.failed).toSorted((a, b) => b.failed - a.failed || b.failed / b.runs - a.failed / a.runs).slice(0, most);
  return (
    <div className="insights-two">
      <Ranked title="Failed most" none="No run failed.">{failed.length ? [
        <List key="l" label="Playbooks that failed most" className="insights-books" head={['Playbook', { says: 'Failed', num: true }, { says: 'of runs', num: true }]}>{failed.map((b) => (
          <Line key={`${b.project}/${b.name}`}><Cell clip><Link className="whole" to={book(b)}><Text of={b.name} max={80} /></Link> <Owner of={b} /></Cell><Cell num className="tone-bad">{b.failed}</Cell><Cell num small>{b.runs}</Cell></Line>
        ))}</List>] : []}</Ranked>
      <Ranked title="Helped most" none="No run proved yet that it helped: a step that says verify does.">{helped.length ? [
        <List key="l" label="Playbooks that helped most" className="insights-books" head={['Playbook', { says: 'Saved', num: true }, { says: 'Verified', num: true }]}>{helped.map((b) => (
          <Line key={`${b.project}/${b.name}`}><Cell clip><Link className="whole" to={book(b)}><Text of={b.name} max={80} /></Link> <Owner of={b} /></Cell><Cell num>{b.savedMinutes ? minutes(b.savedMinutes) : <span className="dim">–</span>}</Cell><Cell num><Share part={b.verified} of={b.verifiable} none={unproven} /></Cell></Line>
        ))}</List>] : []}</Ranked>
    </div>
  );
}

const Owner = ({ of }: { of: Fared }) => (of.team === nobody ? null : <span className="dim"><Text of={of.team} max={40} /></span>);

/** The alerts that came most often: what nobody takes can be silenced, or needs a playbook. */
export function Noise({ of }: { of: Alert[] }) {
  const list = of.slice(0, most);
  return (
    <Ranked title="Noisiest alerts" none="No event came.">{list.length ? [
      <List key="l" label="Noisiest alerts" className="insights-noise" head={['Alert', { says: 'Came', num: true }, { says: 'Started a run', num: true, from: 'm' }, { says: 'Held or refused', num: true, from: 'm' }, { says: 'No trigger', num: true }]}>{list.map((a) => (
        <Line key={`${a.source}/${a.name}`}>
          <Cell clip><Link className="whole" to={`/events?source=${encodeURIComponent(a.source)}`}><Text of={a.name || 'nameless'} max={100} /></Link> <span className="dim"><Text of={a.source} max={40} /></span></Cell>
          <Cell num>{a.events.toLocaleString('en')}</Cell>
          <Cell num from="m">{quiet(a.started)}</Cell>
          <Cell num from="m">{quiet(a.held)}</Cell>
          <Cell num className={a.unmatched ? 'tone-wait' : ''}>{quiet(a.unmatched)}</Cell>
        </Line>
      ))}</List>] : []}</Ranked>
  );
}

export function Guards({ of }: { of: Team }) {
  const list = Object.entries(of.guards).sort((a, b) => b[1] - a[1]).slice(0, most);
  return (
    <Ranked title="Guards that held" none="No guard held anything back.">{list.length ? [
      <List key="l" label="Guards that held" className="insights-guards" head={['Guard', { says: 'Held', num: true }]}>{list.map(([name, n]) => (
        <Line key={name}><Cell clip><Link className="whole" to={`/guards?find=${encodeURIComponent(name)}`}><Text of={name} max={100} /></Link></Cell><Cell num>{n}</Cell></Line>
      ))}</List>] : []}</Ranked>
  );
}
