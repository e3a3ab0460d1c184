// What a person can do to a run. What they may not is not here; what does something asks first, and says what will happen.
import { useId, useRef, useState } from 'react';

import { useTell } from '../../api/query';
import type { Command, GlanceHead, GlanceStep } from '../../api/schema';
import { useMay } from '../../app/me';
import { go, to } from '../../app/router';
import { Dialog } from '../../ui/Dialog';
import { over } from '../../ui/RunRow';
import { Sentence } from '../../ui/Text';
import { toast, toastError } from '../../ui/Toasts';

export interface Deed {
  verb: Command['verb'];
  label: string;
  /** The question and what will come of it; without it there is nothing to ask. */
  asks?: { title: string; text: string; yes: string; danger?: boolean };
  says: string;
  path?: string;
  all?: boolean;
  /** It gives another run, which is gone to. */
  leads?: boolean;
}

/** What can be done to a run as it stands. */
export function deeds(h: GlanceHead): Deed[] {
  const out: Deed[] = [];
  if (h.status === 'quarantined') return out;
  if (over(h.status)) {
    if (h.status !== 'succeeded' && !h.cause?.parent) out.push({ verb: 'retry', label: 'Retry from here', says: 'It is tried again.', leads: true, asks: { title: 'Retry from here', text: 'A new run, linked to this one, keeps what succeeded and goes on at the step that did not. What is in doubt here is not repeated by that.', yes: 'Start the new run' } });
    if (h.undoable) out.push({ verb: 'rollback', label: 'Roll back', says: 'It is rolled back.', leads: true, asks: { title: 'Roll back', text: 'A new run undoes what this one changed, newest first, as far as its steps say how. Guards and approvals hold for it too. This run stays as it is.', yes: 'Start the rollback', danger: true } });
    return out;
  }
  if (h.status === 'interrupted') out.push({ verb: 'resume', label: 'Go on', says: 'It goes on.', asks: { title: 'Go on with the run', text: 'The server drives it again. An attempt that was in flight is in doubt, and follows its step’s policy.', yes: 'Go on' } });
  else if (h.status === 'paused') out.push({ verb: 'unpause', label: 'Go on', says: 'It goes on.', asks: { title: 'Go on with the run', text: 'The next steps begin at once, where it was paused.', yes: 'Go on' } });
  else if (h.status !== 'cancelling') out.push({ verb: 'pause', label: 'Pause', says: 'It is paused: what acts may finish.', asks: { title: 'Pause the run', text: 'What acts may finish; no other step begins until somebody lets it go on. Questions stay open, and their time runs.', yes: 'Pause the run' } });
  if (h.stepping) {
    out.push({ verb: 'permit', label: 'Let the next step begin', says: 'The next step begins.' });
    out.push({ verb: 'permit', all: true, label: 'End the stepping', says: 'The stepping is ended.', asks: { title: 'End the stepping', text: 'All steps that are left begin by themselves, one after the other.', yes: 'End the stepping' } });
  }
  if (h.status !== 'cancelling') out.push({ verb: 'cancel', label: 'Cancel', says: 'It is being cancelled.', asks: { title: 'Cancel the run', text: 'What acts is stopped, which leaves its outcome in doubt unless the action proves otherwise. Then `finally` runs. What was changed is not undone.', yes: 'Cancel the run', danger: true } });
  return out;
}

/** What can be done to a step as it stands. */
export function stepDeeds(h: GlanceHead, s: GlanceStep): Deed[] {
  if (over(h.status)) return [];
  const out: Deed[] = [];
  if (['pending', 'waiting', 'retrying'].includes(s.status) && s.kind !== 'iteration' && !s.section?.match(/undo|verify|probe|until/)) {
    out.push({ verb: 'skip', path: s.path, label: 'Skip the step', says: 'The step is skipped.', asks: { title: 'Skip the step', text: `${s.label} is left out, and the run goes on as if its condition did not hold. Steps that need its output may fail.`, yes: 'Skip the step' } });
  }
  return out;
}

export function Act({ run, project, deeds: list, small }: { run: string; project: string; deeds: Deed[]; small?: boolean }) {
  const may = useMay();
  const [asked, setAsked] = useState<Deed | null>(null);
  const tell = useTell('commandRun');
  if (!may('control', project) || list.length === 0) return null;
  const act = (d: Deed, why: string, key?: string) => {
    tell.mutate({ path: { run }, body: { verb: d.verb, ...(d.path ? { path: d.path } : {}), ...(d.all ? { all: true } : {}), ...(why ? { why } : {}) }, ...(key ? { ask: { key } } : {}) }, {
      onSuccess: (done) => {
        setAsked(null);
        toast(d.says);
        if (d.leads && done.run && done.run !== run) go(to.run(done.run));
      },
      onError: toastError,
    });
  };
  return (
    <>
      {list.map((d) => (
        <button key={d.verb + (d.all ? 'all' : '')} type="button" className={`button${small ? ' small' : ''}${d.asks?.danger ? ' danger' : ''}`} disabled={tell.isPending} onClick={() => (d.asks ? setAsked(d) : act(d, ''))}>{d.label}</button>
      ))}
      {asked?.asks ? <Confirm deed={asked} asks={asked.asks} busy={tell.isPending} close={() => setAsked(null)} act={(why, key) => act(asked, why, key)} /> : null}
    </>
  );
}

function Confirm({ deed, asks, busy, close, act }: { deed: Deed; asks: NonNullable<Deed['asks']>; busy: boolean; close: () => void; act: (why: string, key: string) => void }) {
  const [why, setWhy] = useState('');
  const key = useRef(crypto.randomUUID());
  const id = useId();
  return (
    <Dialog title={asks.title} close={close} foot={<>
      <button type="button" className="button" onClick={close}>Leave it</button>
      <button type="button" className={`button primary${asks.danger ? ' danger' : ''}`} disabled={busy} onClick={() => act(why, key.current)}>{asks.yes}</button>
    </>}>
      <p><Sentence of={asks.text} /></p>
      <div className="field"><label htmlFor={id}>Why (it is recorded)</label><input id={id} className="input" value={why} maxLength={2000} autoFocus onChange={(e) => setWhy(e.target.value)} onKeyDown={(e) => { if (e.key === 'Enter' && !busy) act(why, key.current); }} /></div>
      <span className="sr">{deed.verb}</span>
    </Dialog>
  );
}
