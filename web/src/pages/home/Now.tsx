// What is on now, the worst first, as one list; and what was lately.
import type { ReactNode } from 'react';

import { useAsk } from '../../api/query';
import { bodyOf, type RunBody, type TaskBody } from '../../api/rows';
import type { Guard, Halt, Incident, Override, Row } from '../../api/schema';
import { Link, to } from '../../app/router';
import { questionOf } from '../../lib/answer';
import { scopeOf } from '../../lib/scope';
import { label, person } from '../../lib/text';
import { parse } from '../../lib/time';
import { Cell, GlyphCell, Group, Line } from '../../ui/List';
import { cause, over, WaitWords } from '../../ui/RunRow';
import { Severity } from '../../ui/Severity';
import { lookOf } from '../../ui/Status';
import { Sentence, Text } from '../../ui/Text';
import { Ago, At, Took, useMinute } from '../../ui/Time';
import { type Hold, unclaimed } from './sort';

/** extra: its words are left out where there is no room for a second line. */
function Entry({ status, there, name, children, end, tone, extra }: { extra?: boolean; status: string; there: string; name: ReactNode; children: ReactNode; end: ReactNode; tone?: 'bad' | 'doubt' | 'wait' | undefined }) {
  return (
    <Line tone={tone}>
      <GlyphCell status={status} />
      <Cell clip className="home-name"><Link to={there} className="whole">{name}</Link></Cell>
      <Cell clip className={extra ? 'home-detail home-extra' : 'home-detail'}>{children}</Cell>
      <Cell num className="home-end">{end}</Cell>
    </Line>
  );
}

const asks: Record<string, string> = { approve: 'approve', ask: 'fill in', manual: 'do by hand', doubt: 'say whether it happened', review: 'review' };

export function Task({ row }: { row: Row }) {
  const t = bodyOf<TaskBody>(row);
  const now = useMinute();
  const soon = parse(t.expires) - now < 10 * 60_000;
  return (
    <Entry status={t.type === 'doubt' ? 'in-doubt' : 'open'} there={to.task(row.id)} tone={t.type === 'doubt' ? 'doubt' : soon ? 'bad' : 'wait'} name={<Text of={questionOf(t, row.name)} max={160} />}
      end={Number.isNaN(parse(t.expires)) ? <span className="dim"><Ago at={row.at} /></span> : <span className={soon ? 'tone-bad' : undefined}>ends <Ago at={t.expires} /></span>}>
      {asks[t.type ?? ''] ?? t.type}{t.requester ? <span className="dim">, for <Text of={person(t.requester)} max={40} /></span> : null}
    </Entry>
  );
}

export function Burning({ row }: { row: Row }) {
  const b = bodyOf<Incident>(row);
  const now = useMinute();
  const free = unclaimed(b);
  const late = parse(b.nextBy) < now;
  return (
    <Entry status={row.status === 'open' ? 'burning' : (row.status ?? '')} there={to.incident(row.id)} tone={row.status === 'mitigated' ? undefined : b.severity === 'critical' ? 'bad' : b.severity === 'major' && free ? 'wait' : undefined} name={<Text of={row.name} max={160} />}
      end={<Took from={b.opened ?? row.at} />}>
      <Severity of={b.severity} /> <span className="home-who">{free ? <span className={row.status === 'mitigated' ? 'dim' : 'tone-bad'}>nobody has it</span> : <span className="dim">with <Text of={person(b.commander || b.responders?.join(', ') || '')} max={40} /></span>}</span>
      {b.next ? <span className={late ? 'tone-bad' : 'dim'}>, next: <Text of={b.next} max={120} />{b.nextBy ? <> <Ago at={b.nextBy} /></> : null}</span> : null}
    </Entry>
  );
}

export function Held({ of: h }: { of: Hold }) {
  return (
    <Entry status="held" there={h.run ? to.run(h.run, h.path) : to.event(h.event ?? '')} name={<Text of={h.name} max={120} />}
      end={h.until ? <>until <At at={h.until} /></> : <span className="dim">until it is let go</span>}>
      {h.why ? <Sentence of={h.why} /> : <>guard <Text of={h.guard} max={60} /></>}
    </Entry>
  );
}

/** A run, whatever it is doing; times: how often it came out so. */
export function RunLine({ row, times = 1 }: { row: Row; times?: number }) {
  const b = bodyOf<RunBody>(row);
  const status = row.status ?? '';
  const wait = over(status) ? undefined : b.waits?.[0];
  const bad = status === 'failed' || status === 'quarantined';
  return (
    <Entry status={status} there={to.run(row.id)} extra={status === 'succeeded'} tone={status === 'in-doubt' ? 'doubt' : undefined} name={<><Text of={row.name || 'nameless'} max={120} />{times > 1 ? <span className="home-times"> {times} times</span> : null}</>}
      end={over(status) ? <span className="dim"><Ago at={b.ended ?? row.at} /></span> : <Took from={b.started ?? row.at} />}>
      {bad ? <span className="tone-bad"><Text of={b.fault?.message ?? lookOf(status).says} max={240} /></span> : wait ? <WaitWords of={wait} /> : over(status) ? <span className="dim">took <Took from={b.started ?? row.at} to={b.ended} />, <Text of={cause(b)} max={60} /></span> : <>{lookOf(status).says}<span className="dim">, <Text of={cause(b)} max={60} /></span></>}
    </Entry>
  );
}

/** What a run would have done, were it let: by the names of its steps. */
export function Observed({ row }: { row: Row }) {
  const n = bodyOf<RunBody>(row).observed ?? 0;
  const glance = useAsk('glanceRun', { path: { run: row.id } }, { fixed: over(row.status) });
  const steps = glance.data?.steps.filter((s) => s.would) ?? [];
  return (
    <Entry status="skipped" there={to.run(row.id, steps[0]?.path)} name={<Text of={row.name} max={120} />} end={<span className="dim"><Ago at={row.at} /></span>}>
      {steps.length ? <>would have done: <Text of={steps.slice(0, 4).map((s) => s.label).join(', ')} max={200} />{steps.length > 4 ? ` and ${steps.length - 4} more` : ''}</> : `${n} ${n === 1 ? 'effect' : 'effects'} recorded, not done`}
    </Entry>
  );
}

export function Loosened({ of: o }: { of: Override }) {
  return (
    <Entry status="paused" there="/guards" name={<Text of={o.guard} max={80} />} end={<>until <At at={o.until} /></>}>
      loosened by <Text of={person(o.by)} max={40} />{o.why ? <span className="dim">, <Text of={o.why} max={200} /></span> : null}
    </Entry>
  );
}

export function Halted({ of: h }: { of: Halt }) {
  return (
    <Entry status="held" there="/guards" tone="bad" name={<Text of={scopeOf(h)} max={120} />} end={<Took from={h.at} />}>
      <span className="home-why" title={h.why ? label(h.why, 600) : undefined}>halted by <Text of={person(h.by)} max={40} />{h.why ? <>: <Text of={h.why} max={600} /></> : null}</span>
    </Entry>
  );
}

/** What stands whatever happens: what a guard holds people to. */
export function Stands({ of: g }: { of: Guard }) {
  return <Entry status="guards" there="/guards" name={<Text of={g.name} max={80} />} end={null}><span className="dim"><Text of={g.says} max={300} /></span></Entry>;
}

/** Where nothing has happened yet: what could. */
export function Startable() {
  const books = useAsk('listPlaybooks', {});
  const list = books.data?.playbooks ?? [];
  return (
    <Group title="Playbooks that are live" n={list.length} end={<Link to="/playbooks">all</Link>}>{list.slice(0, 12).map((p) => (
      <Entry key={`${p.project}/${p.environment ?? ''}/${p.name}`} status="pending" there={to.playbook(p.name)} name={<Text of={p.name} max={120} />} end={<span className="dim">{p.mutates ? 'changes things' : 'only looks'}</span>}>
        <span className="dim"><Text of={p.description} max={200} /></span>
      </Entry>
    ))}</Group>
  );
}
