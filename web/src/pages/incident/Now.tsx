// The head of an incident: how bad, how long, who leads, what is next and when; below it what is needed now, each with the
// button that does it.
import type { ReactNode } from 'react';

import type { Incident as Doc } from '../../api/schema';
import { Link, to } from '../../app/router';
import { parse, relative, took } from '../../lib/time';
import { Severity } from '../../ui/Severity';
import { Glyph } from '../../ui/Status';
import { Lines, Text } from '../../ui/Text';
import { At, useNow } from '../../ui/Time';
import type { Act } from './Acts';
import { type Need, needs, type Waits } from './needs';

interface Props { d: Doc; writes: boolean; act: (a: Act) => void; command: () => void }

export function Now({ d, writes, act, command, waits }: Props & { waits: Waits[] }) {
  const now = useNow();
  const over = d.status === 'resolved' || d.status === 'merged';
  const late = !over && parse(d.nextBy) < now;
  const list = needs(d, waits, now);
  const can = writes && !over;
  return (
    <section className="panel incident-now" aria-label="How it stands">
      <dl className="incident-readings">
        <Reading name="Severity"><Severity of={d.severity} /></Reading>
        <Reading name={over ? 'It burned for' : 'It burns for'} under={<>since <At at={d.opened} />{d.reopened ? `, reopened ${d.reopened === 1 ? 'once' : `${d.reopened} times`}` : ''}</>}>
          {took(Math.max(0, Math.floor(((over ? parse(d.ended) : now) - parse(d.opened)) / 1000) * 1000))}
        </Reading>
        <Reading name="Commander" tone={d.commander || over ? undefined : 'wait'} under={<People of={d.responders} none="no responders" />}>
          {d.commander ? <Text of={d.commander} max={60} /> : 'nobody'}
          {can && !d.commander ? <button type="button" className="button small" onClick={command}>Take command</button> : null}
        </Reading>
        <Reading name="Alerts" tone={d.firing > 0 && !over ? 'bad' : undefined} under={d.members?.length ? `of ${d.members.length}` : 'people opened it'}>{d.firing > 0 ? `${d.firing} fire` : 'none fires'}</Reading>
        {over
          ? <Reading name={d.status === 'merged' ? 'Merged' : 'Resolved'} wide under={d.toTake === undefined ? null : <>taken after {took(d.toTake * 1000)}</>}><At at={d.ended} /></Reading>
          : (
            <Reading name="Next" wide tone={late ? 'loud' : undefined} under={parse(d.nextBy) ? <Due at={d.nextBy} now={now} /> : d.next ? 'no time is named' : null}>
              {d.next ? <Text of={d.next} max={300} /> : <span className="dim">no step is named</span>}
            </Reading>
          )}
      </dl>
      <div className="incident-summary">{d.summary ? <Lines of={d.summary} /> : <span className="dim">{over ? 'Nobody said what it was.' : 'Nobody has said yet how it stands.'}</span>}</div>
      {list.length ? (
        <ul className="incident-needs" aria-label="Needed now">{list.slice(0, 6).map((n, i) => <li key={i} data-tone={tones[n.what]}><Needed of={n} can={can} now={now} act={act} /></li>)}</ul>
      ) : null}
    </section>
  );
}

function Reading({ name, children, under, tone, wide }: { name: string; children: ReactNode; under?: ReactNode; tone?: 'bad' | 'wait' | 'loud' | undefined; wide?: boolean }) {
  return <div data-tone={tone} data-wide={wide || undefined}><dt>{name}</dt><dd>{children}</dd>{under ? <dd className="under">{under}</dd> : null}</div>;
}

/** When it is due, or since when it should have been done. */
function Due({ at, now }: { at: string | undefined; now: number }) {
  const t = parse(at);
  return t < now ? <strong>overdue by {relative(t, now).replace(' ago', '')}</strong> : <>due <At at={at} />, {relative(t, now)}</>;
}

export function People({ of, none }: { of: string[] | undefined; none: string }) {
  if (!of?.length) return <span className="dim">{none}</span>;
  return <>{of.map((p, i) => <span key={p}>{i ? ', ' : ''}<Text of={p} max={60} /></span>)}</>;
}

const tones: Record<Need['what'], string> = { late: 'bad', doubt: 'doubt', task: 'wait', nobody: 'bad', update: 'wait', commander: 'wait', quiet: 'good', next: 'off' };
const glyphs: Record<Need['what'], string> = { late: 'quarantined', doubt: 'in-doubt', task: 'open', nobody: 'burning', update: 'queued', commander: 'open', quiet: 'resolved', next: 'pending' };

function Needed({ of: n, can, now, act }: { of: Need; can: boolean; now: number } & Pick<Props, 'act'>) {
  const say = (text: ReactNode, does?: ReactNode) => <><Glyph status={glyphs[n.what]} quiet /><span>{text}</span>{does ? <span className="end">{does}</span> : null}</>;
  const button = (says: string, run: () => void) => (can ? <button type="button" className="button small" onClick={run}>{says}</button> : null);
  switch (n.what) {
    case 'late': return say(<>The next step is overdue by {relative(parse(n.at), now).replace(' ago', '')}: say how it stands.</>, button('Say it now', () => act('update')));
    case 'doubt': return say(<>Nobody knows whether a step of <Link to={to.run(n.run)}><Text of={n.name} max={60} /></Link> happened.</>);
    case 'task': return say(<>It waits for an answer: <Link to={to.task(n.task)}><Text of={n.name} max={160} /></Link></>, parse(n.due) ? <span className={parse(n.due) - now < 600_000 ? 'tone-bad' : 'dim'}>{relative(parse(n.due), now)}</span> : null);
    case 'nobody': return say('Nobody has taken it.');
    case 'update': return say(<>People have heard nothing for a while; an update was due <At at={n.at} />.</>, button('Say it now', () => act('update')));
    case 'commander': return say('Nobody commands it.');
    case 'quiet': return say('None of its alerts fires any more.', button('End it', () => act('resolve')));
    case 'next': return say('No next step is named.', button('Name it', () => act('update')));
  }
}
