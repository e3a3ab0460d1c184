// A field of a form, of any type that a Spec knows. What is typed is written into the text when the field is left.
import { type ReactNode, useEffect, useId, useRef, useState } from 'react';

import type { Finding } from '../../api/schema';
import { label } from '../../lib/text';
import { Sentence } from '../../ui/Text';
import type { Takers } from './Carry';
import { below, readAs, type Spec, written } from './fields';
import { insertRef, type Ref } from './refs';

export interface Ways {
  /** undefined takes the field away. */
  set: (path: string, value: unknown) => Promise<boolean>;
  said: (path: string) => Finding[];
  takers: Takers;
  /** Opens the list of what can be referred to. */
  refer: (path: string) => void;
}

const isMap = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v);

export function Value({ spec, path, is, ways, item }: { spec: Spec; path: string; is: unknown; ways: Ways; item?: ReactNode }) {
  if (spec.type === 'map' && (is === undefined || isMap(is))) return <Map_ spec={spec} path={path} is={is} ways={ways} />;
  if (spec.type === 'list' && (is === undefined || Array.isArray(is))) return <List spec={spec} path={path} is={is} ways={ways} />;
  return <Leaf spec={spec} path={path} is={is} ways={ways} item={item} />;
}

const anything: Spec = { name: '', type: 'any', required: false, description: '', options: [], verbatim: false, fields: undefined, items: undefined, fallback: undefined, pattern: '' };

function Around({ spec, path, ways, open, children, tally }: { spec: Spec; path: string; ways: Ways; open: boolean; children: ReactNode; tally: string }) {
  const wrong = ways.said(path)[0];
  return (
    <details className="editor-nest" open={open || Boolean(wrong)}>
      <summary>{label(spec.name, 60)}{spec.required ? ' *' : ''} <span className="dim">{tally}</span></summary>
      {spec.description ? <p className="hint"><Sentence of={spec.description} /></p> : null}
      {wrong ? <p className="wrong" role="alert"><Sentence of={wrong.message} /></p> : null}
      <div className="editor-fields">{children}</div>
    </details>
  );
}

function Map_({ spec, path, is, ways }: { spec: Spec; path: string; is: Record<string, unknown> | undefined; ways: Ways }) {
  const [name, setName] = useState('');
  const known = spec.fields ?? [];
  const free = Object.keys(is ?? {}).filter((k) => !known.some((f) => f.name === k));
  const id = useId();
  const add = () => { if (name.trim()) { void ways.set(below(path, name.trim()), ''); setName(''); } };
  return (
    <Around spec={spec} path={path} ways={ways} open={is !== undefined && Object.keys(is).length > 0} tally={is ? `map of ${Object.keys(is).length}` : 'map'}>
      {known.map((f) => <Value key={f.name} spec={f} path={below(path, f.name)} is={is?.[f.name]} ways={ways} />)}
      {free.map((k) => <Value key={k} spec={{ ...anything, name: k }} path={below(path, k)} is={is?.[k]} ways={ways} item={<button type="button" className="button small plain" aria-label={`Take ${label(k, 40)} away`} onClick={() => { void ways.set(below(path, k), undefined); }}>×</button>} />)}
      {spec.fields ? null : (
        <div className="editor-more"><label className="sr" htmlFor={id}>A new entry of {label(spec.name, 40)}</label>
          <input id={id} className="input mono" placeholder="NAME" value={name} onChange={(e) => setName(e.target.value)} onKeyDown={(e) => { if (e.key === 'Enter') { e.preventDefault(); add(); } }} />
          <button type="button" className="button small" disabled={!name.trim()} onClick={add}>Add an entry</button></div>
      )}
    </Around>
  );
}

function List({ spec, path, is, ways }: { spec: Spec; path: string; is: unknown[] | undefined; ways: Ways }) {
  const one = spec.items ?? anything;
  const empty = one.fields ? Object.fromEntries(one.fields.filter((f) => f.required).map((f) => [f.name, f.fallback ?? f.options[0] ?? '…'])) : one.type === 'map' ? { name: '…' } : one.type === 'number' ? 0 : '…';
  const n = is?.length ?? 0;
  return (
    <Around spec={spec} path={path} ways={ways} open={n > 0} tally={n ? `list of ${n}` : 'list'}>
      {(is ?? []).slice(0, 100).map((v, i) => <Value key={i} spec={{ ...one, name: `${spec.name} ${i + 1}` }} path={below(path, i)} is={v} ways={ways} item={<button type="button" className="button small plain" aria-label={`Take number ${i + 1} away`} onClick={() => { void ways.set(n === 1 ? path : below(path, i), undefined); }}>×</button>} />)}
      {n > 100 ? <p className="dim">{n - 100} more stand in the text.</p> : null}
      <div><button type="button" className="button small" onClick={() => { void (n ? ways.set(below(path, n), empty) : ways.set(path, [empty])); }}>Add one to {label(spec.name, 40)}</button></div>
    </Around>
  );
}

function Leaf({ spec, path, is, ways, item }: { spec: Spec; path: string; is: unknown; ways: Ways; item?: ReactNode }) {
  const [typed, setTyped] = useState<string | null>(null);
  const [wrong, setWrong] = useState('');
  const field = useRef<HTMLTextAreaElement & HTMLInputElement & HTMLSelectElement>(null);
  const id = useId();
  const text = typed ?? written(is);
  const logic = spec.type === 'logic';
  const leave = async () => {
    if (typed === null || typed === written(is)) { setTyped(null); setWrong(''); return; }
    const gone = typed.trim() === '';
    const got = gone ? { value: undefined } : readAs(spec.type, typed);
    if ('wrong' in got) { setWrong(got.wrong); return; }
    setWrong('');
    if (gone && is === undefined) { setTyped(null); return; }
    if (await ways.set(path, got.value)) setTyped(null);
  };
  const take = (r: Ref) => {
    const f = field.current;
    const [from, to] = f && 'selectionStart' in f && typed !== null ? [f.selectionStart ?? text.length, f.selectionEnd ?? text.length] : [0, text.length];
    // A field that was not written in is filled; in one that is, the reference goes where the cursor is.
    void ways.set(path, insertRef(text, from, to, r, logic)).then((ok) => { if (ok) { setTyped(null); setWrong(''); } });
  };
  const now = useRef(take);
  useEffect(() => { now.current = take; });
  const { takers } = ways;
  useEffect(() => {
    if (spec.verbatim) return;
    takers.set(path, { logic, take: (r) => now.current(r) });
    return () => { takers.delete(path); };
  }, [takers, path, logic, spec.verbatim]);
  const said = ways.said(path);
  const bad = wrong || said.find((f) => f.severity === 'error')?.message || said[0]?.message;
  const about = bad || spec.description;
  const long = spec.verbatim || text.includes('\n') || text.length > 60 || ['map', 'list'].includes(spec.type) || (spec.type === 'any' && text.startsWith('{') && !text.startsWith('{{'));
  const options = spec.type === 'boolean' && !spec.options.length ? ['true', 'false'] : spec.options.map(written);
  const shared = { id, ref: field, className: 'input mono', value: text, spellCheck: false, 'aria-invalid': bad ? true as const : undefined, 'aria-describedby': about ? `${id}-about` : undefined, 'aria-required': spec.required || undefined, onBlur: () => { void leave(); } };
  return (
    <div className="field" data-takes={spec.verbatim ? undefined : path} data-long={long || undefined}>
      <div className="editor-label">
        <label htmlFor={id}>{label(spec.name, 60)}{spec.required ? ' *' : ''} <span className="dim">{logic ? 'condition' : spec.type}</span></label>
        {spec.verbatim ? null : <button type="button" className="button small plain" title="Refer to what is in reach here" aria-label={`Refer to something in ${label(spec.name, 60)}`} onMouseDown={(e) => e.preventDefault()} onClick={() => ways.refer(path)}>{'{ }'}</button>}
        {item}
      </div>
      {options.length ? (
        <select {...shared} onChange={(e) => { const v = e.target.value; setTyped(v); }}>
          <option value="">{spec.fallback === undefined ? 'not said' : `as declared: ${written(spec.fallback)}`}</option>
          {options.map((o) => <option key={o} value={o}>{o}</option>)}
          {text && !options.includes(text) ? <option value={text}>{label(text, 80)}</option> : null}
        </select>
      ) : long ? <textarea {...shared} rows={Math.min(14, Math.max(2, text.split('\n').length))} wrap="off" onChange={(e) => setTyped(e.target.value)} />
        : <input {...shared} placeholder={spec.fallback === undefined ? undefined : written(spec.fallback)} onChange={(e) => setTyped(e.target.value)} onKeyDown={(e) => { if (e.key === 'Enter') { e.preventDefault(); void leave(); } }} />}
      {about ? <span id={`${id}-about`} className={bad ? 'wrong' : 'hint'} role={bad ? 'alert' : undefined}><Sentence of={about} /></span> : null}
    </div>
  );
}
