// What would be done, as it is bound to the answer: when any of it changes, the answer is void.
import { useAsk } from '../../api/query';
import type { TaskBody } from '../../api/rows';
import type { Glance, Layout, Row } from '../../api/schema';
import { Link } from '../../app/router';
import { Data, Sentence, Text } from '../../ui/Text';
import { after, placeOf } from './model';

interface What { action?: string; effect?: string; inputs?: Record<string, unknown>; targets?: string[]; irreversible?: boolean; runner?: string }

const effects: Record<string, string> = { read: 'It only reads.', idempotent: 'It changes something; done twice it is as if done once.', mutate: 'It changes something, and is not repeated by itself.' };

export function Plan({ b, row, run }: { b: Partial<TaskBody>; row: Row; run: Glance | undefined }) {
  const s = b.show as What | undefined;
  const layout = useAsk('runGraph', { path: { run: row.parent ?? '' } }, { when: Boolean(row.parent && s), fixed: true });
  if (!s) return null;
  const then = layout.data ? after(layout.data as Layout, placeOf(b.path ?? '')) : null;
  const inputs = s.inputs && Object.keys(s.inputs).length === 1 && s.inputs['with'] ? (s.inputs['with'] as Record<string, unknown>) : s.inputs;
  return (
    <>
      <section className="panel" aria-label="What would be done">
        <header><h2>What would be done</h2>{s.effect ? <span className={`tag ${s.effect === 'mutate' ? 'wait' : ''}`}>{s.effect}</span> : null}{s.irreversible ? <span className="tag bad">cannot be undone</span> : null}</header>
        <div className="body stack">
          <dl className="facts task-facts">
            <dt>action</dt><dd><code><Text of={s.action} max={120} /></code>{s.runner ? <> on <Text of={s.runner} max={120} /></> : null}. {effects[s.effect ?? ''] ?? ''}</dd>
            <dt>{s.targets?.length === 1 ? 'target' : 'targets'}</dt><dd>{s.targets?.length ? <ul className="task-targets">{s.targets.slice(0, 200).map((t) => <li key={t} className="mono"><Text of={t} max={300} /></li>)}{s.targets.length > 200 ? <li className="dim">and {s.targets.length - 200} more</li> : null}</ul> : <span className="dim">none are named</span>}</dd>
            {then ? (
              <>
                <dt>verified</dt><dd>{then.verify ? <>when <code><Text of={then.verify} max={200} /></code>{then.within ? `, within ${then.within}` : ''}; else the step has failed</> : <span className="dim">not by a step of its own</span>}</dd>
                <dt>undone</dt><dd>{s.irreversible ? <strong className="tone-bad">It cannot be undone.</strong> : then.undo ? <>by <code><Text of={then.undo} max={200} /></code>, when a later step fails or somebody rolls back</> : then.undoNone ? <>There is nothing to restore: <Text of={then.undoNone} max={300} /></> : <strong className="tone-wait">The playbook does not say how.</strong>}</dd>
              </>
            ) : null}
          </dl>
          {inputs && Object.keys(inputs).length ? <Data of={inputs} /> : null}
          <p className="dim">The answer is bound to this: if the inputs or the targets change, it is asked again.</p>
        </div>
      </section>
      {run ? <Guards name={run.head.name} project={row.project ?? ''} place={placeOf(b.path ?? '')} /> : null}
    </>
  );
}

/** The guards that are asked again before it begins, with what each holds people to. */
function Guards({ name, project, place }: { name: string; project: string; place: string }) {
  const around = useAsk('playbookAround', { path: { name }, query: { project } });
  if (!around.data) return null;
  const all = around.data.guards.filter((g) => g.steps.includes(place));
  return (
    <section className="panel" aria-label="Guards">
      <header><h2>Guards <span className="tally">{all.length}</span></h2><span className="end dim">asked again before it begins</span></header>
      {all.length ? (
        <ul className="rows task-guards">
          {all.map((g) => <li key={g.name}><Link to="/guards"><Text of={g.name} max={80} /></Link><span><Sentence of={g.says} /></span><span className="dim">else {{ hold: 'it waits', deny: 'it is refused', ask: 'a person is asked' }[g.then] ?? g.then}</span></li>)}
        </ul>
      ) : <p className="dim task-none">None is about this step.</p>}
    </section>
  );
}

