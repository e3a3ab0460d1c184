// A form made of declared fields.
import { useId } from 'react';

import type { FormField, Typed } from '../lib/form';
import { Sentence, Text } from './Text';

export function FormFields({ of, typed, set, wrong }: { of: FormField[]; typed: Typed; set: (t: Typed) => void; wrong: Record<string, string> }) {
  return <>{of.map((f) => <One key={f.name} f={f} value={typed[f.name] ?? ''} set={(v) => set({ ...typed, [f.name]: v })} wrong={wrong[f.name]} />)}</>;
}

function One({ f, value, set, wrong }: { f: FormField; value: string; set: (v: string) => void; wrong: string | undefined }) {
  const id = useId();
  const common = { id, value, className: 'input', 'aria-invalid': wrong ? true as const : undefined, 'aria-describedby': `${id}-says`, required: f.required && f.default === undefined ? true : undefined };
  const options = f.type === 'boolean' ? ['true', 'false'] : f.enum?.map((e) => (typeof e === 'string' ? e : JSON.stringify(e)));
  return (
    <div className="field">
      <label htmlFor={id}><Text of={f.label || f.name} max={120} />{f.required ? null : <span className="dim"> (may stay empty)</span>}</label>
      {options ? (
        <select {...common} onChange={(e) => set(e.target.value)}>
          {options.includes(value) && f.required ? null : <option value="">{f.required ? 'choose one' : 'as declared'}</option>}
          {options.map((o) => <option key={o} value={o}>{o}</option>)}
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
