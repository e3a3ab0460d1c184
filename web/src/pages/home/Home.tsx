// Home: what needs me, what burns, what runs, what nobody knows, what is held back, what failed. It is left open on the
// wall, so the head is a row of readings that can be read from far.
import type { ReactNode } from 'react';

import { useAsk } from '../../api/query';
import { bodyOf, type RunBody, type TaskBody } from '../../api/rows';
import type { Row, Rules } from '../../api/schema';
import { askedOf, useMe } from '../../app/me';
import { go, Link, to } from '../../app/router';
import { useTitle } from '../../app/title';
import { person } from '../../lib/text';
import { parse } from '../../lib/time';
import { RunRow } from '../../ui/RunRow';
import { Empty, Shown } from '../../ui/State';
import { Glyph, type Tone } from '../../ui/Status';
import { Text } from '../../ui/Text';
import { Ago, serverNow, Until } from '../../ui/Time';
import { holds, lately, type Hold } from './sort';
import './home.css';

const alive = ['running', 'waiting', 'paused', 'interrupted', 'undoing', 'cancelling', 'in-doubt', 'pending'];

export default function Home() {
  useTitle('Home');
  const me = useMe();
  const tasks = useAsk('listTasks', { query: { status: ['open'], limit: 200 } });
  const incidents = useAsk('listIncidents', { query: { status: ['open', 'acknowledged', 'mitigated'], limit: 200 } });
  const going = useAsk('listRuns', { query: { status: alive, limit: 500 } });
  const failed = useAsk('listRuns', { query: { status: ['failed', 'quarantined'], limit: 50 } });
  const recent = useAsk('listRuns', { query: { limit: 200 } });
  const rules = useAsk('rules', {});

  const open = tasks.data?.rows ?? [];
  const mine = open.filter((t) => askedOf(bodyOf<TaskBody>(t).from, me.data));
  const others = open.length - mine.length;
  const runs = going.data?.rows ?? [];
  const doubt = runs.filter((r) => r.status === 'in-doubt');
  const held = holds(runs);
  const moving = runs.filter((r) => r.status !== 'in-doubt');
  const bad = lately(failed.data?.rows ?? [], serverNow(), 24);
  const observed = (recent.data?.rows ?? []).filter((r) => (bodyOf<RunBody>(r).observed ?? 0) > 0);
  const observing = rules.data?.modes.some((m) => m.mode === 'observe') ?? false;
  const n = (ready: boolean, x: number) => (ready ? x : null);

  return (
    <div className="home">
      <h1 className="sr">Home</h1>
      <ul className="readings" aria-label="At a glance">
        <Reading to="#needs" n={n(!!tasks.data, mine.length)} says="need you" tone="wait" />
        <Reading to="#burning" n={n(!!incidents.data, incidents.data?.rows.length ?? 0)} says="burning" tone="bad" />
        <Reading to="#running" n={n(!!going.data, moving.length)} says="going on" tone="live" />
        <Reading to="#doubt" n={n(!!going.data, doubt.length)} says="in doubt" tone="doubt" />
        <Reading to="#held" n={n(!!going.data, held.length)} says="held back" tone="wait" />
        <Reading to="#failed" n={n(!!failed.data, bad.length)} says="failed in 24 h" tone="bad" />
      </ul>
      <div className="home-cols">
        <div className="home-main">
          <Panel id="needs" title="Needs you" n={mine.length} end={others > 0 ? <span className="dim">{others} more asked of others</span> : null}>
            <Shown of={tasks} what="tasks" none={{ when: () => mine.length === 0, show: <Empty title="Nothing waits for you">Approvals, forms and doubts that you may answer stand here.</Empty> }}>
              {() => <ul className="rows">{mine.map((t) => <Task key={t.id} row={t} />)}</ul>}
            </Shown>
          </Panel>
          <Panel id="burning" title="Burning" n={incidents.data?.rows.length ?? 0}>
            <Shown of={incidents} what="incidents" none={{ when: (d) => d.rows.length === 0, show: <Empty title="No incident is open" /> }}>
              {(d) => <ul className="rows">{d.rows.map((i) => <Incident key={i.id} row={i} />)}</ul>}
            </Shown>
          </Panel>
          <Panel id="running" title="Going on" n={moving.length} end={<Link to="/runs">all runs</Link>}>
            <Shown of={going} what="runs" none={{ when: () => moving.length === 0, show: <Empty title="Nothing runs">A trigger, <code>tend run</code> or a person starts a playbook.</Empty> }}>
              {() => <List of={moving.slice(0, 20)} more={moving.length - 20} />}
            </Shown>
          </Panel>
        </div>
        <div className="home-side">
          <Panel id="doubt" title="In doubt" n={doubt.length}>
            <Shown of={going} what="runs" lines={2} none={{ when: () => doubt.length === 0, show: <Empty title="Nothing is in doubt">Of every effect it is known whether it happened.</Empty> }}>
              {() => <List of={doubt} />}
            </Shown>
          </Panel>
          <Panel id="held" title="Held back by guards" n={held.length}>
            <Shown of={going} what="runs" lines={2} none={{ when: () => held.length === 0, show: <Empty title="No guard holds anything back" /> }}>
              {() => <ul className="rows">{held.map((h) => <Held key={h.run + h.path} of={h} />)}</ul>}
            </Shown>
          </Panel>
          <Panel id="failed" title="Failed in the last 24 hours" n={bad.length} end={<Link to="/runs?status=failed">all that failed</Link>}>
            <Shown of={failed} what="runs" none={{ when: () => bad.length === 0, show: <Empty title="Nothing failed" /> }}>
              {() => <List of={bad.slice(0, 12)} more={bad.length - 12} />}
            </Shown>
          </Panel>
          {observing || observed.length > 0 ? (
            <Panel id="observed" title="Would have been done" n={observed.length}>
              <Shown of={recent} what="runs" lines={2} none={{ when: () => observed.length === 0, show: <Empty title="Nothing yet">In the mode observe, effects are rendered, recorded and not begun. They are listed here.</Empty> }}>
                {() => <List of={observed.slice(0, 12)} more={observed.length - 12} />}
              </Shown>
            </Panel>
          ) : null}
          {rules.data && rules.data.overrides.length > 0 ? <Overrides rules={rules.data} /> : null}
        </div>
      </div>
    </div>
  );
}

function Reading({ to: there, n, says, tone }: { to: string; n: number | null; says: string; tone: Tone }) {
  return (
    <li data-tone={n ? tone : undefined}>
      <a href={there}><b>{n ?? '–'}</b><span>{says}</span></a>
    </li>
  );
}

function Panel({ id, title, n, end, children }: { id: string; title: string; n: number; end?: ReactNode; children: ReactNode }) {
  return (
    <section className="panel" id={id} aria-labelledby={`${id}-head`}>
      <header><h2 id={`${id}-head`}>{title} {n > 0 ? <span className="tally">{n}</span> : null}</h2>{end ? <span className="end">{end}</span> : null}</header>
      {children}
    </section>
  );
}

const goRun = (id: string) => go(to.run(id));

function List({ of, more = 0 }: { of: Row[]; more?: number }) {
  return <div className="home-list">{of.map((r) => <RunRow key={r.id} row={r} open={goRun} />)}{more > 0 ? <p className="home-more dim">and {more} more</p> : null}</div>;
}

const asks: Record<string, string> = { approve: 'approve', ask: 'fill in', manual: 'do', doubt: 'did it happen?' };

function Task({ row }: { row: Row }) {
  const t = bodyOf<TaskBody>(row);
  const late = parse(t.expires) - serverNow();
  return (
    <li>
      <Link to={to.task(row.id)} className="home-task" data-soon={late < 10 * 60_000 || undefined}>
        <Glyph status={t.type === 'doubt' ? 'in-doubt' : 'open'} />
        <span className="clip"><span className="tag">{asks[t.type ?? ''] ?? t.type}</span> <Text of={t.message || t.title || row.name} max={140} /></span>
        <span className="clip dim">for <Text of={person(t.requester ?? '')} max={40} /></span>
        <span className="num">{t.expires ? <>until <Until at={t.expires} /></> : <span className="dim"><Ago at={row.at} /></span>}</span>
      </Link>
    </li>
  );
}

function Incident({ row }: { row: Row }) {
  const b = bodyOf<{ severity: string; next: string; nextBy: string; commander: string }>(row);
  const severity = b.severity ?? row.tag ?? '';
  return (
    <li>
      <Link to={to.incident(row.id)} className="home-incident">
        <Glyph status={row.status === 'open' ? 'burning' : (row.status ?? '')} />
        <span className="clip"><span className={`tag ${severity === 'critical' ? 'bad' : severity === 'major' ? 'wait' : ''}`}>{severity}</span> <Text of={row.name} max={140} /></span>
        <span className="clip dim">{b.next ? <>next: <Text of={b.next} max={120} /></> : b.commander ? <>with <Text of={person(b.commander)} max={40} /></> : 'nobody has it'}</span>
        <span className="num dim"><Ago at={row.at} /></span>
      </Link>
    </li>
  );
}

function Held({ of: h }: { of: Hold }) {
  return (
    <li>
      <Link to={to.run(h.run, h.path)} className="home-held">
        <Glyph status="held" />
        <span className="clip"><Text of={h.guard} max={60} /> <span className="dim">holds</span> <Text of={h.name} max={60} /></span>
        <span className="num">{h.until ? <>until <Until at={h.until} /></> : <span className="dim">until somebody lets it</span>}</span>
        {h.why ? <span className="why dim clip"><Text of={h.why} max={200} /></span> : null}
      </Link>
    </li>
  );
}

function Overrides({ rules }: { rules: Rules }) {
  return (
    <Panel id="overrides" title="Overrides" n={rules.overrides.length}>
      <ul className="rows">{rules.overrides.map((o) => (
        <li key={o.id} className="home-held"><Glyph status="paused" /><span className="clip"><Text of={o.guard} max={60} /> <span className="dim">is loosened by</span> <Text of={person(o.by)} max={40} /></span><span className="num">until <Until at={o.until} /></span><span className="why dim clip"><Text of={o.why} max={200} /></span></li>
      ))}</ul>
    </Panel>
  );
}

