// A playbook as text and as a graph: two views of one document. The text is the truth; every change on the graph is made in
// it by the server, which keeps comments and order. Nothing here is live before it is reviewed and merged.
import { useCallback, useEffect, useMemo, useReducer, useRef, useState } from 'react';

import { call } from '../../api/client';
import { useAsk } from '../../api/query';
import type { Edit, Finding, Looked, PlaybookSource } from '../../api/schema';
import { useKeys } from '../../app/keys';
import { Link, to, useParam, useParts } from '../../app/router';
import { useTitle } from '../../app/title';
import { Graph } from '../../ui/Graph';
import { Empty, Shown } from '../../ui/State';
import { Sentence, Text } from '../../ui/Text';
import { toastError } from '../../ui/Toasts';
import { Add } from './Add';
import { begin, kept, next, worst } from './model';
import { Save, words } from './Save';
import { StepForm } from './StepForm';
import { Writing } from './Writing';
import './editor.css';

const nothing = new Map<string, never>();

export default function Editor() {
  const { playbook = '' } = useParts();
  const [project] = useParam('project');
  const [environment] = useParam('environment');
  useTitle(`Edit ${playbook}`);
  const asked = useAsk('playbookSource', { path: { name: playbook }, query: { ...(project ? { project } : {}), ...(environment ? { environment } : {}) } }, { fixed: true });
  return <Shown of={asked} what="playbook" lines={14}>{(s) => <Desk key={s.revision.id} name={playbook} source={{ ...s, base: s.revision.id, from: s.revision.id }} />}</Shown>;
}

/** What is written on, and against what it is compared. */
export interface Written extends Pick<PlaybookSource, 'file' | 'repository' | 'text'> {
  /** The revision that it is made from; '' for a new file. */
  base: string;
  /** What a draft that was not saved is kept under. */
  from: string;
  /** What is written to begin with, where that is not the text as it is. */
  first?: string;
  /** What becomes of a proposal, where that is known before. */
  saves?: PlaybookSource['saves'];
}

export function Desk({ name, source }: { name: string; source: Written }) {
  const draft = useMemo(() => kept(name, source.from), [name, source.from]);
  const origin = source.first ?? source.text;
  const [s, tell] = useReducer(next, undefined, () => begin(draft.get() ?? origin));
  const [looked, setLooked] = useState<Looked | null>(null);
  const [chosen, choose] = useState('');
  const [saving, setSaving] = useState(false);
  const [adding, setAdding] = useState(false);
  const [goTo, setGoTo] = useState<number | null>(null);
  const changed = s.text !== source.text;
  const about = useMemo(() => ({ file: source.file, repository: source.repository }), [source.file, source.repository]);
  useEffect(() => { draft.set(s.text === origin ? null : s.text); }, [draft, s.text, origin]);

  // Looked at while it is written, a moment after the last key.
  const mine = useRef(0);
  useEffect(() => {
    const n = ++mine.current;
    const stop = new AbortController();
    const timer = setTimeout(() => {
      call('lookAtDraft', { body: { ...about, text: s.text } }, { signal: stop.signal }).then((l) => { if (n === mine.current) setLooked(l); }, (e: unknown) => { if (!stop.signal.aborted) toastError(e); });
    }, 250);
    return () => { clearTimeout(timer); stop.abort(); };
  }, [s.text, about]);

  const doc = looked?.documents.find((d) => d.layout && d.name === name) ?? looked?.documents.find((d) => d.layout);
  const part = doc?.parts?.find((p) => p.path === chosen);
  const change = useCallback(async (edits: Edit[]) => {
    try {
      const done = await call('editDraft', { body: { ...about, text: s.text, edits: edits.map((e) => ({ ...e, document: doc?.index ?? 0 })) } });
      mine.current++;
      tell({ write: done.text });
      setLooked(done);
      const path = done.paths.at(-1);
      choose(path ?? '');
      return true;
    } catch (e) {
      toastError(e);
      return false;
    }
  }, [about, s.text, doc?.index]);
  useKeys({
    'mod+z': s.before.length ? ['take the last change back', () => tell('undo')] : null,
    'mod+s': changed ? ['save it as a proposal', () => setSaving(true)] : null,
    a: ['add a step', () => setAdding(true)],
  });
  const marked = useMemo(() => new Set(worst(doc?.parts ?? [], looked?.findings ?? [])), [doc, looked]);
  return (
    <>
      <header className="head">
        <h1>{source.base ? <Link to={to.playbook(name)}><Text of={name} max={120} /></Link> : <Text of={name} max={120} />}</h1>
        <span className="dim mono"><Text of={source.file} max={120} />{source.base ? ` at ${source.base.slice(0, 10)}` : null}</span>
        {source.base ? null : <span className="tag">a new file in <Text of={source.repository} max={60} /></span>}
        {changed ? <span className="tag wait">{source.base ? 'changed, not saved' : 'not saved'}</span> : null}
        <span className="end">
          <button type="button" className="button" disabled={!s.before.length} onClick={() => tell('undo')}>Undo</button>
          <button type="button" className="button" disabled={!s.after.length} onClick={() => tell('redo')}>Redo</button>
          <button type="button" className="button" onClick={() => { call('formatDraft', { body: { ...about, text: s.text } }).then((f) => tell({ write: f.text }), toastError); }}>Format</button>
          {s.text !== origin ? <button type="button" className="button" onClick={() => tell({ write: origin })}>{source.base ? 'As it is live' : 'As it was drafted'}</button> : null}
          <button type="button" className="button primary" disabled={!changed} onClick={() => setSaving(true)}>{words(source.saves).title}</button>
        </span>
      </header>
      <div className="editor">
        <section className="panel editor-graph" aria-label="Graph">
          <header><h2>Graph</h2><span className="end"><button type="button" className="button small" onClick={() => setAdding(true)} disabled={!doc}>Add a step</button></span></header>
          {doc?.layout ? <Graph layout={doc.layout} places={nothing} chosen={chosen} choose={(p) => { choose(p); const at = doc.parts?.find((x) => x.path === p); if (at) setGoTo(at.line); }} follow={undefined} still marked={marked} /> : <Empty title={looked ? 'It cannot be drawn as it is written' : 'It is being read'} />}
        </section>
        <section className="panel editor-text" aria-label="Text">
          <Writing text={s.text} write={(text) => tell({ write: text, typed: true })} findings={looked?.findings ?? []} goTo={goTo} part={part ?? null} />
        </section>
        <section className="panel editor-form" aria-label="Step">
          {part && doc ? <StepForm key={part.path} part={part} doc={doc} change={change} /> : <Empty title="No step is chosen">Choose one on the graph to fill in its form, or write in the text.</Empty>}
        </section>
        <Findings of={looked?.findings ?? []} show={setGoTo} />
      </div>
      {adding && doc ? <Add doc={doc} beside={part ?? null} close={() => setAdding(false)} add={async (e) => { if (await change([e])) setAdding(false); }} /> : null}
      {saving ? <Save source={source} text={s.text} findings={looked?.findings ?? []} close={() => setSaving(false)} done={() => draft.set(null)} /> : null}
    </>
  );
}

function Findings({ of, show }: { of: Finding[]; show: (line: number) => void }) {
  return (
    <section className="panel editor-findings" aria-label="Findings" aria-live="polite">
      <header><h2>Findings <span className="tally">{of.length}</span></h2></header>
      {of.length ? (
        <ul className="rows">{of.slice(0, 200).map((f, i) => (
          <li key={i}><button type="button" onClick={() => show(f.line ?? 1)}>
            <span className={`tag ${f.severity === 'error' ? 'bad' : f.severity === 'warning' ? 'wait' : ''}`}>{f.severity}</span>
            <span className="mono dim">{f.line}:{f.column}</span> <span><Sentence of={f.message} />{f.remedy ? <span className="dim"> <Sentence of={f.remedy} /></span> : null}</span>
          </button></li>
        ))}</ul>
      ) : <div className="state dim">Nothing to say.</div>}
    </section>
  );
}
