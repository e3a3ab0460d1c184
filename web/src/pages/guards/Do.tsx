// What a person does about the rules, each as a dialog that says what will happen.
import { useState } from 'react';

import { useTell } from '../../api/query';
import type { ApprovedChange, Guard, Halt, Override } from '../../api/schema';
import { scopeOf } from '../../lib/scope';
import { Choice, Confirm, Field } from '../../ui/Confirm';
import { Sentence, Text } from '../../ui/Text';
import { toast } from '../../ui/Toasts';

export type Doing = { what: 'halt' } | { what: 'unhalt'; halt: Halt | null } | { what: 'store' } | { what: 'mode' } | { what: 'change' } | { what: 'withdraw'; change: ApprovedChange } | { what: 'override'; guard: Guard } | { what: 'end'; override: Override };

export const says: Record<string, string> = {
  observe: 'Reads run. What would have been changed is recorded.',
  ask: 'A person decides on each change.',
  auto: 'Changes are made, within the guards.',
};

export function Do({ doing, close }: { doing: Doing; close: () => void }) {
  switch (doing.what) {
    case 'halt': return <HaltIt close={close} />;
    case 'unhalt': return <LetGo halt={doing.halt} close={close} />;
    case 'store': return <MoveAgain close={close} />;
    case 'change': return <Approve close={close} />;
    case 'withdraw': return <Withdraw of={doing.change} close={close} />;
    case 'mode': return <SetMode close={close} />;
    case 'override': return <Loosen guard={doing.guard} close={close} />;
    case 'end': return <EndIt of={doing.override} close={close} />;
  }
}

interface Scope { project: string; environment: string; playbook: string; target: string }
const nowhere: Scope = { project: '', environment: '', playbook: '', target: '' };
const filled = (s: Scope): Partial<Scope> => Object.fromEntries(Object.entries(s).filter(([, v]) => v.trim()).map(([k, v]) => [k, v.trim()]));

function ScopeFields({ of: s, set, target = true }: { of: Scope; set: (s: Scope) => void; target?: boolean }) {
  return (
    <div className="guards-scope">
      <Field label="Project" value={s.project} set={(v) => set({ ...s, project: v })} placeholder="all" />
      <Field label="Environment" value={s.environment} set={(v) => set({ ...s, environment: v })} placeholder="all" />
      <Field label="Playbook" value={s.playbook} set={(v) => set({ ...s, playbook: v })} placeholder="all; * stands for any text" />
      {target ? <Field label="Target" value={s.target} set={(v) => set({ ...s, target: v })} placeholder="all; * stands for any text" /> : null}
    </div>
  );
}

function HaltIt({ close }: { close: () => void }) {
  const [scope, setScope] = useState(nowhere);
  const tell = useTell('halt');
  const what = scopeOf(filled(scope));
  return (
    <Confirm wide danger title="Halt" does={`Halt ${what.slice(0, 60)}`} close={close} asking={tell} submit={(why) => tell.mutate({ body: { ...filled(scope), ...(why ? { why } : {}) } }, { onSuccess: () => { toast(`Halted: ${what}.`); close(); } })}>
      <p>No new effect begins on <strong><Text of={what} max={200} /></strong>. What is in flight goes on to its end. It survives a restart.</p>
      <ScopeFields of={scope} set={setScope} />
    </Confirm>
  );
}

function LetGo({ halt, close }: { halt: Halt | null; close: () => void }) {
  const tell = useTell('endHalts');
  return (
    <Confirm title="Let it go on" does={halt ? 'End this halt' : 'End all halts'} reason="required" close={close} asking={tell} submit={(why) => tell.mutate({ body: { ...(halt ? { id: halt.id } : {}), why } }, { onSuccess: () => { toast('It goes on.'); close(); } })}>
      <p>Runs that were held go on at once with <strong><Text of={halt ? scopeOf(halt) : 'everything'} max={200} /></strong>.</p>
    </Confirm>
  );
}

function SetMode({ close }: { close: () => void }) {
  const [scope, setScope] = useState(nowhere);
  const [mode, setMode] = useState<'observe' | 'ask' | 'auto'>('observe');
  const tell = useTell('setMode');
  const rest = filled({ ...scope, target: '' });
  return (
    <Confirm wide title="Change a mode" does={`Set ${mode} for ${scopeOf(rest).slice(0, 60)}`} close={close} asking={tell} reason="required" submit={(why) => tell.mutate({ body: { ...rest, mode, why } }, { onSuccess: () => { toast(`The mode is ${mode}.`); close(); } })}>
      <Choice label="Mode" value={mode} set={(v) => setMode(v as typeof mode)} of={Object.entries(says).map(([k, v]) => [k, `${k}: ${v}`] as const)} />
      <ScopeFields of={scope} set={setScope} target={false} />
      <p className="dim">The narrowest setting counts: of a playbook, then of an environment, a project, the server.</p>
    </Confirm>
  );
}

function Loosen({ guard, close }: { guard: Guard; close: () => void }) {
  const [minutes, setMinutes] = useState('30');
  const [playbook, setPlaybook] = useState('');
  const [targets, setTargets] = useState('');
  const tell = useTell('override');
  const n = Number(minutes);
  const wrong = !Number.isInteger(n) || n < 1 || n > 7 * 24 * 60 ? 'From 1 to 10080: a week at most.' : undefined;
  const list = targets.split(/[,\s]+/).filter(Boolean);
  return (
    <Confirm danger title={<>Loosen <Text of={guard.name} max={60} /></>} does="Loosen it" reason="required" close={close} asking={tell} ready={!wrong}
      submit={(why) => tell.mutate({ body: { guard: guard.name, minutes: n, why, project: guard.project, ...(playbook ? { playbook } : {}), ...(list.length ? { targets: list } : {}) } }, { onSuccess: () => { toast('The guard is loosened, for a while.'); close(); } })}>
      <p className="dim"><Sentence of={guard.says} /></p>
      <p>For a while it holds nothing back. It ends by itself, and is recorded.</p>
      <Field label="Minutes" value={minutes} set={setMinutes} wrong={wrong} />
      <Field label="Only for the playbook" value={playbook} set={setPlaybook} placeholder="all" />
      <Field label="Only on the targets" value={targets} set={setTargets} placeholder="all" hint="With commas between them; * stands for any text." />
    </Confirm>
  );
}

function EndIt({ of, close }: { of: Override; close: () => void }) {
  const tell = useTell('endOverride');
  return <Confirm title="End it before its time" does="Let the guard hold again" close={close} asking={tell} submit={(why) => tell.mutate({ body: { id: of.id, ...(why ? { why } : {}) } }, { onSuccess: () => { toast('The guard holds again.'); close(); } })} />;
}

function MoveAgain({ close }: { close: () => void }) {
  const tell = useTell('unhalt');
  return (
    <Confirm title="Let the store move again" does="Let it move again" reason="required" close={close} asking={tell} submit={(why) => tell.mutate({ body: { why } }, { onSuccess: () => { toast('It moves again. What was in flight is in doubt.'); close(); } })}>
      <p>What was in flight when it stopped is in doubt afterwards: people are asked whether it happened.</p>
    </Confirm>
  );
}

const globs = (text: string) => text.split(/[,\s]+/).filter(Boolean);

function Approve({ close }: { close: () => void }) {
  const [id, setID] = useState('');
  const [project, setProject] = useState('');
  const [minutes, setMinutes] = useState('60');
  const [playbooks, setPlaybooks] = useState('');
  const [targets, setTargets] = useState('');
  const tell = useTell('approveChange');
  const n = Number(minutes);
  const wrong = !Number.isInteger(n) || n < 1 ? 'A number of minutes, as 60.' : undefined;
  return (
    <Confirm wide title="Approve a change" does="Approve it" close={close} asking={tell} ready={!wrong && id.trim() !== ''}
      submit={(why) => tell.mutate({ body: { id: id.trim(), minutes: n, ...(project.trim() ? { project: project.trim() } : {}), ...(globs(playbooks).length ? { playbooks: globs(playbooks) } : {}), ...(globs(targets).length ? { targets: globs(targets) } : {}), ...(why ? { why } : {}) } }, { onSuccess: () => { toast('The change is approved.'); close(); } })}>
      <p>Guards that want an approved change let through what it covers, from now on and for so long.</p>
      <div className="guards-scope">
        <Field label="What it is called" value={id} set={setID} required autoFocus placeholder="CHG-1042" />
        <Field label="Minutes" value={minutes} set={setMinutes} wrong={wrong} />
        <Field label="Playbooks" value={playbooks} set={setPlaybooks} placeholder="all; * stands for any text" />
        <Field label="Targets" value={targets} set={setTargets} placeholder="all; * stands for any text" />
        <Field label="Project" value={project} set={setProject} placeholder="default" />
      </div>
    </Confirm>
  );
}

function Withdraw({ of, close }: { of: ApprovedChange; close: () => void }) {
  const tell = useTell('endChange');
  return <Confirm title={<>End <Text of={of.id} max={60} /> before its time</>} does="End the change" close={close} asking={tell} submit={(why) => tell.mutate({ body: { id: of.id, project: of.project, ...(why ? { why } : {}) } }, { onSuccess: () => { toast('The change is ended.'); close(); } })} />;
}
