// What is to be done so that it does not happen again.
import { type FormEvent, useState } from 'react';

import { useTell } from '../../api/query';
import type { Incident, IncidentItem } from '../../api/schema';
import { safe } from '../../lib/link';
import { Text } from '../../ui/Text';
import { At } from '../../ui/Time';
import { toastError } from '../../ui/Toasts';

export function Items({ d, writes }: { d: Incident; writes: boolean }) {
  const items = d.items ?? [];
  const [text, setText] = useState('');
  const [owner, setOwner] = useState('');
  const plan = useTell('planIncident');
  if (!items.length && !writes) return null;
  const add = (e: FormEvent) => {
    e.preventDefault();
    if (!text.trim()) return;
    plan.mutate({ path: { incident: d.id }, body: { text: text.trim(), ...(owner.trim() ? { owner: owner.trim() } : {}) } }, { onSuccess: () => { setText(''); setOwner(''); }, onError: toastError });
  };
  const done = (i: IncidentItem, yes: boolean) => plan.mutate({ path: { incident: d.id }, body: { id: i.id, text: i.text, done: yes, ...(i.owner ? { owner: i.owner } : {}), ...(i.due ? { due: i.due } : {}), ...(i.url ? { url: i.url } : {}) } }, { onError: toastError });
  return (
    <section className="panel" aria-label="Action items">
      <header><h2>Action items <span className="tally">{items.filter((i) => !i.done).length} open</span></h2></header>
      {items.length ? (
        <ul className="rows incident-items">{items.map((i) => {
          const url = safe(i.url);
          return (
            <li key={i.id}>
              <label><input type="checkbox" checked={i.done ?? false} disabled={!writes || plan.isPending} onChange={(e) => done(i, e.target.checked)} /> <span className={i.done ? 'dim' : undefined}><Text of={i.text} max={300} /></span></label>
              <span className="dim">{i.owner ? <Text of={i.owner} max={40} /> : null} {i.due ? <At at={i.due} /> : null} {url ? <a href={url} rel="noreferrer noopener" target="_blank">issue ↗</a> : null}</span>
            </li>
          );
        })}</ul>
      ) : null}
      {writes ? (
        <form className="incident-item" onSubmit={add}>
          <input className="input" aria-label="What is to be done" placeholder="What is to be done" value={text} maxLength={2000} onChange={(e) => setText(e.target.value)} />
          <input className="input" aria-label="By whom" placeholder="by whom" value={owner} onChange={(e) => setOwner(e.target.value)} />
          <button type="submit" className="button small" disabled={!text.trim() || plan.isPending}>Add</button>
        </form>
      ) : null}
    </section>
  );
}
