// The form of one step, made of the action's Spec. Each field is changed in the text when it is left.
import { useState } from 'react';

import { useAsk } from '../../api/query';
import type { Action, ActionField, Edit, LookedDocument, LookedPart } from '../../api/schema';
import { Confirm, Field } from '../../ui/Confirm';
import { Sentence, Text } from '../../ui/Text';
import { readAs, written } from './model';

const common = ['when', 'target', 'timeout', 'runner', 'effect'] as const;

type Change = (edits: Edit[]) => Promise<boolean>;

export function StepForm({ part, doc, change }: { part: LookedPart; doc: LookedDocument; change: Change }) {
  const says = (part.says ?? {}) as Record<string, unknown>;
  const uses = typeof says['uses'] === 'string' ? says['uses'] : '';
  const asked = useAsk('listActions', uses ? { query: { name: uses } } : {}, { fixed: true });
  const action: Action | undefined = asked.data?.actions.find((a) => a.name === uses);
  const w = (says['with'] ?? {}) as Record<string, unknown>;
  const [renaming, setRenaming] = useState(false);
  const siblings = (doc.parts ?? []).filter((p) => !p.list && parentOf(p.path) === parentOf(part.path));
  const i = siblings.findIndex((p) => p.path === part.path);
  const [above, below] = [siblings[i - 1], siblings[i + 1]];
  const path = part.path;
  if (part.list) return <div className="state dim">A list of steps: add one to it.</div>;
  return (
    <div className="editor-step">
      <header>
        <h2><Text of={String(says['id'] ?? says['name'] ?? uses ?? path)} max={80} /></h2>
        <span className="dim mono"><Text of={uses} max={60} /></span>
      </header>
      <div className="editor-acts">
        <button type="button" className="button small" disabled={!above} onClick={() => { if (above) void change([{ do: 'move', path, before: above.path }]); }}>Up</button>
        <button type="button" className="button small" disabled={!below} onClick={() => { if (below) void change([{ do: 'move', path, after: below.path }]); }}>Down</button>
        <button type="button" className="button small" onClick={() => { void change([{ do: 'duplicate', path }]); }}>Duplicate</button>
        <button type="button" className="button small" onClick={() => { void change([{ do: 'wrap', path, block: 'steps' }]); }}>Put in a block</button>
        {says['id'] ? <button type="button" className="button small" onClick={() => setRenaming(true)}>Rename</button> : null}
        <button type="button" className="button small danger" onClick={() => { void change([{ do: 'remove', path }]); }}>Remove</button>
      </div>
      {action ? <p className="dim"><Sentence of={action.summary} /></p> : null}
      {common.map((k) => <One key={k} label={k} type="string" is={says[k]} set={(v) => change([v === undefined ? { do: 'unset', path, field: k } : { do: 'set', path, field: k, value: v }])} />)}
      {action?.inputs.length ? <h3>with</h3> : null}
      {action?.inputs.map((f: ActionField) => <One key={f.name} label={f.name} type={f.type} is={w[f.name]} required={f.required} hint={f.description} options={f.enum} set={(v) => change([v === undefined ? { do: 'unset', path, field: `with.${f.name}` } : { do: 'set', path, field: `with.${f.name}`, value: v }])} />)}
      {renaming ? <Rename from={String(says['id'])} close={() => setRenaming(false)} rename={async (id) => { if (await change([{ do: 'rename', path, id }])) setRenaming(false); }} /> : null}
    </div>
  );
}

const parentOf = (path: string) => path.replace(/\[\d+\]$/, '').replace(/(^|\.)[^.[\]]+$/, '');

function One({ label, type, is, set, required, hint, options }: { label: string; type: string; is: unknown; set: (v: unknown) => Promise<boolean>; required?: boolean; hint?: string | undefined; options?: unknown[] | undefined }) {
  const [typed, setTyped] = useState<string | null>(null);
  const [wrong, setWrong] = useState('');
  const text = typed ?? written(is);
  const leave = async () => {
    if (typed === null || typed === written(is)) { setTyped(null); return; }
    if (typed.trim() === '') { await set(undefined); setTyped(null); return; }
    const got = readAs(type, typed);
    if ('wrong' in got) { setWrong(got.wrong); return; }
    setWrong('');
    if (await set(got.value)) setTyped(null);
  };
  const id = `f-${label}`;
  const long = type === 'map' || type === 'list' || text.includes('\n') || label === 'script' || label === 'query' || label === 'message';
  const shared = { id, className: 'input mono', value: text, spellCheck: false, 'aria-invalid': wrong ? true as const : undefined, onBlur: () => { void leave(); } };
  return (
    <div className="field">
      <label htmlFor={id}>{label}{required ? ' *' : ''} <span className="dim">{type}</span></label>
      {options?.length ? (
        <select {...shared} onChange={(e) => setTyped(e.target.value)}><option value="">as declared</option>{options.map((o) => <option key={written(o)} value={written(o)}>{written(o)}</option>)}{text && !options.some((o) => written(o) === text) ? <option value={text}>{text}</option> : null}</select>
      ) : long ? <textarea {...shared} rows={Math.min(12, Math.max(2, text.split('\n').length))} onChange={(e) => setTyped(e.target.value)} />
        : <input {...shared} onChange={(e) => setTyped(e.target.value)} onKeyDown={(e) => { if (e.key === 'Enter') void leave(); }} />}
      {wrong ? <span className="wrong" role="alert">{wrong}</span> : hint ? <span className="hint"><Sentence of={hint} /></span> : null}
    </div>
  );
}

function Rename({ from, close, rename }: { from: string; close: () => void; rename: (id: string) => Promise<void> }) {
  const [id, setID] = useState(from);
  return <Confirm title="Rename the step" does="Rename it" reason="none" close={close} asking={{ isPending: false, error: null }} ready={id.trim() !== '' && id !== from} submit={() => { void rename(id.trim()); }}><Field label="Its id" value={id} set={setID} autoFocus hint="What refers to it follows." /></Confirm>;
}
