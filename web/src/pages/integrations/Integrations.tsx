// What the server is connected to: whether it works, when it was heard of last, and what to do where it does not.
import type { ReactNode } from 'react';

import { live } from '../../api/live';
import { useAsk } from '../../api/query';
import type { Channel, Connections, Duty, Integration, NamedSecret, Source, Trouble } from '../../api/schema';
import { Link, to } from '../../app/router';
import { useTitle } from '../../app/title';
import { useStore } from '../../lib/store';
import { Cell, GlyphCell, Group, Line, List } from '../../ui/List';
import { Shown } from '../../ui/State';
import { lookOf, Status } from '../../ui/Status';
import { Sentence, Text } from '../../ui/Text';
import { Ago, serverNow } from '../../ui/Time';
import { Copy } from './Copy';
import { address, byNeed, standing, troubled, worst } from './standing';
import './integrations.css';

export default function Integrations() {
  useTitle('Integrations');
  const asked = useAsk('listIntegrations', {});
  const d = asked.data;
  const amiss = d ? troubled(d.sources, d.channels, d.integrations, d.runners, d.duties, d.repositories) : 0;
  const fails = d ? [d.sources, d.channels, d.integrations, d.runners, d.duties, d.repositories].some((l) => worst(l).trouble?.grade === 'fail') : false;
  return (
    <>
      <header className="head">
        <h1>Integrations</h1>
        {d ? (
          <>
            <span role="status">{amiss ? <Status of={fails ? 'failed' : 'interrupted'} says={amiss === 1 ? 'one needs a look' : `${amiss} need a look`} /> : <Status of="succeeded" says="nothing is wrong that the server knows of" />}</span>
            <span className="end"><Fresh at={asked.dataUpdatedAt} sought={d.sought} /><button type="button" className="button" disabled={asked.isFetching} onClick={() => { void asked.refetch(); }}>Ask again</button></span>
          </>
        ) : null}
      </header>
      <Shown of={asked} lines={12}>{(c) => <All of={c} />}</Shown>
    </>
  );
}

/** How old it is: while the connection lives the server tells when something stands otherwise. */
function Fresh({ at, sought }: { at: number; sought: string | undefined }) {
  const { state } = useStore(live);
  return (
    <span className="dim">
      {state === 'live' ? 'looked at every 5 s' : <>as of <Ago at={new Date(serverNow() - (Date.now() - at)).toISOString()} /></>}
      {sought ? <>, secrets <Ago at={sought} /></> : null}
    </span>
  );
}

function All({ of: c }: { of: Connections }) {
  const kinds: { name: string; of: { trouble?: Trouble }[]; rows: () => ReactNode[]; none: string }[] = [
    { name: 'Sources of events', of: c.sources, none: 'No event can come in: `tend connect alertmanager` adds a source, and sends a test.', rows: () => byNeed(c.sources).map((s) => <OneSource key={s.name} of={s} base={c.url} />) },
    { name: 'Channels', of: c.channels, none: 'Nobody is told of anything: name `channels` in the server’s file.', rows: () => byNeed(c.channels).map((x) => <OneChannel key={x.name} of={x} />) },
    { name: 'Connections', of: c.integrations, none: 'None: `integrations` of the server’s file, or documents of `kind: Integration` in a repository.', rows: () => byNeed(c.integrations).map((x) => <OneIntegration key={`${x.repository}/${x.environment}/${x.name}`} of={x} base={c.url} />) },
    { name: 'On call', of: c.duties, none: 'No duty: `onCall` of the server’s file says who is on call, or who knows.', rows: () => byNeed(c.duties).map((x) => <OneDuty key={x.name} of={x} />) },
    { name: 'Runners', of: c.runners, none: 'Steps run on the server alone: `runners` of its file names other places.', rows: () => byNeed(c.runners).map((x) => (
      <Row key={x.name} name={x.name} kind={x.kind} trouble={x.trouble}>
        <span className="mono"><Text of={`${x.user ? `${x.user}@` : ''}${x.host}${x.port ? `:${x.port}` : ''}`} max={160} /></span>{x.jump ? <> by way of <span className="mono"><Text of={x.jump} max={120} /></span></> : null}
      </Row>
    )) },
    { name: 'Repositories', of: c.repositories, none: 'No playbook can come in: the server’s file names `repositories`.', rows: () => byNeed(c.repositories).map((x) => (
      <Row key={x.name} name={x.name} to={`/revisions?repository=${encodeURIComponent(x.name)}`} kind={x.environment || undefined} trouble={x.trouble} project={x.project} seen={x.looked ?? ''} last="looked at">
        <Text of={x.place} max={160} />{x.live ? <> at <span className="mono">{x.live.slice(0, 12)}</span></> : <>, nothing of it is live</>}
      </Row>
    )) },
  ];
  const some = byNeed(kinds.filter((k) => k.of.length).map((k) => ({ ...k, ...worst(k.of) })));
  const none = kinds.filter((k) => k.of.length === 0);
  return (
    <div className="panel">
      <List label="What is connected" className="integrations-list" head={['', 'State', 'Name', { says: 'What it is', from: 'm' }, { says: 'Heard of', num: true, from: 'm' }]}>
        {some.map((k) => <Group key={k.name} title={k.name} n={k.of.length}>{k.rows()}</Group>)}
      </List>
      {none.length ? <dl className="integrations-none" aria-label="Nothing of these">{none.map((k) => <div key={k.name}><dt>{k.name}</dt><dd><Sentence of={k.none} /></dd></div>)}</dl> : null}
    </div>
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
    <Line tone={trouble ? (trouble.grade === 'fail' ? 'bad' : 'wait') : undefined}>
      <GlyphCell status={s.status} />
      <Cell className={`tone-${lookOf(s.status).tone}`}>{s.says}</Cell>
      <Cell className="integrations-name">
        {where ? <Link className="whole" to={where}>{label}</Link> : <strong>{label}</strong>}
        <span className="dim">{kind ? <Text of={kind} max={40} /> : null}{project && project !== 'default' ? <> in <Text of={project} max={60} /></> : null}</span>
      </Cell>
      <Cell className="integrations-what">
        {trouble ? (
          <span className="integrations-trouble">
            <span className={trouble.grade === 'fail' ? 'tone-bad' : 'tone-wait'}><Sentence of={trouble.text} />{trouble.since ? <span className="dim"> since <Ago at={trouble.since} /></span> : null}</span>
            {trouble.next ? <span>Next: <Sentence of={trouble.next} /></span> : null}
          </span>
        ) : null}
        {children ? <span className="dim">{children}</span> : null}
        {secrets.length ? <span className="dim">{secrets.length === 1 ? 'secret' : 'secrets'} {secrets.map((x, i) => <span key={x.name}>{i ? ', ' : ''}<code><Text of={x.name} max={80} /></code>{x.found ? '' : <span className="tone-bad"> (not found)</span>}</span>)}</span> : null}
      </Cell>
      <Cell num small from="m">{seen === undefined ? null : seen ? <span title={last}><Ago at={seen} /></span> : never ?? 'not yet'}</Cell>
    </Line>
  );
}

const ways: Record<string, string> = { push: 'pushed', pull: 'pulled: the server asks', time: 'made by the server itself' };

function OneSource({ of: s, base }: { of: Source; base: string | undefined }) {
  return (
    <Row name={s.name} to={`/events?source=${encodeURIComponent(s.name)}`} kind={s.kind} project={s.project} trouble={s.trouble} seen={s.heard ?? ''} last="last event" secrets={s.secrets}>
      {ways[s.way] ?? s.way}{s.signed ? <>, signed by {s.signed}</> : null}{s.hook ? <>: <Copy of={address(base, location.origin, s.hook)} what={`the hook of ${s.name}`} /></> : null}
      {s.address ? <> <span className="mono"><Text of={s.address} max={160} /></span></> : null}
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
    <Row name={c.name} kind={c.kind} trouble={c.trouble} seen={c.told ?? ''} last="last told" never="not yet">
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
      {x.hooks?.map((h) => <span key={h} className="integrations-hook"><Copy of={address(base, location.origin, h)} what={h} /></span>)}
    </Row>
  );
}

const knows: Record<string, string> = { calendar: 'a calendar says', grafana: 'Grafana OnCall says', jira: 'Jira Service Management says', pagerduty: 'PagerDuty says', rotation: 'people take turns' };

function OneDuty({ of: x }: { of: Duty }) {
  return (
    <Row name={x.name} kind={x.kind} trouble={x.trouble} secrets={x.secrets} {...(x.secrets.length ? { seen: x.asked ?? '', last: 'answered', never: 'no answer yet' } : {})}>
      {x.people.length ? <>now <strong><Text of={x.people.join(', ')} max={200} /></strong></> : 'nobody now'}; {knows[x.kind] ?? x.kind}
    </Row>
  );
}
