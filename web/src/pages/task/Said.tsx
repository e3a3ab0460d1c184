// What people said about a question, and a place to say more.
import { type FormEvent, useState } from 'react';

import { useTell } from '../../api/query';
import type { TaskBody } from '../../api/rows';
import type { Row } from '../../api/schema';
import { useMay } from '../../app/me';
import { saidOf } from '../../lib/answer';
import { Status } from '../../ui/Status';
import { Data, Lines, Text } from '../../ui/Text';
import { At } from '../../ui/Time';
import { toastError } from '../../ui/Toasts';

export function Said({ row, b }: { row: Row; b: Partial<TaskBody> }) {
  const may = useMay();
  const [text, setText] = useState('');
  const tell = useTell('commentTask');
  const writes = may('answer', row.project);
  const votes = b.votes ?? [];
  const comments = b.comments ?? [];
  if (!writes && !votes.length && !comments.length) return null;
  const send = (e: FormEvent) => {
    e.preventDefault();
    if (text.trim()) tell.mutate({ path: { task: row.id }, body: { text: text.trim() } }, { onSuccess: () => setText(''), onError: toastError });
  };
  return (
    <section className="panel" aria-label="Said">
      <header><h2>Said <span className="tally">{votes.length + comments.length}</span></h2></header>
      <ul className="rows task-said">
        {votes.map((v, i) => (
          <li key={`v${i}`}>
            <Status of={v.answer === 'reject' || v.answer === 'fail' ? 'rejected' : 'approved'} says={saidOf(v.answer)} />
            <span><strong><Text of={v.by.name} max={80} /></strong>{v.for ? <> for <Text of={v.for.name} max={80} /></> : null}{v.why ? <>: <Lines of={v.why} max={2000} /></> : null}{v.output && Object.keys(v.output).length ? <Data of={v.output} /> : null}</span>
          </li>
        ))}
        {comments.map((c, i) => <li key={`c${i}`}><span className="dim"><At at={c.at} /></span><span><strong><Text of={c.by.name} max={80} /></strong> <Lines of={c.text} max={8000} /></span></li>)}
      </ul>
      {writes ? <form className="task-comment" onSubmit={send}><input className="input" aria-label="Say something about it" placeholder="Say something about it" value={text} maxLength={8000} onChange={(e) => setText(e.target.value)} /><button type="submit" className="button" disabled={!text.trim() || tell.isPending}>Say it</button></form> : null}
    </section>
  );
}
