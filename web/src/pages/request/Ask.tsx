// The form of an offer.
import { type FormEvent, useState } from 'react';

import { useAsk, useTell } from '../../api/query';
import type { Offer } from '../../api/schema';
import { go, Link, useParam, useParts } from '../../app/router';
import { useTitle } from '../../app/title';
import { first, read } from '../../lib/form';
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

function Body({ o }: { o: Offer }) {
  useTitle(o.title || o.name);
  const fields = o.parameters ?? [];
  const [typed, setTyped] = useState(() => first(fields));
  const [why, setWhy] = useState('');
  const [tried, setTried] = useState(false);
  const [key] = useState(() => crypto.randomUUID());
  const tell = useTell('submitRequest');
  const { values, wrong } = read(fields, typed);
  const bad = Object.keys(wrong).length;
  const send = (e: FormEvent) => {
    e.preventDefault();
    setTried(true);
    if (bad || tell.isPending) return;
    tell.mutate({ path: { name: o.name }, query: { project: o.project }, body: { params: values, ...(why.trim() ? { why: why.trim() } : {}) }, ask: { key } }, { onSuccess: (r) => { toast('It is asked for.'); go(`/requests/${encodeURIComponent(r.request)}`); } });
  };
  return (
    <>
      <header className="head"><h1><Text of={o.title || o.name} max={160} /></h1></header>
      <form className="panel request-form" onSubmit={send} noValidate>
        <p><Text of={o.description} max={1000} /></p>
        {o.note ? <p className="dim"><Text of={o.note} max={1000} /></p> : null}
        <FormFields of={fields} typed={typed} set={setTyped} wrong={tried ? wrong : {}} />
        <div className="field"><label htmlFor="why">What it is for</label><textarea id="why" className="input" rows={2} value={why} maxLength={2000} onChange={(e) => setWhy(e.target.value)} /></div>
        {tell.error ? <Failed error={tell.error} /> : null}
        <div className="do"><button type="submit" className="button primary" disabled={tell.isPending}>Ask for it</button>{tried && bad ? <span className="tone-bad" role="status">{bad === 1 ? 'One field needs another look.' : `${bad} fields need another look.`}</span> : null}</div>
      </form>
    </>
  );
}
