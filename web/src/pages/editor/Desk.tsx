// The desk: a text, its graph, the form of a step, and what is wrong, with one way back for all of it.
import { useCallback, useEffect, useMemo, useReducer, useRef, useState } from 'react';

import { call } from '../../api/client';
import { useAsk } from '../../api/query';
import type { Edit, Looked, PlaybookSource } from '../../api/schema';
import { useKeys } from '../../app/keys';
import { Link, to } from '../../app/router';
import { Text } from '../../ui/Text';
import { toast, toastError } from '../../ui/Toasts';
import { Board } from './Board';
import { useCarry, type Takers } from './Carry';
import { Connect, Pick } from './Connect';
import { Findings } from './Findings';
import { begin, kept, next, worst } from './model';
import { Newer, type Version } from './Newer';
import { beginning, type Known, type Place, slotOf, titleOf, untilOf, type What } from './places';
import { givenBy, inReach, type Ref } from './refs';
import { Save, type Saves, words } from './Save';
import { StepForm } from './StepForm';
import { type Pen, Writing } from './Writing';
import './editor.css';

/** What is written on, and against what it is compared. */
export interface Written extends Pick<PlaybookSource, 'file' | 'repository' | 'text'> {
  /** The revision that it is made from; '' for a new file. */
  base: string;
  /** What is written to begin with, where that is not the text as it is. */
  first?: string;
}

type Open = { kind: 'connect'; what: What } | { kind: 'save' } | { kind: 'refer'; field: string } | { kind: 'slot'; name: 'verify' | 'undo' };

export function Desk({ name, source, live }: { name: string; source: Written; live?: Version }) {
  const drafts = useMemo(() => kept(name, source.repository), [name, source.repository]);
  const [base, setBase] = useState<Version>(() => { const k = drafts.get(); return k ? { base: k.base, text: k.origin } : { base: source.base, text: source.text }; });
  const origin = source.first ?? base.text;
  const [s, tell] = useReducer(next, undefined, () => begin(drafts.get()?.text ?? origin));
  const [looked, setLooked] = useState<Looked | null>(null);
  const [chosen, choose] = useState('');
  const [open, setOpen] = useState<Open | null>(null);
  const [palette, setPalette] = useState(false);
  const [line, setLine] = useState(1);
  const [later, setLater] = useState('');
  const [takers] = useState<Takers>(() => new Map());
  const pen = useRef<Pen>(null);
  const changed = s.text !== base.text;
  const saved = useRef('');
  useEffect(() => { drafts.set(s.text === origin || s.text === saved.current ? null : { base: base.base, origin: base.text, text: s.text }); }, [drafts, s.text, origin, base]);
  useEffect(() => {
    if (s.text === origin) return;
    const warn = (e: BeforeUnloadEvent) => { if (s.text !== saved.current) e.preventDefault(); };
    addEventListener('beforeunload', warn);
    return () => removeEventListener('beforeunload', warn);
  }, [s.text, origin]);
  const unsaved = useRef(false);
  useEffect(() => { unsaved.current = s.text !== origin && s.text !== saved.current; });
  useEffect(() => () => { if (unsaved.current) toast('What you wrote is not saved. It is kept here as a draft.'); }, []);

  const about = useMemo(() => ({ file: source.file, repository: source.repository }), [source.file, source.repository]);
  // Looked at while it is written, a moment after the last key.
  const mine = useRef(0);
  const [again, setAgain] = useState(0); // an answer that did not come is asked for again
  useEffect(() => {
    const n = ++mine.current;
    const stop = new AbortController();
    const timer = setTimeout(() => {
      call('lookAtDraft', { body: { ...about, text: s.text } }, { signal: stop.signal }).then((l) => { if (n === mine.current) setLooked(l); }, (e: unknown) => {
        if (stop.signal.aborted) return;
        if (again === 0) toastError(e);
        retry = setTimeout(() => setAgain((x) => x + 1), 2000);
      });
    }, 250);
    let retry: ReturnType<typeof setTimeout> | undefined;
    return () => { clearTimeout(timer); clearTimeout(retry); stop.abort(); };
  }, [s.text, about, again]);

  const asked = useAsk('listActions', {}, { fixed: true });
  const repositories = useAsk('listRepositories', {}, { keep: true });
  const saves: Saves | undefined = repositories.data?.repositories.find((r) => r.name === source.repository)?.saves;
  const tables = useMemo(() => ({ step: asked.data?.step ?? [], block: asked.data?.block ?? [], maps: asked.data?.maps ?? {} }), [asked.data]);
  const actions = useMemo(() => new Map((asked.data?.actions ?? []).map((a) => [a.name, a])), [asked.data]);
  const doc = looked?.documents.find((d) => d.layout && d.name === name) ?? looked?.documents.find((d) => d.layout);
  const known = useMemo<Known | null>(() => (doc ? { doc, actions, check: tables.maps['check'] ?? [], undo: tables.maps['undo'] ?? [] } : null), [doc, actions, tables]);
  const part = doc?.parts?.find((p) => p.path === chosen);
  const findings = useMemo(() => looked?.findings ?? [], [looked]);
  const reach = useMemo(() => (doc && part && !part.list ? inReach(doc, actions, part.path) : []), [doc, part, actions]);
  const words_ = useMemo(() => {
    const here = doc?.parts?.filter((p) => !p.list && p.line <= line && line <= p.end).sort((a, b) => a.end - a.line - (b.end - b.line))[0];
    return { actions: asked.data?.actions ?? [], ...tables, refs: doc && here ? inReach(doc, actions, here.path).filter((r) => !r.needs) : [] };
  }, [asked.data, tables, doc, actions, line]);

  // An answer is about the text that was sent: what was written since is not overwritten by it.
  const written = useRef(s.text);
  useEffect(() => { written.current = s.text; }, [s.text]);
  const still = useCallback((text: string) => {
    if (written.current === text) return true;
    toast('The text was changed meanwhile, so this was not done.', 'bad', 'Do it again.');
    return false;
  }, []);
  const change = useCallback(async (edits: Edit[]) => {
    try {
      const done = await call('editDraft', { body: { ...about, text: s.text, edits: edits.map((e) => ({ ...e, document: doc?.index ?? 0 })) } });
      if (!still(s.text)) return false;
      mine.current++;
      tell({ write: done.text });
      setLooked(done);
      choose(done.paths.at(-1) ?? '');
      const at = done.documents.find((d) => d.index === (doc?.index ?? 0))?.parts?.find((p) => p.path === done.paths.at(-1));
      if (at) setTimeout(() => pen.current?.show(at.line, at.column), 0);
      return true;
    } catch (e) {
      toastError(e);
      return false;
    }
  }, [about, s.text, doc?.index, still]);
  const apply = useCallback((p: Place) => { setOpen(null); void change(p.edits); }, [change]);
  // A step without an id gets one when something refers to it: with that, one change.
  const pending = useRef<Ref | null>(null);
  const changeWith = useCallback((edits: Edit[]) => {
    const needs = pending.current?.needs;
    pending.current = null;
    return change(needs ? [{ do: 'set', path: needs.path, field: 'id', value: needs.id }, ...edits] : edits);
  }, [change]);
  const carry = useCarry({ known, apply, takers, taking: (r) => { pending.current = r; }, given: (path) => givenBy(reach, doc, path) });
  const select = (p: string) => { choose(p); const at = doc?.parts?.find((x) => x.path === p); if (at) pen.current?.show(at.line, at.column); };
  const movable = part && !part.list && (/\]$/.test(part.path) || Boolean(slotOf(part.path)));
  const siblings = (by: -1 | 1) => { const m = /^(.*)\[(\d+)\]$/.exec(chosen); const other = m ? `${m[1]}[${Number(m[2]) + by}]` : ''; return doc?.parts?.some((p) => p.path === other) ? other : ''; };
  useKeys({
    'mod+z': s.before.length ? ['take the last change back', () => tell('undo')] : null,
    'mod+y': s.after.length ? ['make it again', () => tell('redo')] : null,
    'mod+s': ['save it as a proposal', () => { if (changed && saves) setOpen({ kind: 'save' }); }],
    a: ['add a step', () => setPalette(true)],
    c: movable ? ['connect the chosen step', () => setOpen({ kind: 'connect', what: { path: chosen } })] : null,
    'alt+ArrowUp': movable && siblings(-1) ? ['move it up', () => { void change([{ do: 'move', path: chosen, before: siblings(-1) }]); }] : null,
    'alt+ArrowDown': movable && siblings(1) ? ['move it down', () => { void change([{ do: 'move', path: chosen, after: siblings(1) }]); }] : null,
    Delete: movable ? ['take the chosen step out', () => { void change([{ do: 'remove', path: chosen }]); }] : null,
    Escape: chosen || palette ? ['close the form', () => { choose(''); setPalette(false); }] : null,
  });
  const marked = useMemo(() => new Set(worst(doc?.parts ?? [], findings)), [doc, findings]);
  const newer = live && live.base !== base.base && live.text !== base.text && later !== live.base ? live : null;
  return (
    <>
      <header className="head">
        <h1>{source.base ? <Link to={to.playbook(name)}><Text of={name} max={120} /></Link> : <Text of={name} max={120} />}</h1>
        <span className="dim mono"><Text of={source.file} max={120} />{base.base ? ` at ${base.base.slice(0, 10)}` : null}</span>
        {source.base ? null : <span className="tag">a new file in <Text of={source.repository} max={60} /></span>}
        {changed ? <span className="tag wait">{source.base ? 'changed, not saved' : 'not saved'}</span> : null}
        <span className="end">
          <button type="button" className="button" disabled={!s.before.length} onClick={() => tell('undo')}>Undo</button>
          <button type="button" className="button" disabled={!s.after.length} onClick={() => tell('redo')}>Redo</button>
          <button type="button" className="button" onClick={() => { call('formatDraft', { body: { ...about, text: s.text } }).then((f) => { if (still(s.text)) tell({ write: f.text }); }, toastError); }}>Format</button>
          {s.text !== origin ? <button type="button" className="button" onClick={() => tell({ write: origin })}>{source.base ? 'As it is live' : 'As it was drafted'}</button> : null}
          <button type="button" className="button primary" disabled={!changed || !saves} onClick={() => setOpen({ kind: 'save' })}>{words(saves?.how ?? 'patch').title}</button>
        </span>
      </header>
      {newer ? <Newer from={base} mine={s.text} live={newer} leave={() => setLater(newer.base)} bring={(text) => { setBase(newer); tell({ write: text }); }} /> : null}
      <div className="editor" data-carrying={carry.load ? true : undefined}>
        <div className="editor-left" data-form={part ? true : undefined}>
          <Board known={known} looked={looked !== null} chosen={chosen} select={select} marked={marked} carry={carry} palette={palette} setPalette={setPalette} actions={asked.data?.actions ?? []} movable={Boolean(movable)}
            connect={(what) => setOpen({ kind: 'connect', what })} />
          {part && known ? (
            <section className="panel editor-form" aria-label="Step">
              <StepForm key={part.path} part={part} known={known} tables={tables} findings={findings} takers={takers} reach={reach} doing={{
                change: changeWith, choose: select, begin: carry.begin, close: () => choose(''), connect: () => setOpen({ kind: 'connect', what: { path: part.path } }),
                refer: (field) => setOpen({ kind: 'refer', field }), slot: (n) => setOpen({ kind: 'slot', name: n }),
              }} />
            </section>
          ) : null}
        </div>
        <section className="panel editor-text" aria-label="Text">
          <Writing text={s.text} write={(text) => tell({ write: text, typed: true })} findings={findings} part={part ?? null} words={words_} undo={() => tell('undo')} redo={() => tell('redo')} cursor={setLine} pen={pen} />
        </section>
        <Findings of={looked ? findings : null} line={line} show={(l, c) => pen.current?.show(l, c, true)} />
      </div>
      {carry.layer}
      {open?.kind === 'connect' && known ? <Connect known={known} what={open.what} title={'path' in open.what ? titleOf(known, open.what.path) : open.what.action.name} first={chosen} close={() => setOpen(null)} apply={(p) => { setPalette(false); apply(p); }} /> : null}
      {open?.kind === 'refer' ? <Pick title="Refer to" label="What is in reach" hint="a step, an output, a parameter" does="Write it" of={reach.map((r) => ({ key: r.name, says: r.name, more: [r.from, r.type, r.description].filter(Boolean).join(' · ') + (r.needs ? `; the step gets the id ${r.needs.id}` : '') }))} close={() => setOpen(null)} pick={(key) => { const r = reach.find((x) => x.name === key); setOpen(null); if (r) { pending.current = r; takers.get(open.field)?.take(r); } }} /> : null}
      {open?.kind === 'slot' && part ? <Pick title={open.name === 'undo' ? 'What undoes it' : 'What verifies it'} label="Actions" hint="shell, http, …" does="Add it" of={[...actions.values()].filter((a) => !a.verb).map((a) => ({ key: a.name, says: a.name, more: a.summary }))} close={() => setOpen(null)} pick={(key) => { const a = actions.get(key); const n = open.name; setOpen(null); if (a) void change([{ do: 'add', into: `${part.path}.${n}`, value: { ...beginning(a), ...(n === 'verify' ? { until: untilOf(a) } : {}) } }]); }} /> : null}
      {open?.kind === 'save' && saves ? <Save source={{ ...source, base: base.base, text: base.text }} saves={saves} text={s.text} findings={findings} close={() => setOpen(null)} done={() => { saved.current = s.text; drafts.set(null); }} /> : null}
    </>
  );
}
