// What is offered to me, what I asked for and how far it is, and what was handed over to me.
import { useState } from 'react';

import { useAsk } from '../../api/query';
import type { Handover, Offer } from '../../api/schema';
import { Link, useParam } from '../../app/router';
import { stopsOf } from '../../app/requests';
import { useTitle } from '../../app/title';
import { Filters, Find } from '../../ui/Filters';
import { Cell, GlyphCell, Line, List } from '../../ui/List';
import { Shown } from '../../ui/State';
import { Text } from '../../ui/Text';
import { Ago, Until } from '../../ui/Time';
import { Track } from '../../ui/Track';
import { person } from '../../lib/text';
import { Take } from './Take';
import './requests.css';

export default function Requests() {
  useTitle('Requests');
  const [find, setFind] = useParam('find');
  const offers = useAsk('listOffers', {});
  const mine = useAsk('listRequests', { query: { limit: 100 } });
  const handed = useAsk('listHandovers', {});
  const [taking, setTaking] = useState<Handover | null>(null);
  const known = new Map((offers.data?.offers ?? []).map((o) => [`${o.project}/${o.name}`, o]));
  const fits = (o: Offer) => !find || `${o.title} ${o.description ?? ''} ${o.name} ${o.owner ?? ''}`.toLowerCase().includes(find.toLowerCase());
  const pending = (handed.data?.handovers ?? []).filter((h) => h.status === 'pending');
  return (
    <>
      <header className="head"><h1>Requests</h1></header>
      <div className="stack requests">
        {pending.length ? (
          <section className="panel" aria-label="Handed over to you">
            <header><h2>Handed over to you <span className="tally">{pending.length}</span></h2></header>
            <List label="Handed over to you" className="requests-handed">{pending.map((h) => (
              <Line key={h.id} tone="wait">
                <GlyphCell status="open" />
                <Cell><Text of={h.title || h.id} max={160} /> <span className="dim">can be taken once, by you alone</span></Cell>
                <Cell num>until <Until at={h.expires} /></Cell>
                <Cell><button type="button" className="button small" onClick={() => setTaking(h)}>Take it</button></Cell>
              </Line>
            ))}</List>
          </section>
        ) : null}
        <section aria-label="My requests">
          <h2 className="requests-head">My requests</h2>
          <Shown of={mine} none={{ when: (d) => d.requests.length === 0, show: <p className="dim">You have not asked for anything yet.</p> }}>{(d) => (
            <div className="panel"><List label="My requests" className="requests-mine">{d.requests.map((r) => {
              const o = known.get(`${r.project}/${r.offer}`);
              return (
                <Line key={r.id} tone={r.status === 'failed' ? 'bad' : undefined}>
                  <GlyphCell status={r.status} />
                  <Cell clip><Link className="whole" to={`/requests/${encodeURIComponent(r.id)}`}><Text of={r.title || o?.title || r.offer} max={120} /></Link></Cell>
                  <Cell from="m"><Track label="How far it is" of={stopsOf(r, (o?.approvers?.length ?? 0) > 0)} /></Cell>
                  <Cell num small><Ago at={r.ended ?? r.asked} /></Cell>
                </Line>
              );
            })}</List></div>
          )}</Shown>
        </section>
        <section aria-label="Offered to you">
          <div className="requests-head"><h2>Offered to you</h2>{(offers.data?.offers.length ?? 0) > 5 ? <Filters clear={find ? () => setFind(null) : undefined}><Find label="Find" value={find} set={setFind} placeholder="what you want" /></Filters> : null}</div>
          <Shown of={offers} none={{ when: (d) => d.offers.length === 0, show: <p className="dim">Nothing is offered to you. A playbook with <code>offer</code> that names one of your groups stands here as a form.</p> }}>{(d) => (
            d.offers.some(fits)
              ? <div className="panel"><List label="Offers" className="requests-offers" head={['What you get', { says: 'Who approves', from: 'm' }, { says: 'Of', from: 'm' }, '']}>{d.offers.filter(fits).map((o) => <One key={`${o.project}/${o.name}`} of={o} />)}</List></div>
              : <p className="dim">Nothing that is offered fits.</p>
          )}</Shown>
        </section>
      </div>
      {taking ? <Take of={taking} close={() => setTaking(null)} /> : null}
    </>
  );
}

function One({ of: o }: { of: Offer }) {
  const gives = (o.outputs ?? []).map((f) => f.name);
  return (
    <Line>
      <Cell className="requests-what">
        <Link className="whole" to={`/requests/new/${encodeURIComponent(o.name)}?project=${encodeURIComponent(o.project)}`}><Text of={o.title || o.name} max={120} /></Link>
        {o.description && o.description !== o.title ? <span><Text of={o.description} max={300} /></span> : null}
        {gives.length ? <span className="dim">you are told: <Text of={gives.join(', ')} max={120} /></span> : null}
        {o.note ? <span className="tone-wait"><Text of={o.note} max={240} /></span> : null}
      </Cell>
      <Cell small from="m">{o.approvers?.length ? <Text of={o.approvers.map((a) => (a === '*' ? 'anybody who may' : person(a))).join(', ')} max={80} /> : 'nobody: it is done at once'}</Cell>
      <Cell small from="m"><Text of={o.owner || o.project} max={60} /></Cell>
      <Cell num className="requests-go"><span aria-hidden>Ask for it →</span></Cell>
    </Line>
  );
}
