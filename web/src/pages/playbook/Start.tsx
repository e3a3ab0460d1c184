// The parameters as a form: to see what would happen, or to start it.
import { type FormEvent, useState } from 'react';

import { useTell } from '../../api/query';
import type { Playbook, PlaybookSource, PlanStep } from '../../api/schema';
import { go, to } from '../../app/router';
import { first, read } from '../../lib/form';
import { Confirm } from '../../ui/Confirm';
import { FormFields } from '../../ui/Form';
import { Failed, Loading } from '../../ui/State';
import { Data, Sentence, Text } from '../../ui/Text';
import { toast } from '../../ui/Toasts';

export function Start({ p, source }: { p: Playbook; source?: PlaybookSource }) {
  const fields = p.parameters ?? [];
  const [typed, setTyped] = useState(() => first(fields));
  const [tried, setTried] = useState(false);
  const [sure, setSure] = useState(false);
  const [key] = useState(() => crypto.randomUUID());
  const plan = useTell('planDraft');
  const start = useTell('startPlaybook');
  const { values, wrong } = read(fields, typed);
  const bad = Object.keys(wrong).length > 0;
  const planned = () => { if (source) plan.mutate({ body: { file: source.file, repository: source.repository, text: source.text, playbook: p.name, params: values } }); };
  const look = (e: FormEvent) => {
    e.preventDefault();
    setTried(true);
    if (!bad) planned();
  };
  // What changes things is started with the plan in view.
  const ask = () => {
    setTried(true);
    if (bad) return;
    if (p.mutates) planned();
    setSure(true);
  };
  const go2 = (why: string) => start.mutate({ path: { name: p.name }, query: { project: p.project, ...(p.environment ? { environment: p.environment } : {}) }, body: { params: values, ...(why ? { why } : {}) }, ask: { key } }, { onSuccess: (r) => { toast('It is started.'); go(to.run(r.run)); } });
  return (
    <section className="panel" aria-label="Start it">
      <header><h2>Start it</h2></header>
      <form className="body playbook-start" onSubmit={look} noValidate>
        <FormFields of={fields} typed={typed} set={setTyped} wrong={tried ? wrong : {}} />
        <div className="do">
          <button type="submit" className="button" disabled={!source || plan.isPending}>Show what it would do</button>
          <button type="button" className="button primary" disabled={p.mutates && !source} onClick={ask}>Start</button>
        </div>
        {plan.error && !sure ? <Failed error={plan.error} /> : null}
        {plan.data && !sure ? <div className="playbook-plan" role="status">{plan.data.problems?.map((x, i) => <p key={i} className="tone-bad"><Sentence of={x} /></p>)}<Steps of={plan.data.steps} /></div> : null}
      </form>
      {sure ? (
        <Confirm title={<>Start <Text of={p.name} max={80} /></>} does={p.mutates && p.mode === 'auto' ? 'Start it, it changes things' : 'Start it'} close={() => setSure(false)} wide={p.mutates} ready={!plan.isPending} asking={start} submit={go2}>
          <p>{p.mutates ? (p.mode === 'auto' ? 'It changes what it is about, within the guards.' : p.mode === 'ask' ? 'A person decides on each change.' : 'It only looks: what it would change is recorded.') : 'It only looks.'}</p>
          {p.mutates ? (
            <section aria-label="What it would do" className="playbook-plan playbook-first">
              {plan.isPending ? <Loading lines={4} what="the plan" /> : plan.error ? <Failed error={plan.error} /> : plan.data ? <>{plan.data.problems?.map((x, i) => <p key={i} className="tone-bad"><Sentence of={x} /></p>)}<Steps of={plan.data.steps} /></> : null}
            </section>
          ) : null}
          {Object.keys(values).length ? <Data of={Object.fromEntries(Object.entries(values).map(([k, v]) => [k, fields.find((f) => f.name === k)?.sensitive ? '•••' : v]))} /> : null}
        </Confirm>
      ) : null}
    </section>
  );
}

function Steps({ of }: { of: PlanStep[] }) {
  return (
    <ol className="playbook-steps">{of.map((s) => (
      <li key={s.path}>
        <strong><Text of={s.name || s.id || s.uses || s.kind} max={80} /></strong> <span className="dim">{s.uses} {s.effect ? `· ${s.effect}` : ''}</span>
        {s.targets?.length ? <span className="mono"> <Text of={s.targets.map((t) => (typeof t === 'string' ? t : JSON.stringify(t))).join(', ')} max={200} /></span> : null}
        {s.when ? <p className="dim">when <code><Text of={s.when} max={160} /></code>{s.condition ? <>: <Text of={s.condition} max={80} /></> : null}</p> : null}
        {s.guards?.length ? <p className="dim">guards: <Text of={s.guards.join(', ')} max={200} /></p> : null}
        {s.problems?.map((x, i) => <p key={i} className="tone-bad"><Sentence of={x} /></p>)}
        {s.inputs ? <details><summary>inputs</summary><Data of={s.inputs} /></details> : null}
        {s.steps?.length ? <Steps of={s.steps} /> : null}
      </li>
    ))}</ol>
  );
}
