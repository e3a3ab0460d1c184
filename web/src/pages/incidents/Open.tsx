import { useState } from 'react';

import { useTell } from '../../api/query';
import { go, to } from '../../app/router';
import { Choice, Confirm, Field } from '../../ui/Confirm';
import { toast } from '../../ui/Toasts';
import { severities } from './severity';

export function Open({ close }: { close: () => void }) {
  const [title, setTitle] = useState('');
  const [severity, setSeverity] = useState('major');
  const [summary, setSummary] = useState('');
  const [key, setKey] = useState('');
  const tell = useTell('openIncident');
  return (
    <Confirm title="Open an incident" does="Open the incident" reason="none" close={close} asking={tell} ready={title.trim() !== ''}
      submit={() => tell.mutate({ body: { title: title.trim(), severity, ...(summary ? { summary } : {}), ...(key ? { key } : {}) } }, { onSuccess: (i) => { toast('The incident is open.'); go(to.incident(i.id)); } })}>
      <Field label="Title: what users notice" value={title} set={setTitle} required autoFocus />
      <Choice label="Severity" value={severity} set={setSeverity} of={severities} />
      <Field label="Summary" value={summary} set={setSummary} lines={3} />
      <Field label="Key" value={key} set={setKey} hint="Events with the same key join it. Without one only people add to it." />
    </Confirm>
  );
}
