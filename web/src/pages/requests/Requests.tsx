// What is offered to me, and what I asked for.
import { useAsk } from '../../api/query';
import { Link } from '../../app/router';
import { useTitle } from '../../app/title';
import { Empty, Shown } from '../../ui/State';
import { Status } from '../../ui/Status';
import { Text } from '../../ui/Text';
import { Ago } from '../../ui/Time';
import './requests.css';

export default function Requests() {
  useTitle('Requests');
  const offers = useAsk('listOffers', {});
  const mine = useAsk('listRequests', { query: { limit: 100 } });
  const titles = new Map((offers.data?.offers ?? []).map((o) => [`${o.project}/${o.name}`, o.title]));
  return (
    <>
      <header className="head"><h1>Requests</h1></header>
      <div className="stack">
        <section className="panel" aria-label="Offered to you">
          <header><h2>Offered to you</h2></header>
          <Shown of={offers} none={{ when: (d) => d.offers.length === 0, show: <Empty title="Nothing is offered to you">A playbook with <code>offer</code> that names one of your groups stands here as a form.</Empty> }}>{(d) => (
            <ul className="requests-offers">{d.offers.map((o) => (
              <li key={`${o.project}/${o.name}`}><Link to={`/requests/new/${encodeURIComponent(o.name)}?project=${encodeURIComponent(o.project)}`}>
                <strong><Text of={o.title || o.name} max={120} /></strong>
                <span className="dim"><Text of={o.note || o.description} max={240} /></span>
                <span className="dim small"><Text of={o.owner} max={60} /></span>
              </Link></li>
            ))}</ul>
          )}</Shown>
        </section>
        <section className="panel" aria-label="My requests">
          <header><h2>My requests</h2></header>
          <Shown of={mine} none={{ when: (d) => d.requests.length === 0, show: <Empty title="You have not asked for anything yet" /> }}>{(d) => (
            <div className="scroll"><table className="table">
              <thead><tr><th>State</th><th>Request</th><th>It waits for</th><th>Asked</th><th>Done</th></tr></thead>
              <tbody>{d.requests.map((r) => (
                <tr key={r.id}>
                  <td><Status of={r.status} /></td><td><Link to={`/requests/${encodeURIComponent(r.id)}`}><Text of={r.title || titles.get(`${r.project}/${r.offer}`) || r.offer} max={120} /></Link></td>
                  <td><Text of={r.waits} max={80} /></td><td><Ago at={r.asked} /></td><td>{r.ended ? <Ago at={r.ended} /> : null}</td>
                </tr>
              ))}</tbody>
            </table></div>
          )}</Shown>
        </section>
      </div>
    </>
  );
}
