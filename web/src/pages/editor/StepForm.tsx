// The form of one step, made of the action's Spec and the keys of the language. Each field is changed in the text when it is left.
import { type PointerEvent, useMemo, useState } from 'react';

import type { Action, Edit, Finding, Key, LookedPart } from '../../api/schema';
import { Confirm, Field } from '../../ui/Confirm';
import { Sentence, Text } from '../../ui/Text';
import type { Load, Takers } from './Carry';
import { groupsOf, type Spec, wrongs } from './fields';
import { bodyOf, holderOf, type Known, listOf, says as saysOf, slotOf, titleOf } from './places';
import type { Ref } from './refs';
import { Value, type Ways } from './Value';

export interface Tables { step: Key[]; block: Key[]; maps: Record<string, Key[] | null> }

export interface Doing {
  change: (edits: Edit[]) => Promise<boolean>;
  connect: () => void;
  choose: (path: string) => void;
  refer: (field: string) => void;
  slot: (name: 'verify' | 'undo') => void;
  begin: (e: PointerEvent, l: Load) => void;
  close: () => void;
}

export function StepForm({ part, known, tables, findings, takers, reach, doing }: { part: LookedPart; known: Known; tables: Tables; findings: Finding[]; takers: Takers; reach: Ref[]; doing: Doing }) {
  const { doc, actions } = known;
  const path = part.path;
  const says = saysOf(part);
  const uses = typeof says['uses'] === 'string' ? says['uses'] : '';
  const action: Action | undefined = actions.get(uses);
  const slot = slotOf(path);
  const body = bodyOf(doc, path);
  const { change } = doing;
  const keys = slot ? tables.maps[slot[2] === 'undo' ? 'undo' : 'check'] ?? [] : body ? tables.block : tables.step;
  const groups = useMemo(() => groupsOf(action, keys, tables.maps, Boolean(body)), [action, keys, tables.maps, body]);
  const said = useMemo(() => wrongs(part, findings), [part, findings]);
  const own = new Set(groups.flatMap((g) => g.of.map((f) => (g.title === 'Inputs' ? `with.${f.name}` : f.name))));
  const ways: Ways = {
    set: (field, value) => change([value === undefined ? { do: 'unset', path, field } : { do: 'set', path, field, value }]),
    said: (at) => [...said].flatMap(([p, fs]) => (p === at || (own.has(at) && (p.startsWith(`${at}.`) || p.startsWith(`${at}[`))) ? fs
      : at.startsWith('with.') && ['', 'with', 'uses'].includes(p) ? fs.filter((f) => f.message.includes(`\`${at.slice(5)}\``)) : [])),
    takers, refer: doing.refer,
  };
  const rest = [...said].filter(([p]) => p === '').flatMap(([, fs]) => fs);
  if (part.list) return <div className="editor-step"><div className="state dim">A list of steps. Drag one into it, or add one.</div></div>;
  return (
    <div className="editor-step">
      <header>
        <h2><Text of={titleOf(known, path)} max={80} /></h2>
        <span className="dim">{slot ? `${slot[2]} of ${titleOf(known, slot[1] ?? '')}` : body ? (says['foreach'] ? 'loop' : says['lock'] ? 'lock' : body === 'parallel' ? 'parallel block' : 'block') : <span className="mono"><Text of={uses} max={60} /></span>}</span>
        <button type="button" className="button small plain" aria-label="Close the form" onClick={doing.close}>×</button>
      </header>
      <Acts part={part} known={known} doing={doing} />
      {rest.map((f, i) => <p key={i} className="wrong" role="alert"><Sentence of={f.message} /></p>)}
      {action ? <p className="dim"><Sentence of={action.summary} /></p> : uses ? <p className="wrong">Nothing is called <code><Text of={uses} max={60} /></code> here.</p> : null}
      {groups.map((g, i) => <Group key={g.title} group={g} says={says} ways={ways} first={i === 0} />)}
      {body || slot ? null : <Checks says={says} path={path} doing={doing} verb={Boolean(action?.verb) && uses !== 'playbook'} />}
      {reach.length ? <Reach of={reach} begin={doing.begin} /> : null}
    </div>
  );
}

function Group({ group, says, ways, first }: { group: { title: string; of: Spec[] }; says: Record<string, unknown>; ways: Ways; first: boolean }) {
  const input = group.title === 'Inputs';
  const from = (input ? says['with'] ?? {} : says) as Record<string, unknown>;
  const at = (f: Spec) => (input ? `with.${f.name}` : f.name);
  const shown = group.of.filter((f) => (input && (f.required || group.of.length <= 8)) || from[f.name] !== undefined || ways.said(at(f)).length > 0);
  const rest = group.of.filter((f) => !shown.includes(f));
  const one = (f: Spec) => <Value key={f.name} spec={f} path={at(f)} is={from[f.name]} ways={ways} />;
  return (
    <section aria-label={group.title}>
      <h3>{group.title}</h3>
      {shown.length ? <div className="editor-fields">{shown.map(one)}</div> : null}
      {rest.length ? <details className="editor-rest" open={first && shown.length === 0}><summary>{shown.length ? 'more: ' : ''}{rest.slice(0, 7).map((f) => f.name).join(', ')}{rest.length > 7 ? ', …' : ''}</summary><div className="editor-fields">{rest.map(one)}</div></details> : null}
    </section>
  );
}

function Checks({ says, path, doing, verb }: { says: Record<string, unknown>; path: string; doing: Doing; verb: boolean }) {
  if (verb) return null;
  return (
    <section aria-label="Verify and undo">
      <h3>Verify and undo</h3>
      <div className="editor-acts">{(['verify', 'undo'] as const).map((name) => {
        const has = says[name] as Record<string, unknown> | undefined;
        if (has?.['none']) return <span key={name} className="dim">no undo: <Text of={String(has['none'])} max={80} /></span>;
        return has ? <button key={name} type="button" className="button small" onClick={() => doing.choose(`${path}.${name}`)}>The {name}: <span className="mono">{String(has['uses'] ?? '')}</span></button>
          : <button key={name} type="button" className="button small" onClick={() => doing.slot(name)}>Add {name === 'undo' ? 'an undo' : 'a verify'}</button>;
      })}</div>
    </section>
  );
}

function Reach({ of, begin }: { of: Ref[]; begin: Doing['begin'] }) {
  return (
    <section aria-label="In reach here">
      <h3>In reach here</h3>
      <p className="hint">Drag one onto a field, or press {'{ }'} at the field.</p>
      <ul className="editor-reach">{of.slice(0, 60).map((r) => <li key={r.name} className="mono" data-ref={r.name} title={r.description || r.from} onPointerDown={(e) => begin(e, { title: r.name, ref: r })}><Text of={r.name} max={60} /> <span className="dim"><Text of={r.from} max={30} /></span></li>)}</ul>
    </section>
  );
}

/** What can be done with a step as a whole. */
function Acts({ part, known, doing }: { part: LookedPart; known: Known; doing: Doing }) {
  const [renaming, setRenaming] = useState(false);
  const { doc } = known;
  const path = part.path;
  const says = saysOf(part);
  const slot = slotOf(path);
  const { change } = doing;
  const id = typeof says['id'] === 'string' ? says['id'] : '';
  const siblings = (doc.parts ?? []).filter((p) => !p.list && /\]$/.test(p.path) && listOf(p.path) === listOf(path));
  const i = siblings.findIndex((p) => p.path === path);
  const [above, below] = [siblings[i - 1], siblings[i + 1]];
  const holder = holderOf(path);
  const act = (does: string, edits: Edit[], off = false) => <button type="button" className="button small" disabled={off} onClick={() => { void change(edits); }}>{does}</button>;
  if (slot) {
    return (
      <div className="editor-acts">
        {act('Make it a step of its own', [{ do: 'move', path, after: slot[1] ?? '' }])}
        <button type="button" className="button small danger" onClick={() => { void change([{ do: 'remove', path }]); }}>Remove</button>
      </div>
    );
  }
  if (!/\]$/.test(path)) return null;
  return (
    <div className="editor-acts">
      <button type="button" className="button small" onClick={doing.connect}>Connect… <kbd>c</kbd></button>
      {act('Up', [{ do: 'move', path, before: above?.path ?? '' }], !above)}
      {act('Down', [{ do: 'move', path, after: below?.path ?? '' }], !below)}
      {act('Duplicate', [{ do: 'duplicate', path }])}
      <select className="input" aria-label="Put it in" value="" onChange={(e) => { const block = e.target.value as NonNullable<Edit['block']>; void change([{ do: 'wrap', path, block, ...(block === 'foreach' ? { value: { range: [0, 3], value: 'turn' } } : block === 'lock' ? { value: { key: 'CHANGE-ME' } } : {}) }]); }}>
        <option value="" disabled>Put it in…</option><option value="steps">a block</option><option value="parallel">a parallel block</option><option value="foreach">a loop</option><option value="lock">a lock</option>
      </select>
      {holder ? act('Take it out', [{ do: 'move', path, after: holder }]) : null}
      {bodyOf(doc, path) ? act('Dissolve the block', [{ do: 'unwrap', path }]) : null}
      <button type="button" className="button small" onClick={() => setRenaming(true)}>{id ? 'Rename' : 'Give it an id'}</button>
      <button type="button" className="button small danger" onClick={() => { void change([{ do: 'remove', path }]); }}>Remove</button>
      {renaming ? <Rename from={id} close={() => setRenaming(false)} rename={async (to) => { if (await change([id ? { do: 'rename', path, id: to } : { do: 'set', path, field: 'id', value: to }])) setRenaming(false); }} /> : null}
    </div>
  );
}

function Rename({ from, close, rename }: { from: string; close: () => void; rename: (id: string) => Promise<void> }) {
  const [id, setID] = useState(from);
  return <Confirm title={from ? 'Rename the step' : 'Give the step an id'} does={from ? 'Rename it' : 'Give it'} reason="none" close={close} asking={{ isPending: false, error: null }} ready={/^[a-z][a-z0-9_]*$/.test(id) && id !== from} submit={() => { void rename(id.trim()); }}><Field label="Its id" value={id} set={setID} autoFocus hint="Small letters, digits and _. What refers to it follows." /></Confirm>;
}
