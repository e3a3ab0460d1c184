// One step: what it was given, what it gave, what it printed, and why it is as it is.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';

import { call } from '../../api/client';
import type { GlanceStep, RunAttempt, StepDetail } from '../../api/schema';
import { useParam } from '../../app/router';
import { Shown } from '../../ui/State';
import { Glyph } from '../../ui/Status';
import { Text } from '../../ui/Text';
import { Act, stepDeeds } from './Act';
import { Question } from './Asked';
import type { Logs } from './follow';
import { Log } from './Log';
import { type Known, shownAs } from './model';
import { StepDetails } from './StepDetails';

export function StepPanel({ known, step, logs, close, above }: {
  known: Known; step: GlanceStep; logs: Logs; close: () => void;
  /** The tasks that are asked above the run already. */
  above: string[];
}) {
  const run = known.head.id;
  const [tab, setTab] = useParam('tab');
  const box = useRef<HTMLElement>(null);
  useEffect(() => { if (matchMedia('(max-width: 64rem)').matches) box.current?.scrollIntoView({ block: 'nearest' }); }, []);
  const detail = useQuery<StepDetail>({
    // Asked again when a person would see a difference at a glance; what is known stays until then.
    queryKey: ['runStep', run, step.path, JSON.stringify({ ...step, after: '' })], placeholderData: keepPreviousData,
    queryFn: ({ signal }) => call('runStep', { path: { run }, query: { path: step.path } }, { signal }),
  });
  const fits = detail.data?.step.path === step.path;
  const attempts = fits ? (detail.data?.step.attempt ?? []) : [];
  const last = attempts.at(-1);
  const prints = step.log || step.acts || attempts.some((a) => a.log);
  const at = tab === 'log' && prints ? 'log' : 'step';
  return (
    <section ref={box} className="panel step" aria-label={`Step ${step.label}`}>
      <header>
        <h2><Glyph status={shownAs(step)} /><Text of={step.label} max={100} /></h2>
        <span className="end"><Act run={run} project={known.head.project} deeds={stepDeeds(known.head, step)} small /><button type="button" className="button plain small" aria-label="Close the step" onClick={close}>×</button></span>
      </header>
      <div className="tabs" role="tablist">
        <button type="button" role="tab" aria-selected={at === 'step'} onClick={() => setTab(null)}>Step</button>
        {prints ? <button type="button" role="tab" aria-selected={at === 'log'} onClick={() => setTab('log')}>Log</button> : null}
      </div>
      {at === 'log' ? (
        last ? <AttemptLog run={run} path={step.path} attempts={attempts} logs={logs} /> : null
      ) : (
        <div className="step-in" tabIndex={0} role="group" aria-label="Details">
          {step.task && !above.includes(step.task) ? <Question task={step.task} project={known.head.project} /> : null}
          <Shown of={detail} what="step">{(d) => (d.step.path === step.path ? <StepDetails run={run} d={d} step={step} /> : null)}</Shown>
        </div>
      )}
    </section>
  );
}

function AttemptLog({ run, path, attempts, logs }: { run: string; path: string; attempts: RunAttempt[]; logs: Logs }) {
  const [number, setNumber] = useParam('attempt');
  const a = attempts.find((x) => String(x.number) === number) ?? attempts.at(-1);
  if (!a) return null;
  return (
    <>
      {attempts.length > 1 ? (
        <div className="step-attempts" role="group" aria-label="Attempt">
          {attempts.map((x) => <button key={x.number} type="button" className="button small" aria-pressed={x === a} onClick={() => setNumber(String(x.number))}>attempt {x.number}</button>)}
        </div>
      ) : null}
      <Log key={a.number} run={run} path={path} attempt={a.number} stored={!!a.log || !!a.ended} logs={logs} />
    </>
  );
}
