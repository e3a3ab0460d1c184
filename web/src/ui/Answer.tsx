// The answer to a question, wherever it is given: fields where there are any, the choices, and why. What was typed stays
// until the server has it. What stands between is read before one answers, and may take the fields into its midst; the choices stay
// in reach meanwhile.
import { type FormEvent, type ReactNode, useId, useRef, useState } from 'react';

import { useTell } from '../api/query';
import type { TaskBody } from '../api/rows';
import type { Row } from '../api/schema';
import { type Asked, type Choice, choicesOf, endOf, fieldsOf, outputOf, rulesOf } from '../lib/answer';
import { first, read } from '../lib/form';
import { FormFields } from './Form';
import { Failed } from './State';
import { Text } from './Text';
import { Until } from './Time';
import { toast } from './Toasts';
import './answer.css';

export function Answer({ row, b, children }: { row: Row; b: Partial<TaskBody>; children?: ReactNode | ((fields: ReactNode) => ReactNode) }) {
  const fields = fieldsOf(b.form);
  const [typed, setTyped] = useState(() => first(fields));
  const [why, setWhy] = useState('');
  const [tried, setTried] = useState(false);
  const key = useRef(crypto.randomUUID());
  const id = useId();
  const tell = useTell('answerTask');
  const { values, wrong } = read(fields, typed);
  const bad = Object.keys(wrong).length > 0;
  const send = (c: Choice) => {
    const form = c.form && fields.length > 0;
    if (form) { setTried(true); if (bad) return; }
    tell.mutate({ path: { task: row.id }, body: { choice: c.choice, ...(why.trim() ? { why: why.trim() } : {}), ...(form ? { output: outputOf(fields, values) } : {}) }, ask: { key: key.current + c.choice } }, {
      onSuccess: (done) => toast(done.status === 'open' ? 'Recorded. More people must answer.' : c.says),
    });
  };
  const list = choicesOf(b.type ?? '');
  const main = list.find((c) => c.form);
  const form = fields.length ? <div className="answer-fields"><FormFields of={fields} typed={typed} set={setTyped} wrong={tried ? wrong : {}} /></div> : null;
  return (
    <form className="answer-form" noValidate onSubmit={(e: FormEvent) => { e.preventDefault(); if (main && fields.length) send(main); }}>
      {typeof children === 'function' ? children(form) : <>{children}{form}</>}
      <div className="answer-bar" data-many={list.some((c) => c.means) || undefined}>
        {tell.error ? <Failed error={tell.error} /> : null}
        <input id={id} className="input" aria-label="Why (it is recorded)" placeholder="Why (it is recorded)" value={why} maxLength={2000} autoComplete="off" onChange={(e) => setWhy(e.target.value)} onKeyDown={(e) => { if (e.key === 'Enter' && !(main && fields.length)) e.preventDefault(); }} />
        <div className="do">
          {list.map((c) => {
            const form = c.form && fields.length > 0;
            const button = <button key={c.choice} type={form ? 'submit' : 'button'} className={`button ${c.look ?? ''}`} disabled={tell.isPending} onClick={form ? undefined : () => send(c)}>{c.label}</button>;
            return c.means ? <div key={c.choice} className="answer-choice">{button}<span className="dim">{c.means}</span></div> : button;
          })}
        </div>
      </div>
    </form>
  );
}

/** Who may answer, until when, and what becomes of no answer. */
export function Terms({ of: b }: { of: Asked }) {
  const end = endOf(b);
  const rules = rulesOf(b);
  return <>{rules ? `${rules} ` : null}{end ? <>Until <Until at={end.until} />; no answer is <Text of={end.as} max={60} />.</> : 'It waits until somebody answers.'}</>;
}
