// The answer to a question: buttons, or a form. What was typed stays until the server has it.
import { type FormEvent, useRef, useState } from 'react';

import { useTell } from '../../api/query';
import type { TaskBody } from '../../api/rows';
import type { Row } from '../../api/schema';
import { first, type FormField, read } from '../../lib/form';
import { FormFields } from '../../ui/Form';
import { Failed } from '../../ui/State';
import { Sentence } from '../../ui/Text';
import { toast } from '../../ui/Toasts';
import { choicesOf, fieldsOf } from './choices';

export function Answer({ row, b }: { row: Row; b: Partial<TaskBody> }) {
  const fields = fieldsOf(b.form);
  const [typed, setTyped] = useState(() => first(fields));
  const [why, setWhy] = useState('');
  const [tried, setTried] = useState(false);
  const key = useRef(crypto.randomUUID());
  const tell = useTell('answerTask');
  const { values, wrong } = read(fields, typed);
  const bad = Object.keys(wrong).length > 0;
  const send = (choice: string, form: boolean, says: string) => {
    if (form) { setTried(true); if (bad) return; }
    tell.mutate({ path: { task: row.id }, body: { choice, ...(why.trim() ? { why: why.trim() } : {}), ...(form && fields.length ? { output: output(fields, values) } : {}) }, ask: { key: key.current + choice } }, {
      onSuccess: (done) => toast(done.status === 'open' ? 'Recorded. More people must answer.' : says),
    });
  };
  const list = choicesOf(b.type ?? '');
  const main = list[0];
  return (
    <form className="task-answer" noValidate onSubmit={(e: FormEvent) => { e.preventDefault(); if (main && fields.length) send(main.choice, true, main.says); }}>
      <FormFields of={fields} typed={typed} set={setTyped} wrong={tried ? wrong : {}} />
      <div className="field"><label htmlFor="why">Why (it is recorded)</label><textarea id="why" className="input" rows={2} value={why} maxLength={2000} onChange={(e) => setWhy(e.target.value)} /></div>
      {tell.error ? <Failed error={tell.error} /> : null}
      <div className="do">
        {list.map((c) => <button key={c.choice} type={c.form && fields.length ? 'submit' : 'button'} className={`button ${c.look ?? ''}`} disabled={tell.isPending} onClick={c.form && fields.length ? undefined : () => send(c.choice, false, c.says)}>{c.label}</button>)}
      </div>
      {b.type === 'doubt' ? <p className="dim"><Sentence of="Find out before you answer: what is in doubt may have happened." /></p> : null}
    </form>
  );
}

/** A question with choices takes one value, or several. */
function output(fields: FormField[], values: Record<string, unknown>): Record<string, unknown> {
  return fields.length === 1 && fields[0]?.name === 'value' ? { value: values['value'] } : values;
}
