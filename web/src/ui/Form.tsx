// A form made of declared fields.
import { useId, useState } from 'react';

import type { FormField, Typed } from '../lib/form';
import { Sentence, Text } from './Text';

/** early: what is wrong before anybody tried to send it; it is said of a field that was filled in and left. */
export function FormFields({ of, typed, set, wrong, early }: { of: FormField[]; typed: Typed; set: (t: Typed) => void; wrong: Record<string, string>; early?: Record<string, string> }) {
  const [left, setLeft] = useState<Record<string, true>>({});
  const says = (name: string) => wrong[name] ?? (left[name] && (typed[name] ?? '').trim() ? early?.[name] : undefined);
  return <>{of.map((f) => <One key={f.name} f={f} value={typed[f.name] ?? ''} set={(v) => set({ ...typed, [f.name]: v })} leave={() => setLeft((was) => (was[f.name] ? was : { ...was, [f.name]: true }))} wrong={says(f.name)} />)}</>;
}

function One({ f, value, set, leave, wrong }: { f: FormField; value: string; set: (v: string) => void; leave: () => void; wrong: string | undefined }) {
  const id = useId();
  const common = { id, value, onBlur: leave, className: 'input', 'aria-invalid': wrong ? true as const : undefined, 'aria-describedby': `${id}-says`, required: f.required && f.default === undefined ? true : undefined };
  const options = f.type === 'boolean' ? ['true', 'false'] : f.enum?.map((e) => (typeof e === 'string' ? e : JSON.stringify(e)));
  return (
    <div className="field">
      <label htmlFor={id}><Text of={f.label || f.name} max={120} />{f.required ? null : <span className="dim"> (may stay empty)</span>}</label>
      {options ? (
        <select {...common} onChange={(e) => set(e.target.value)}>
          {options.includes(value) && f.required ? null : <option value="">{f.required ? 'choose one' : 'nothing'}</option>}
          {options.map((o) => <option key={o} value={o}>{f.type === 'boolean' ? (o === 'true' ? 'yes' : 'no') : o}</option>)}
        </select>
      ) : f.type === 'list' || f.type === 'map' ? (
        <textarea {...common} rows={3} spellCheck={false} onChange={(e) => set(e.target.value)} />
      ) : (
        <input {...common} type={f.sensitive || f.type === 'secret' ? 'password' : 'text'} inputMode={f.type === 'number' ? 'decimal' : undefined} autoComplete="off" spellCheck={false} onChange={(e) => set(e.target.value)} />
      )}
      <span id={`${id}-says`} className={wrong ? 'wrong' : 'hint'} role={wrong ? 'alert' : undefined}>
        {wrong ?? <><Sentence of={f.description} />{f.type === 'list' ? ' One line for each.' : f.type === 'map' ? ' A JSON object.' : ''}</>}
      </span>
    </div>
  );
}
