// The form of an offer.
import { type FormEvent, useEffect, useState } from 'react';

import { useAsk, useTell } from '../../api/query';
import type { Offer } from '../../api/schema';
import { go, Link, useParam, useParts } from '../../app/router';
import { useTitle } from '../../app/title';
import { first, read, type Typed } from '../../lib/form';
import { person } from '../../lib/text';
import { FormFields } from '../../ui/Form';
import { Empty, Failed, Shown } from '../../ui/State';
import { Text } from '../../ui/Text';
import { toast } from '../../ui/Toasts';
import './request.css';

export default function Ask() {
  const { offer = '' } = useParts();
  const [project] = useParam('project');
  const offers = useAsk('listOffers', {});
  return (
    <Shown of={offers} lines={8}>{(d) => {
      const o = d.offers.find((x) => x.name === offer && (!project || x.project === project));
      return o ? <Body o={o} /> : <Empty title="Nothing of this name is offered to you"><Link to="/requests">What is offered</Link></Empty>;
    }}</Shown>
  );
}

// What was typed and not sent stays while the page is open, by offer. What is sensitive does not.
const drafts = new Map<string, Typed>();

function Body({ o }: { o: Offer }) {
  useTitle(o.title || o.name);
  const fields = o.parameters ?? [];
  const draft = `${o.project}/${o.name}`;
  const [typed, setTyped] = useState(() => ({ ...first(fields), ...drafts.get(draft) }));
  const [why, setWhy] = useState(() => drafts.get(draft)?.[reason] ?? '');
  const [tried, setTried] = useState(false);
  const [key] = useState(() => crypto.randomUUID());
  const tell = useTell('submitRequest');
  const { values, wrong } = read(fields, typed);
  const bad = Object.keys(wrong).length;
  useEffect(() => {
    const secret = new Set(fields.filter((f) => f.sensitive || f.type === 'secret').map((f) => f.name));
    drafts.set(draft, { ...Object.fromEntries(Object.entries(typed).filter(([k]) => !secret.has(k))), [reason]: why });
  });
  const send = (e: FormEvent<HTMLFormElement>) => {
    e.preventDefault();
    setTried(true);
    if (tell.isPending) return;
    if (bad) {
      const form = e.currentTarget;
      requestAnimationFrame(() => form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
      return;
    }
    tell.mutate({ path: { name: o.name }, query: { project: o.project }, body: { params: values, ...(why.trim() ? { why: why.trim() } : {}) }, ask: { key } }, { onSuccess: (r) => { setTimeout(() => drafts.delete(draft)); toast('It is asked for.'); go(`/requests/${encodeURIComponent(r.request)}`); } });
  };
  return (
    <>
      <header className="head"><h1><Text of={o.title || o.name} max={160} /></h1></header>
      <form className="panel request-form" onSubmit={send} noValidate>
        {o.description ? <p className="lead"><Text of={o.description} max={1000} /></p> : null}
        <p className="dim">{o.approvers?.length ? <>Before it is done, it is approved by <Text of={o.approvers.map((a) => (a === '*' ? 'anybody who may' : person(a))).join(', ')} max={160} />.</> : 'Nobody is asked: it is done at once.'}{o.outputs?.length ? <> You are told: <Text of={o.outputs.map((f) => f.name).join(', ')} max={160} />.</> : null}</p>
        {o.note ? <p className="tone-wait"><Text of={o.note} max={1000} /></p> : null}
        <FormFields of={fields} typed={typed} set={setTyped} wrong={tried ? wrong : {}} early={wrong} />
        <div className="field"><label htmlFor="why">What it is for</label><textarea id="why" className="input" rows={2} value={why} maxLength={2000} onChange={(e) => setWhy(e.target.value)} /></div>
        {tell.error ? <Failed error={tell.error} /> : null}
        <div className="do"><button type="submit" className="button primary" disabled={tell.isPending}>Ask for it</button>{tried && bad ? <span className="tone-bad" role="status">{bad === 1 ? 'One field needs another look.' : `${bad} fields need another look.`}</span> : null}</div>
      </form>
    </>
  );
}

const reason = '\n'; // no field is called so
