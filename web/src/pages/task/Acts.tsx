// What is done with a question beside answering it.
import { useState } from 'react';

import { useTell } from '../../api/query';
import type { TaskBody } from '../../api/rows';
import type { Row } from '../../api/schema';
import { safe } from '../../lib/link';
import { person } from '../../lib/text';
import { Confirm, Field } from '../../ui/Confirm';
import { Delegate, TakeBack } from '../../ui/Delegate';
import { Text } from '../../ui/Text';
import { toast } from '../../ui/Toasts';

export type Act = 'claim' | 'assign' | 'delegate' | 'back' | 'link' | 'break';

interface Props { row: Row; b: Partial<TaskBody>; close: () => void }

export function Acts({ act, handed, ...p }: Props & { act: Act; handed: string[] }) {
  switch (act) {
    case 'claim': return <Claim {...p} />;
    case 'assign': return <Assign {...p} />;
    case 'delegate': return <Delegate {...p} />;
    case 'back': return <TakeBack {...p} from={handed} />;
    case 'link': return <AddLink {...p} />;
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

function AddLink({ row, close }: Props) {
  const [url, setURL] = useState('');
  const [name, setName] = useState('');
  const tell = useTell('linkTask');
  const wrong = url.trim() && !safe(url.trim()) ? 'An address with https:// or http://.' : undefined;
  return (
    <Confirm title="Add a link" does="Add it" reason="none" close={close} asking={tell} ready={url.trim() !== '' && !wrong} submit={() => tell.mutate({ path: { task: row.id }, body: { url: url.trim(), ...(name.trim() ? { name: name.trim() } : {}) } }, { onSuccess: () => { toast('The link is added.'); close(); } })}>
      <Field label="Address" value={url} set={setURL} wrong={wrong} autoFocus placeholder="https://wiki.example.org/drain" />
      <Field label="What it is called" value={name} set={setName} placeholder="run book" />
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
