// A moment of the timeline, as a sentence.
import type { ReactNode } from 'react';

import { useAsk } from '../../api/query';
import type { Incident, Line } from '../../api/schema';
import { Link, to } from '../../app/router';
import { safe } from '../../lib/link';
import { person } from '../../lib/text';
import { parse, took } from '../../lib/time';
import { Severity } from '../../ui/Severity';
import { Glyph } from '../../ui/Status';
import { Lines, Sentence, Text } from '../../ui/Text';
import { At, Until } from '../../ui/Time';
import type { Moment, Piece } from './story';

export function Entry({ of: m, d, day }: { of: Moment; d: Incident; day: string | undefined }) {
  const l = m.line;
  return (
    <li data-what={l.what} data-by={m.by} data-day={day}>
      <At at={l.at} />
      <Glyph status={glyph(l)} quiet />
      <div className="text"><Told m={m} d={d} /></div>
    </li>
  );
}

/** The shape before a line: the state of what it is about; what people did has none but their sign. */
function glyph(l: Line): string {
  const s = l.detail?.status ?? '';
  switch (l.what) {
    case 'joined': return s === 'resolved' ? 'resolved' : 'burning';
    case 'ran': return s === 'started' ? 'running' : s === 'not-started' ? 'refused' : s;
    case 'run': return l.detail?.task ? (s === 'asked' ? 'open' : s) : s === 'began' ? 'running' : s;
    case 'question': return s;
    case 'opened': case 'reopened': return 'burning';
    case 'resolved': return 'resolved';
    case 'merged': case 'split': return 'carried';
    case 'reminded': return 'queued';
    case 'item': return s === 'done' ? 'done' : 'pending';
    default: return 'said';
  }
}

const Who = ({ of }: { of: string | undefined }) => (of ? <strong><Text of={person(of)} max={60} /></strong> : null);
const Why = ({ of }: { of: string | undefined }) => (of ? <span className="why">: <Text of={of} max={600} /></span> : null);

function Told({ m, d }: { m: Moment; d: Incident }): ReactNode {
  const l = m.line;
  const x = l.detail ?? {};
  switch (l.what) {
    case 'opened': return <>{m.by === 'people' ? <Who of={l.who} /> : d.trigger ? <>The trigger <strong><Text of={d.trigger} max={60} /></strong></> : <>An event</>} opened it as <Severity of={x.severity} />{l.ref ? <>: <Link to={to.event(l.ref)}>the event</Link></> : null}</>;
    case 'joined': return <><Link to={to.event(l.ref ?? '')}><Text of={x.name || 'An event'} max={160} /></Link> {alert(x.status)}</>;
    case 'updated': return <Update m={m} />;
    case 'commented': return <><Who of={l.who} /> <span className="incident-said"><Lines of={l.text} max={16_000} /></span></>;
    case 'paged': return <><Who of={l.who} /> paged <Names of={x.people ?? []} /><Why of={x.why} /></>;
    case 'merged': return <><Who of={l.who} /> {x.status === 'went' ? <>merged it into <Ref of={l.ref} /></> : <>merged <Ref of={l.ref} /> into it, with {alerts(x.count)}</>}<Why of={x.why} /></>;
    case 'split': return <><Who of={l.who} /> {x.status === 'went' ? <>moved {alerts(x.count)} to <Ref of={l.ref} /></> : <>split it off <Ref of={l.ref} />, with {alerts(x.count)}</>}<Why of={x.why} /></>;
    case 'resolved': return <>{m.by === 'people' ? <><Who of={l.who} /> resolved it</> : 'It is resolved'}<Why of={x.why} /></>;
    case 'reopened': return <>{m.by === 'people' ? <><Who of={l.who} /> reopened it</> : 'It is open again'}<Why of={x.why} /></>;
    case 'ran': return <Ran m={m} />;
    case 'run': return x.task ? <Asked m={m} task={x.task} /> : <Step m={m} d={d} />;
    case 'question': return <>{x.status === 'open' ? 'People are asked' : <>People were asked, and it is {x.status}</>}: <Link to={to.task(x.task ?? '')}><Text of={x.name || 'a question'} max={240} /></Link></>;
    case 'item': return <><Who of={l.who} /> {safe(l.ref) ? <>made <a href={safe(l.ref)} rel="noreferrer noopener" target="_blank">an issue ↗</a> of</> : x.status === 'done' ? 'did' : 'wants done'}: <Text of={x.name} max={300} /></>;
    case 'reminded': return 'An update was due; people were reminded.';
    default: return <><Who of={l.who} /> <Sentence of={l.text} /> <Ref of={l.ref} /></>;
  }
}

const alerts = (n: number | undefined) => (n === 1 ? 'one alert' : n ? `${n} alerts` : 'no alerts');
const alert = (s: string | undefined) => (s === 'resolved' ? 'is over' : s === 'vanished' ? 'is not measured any more' : s === 'firing' ? 'fires' : 'joined');

const Say = ({ of }: { of: Piece }) => (typeof of === 'string' ? of : 'who' in of ? <strong><Text of={person(of.who)} max={60} /></strong> : 'at' in of ? <Until at={of.at} /> : <strong><Text of={of.value} max={300} /></strong>);

const Names = ({ of }: { of: string[] }) => <>{of.map((p, i) => <span key={p}>{i === 0 ? '' : i === of.length - 1 ? ' and ' : ', '}<strong><Text of={person(p)} max={60} /></strong></span>)}</>;

function Update({ m }: { m: Moment }) {
  const n = m.phrases.length;
  return (
    <>
      <Who of={m.line.who} /> {m.phrases.map((p, i) => <span key={i}>{i === 0 ? '' : i === n - 1 ? ' and ' : ', '}{p.map((x, j) => <Say key={j} of={x} />)}</span>)}<Why of={m.line.detail?.why} />
      {m.said.map((s) => <span key={s.label} className="incident-said">{s.label ? <span className="dim">{s.label} </span> : null}<Lines of={s.text} max={8000} /></span>)}
    </>
  );
}

const after = (m: Moment) => (m.began ? <span className="dim"> after {took(Math.max(0, parse(m.line.at) - parse(m.began)))}</span> : null);

function Ran({ m }: { m: Moment }) {
  const x = m.line.detail ?? {};
  const run = m.line.ref ?? '';
  const name = <Link to={to.run(run)}><Text of={x.name || 'A playbook'} max={80} /></Link>;
  switch (x.status) {
    case 'started': return <>{name} began</>;
    case 'not-started': return <><Text of={x.name || 'A playbook'} max={80} /> was not started<Why of={x.why} /></>;
    case 'waiting': return <>{name} waits<Why of={x.why} /></>;
    default: return <>{name} {x.status}{after(m)}<Why of={x.why} /></>;
  }
}

/** A step of a run that changes something, or that is held. */
function Step({ m, d }: { m: Moment; d: Incident }) {
  const x = m.line.detail ?? {};
  const run = m.line.ref ?? '';
  const playbook = d.runs?.find((r) => r.run === run)?.playbook;
  const where = <span className="dim">in <Link to={to.run(run, x.path)}><Text of={playbook || run} max={60} /></Link></span>;
  if (x.status === 'held') return <>{x.name ? <>The guard <strong><Text of={x.name} max={60} /></strong> holds a step</> : 'A step is held'} {where}{x.until ? <> until <Until at={x.until} /></> : null}<Why of={x.why} /></>;
  return <><span className="mono"><Text of={x.action} max={60} /></span>{x.targets?.length ? <> on <Text of={x.targets.join(', ')} max={160} /></> : null} {x.status === 'began' ? 'began' : x.status} {where}{after(m)}<Why of={x.why} /></>;
}

/** What people were asked, by its own words. */
function Asked({ m, task }: { m: Moment; task: string }) {
  const x = m.line.detail ?? {};
  const asked = useAsk('showTask', { path: { task } });
  const link = <Link to={to.task(task)}><Text of={asked.data?.name || 'a question'} max={160} /></Link>;
  if (x.status === 'asked') return <>People are asked: {link}</>;
  return <>{x.people?.length ? <><Names of={x.people} /> {verb(x.status)}: </> : <>It was {x.status}: </>}{link}{after(m)}<Why of={x.why} /></>;
}

const verb = (s: string | undefined) => (s === 'answered' ? 'answered' : s === 'done' ? 'did it' : (s ?? ''));

/** What a line is about: an object has its address. */
function Ref({ of = '' }: { of: string | undefined }) {
  const at = of.startsWith('run_') ? to.run(of) : of.startsWith('inc_') ? to.incident(of) : of.startsWith('evt_') ? to.event(of) : of.startsWith('task_') ? to.task(of) : '';
  return at ? <Link to={at} className="id">{of}</Link> : <Text of={of} max={80} className="id" />;
}
