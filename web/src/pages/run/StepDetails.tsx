// What is known of a step, in the order in which somebody asks: how it stands, what it does and to what, what it was given
// and gave, its attempts, who was asked, and how it is undone.
import type { ReactNode } from 'react';

import { address } from '../../api/client';
import { useAsk } from '../../api/query';
import { bodyOf, type TaskBody } from '../../api/rows';
import type { GlanceStep, StepDetail } from '../../api/schema';
import { Link, to } from '../../app/router';
import { bytes, count, person } from '../../lib/text';
import { lookOf, Status } from '../../ui/Status';
import { Data, Sentence, Text } from '../../ui/Text';
import { At, Took, Until } from '../../ui/Time';
import type { What } from './Asked';
import { shownAs } from './model';

const has = (o: object | undefined) => !!o && Object.keys(o).length > 0;

function Part({ title, children }: { title: string; children: ReactNode }) {
  return <section className="step-part"><h3>{title}</h3>{children}</section>;
}

export function StepDetails({ run, d, step }: { run: string; d: StepDetail; step: GlanceStep }) {
  const s = d.step;
  const output = d.large ?? s.output;
  return (
    <>
      {s.fault ? <p className="step-fault" data-tone={lookOf(shownAs(step)).tone}><Sentence of={s.fault.message} /></p> : null}
      <dl className="facts">
        <dt>state</dt><dd><Status of={shownAs(step)} />{s.verified ? <> · verified <Text of={s.verified} max={40} /></> : null}{s.started ? <span className="dim"> · <At at={s.started} exact />, <Took from={s.started} to={s.ended} /></span> : null}</dd>
        {s.why ? <><dt>because</dt><dd><Sentence of={s.why} /></dd></> : null}
        {s.held ? <><dt>held by</dt><dd><Text of={s.held} /> {s.due ? <>until <Until at={s.due} /></> : null}</dd></> : s.due && step.status === 'retrying' ? <><dt>tries again</dt><dd><Until at={s.due} /></dd></> : null}
        {s.uses ? <><dt>uses</dt><dd><code><Text of={s.uses} /></code>{s.line ? <span className="dim"> line {s.line}</span> : null}</dd></> : null}
        {s.effect ? <><dt>effect</dt><dd><span className={`tag ${s.effect === 'mutate' ? 'wait' : ''}`}>{s.effect}</span>{s.irreversible ? <> <span className="tag bad">irreversible</span></> : null}</dd></> : null}
        {s.targets?.length ? <><dt>{s.targets.length === 1 ? 'target' : 'targets'}</dt><dd>{s.targets.slice(0, 100).map((t) => <div key={t}><code><Text of={t} max={300} /></code></div>)}{s.targets.length > 100 ? <span className="dim">and {s.targets.length - 100} more</span> : null}</dd></> : null}
        {s.runner ? <><dt>runs on</dt><dd><Text of={s.runner} /></dd></> : null}
        {s.guards?.length ? <><dt>allowed by</dt><dd><Text of={s.guards.join(', ')} max={300} /></dd></> : null}
        {s.lock ? <><dt>lock</dt><dd><code><Text of={s.lock} /></code></dd></> : null}
        {s.child ? <><dt>sub-playbook</dt><dd><Link to={to.run(s.child)}>{s.child}</Link></dd></> : null}
        {s.loop ? <><dt>iterations</dt><dd>{s.loop.succeeded} succeeded, {s.loop.failed} failed, {s.loop.skipped} skipped, of {s.loop.count}{s.loop.broke ? ', then it broke off' : ''}{s.loop.forgotten ? <span className="dim"> · {count(s.loop.forgotten, 'older one')} not shown</span> : null}</dd></> : null}
        {s.conditions?.map((c, i) => <Condition key={i} c={c} />)}
      </dl>
      {s.would ? (
        <Part title="Would have been done">
          <dl className="facts"><dt>action</dt><dd><code><Text of={s.would.action} /></code></dd><dt>effect</dt><dd>{s.would.effect}{s.would.irreversible ? ', irreversible' : ''}</dd>{s.would.targets?.length ? <><dt>targets</dt><dd><Text of={s.would.targets.join(', ')} max={600} /></dd></> : null}</dl>
          {has(s.would.inputs) ? <Data of={s.would.inputs} /> : null}
        </Part>
      ) : null}
      {step.task && !has(s.inputs) ? <Bound task={step.task} /> : null}
      {s.attempt?.length ? (
        <Part title="Attempts">
          <table className="step-table"><thead><tr><th scope="col">#</th><th scope="col">began</th><th scope="col" className="num">took</th><th scope="col">outcome</th></tr></thead>
            <tbody>{s.attempt.map((a) => (
              <tr key={a.number}><td>{a.number}</td><td><At at={a.started} /></td><td className="num"><Took from={a.started} to={a.ended} /></td><td className={`tone-${lookOf(a.outcome === 'in doubt' ? 'in-doubt' : a.outcome || 'running').tone}`}>{a.outcome || 'acts'}{a.fault ? <>: <Text of={a.fault.message} max={300} /></> : null}</td></tr>
            ))}</tbody></table>
          {(s.attempts ?? 0) > s.attempt.length ? <p className="dim">{(s.attempts ?? 0) - s.attempt.length} in between are not kept.</p> : null}
        </Part>
      ) : null}
      {has(s.inputs) ? <Part title="Given"><Data of={s.inputs} /></Part> : null}
      {has(output) || d.cut || s.sealed ? (
        <Part title="Gave">
          {has(output) ? <Data of={output} /> : null}
          {d.cut ? <p className="dim"><Sentence of={d.cut} /></p> : null}
          {s.sealed ? <p className="dim">It has outputs that are secret; they are sealed.</p> : null}
        </Part>
      ) : null}
      {s.artifacts?.length ? (
        <Part title="Artifacts"><ul>{s.artifacts.map((a) => (
          <li key={a.name}><a href={address('runBlob', { path: { run, blob: a.ref.id }, query: { salt: a.ref.salt, size: a.ref.size, sum: a.ref.sum } })} download={a.name.split('/').at(-1)}><Text of={a.name} /></a> <span className="dim">{bytes(a.ref.size)}</span></li>
        ))}</ul></Part>
      ) : null}
      {s.tasks?.length ? (
        <Part title="Asked"><ul className="step-asked">{s.tasks.map((t) => (
          <li key={t.id}><Link to={to.task(t.id)}>{t.type}</Link> <At at={t.asked} /> · {t.closed ? <><Text of={t.outcome} />{t.by?.length ? <> by <Text of={t.by.map((w) => person(w.name || w.id || '')).join(', ')} max={200} /></> : null}{t.why ? <>: <Text of={t.why} max={300} /></> : null}</> : <span className="tone-wait">open</span>}</li>
        ))}</ul></Part>
      ) : null}
      {s.undo ? (
        <Part title="Undo">
          <p>{s.undo.done ? 'It was undone.' : s.undo.none ? <>Nothing to restore: <Text of={s.undo.none} max={300} /></> : s.undo.fault ? <>It cannot be undone: <Sentence of={s.undo.fault.message} /></> : 'It can be undone.'}</p>
          {has(s.undo.inputs) ? <Data of={s.undo.inputs} /> : null}
        </Part>
      ) : null}
      <dl className="facts step-ids">
        {s.key ? <><dt>{s.kind === 'iteration' ? 'key' : 'idempotency key'}</dt><dd><code><Text of={s.key} max={120} /></code></dd></> : null}
        <dt>path</dt><dd><code><Text of={s.path} max={400} /></code></dd>
      </dl>
    </>
  );
}

/** What an open question is bound to: the step itself has not begun. */
function Bound({ task }: { task: string }) {
  const t = useAsk('showTask', { path: { task } });
  const what = t.data ? (bodyOf<TaskBody>(t.data).show as What | undefined) : undefined;
  if (!what) return null;
  return (
    <Part title="Would be done">
      <dl className="facts">
        <dt>action</dt><dd><code><Text of={what.action} /></code></dd>
        <dt>effect</dt><dd><span className={`tag ${what.effect === 'mutate' ? 'wait' : ''}`}>{what.effect}</span>{what.irreversible ? <> <span className="tag bad">irreversible</span></> : null}</dd>
        {what.targets?.length ? <><dt>{what.targets.length === 1 ? 'target' : 'targets'}</dt><dd>{what.targets.slice(0, 100).map((x) => <div key={x}><code><Text of={x} max={300} /></code></div>)}</dd></> : null}
      </dl>
      {has(what.inputs) ? <Data of={what.inputs} /> : null}
    </Part>
  );
}

function Condition({ c }: { c: NonNullable<StepDetail['step']['conditions']>[number] }) {
  return <><dt><Text of={c.what} max={20} /></dt><dd><code><Text of={c.text} max={300} /></code> {c.error ? <span className="tone-bad"><Text of={c.error} max={300} /></span> : c.value ? 'held' : 'did not hold'}</dd></>;
}
