// What stops or changes something asks first: it says what will happen, takes a reason, and stays open with what was typed
// until the server has answered.
import { type FormEvent, type ReactNode, useId, useState } from 'react';

import { Dialog } from './Dialog';
import { Failed } from './State';

export interface Asking { isPending: boolean; error: Error | null }

export function Confirm({ title, children, does, danger, reason = 'optional', close, submit, asking, ready = true, wide }: {
  title: ReactNode;
  /** What will happen, and further fields. */
  children?: ReactNode;
  /** The label of the button, which says what it does. */
  does: string;
  danger?: boolean;
  /** Whether a reason is asked for; it is recorded. */
  reason?: 'none' | 'optional' | 'required';
  close: () => void;
  submit: (why: string) => void;
  asking: Asking;
  ready?: boolean;
  wide?: boolean;
}) {
  const [why, setWhy] = useState('');
  const id = useId();
  const complete = ready && (reason !== 'required' || why.trim() !== '');
  const send = (e: FormEvent) => {
    e.preventDefault();
    if (complete && !asking.isPending) submit(why.trim());
  };
  return (
    <Dialog title={title} close={close} {...(wide ? { wide } : {})} foot={(
      <>
        <button type="button" className="button" onClick={close}>Leave it</button>
        <button type="submit" form={id} className={`button primary${danger ? ' danger' : ''}`} disabled={!complete || asking.isPending}>{does}</button>
      </>
    )}>
      <form id={id} onSubmit={send} className="confirm">
        {children}
        {reason === 'none' ? null : (
          <div className="field">
            <label htmlFor={`${id}-why`}>Reason{reason === 'optional' ? ' (recorded)' : ', which is recorded'}</label>
            <textarea id={`${id}-why`} className="input" rows={2} maxLength={2000} required={reason === 'required'} value={why} onChange={(e) => setWhy(e.target.value)} />
          </div>
        )}
        {asking.error ? <Failed error={asking.error} /> : null}
      </form>
    </Dialog>
  );
}

/** A field of one line. */
export function Field({ label, value, set, hint, wrong, list, ...rest }: {
  label: string; value: string; set: (v: string) => void; hint?: string; wrong?: string | undefined; list?: readonly string[];
  type?: string; required?: boolean; placeholder?: string; autoFocus?: boolean; lines?: number;
}) {
  const id = useId();
  const { lines, ...input } = rest;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {lines
        ? <textarea id={id} className="input" rows={lines} value={value} onChange={(e) => set(e.target.value)} aria-invalid={wrong ? true : undefined} aria-describedby={hint || wrong ? `${id}-says` : undefined} {...(input.required ? { required: true } : {})} />
        : <input id={id} className="input" value={value} onChange={(e) => set(e.target.value)} aria-invalid={wrong ? true : undefined} aria-describedby={hint || wrong ? `${id}-says` : undefined} {...(list ? { list: `${id}-list` } : {})} {...input} />}
      {list ? <datalist id={`${id}-list`}>{list.map((v) => <option key={v} value={v} />)}</datalist> : null}
      {wrong ?? hint ? <span id={`${id}-says`} className={wrong ? 'wrong' : 'hint'}>{wrong ?? hint}</span> : null}
    </div>
  );
}

/** One of a few. */
export function Choice({ label, value, set, of, any }: { label: string; value: string; set: (v: string) => void; of: readonly (string | readonly [string, string])[]; any?: string }) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} className="input" value={value} onChange={(e) => set(e.target.value)}>
        {any !== undefined ? <option value="">{any}</option> : null}
        {of.map((o) => { const [v, says] = typeof o === 'string' ? [o, o] : o; return <option key={v} value={v}>{says}</option>; })}
      </select>
    </div>
  );
}
