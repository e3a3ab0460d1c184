// The one line of filters, the same on every page: states as a segmented control, then compact inputs whose label stands in
// them. What is chosen is in the address (`useParam`), so that back goes back and a view can be sent to somebody.
import { type ReactNode, useEffect, useId, useRef, useState } from 'react';

import { Glyph } from './Status';

/** clear: takes every filter away; undefined where none is set. */
export function Filters({ children, clear, label = 'Filters' }: { children: ReactNode; clear?: (() => void) | undefined; label?: string }) {
  return (
    <div className="filters" role="search" aria-label={label}>
      {children}
      <button type="button" className="button plain small filters-clear" hidden={!clear} onClick={clear}>Clear</button>
    </div>
  );
}

export interface Segment {
  value: string;
  label: string;
  /** A status whose shape stands before the label. */
  glyph?: string;
  /** How many there are; undefined where it is not known. */
  n?: number | undefined;
}

/** One of a few, all of them seen. Pressing what is chosen goes back to the one without a value, else the first. */
export function Segments({ label, value, set, of }: { label: string; value: string; set: (v: string | null) => void; of: readonly Segment[] }) {
  const box = useRef<HTMLDivElement>(null);
  const none = of.some((s) => s.value === '') ? '' : of[0]?.value;
  const chosen = of.some((s) => s.value === value) ? value : null;
  useEffect(() => {
    // On a phone the segments scroll: what is chosen is in sight.
    const on = box.current?.querySelector<HTMLElement>('[aria-pressed="true"]');
    if (box.current && on && box.current.scrollWidth > box.current.clientWidth) box.current.scrollLeft = on.offsetLeft - 8;
  }, [chosen]);
  return (
    <div ref={box} className="segments" role="group" aria-label={label}>
      {of.map((s) => (
        <button key={s.value} type="button" aria-pressed={chosen === s.value} onClick={() => set(s.value === none || chosen === s.value ? null : s.value)}>
          {s.glyph ? <Glyph status={s.glyph} quiet size={12} /> : null}<span data-says={s.label}>{s.label}</span>{s.n === undefined ? null : <span className="tally">{s.n}</span>}
        </button>
      ))}
    </div>
  );
}

/**
 * A text that rows must have. It holds once somebody stops to type; whole: only with Enter, from the list, or when it is left,
 * where half a word would find nothing.
 */
export function Find({ label, value, set, list, whole, placeholder = 'any', width }: {
  label: string; value: string; set: (v: string | null) => void; list?: readonly string[] | undefined; whole?: boolean; placeholder?: string; width?: string;
}) {
  const id = useId();
  const [text, setText] = useState(value);
  const due = useRef<ReturnType<typeof setTimeout>>(undefined);
  // What holds is trimmed; the space between two words that are being typed is not taken away for it.
  useEffect(() => setText((t) => (t.trim() === value ? t : value)), [value]);
  useEffect(() => () => clearTimeout(due.current), []);
  const hold = (t: string) => {
    clearTimeout(due.current);
    if (t.trim() !== value) set(t.trim() || null);
  };
  return (
    <form className="filter" onSubmit={(e) => { e.preventDefault(); hold(text); }}>
      <label htmlFor={id}>{label}</label>
      <input id={id} value={text} placeholder={placeholder} spellCheck={false} autoComplete="off" style={width ? { width } : undefined} {...(list ? { list: `${id}-list` } : {})}
        onChange={(e) => {
          const t = e.target.value;
          setText(t);
          clearTimeout(due.current);
          if (!whole || t === '' || list?.includes(t)) due.current = setTimeout(() => hold(t), 200);
        }}
        onBlur={() => hold(text)} />
      {list ? <datalist id={`${id}-list`}>{list.map((v) => <option key={v} value={v} />)}</datalist> : null}
    </form>
  );
}

/** One of several that need not all be seen. any: what it says where none is chosen. */
export function Pick({ label, value, set, of, any = 'any' }: { label: string; value: string; set: (v: string | null) => void; of: readonly (string | readonly [string, string])[]; any?: string }) {
  const id = useId();
  const known = of.some((o) => (typeof o === 'string' ? o : o[0]) === value);
  return (
    <div className="filter" data-set={value !== '' || undefined}>
      <label htmlFor={id}>{label}</label>
      <select id={id} value={value} onChange={(e) => set(e.target.value || null)}>
        <option value="">{any}</option>
        {value && !known ? <option value={value}>{value}</option> : null}
        {of.map((o) => { const [v, says] = typeof o === 'string' ? [o, o] : o; return <option key={v} value={v}>{says}</option>; })}
      </select>
    </div>
  );
}

/** Yes or not. */
export function Tick({ label, value, set }: { label: string; value: string; set: (v: string | null) => void }) {
  return <label className="filter filter-tick"><input type="checkbox" checked={value !== ''} onChange={(e) => set(e.target.checked ? 'yes' : null)} />{label}</label>;
}
