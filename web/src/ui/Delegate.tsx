// One's own answer handed on, and taken back.
import { useState } from 'react';

import { useTell } from '../api/query';
import type { Row } from '../api/schema';
import { person } from '../lib/text';
import { Confirm, Field } from './Confirm';
import { Text } from './Text';
import { toast } from './Toasts';

export function Delegate({ row, close }: { row: Row; close: () => void }) {
  const [who, setWho] = useState('');
  const tell = useTell('delegateTask');
  const list = who.split(/[,\s]+/).filter(Boolean);
  return (
    <Confirm title="Delegate your answer" does="Delegate it" close={close} asking={tell} ready={list.length > 0} submit={(why) => tell.mutate({ path: { task: row.id }, body: { to: list, ...(why ? { why } : {}) } }, { onSuccess: () => { toast('They may answer in your place.'); close(); } })}>
      <p><strong><Text of={row.name} max={200} /></strong></p>
      <p className="dim">One of them may answer in your place, once. You do not answer until you take it back.</p>
      <Field label="To people or groups" value={who} set={setWho} autoFocus hint="With commas between them." />
    </Confirm>
  );
}

export function TakeBack({ row, from, close }: { row: Row; from: string[]; close: () => void }) {
  const tell = useTell('undelegateTask');
  return (
    <Confirm title="Take your answer back" does="Take it back" close={close} asking={tell} submit={(why) => tell.mutate({ path: { task: row.id }, query: why ? { why } : {} }, { onSuccess: () => { toast('It is yours to answer again.'); close(); } })}>
      <p><strong><Text of={row.name} max={200} /></strong></p>
      <p className="dim"><Text of={from.map(person).join(', ')} max={200} /> can no longer answer in your place; you answer yourself.</p>
    </Confirm>
  );
}
