// Home: what needs me, what burns, what nobody knows, what is held back, what runs, what failed, and the day behind it. It is
// left open on the wall: the worst is first, and the frame stands still whatever comes.
import { Fragment, type ReactNode, useSyncExternalStore } from 'react';

import { useAsk } from '../../api/query';
import { bodyOf, type RunBody } from '../../api/rows';
import type { Row } from '../../api/schema';
import { useMay, useMe } from '../../app/me';
import { burns, needs, useIncidents, useOpenTasks } from '../../app/needs';
import { Link } from '../../app/router';
import { useTitle } from '../../app/title';
import { count } from '../../lib/text';
import { Group, List } from '../../ui/List';
import { Empty, Failed, Loading } from '../../ui/State';
import { Glyph, type Tone } from '../../ui/Status';
import { Ago, At, useMinute } from '../../ui/Time';
import { badness } from './day';
import { Burning, Halted, Held, Loosened, Observed, RunLine, Stands, Startable, Task } from './Now';
import { alike, byDue, holds, lately, quietSince, worstIncidents } from './sort';
import { Strip } from './Strip';
import { useDay } from './useDay';
import './home.css';

const alive = ['running', 'waiting', 'paused', 'interrupted', 'undoing', 'cancelling', 'in-doubt', 'pending'];

const tall = typeof matchMedia === 'undefined' ? null : matchMedia('(min-height: 62rem)');
const useTall = () => useSyncExternalStore((heard) => { tall?.addEventListener('change', heard); return () => tall?.removeEventListener('change', heard); }, () => tall?.matches ?? false);

export default function Home() {
  useTitle('Home');
  const me = useMe();
  const may = useMay();
  const minute = useMinute();
  const tasks = useOpenTasks();
  const incidents = useIncidents();
  const ended = useAsk('listIncidents', { query: { limit: 100 } });
  const going = useAsk('listRuns', { query: { status: alive, limit: 500 } });
  const failed = useAsk('listRuns', { query: { status: ['failed', 'quarantined'], limit: 50 } });
  const waiting = useAsk('listEvents', { query: { status: ['held', 'queued'], limit: 50 } });
  const rules = useAsk('rules', {});
  const status = useAsk('status', {});
  const today = useDay(minute, going.data?.rows);
  const lanes = useTall() ? 10 : 6;

  const asked = [me, tasks, incidents, ended, going, failed, waiting, rules, status];
  if ((!today.ready && !today.error) || asked.some((a) => a.data === undefined && !a.error)) return <Frame><div className="panel home-wait"><Loading lines={8} what="what is on" /></div></Frame>;
  const no = [tasks, incidents, going].map((a) => a.error).find((e) => e !== null);
  if (no && !tasks.data && !incidents.data && !going.data) return <div className="home"><h1 className="sr">Home</h1><div className="panel"><Failed error={no} retry={today.retry} /></div></div>;

  const open = tasks.data?.rows ?? [];
  const mine = byDue(open.filter((t) => needs(t, me.data, may)));
  const burn = worstIncidents((incidents.data?.rows ?? []).filter(burns));
  const calmed = worstIncidents((incidents.data?.rows ?? []).filter((i) => !burns(i)));
  const runs = going.data?.rows ?? [];
  const doubt = runs.filter((r) => r.status === 'in-doubt');
  const held = holds(runs, waiting.data?.rows ?? [], minute);
  const moving = runs.filter((r) => r.status !== 'in-doubt').sort((a, b) => badness(b.status) - badness(a.status));
  const bad = lately(failed.data?.rows ?? [], minute, 24);
  const observed = today.rows.filter((r) => (bodyOf<RunBody>(r).observed ?? 0) > 0);
  const well = today.rows.filter((r) => r.status === 'succeeded' && !(bodyOf<RunBody>(r).observed ?? 0));
  const halts = rules.data?.halts ?? [];
  const quiet = halts.length + mine.length + burn.length + doubt.length + held.length + calmed.length === 0 && !asked.some((a) => a.data === undefined);
  const since = quietSince(failed.data?.rows ?? [], ended.data?.rows ?? []);
  const others = open.length - mine.length;
  const observing = rules.data?.modes.some((m) => m.mode === 'observe') ?? false;

  const group = (id: string, title: string, rows: Row[], most: number, line: (r: Row) => ReactNode, all?: string) => (
    <Group id={id} title={title} n={rows.length} end={all ? <Link to={all}>{rows.length > most ? `all ${rows.length}` : 'all'}</Link> : undefined}>{rows.slice(0, most).map((r) => <Fragment key={r.id}>{line(r)}</Fragment>)}</Group>
  );
  // Only what is known is said to be nothing.
  const fine = [tasks.data && !mine.length && 'nothing waits for you', incidents.data && !burn.length && (calmed.length ? 'nothing burns' : 'no incident is open'), going.data && !doubt.length && 'nothing is in doubt',
    going.data && waiting.data && !held.length && 'no guard holds anything back', going.data && !moving.length && 'nothing runs'].filter(Boolean).join(', ');
  const fresh = quiet && today.rows.length === 0 && !moving.length && (ended.data?.rows.length ?? 0) === 0 && (failed.data?.rows.length ?? 0) === 0;
  const ranWell = group('well', 'Went well', well, 16, (r) => <RunLine row={r} />, '/runs?status=succeeded&since=24h');

  return (
    <div className="home">
      <h1 className="sr">Home</h1>
      <ul className="readings" aria-label="At a glance">
        {quiet ? <Quiet since={since} began={status.data?.since} /> : (
          <>
            <Reading to="/inbox" n={tasks.data ? mine.length : null} says="need you" one="needs you" glyph="open" tone="wait" />
            <Reading to="/incidents" n={incidents.data ? burn.length : null} says="burning" glyph="burning" tone="bad" />
            <Reading to="/runs?status=in-doubt" n={going.data ? doubt.length : null} says="in doubt" glyph="in-doubt" tone="doubt" />
            <Reading to={held.length ? '#held' : '/guards'} n={going.data ? held.length : null} says="held back" glyph="held" tone="wait" />
          </>
        )}
        <Reading to="/runs?status=going" n={going.data ? moving.length : null} says="going on" glyph="running" tone="live" />
        <Reading to="/runs?status=failed&since=24h" n={failed.data ? bad.length : null} says="failed in 24 h" glyph="failed" tone="bad" />
      </ul>
      {today.error && today.rows.length === 0 ? <div className="panel"><Failed error={today.error} retry={today.retry} what="runs" /></div>
        : <Strip runs={today.rows} incidents={ended.data?.rows ?? []} now={minute} max={lanes} since={today.since} />}
      <div className="home-cols">
        <section className="panel" aria-label="Now" tabIndex={0}>
          <Errors of={[tasks.error, incidents.error, going.error]} />
          {fresh ? (
            <Empty title="Nothing has happened here yet">
              A run begins with an alert, a schedule or a person. See <Link to="/integrations">what this server hears from</Link>, look at <Link to="/events">what arrived</Link>, or start a playbook.
            </Empty>
          ) : null}
          <List label="What is on now" className="home-list">
            <Group id="halted" title="Halted" n={halts.length} end={<Link to="/guards">guards and halt</Link>}>{halts.map((h) => <Halted key={h.id} of={h} />)}</Group>
            {group('needs', 'Needs you', mine, 8, (r) => <Task row={r} />, '/inbox')}
            {group('burning', 'Burning', burn, 8, (r) => <Burning row={r} />, '/incidents')}
            {group('doubt', 'In doubt', doubt, 6, (r) => <RunLine row={r} />, '/runs?status=in-doubt')}
            <Group id="held" title="Held back by guards" n={held.length} end={<Link to="/guards">guards</Link>}>{held.slice(0, 6).map((h) => <Held key={h.id} of={h} />)}</Group>
            {group('calmed', 'Mitigated, not over', calmed, 4, (r) => <Burning row={r} />, '/incidents')}
            {group('running', 'Going on', moving, 12, (r) => <RunLine row={r} />, '/runs?status=going')}
            {ranWell}
            {fresh ? <Startable /> : null}
          </List>
          <p className="home-fine dim">{fine ? `${fine[0]?.toUpperCase()}${fine.slice(1)}.` : null}{others > 0 ? <> <Link to="/inbox">{count(others, 'task')} asked of others.</Link></> : null}</p>
        </section>
        <section className="panel" aria-label="Lately" tabIndex={0}>
          <Errors of={[failed.error, rules.error]} />
          <List label="What was lately" className="home-list home-late">
            <Group id="failed" title="Failed in the last 24 hours" n={bad.length} end={<Link to="/runs?status=failed&since=24h">all</Link>}>{alike(bad).slice(0, 10).map((s) => <RunLine key={s.last.id} row={s.last} times={s.n} />)}</Group>
            {group('observed', 'Would have been done, were it not for observe', observed, 6, (r) => <Observed row={r} />)}
            <Group id="overrides" title="Loosened guards" n={rules.data?.overrides.length ?? 0} end={<Link to="/guards">guards</Link>}>{rules.data?.overrides.map((o) => <Loosened key={o.id} of={o} />)}</Group>
            <Group title="What guards hold everybody to" n={rules.data?.guards.length ?? 0} end={<Link to="/guards">guards</Link>}>{rules.data?.guards.slice(0, 12).map((g) => <Stands key={`${g.project}/${g.name}`} of={g} />)}</Group>
          </List>
          <p className="home-fine dim">{failed.data && !bad.length ? 'Nothing failed in the last 24 hours. ' : null}{observing && observed.length === 0 ? 'Nothing would have been done yet. ' : null}{rules.data ? <Link to="/guards">{count(rules.data.guards.length, 'guard')}, {rules.data.overrides.length ? `${rules.data.overrides.length} loosened` : 'none loosened'}.</Link> : null}</p>
        </section>
      </div>
    </div>
  );
}

/** What stands there while nothing is known. */
function Frame({ children }: { children: ReactNode }) {
  return <div className="home"><h1 className="sr">Home</h1><div className="readings" aria-hidden />{children}<div className="home-cols" aria-hidden><div className="panel" /><div className="panel" /></div></div>;
}

function Errors({ of }: { of: (Error | null)[] }) {
  const first = of.find((e) => e !== null);
  return first ? <Failed error={first} /> : null;
}

function Reading({ to: there, n, says, one, glyph, tone }: { to: string; n: number | null; says: string; one?: string; glyph: string; tone: Tone }) {
  const words = <><Glyph status={glyph} quiet size={18} /><b>{n ?? '–'}</b> <span>{n === 1 && one ? one : says}</span></>;
  return <li data-tone={n ? tone : undefined}>{there.startsWith('#') ? <a href={there}>{words}</a> : <Link to={there}>{words}</Link>}</li>;
}

function Quiet({ since, began }: { since: string | undefined; began: string | undefined }) {
  return (
    <li className="home-quiet">
      <Glyph status="succeeded" quiet size={18} />
      <strong>Quiet</strong>
      <span>{since ? <>since <At at={since} />, the last trouble ended <Ago at={since} /></> : <>no trouble is known{began ? <>; this server began <Ago at={began} /></> : null}</>}</span>
    </li>
  );
}
