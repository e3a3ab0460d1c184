// A question about a step, answered where its context stands. Forms are filled in on the inbox's page.
import { useRef, useState } from 'react';

import { useAsk, useTell } from '../../api/query';
import { bodyOf, type TaskBody } from '../../api/rows';
import { askedOf, useMay, useMe } from '../../app/me';
import { Link, to } from '../../app/router';
import { person } from '../../lib/text';
import { Text, Sentence, Lines } from '../../ui/Text';
import { Until } from '../../ui/Time';
import { toast, toastError } from '../../ui/Toasts';

const choices: Record<string, { choice: string; label: string; kind?: 'primary' | 'danger'; says: string }[]> = {
  approve: [{ choice: 'approve', label: 'Approve', kind: 'primary', says: 'Approved.' }, { choice: 'reject', label: 'Reject', kind: 'danger', says: 'Rejected.' }],
  manual: [{ choice: 'done', label: 'It is done', kind: 'primary', says: 'Done.' }, { choice: 'reject', label: 'It cannot be done', kind: 'danger', says: 'Rejected.' }],
  doubt: [
    { choice: 'happened', label: 'It happened', says: 'The run goes on as if it succeeded.' }, { choice: 'not-happened', label: 'It did not happen', says: 'It is attempted again.' },
    { choice: 'again', label: 'Do it again', kind: 'danger', says: 'It is done again, as a new effect.' }, { choice: 'fail', label: 'Let it fail', says: 'The step fails.' }, { choice: 'skip', label: 'Skip it', says: 'The step is skipped.' },
  ],
};

export function Answer({ task, project }: { task: string; project: string }) {
  const t = useAsk('showTask', { path: { task } });
  const me = useMe();
  const may = useMay();
  const tell = useTell('answerTask');
  const [why, setWhy] = useState('');
  const key = useRef(crypto.randomUUID());
  if (!t.data || t.data.status !== 'open') return null;
  const b = bodyOf<TaskBody>(t.data);
  const list = choices[b.type ?? ''];
  const mine = askedOf(b.from, me.data) && may(b.type === 'approve' ? 'approve' : 'answer', project);
  const votes = (b.votes ?? []).filter((v) => v.answer === 'approve').length;
  return (
    <section className="answer" aria-label="A question">
      <p className="asks"><Lines of={b.message || b.title} max={4000} /></p>
      <p className="dim">
        {b.type === 'approve' && (b.count ?? 1) > 1 ? <>{votes} of {b.count} approvals. </> : null}
        {b.from?.length ? <>Asked: <Text of={b.from.map(person).join(', ')} max={200} />. </> : null}
        {b.expires && !b.expires.startsWith('0001') ? <>Until <Until at={b.expires} />; no answer is {b.default ? <Text of={b.default} max={40} /> : 'no'}.</> : null}
      </p>
      {mine && list ? (
        <form onSubmit={(e) => e.preventDefault()}>
          <input className="input" aria-label="Why" placeholder="Why (it is recorded)" value={why} maxLength={2000} onChange={(e) => setWhy(e.target.value)} />
          <div className="do">
            {list.map((c) => (
              <button key={c.choice} type="button" className={`button ${c.kind ?? ''}`} disabled={tell.isPending} onClick={() => {
                tell.mutate({ path: { task }, body: { choice: c.choice, ...(why ? { why } : {}) }, ask: { key: key.current + c.choice } }, {
                  onSuccess: (done) => toast(done.status === 'open' ? 'Recorded: more people are needed.' : c.says), onError: toastError,
                });
              }}>{c.label}</button>
            ))}
          </div>
          {b.type === 'doubt' ? <p className="dim"><Sentence of="Find out before you answer: what is in doubt may have happened." /></p> : null}
        </form>
      ) : mine ? <Link className="button primary" to={to.task(task)}>Fill in the form</Link> : <p className="dim">It is asked of others.</p>}
    </section>
  );
}
