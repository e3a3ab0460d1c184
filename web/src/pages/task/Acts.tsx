// What is done with a question beside answering it.
import { useState } from 'react';

import { useTell } from '../../api/query';
import type { TaskBody } from '../../api/rows';
import type { Row } from '../../api/schema';
import { person } from '../../lib/text';
import { Confirm, Field } from '../../ui/Confirm';
import { Text } from '../../ui/Text';
import { toast } from '../../ui/Toasts';

export type Act = 'claim' | 'assign' | 'delegate' | 'break';

interface Props { row: Row; b: Partial<TaskBody>; close: () => void }

export function Acts({ act, ...p }: Props & { act: Act }) {
  switch (act) {
    case 'claim': return <Claim {...p} />;
    case 'assign': return <Assign {...p} />;
    case 'delegate': return <Delegate {...p} />;
    case 'break': return <Break {...p} />;
  }
}

function Claim({ row, b, close }: Props) {
  const tell = useTell('claimTask');
  const taken = Boolean(b.assignee);
  return (
    <Confirm title="See to it" does={taken ? 'Take it over' : 'I see to it'} close={close} asking={tell} submit={(why) => tell.mutate({ path: { task: row.id }, body: { ...(taken ? { take: true } : {}), ...(why ? { why } : {}) } }, { onSuccess: () => { toast('It is yours to see to.'); close(); } })}>
      {taken ? <p><Text of={person(b.assignee ?? '')} max={80} /> sees to it now.</p> : <p>Others see that it is yours. They may answer all the same.</p>}
    </Confirm>
  );
}

function Assign({ row, b, close }: Props) {
  const [who, setWho] = useState(b.assignee ?? '');
  const tell = useTell('assignTask');
  return (
    <Confirm title="Assign it" does={who.trim() ? 'Assign it' : 'Let nobody see to it'} close={close} asking={tell} submit={(why) => tell.mutate({ path: { task: row.id }, body: { to: who.trim(), ...(why ? { why } : {}) } }, { onSuccess: () => { toast('It is assigned.'); close(); } })}>
      <Field label="To a person or a group" value={who} set={setWho} autoFocus hint="As ada@example.org, group:sre or oncall/database." />
    </Confirm>
  );
}

function Delegate({ row, close }: Props) {
  const [who, setWho] = useState('');
  const tell = useTell('delegateTask');
  const list = who.split(/[,\s]+/).filter(Boolean);
  return (
    <Confirm title="Delegate your answer" does="Delegate it" close={close} asking={tell} ready={list.length > 0} submit={(why) => tell.mutate({ path: { task: row.id }, body: { to: list, ...(why ? { why } : {}) } }, { onSuccess: () => { toast('They may answer in your place.'); close(); } })}>
      <p>One of them may answer in your place, once. You do not answer until you take it back.</p>
      <Field label="To people or groups" value={who} set={setWho} autoFocus hint="With commas between them." />
    </Confirm>
  );
}

function Break({ row, close }: Props) {
  const tell = useTell('breakGlass');
  return (
    <Confirm danger title="Break the glass" does="Approve it alone" reason="required" close={close} asking={tell} submit={(why) => tell.mutate({ path: { task: row.id }, body: { why } }, { onSuccess: () => { toast('Approved alone. Everybody is told, and somebody else will review it.'); close(); } })}>
      <p>You approve alone, whoever was asked. It is told in every channel that wants to know, recorded, and somebody else has to review it afterwards.</p>
    </Confirm>
  );
}
