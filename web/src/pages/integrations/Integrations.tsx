// What the server is connected to: whether it works, when it was heard of last, and what to do where it does not.
import type { ReactNode } from 'react';

import { useAsk } from '../../api/query';
import type { Channel, Connections, Duty, Integration, NamedSecret, Source, Trouble } from '../../api/schema';
import { Link, to } from '../../app/router';
import { useTitle } from '../../app/title';
import { Empty, Shown } from '../../ui/State';
import { Status } from '../../ui/Status';
import { Sentence, Text } from '../../ui/Text';
import { Ago, serverNow } from '../../ui/Time';
import { Copy } from './Copy';
import { address, byNeed, standing, troubled } from './standing';
import './integrations.css';

export default function Integrations() {
  useTitle('Integrations');
  const asked = useAsk('listIntegrations', {});
  const d = asked.data;
  const amiss = d ? troubled(d.sources, d.channels, d.integrations, d.runners, d.duties, d.repositories) : 0;
  return (
    <>
      <header className="head"><h1>Integrations</h1>{d ? <span className="end"><span role="status">{amiss ? <Status of="interrupted" says={amiss === 1 ? 'one needs a look' : `${amiss} need a look`} /> : <Status of="succeeded" says="nothing is wrong that the server knows of" />}</span><span className="dim">asked <Ago at={new Date(serverNow() - (Date.now() - asked.dataUpdatedAt)).toISOString()} /></span><button type="button" className="button" disabled={asked.isFetching} onClick={() => { void asked.refetch(); }}>Ask again</button></span> : null}</header>
      <Shown of={asked} lines={12}>{(c) => <All of={c} />}</Shown>
    </>
  );
}

function All({ of: c }: { of: Connections }) {
  return (
    <div className="stack">
      <Panel name="Sources of events" count={c.sources.length} none={<Empty title="No event can come in"><Sentence of="Connect one: `tend connect alertmanager` writes what is needed, and sends a test." /></Empty>}>
        {byNeed(c.sources).map((s) => <OneSource key={s.name} of={s} base={c.url} />)}
      </Panel>
      <Panel name="Channels" count={c.channels.length} none={<Empty title="Nobody is told of anything"><Sentence of="Name `channels` in the server’s file; each goes through one of `integrations`." /></Empty>}>
        {byNeed(c.channels).map((x) => <OneChannel key={x.name} of={x} />)}
      </Panel>
      <Panel name="Connections" count={c.integrations.length} none={<Empty title="No integration is configured or declared"><Sentence of="`integrations` of the server’s file, and documents of `kind: Integration` in a repository." /></Empty>}>
        {byNeed(c.integrations).map((x) => <OneIntegration key={`${x.repository}/${x.environment}/${x.name}`} of={x} base={c.url} />)}
      </Panel>
      <div className="integrations-two">
        <Panel name="On call" count={c.duties.length} none={<Empty title="No duty is configured"><Sentence of="`onCall` of the server’s file says who is on call, or who knows." /></Empty>}>
          {byNeed(c.duties).map((x) => <OneDuty key={x.name} of={x} />)}
        </Panel>
        <Panel name="Runners" count={c.runners.length} none={<Empty title="No runner is configured"><Sentence of="Steps run on the server alone. `runners` of its file names other places." /></Empty>}>
          {byNeed(c.runners).map((x) => (
            <Row key={x.name} name={x.name} kind={x.kind} trouble={x.trouble}>
              <span className="mono"><Text of={`${x.user ? `${x.user}@` : ''}${x.host}${x.port ? `:${x.port}` : ''}`} max={160} /></span>{x.jump ? <> by way of <span className="mono"><Text of={x.jump} max={120} /></span></> : null}
            </Row>
          ))}
        </Panel>
      </div>
      <Panel name="Repositories" count={c.repositories.length} none={<Empty title="No repository is configured">The server’s file names them under <code>repositories</code>.</Empty>}>
        {byNeed(c.repositories).map((x) => (
          <Row key={x.name} name={x.name} to={`/revisions?repository=${encodeURIComponent(x.name)}`} kind={x.environment || undefined} trouble={x.trouble} project={x.project} seen={x.looked ?? ''} last="looked at">
            <Text of={x.place} max={160} />{x.live ? <> at <span className="mono">{x.live.slice(0, 12)}</span></> : <>, nothing of it is live</>}
          </Row>
        ))}
      </Panel>
    </div>
  );
}

function Panel({ name, count, none, children }: { name: string; count: number; none: ReactNode; children: ReactNode }) {
  return (
    <section className="panel" aria-label={name}>
      <header><h2>{name} <span className="tally">{count}</span></h2></header>
      {count ? <ul className="rows">{children}</ul> : none}
    </section>
  );
}

interface RowOf {
  name: string;
  to?: string;
  kind?: string | undefined;
  project?: string | undefined;
  trouble: Trouble | undefined;
  /** When it was heard of last; '' is not yet. Left out where nothing can be heard of it. */
  seen?: string;
  /** Said where it was not heard of, and that means nothing. */
  never?: string;
  last?: string;
  secrets?: NamedSecret[];
  children?: ReactNode;
}

function Row({ name, to: where, kind, project, trouble, seen, never, last = 'last', secrets = [], children }: RowOf) {
  const s = standing(trouble, seen || !never ? seen ?? null : null);
  const label = <Text of={name} max={80} />;
  return (
    <li className="integrations-row" aria-label={name}>
      <Status of={s.status} says={s.says} />
      <div className="what">
        <p><strong>{where ? <Link to={where}>{label}</Link> : label}</strong>{kind ? <> <span className="tag"><Text of={kind} max={40} /></span></> : null}{project ? <span className="dim"> in <Text of={project} max={60} /></span> : null}</p>
        {children ? <div className="dim">{children}</div> : null}
        {secrets.length ? <p className="dim">{secrets.length === 1 ? 'secret' : 'secrets'} {secrets.map((x, i) => <span key={x.name}>{i ? ', ' : ''}<code><Text of={x.name} max={80} /></code>{x.found ? '' : <span className="tone-bad"> (not found)</span>}</span>)}</p> : null}
        {trouble ? (
          <div className="integrations-trouble">
            <p className={trouble.grade === 'fail' ? 'tone-bad' : 'tone-doubt'}><Sentence of={trouble.text} />{trouble.since ? <span className="dim"> since <Ago at={trouble.since} /></span> : null}</p>
            {trouble.next ? <p>Next: <Sentence of={trouble.next} /></p> : null}
          </div>
        ) : null}
      </div>
      <span className="dim when">{seen === undefined ? null : seen ? <>{last} <Ago at={seen} /></> : never ?? 'not yet'}</span>
    </li>
  );
}

const ways: Record<string, string> = { push: 'pushed: it posts to', pull: 'pulled: the server asks', time: 'made by the server itself' };

function OneSource({ of: s, base }: { of: Source; base: string | undefined }) {
  return (
    <Row name={s.name} to={`/events?source=${encodeURIComponent(s.name)}`} kind={s.kind} project={s.project} trouble={s.trouble} seen={s.heard ?? ''} last="last event" secrets={s.secrets}>
      {ways[s.way] ?? s.way}{s.hook ? <> <Copy of={address(base, location.origin, s.hook)} what={`the hook of ${s.name}`} /></> : null}
      {s.address ? <> <span className="mono"><Text of={s.address} max={160} /></span></> : null}
      {s.signed ? <>, signed by {s.signed}</> : null}
      {s.every ? <>{s.kind === 'schedule' ? ', at' : s.kind === 'silence' ? ', silent for at most' : ', every'} <span className="mono">{s.every}</span></> : null}
      {s.asked ? <>, answered <Ago at={s.asked} /></> : null}
      {s.event ? <>. <Link to={to.event(s.event)}>The last event</Link></> : null}
    </Row>
  );
}

const hears: Record<string, string> = { escalations: 'questions nobody decided', glass: 'broken glass', pages: 'calls to people', runs: 'what runs do', tasks: 'questions' };

function OneChannel({ of: c }: { of: Channel }) {
  const of = c.kind === 'issues' ? 'action items become issues' : c.kind === 'threads' ? 'threads of runs that were started there' : ['incidents', ...c.hears.map((h) => hears[h] ?? h)].join(', ');
  return (
    <Row name={c.name} kind={c.kind} trouble={c.trouble} seen={c.told ?? ''} last="last told" never="nothing told since the start">
      {of}{c.severity ? <>, from {c.severity} on</> : null}{c.projects?.length ? <> of <Text of={c.projects.join(', ')} max={120} /></> : null}{c.integration ? <>, through <Text of={c.integration} max={60} /></> : null}
      . {c.waiting ? <strong className="tone-wait">{c.waiting === 1 ? 'One message waits' : `${c.waiting} messages wait`}{c.oldest ? <> since <Ago at={c.oldest} /></> : null}</strong> : 'No message waits'}
    </Row>
  );
}

function OneIntegration({ of: x, base }: { of: Integration; base: string | undefined }) {
  return (
    <Row name={x.name} kind={x.kind} project={x.project} trouble={x.trouble} secrets={x.secrets}>
      {x.description ? <><Text of={x.description} max={200} />. </> : null}
      {x.repository ? <>Declared by <Link to={`/revisions?repository=${encodeURIComponent(x.repository)}`}><Text of={x.repository} max={60} /></Link>{x.environment ? <> for <Text of={x.environment} max={60} /></> : null}</> : <>Of the server, for all projects</>}
      {x.hooks?.map((h) => <div key={h}><Copy of={address(base, location.origin, h)} what={h} /></div>)}
    </Row>
  );
}

const knows: Record<string, string> = { calendar: 'a calendar says', grafana: 'Grafana OnCall says', jira: 'Jira Service Management says', pagerduty: 'PagerDuty says', rotation: 'people take turns' };

function OneDuty({ of: x }: { of: Duty }) {
  return (
    <Row name={x.name} kind={x.kind} trouble={x.trouble} secrets={x.secrets} {...(x.secrets.length ? { seen: x.asked ?? '', last: 'answered', never: 'no answer since the start' } : {})}>
      {x.people.length ? <>now <strong><Text of={x.people.join(', ')} max={200} /></strong></> : 'nobody now'}; {knows[x.kind] ?? x.kind}
    </Row>
  );
}
