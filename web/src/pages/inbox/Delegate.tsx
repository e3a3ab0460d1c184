import { useState } from 'react';

import { useTell } from '../../api/query';
import type { Row } from '../../api/schema';
import { Confirm, Field } from '../../ui/Confirm';
import { Text } from '../../ui/Text';
import { toast } from '../../ui/Toasts';

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
