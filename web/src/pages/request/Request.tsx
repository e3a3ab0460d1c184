// One request of mine: how far it is, and what came of it.
import { useAsk } from '../../api/query';
import { Link, useParts } from '../../app/router';
import { stopsOf } from '../../app/requests';
import { useTitle } from '../../app/title';
import { Shown } from '../../ui/State';
import { Data, Text } from '../../ui/Text';
import { Ago, At, Took } from '../../ui/Time';
import { Track } from '../../ui/Track';
import './request.css';

export default function Request() {
  const { request = '' } = useParts();
  const asked = useAsk('showRequest', { path: { id: request } });
  const offers = useAsk('listOffers', {});
  useTitle(asked.data?.title || 'Request');
  return (
    <Shown of={asked} what="request" lines={8}>{(r) => {
      const offer = offers.data?.offers.find((o) => o.name === r.offer && o.project === r.project);
      const outputs = Object.entries(r.outputs ?? {});
      return (
        <>
          <header className="head"><h1><Text of={r.title || r.offer} max={160} /></h1>{offer ? <span className="end"><Link className="button" to={`/requests/new/${encodeURIComponent(r.offer)}?project=${encodeURIComponent(r.project)}`}>Ask for another one</Link></span> : null}</header>
          <div className="stack request-one">
            <section className="panel request-state" aria-label="State">
              <Track label="How far it is" of={stopsOf(r, (offer?.approvers?.length ?? 0) > 0)} />
              <p className="dim">asked <Ago at={r.asked} />{r.ended ? <>, ended <At at={r.ended} /> after <Took from={r.asked} to={r.ended} /></> : null}</p>
              {r.status === 'failed' || r.status === 'quarantined' ? <p className="tone-bad" role="status">It did not work. {offer?.owner ? <>It belongs to <Text of={offer.owner} max={60} />; give them the id <span className="mono">{r.id}</span>.</> : <>Give whoever keeps it the id <span className="mono">{r.id}</span>.</>}</p> : null}
              {r.status === 'cancelled' ? <p role="status">Somebody cancelled it.</p> : null}
            </section>
            {outputs.length ? <section className="panel" aria-label="Result"><header><h2>What came of it</h2></header><div className="body"><Values of={outputs} /></div></section> : null}
            {r.withheld?.length ? <p className="dim">Not shown, because it is sensitive: <Text of={r.withheld.join(', ')} max={200} /></p> : null}
            <section className="panel" aria-label="Asked"><header><h2>What you asked for</h2><span className="end id">{r.id}</span></header><div className="body">{r.params && Object.keys(r.params).length ? <Values of={Object.entries(r.params)} /> : <span className="dim">It takes nothing.</span>}</div></section>
          </div>
        </>
      );
    }}</Shown>
  );
}

const Values = ({ of }: { of: [string, unknown][] }) => <dl className="facts request-values">{of.map(([k, v]) => <Pair key={k} name={k} of={v} />)}</dl>;

function Pair({ name, of }: { name: string; of: unknown }) {
  const list = Array.isArray(of) && of.every((x) => typeof x !== 'object');
  return <><dt><Text of={name} max={80} /></dt><dd>{list ? <Text of={of.map(String).join(', ') || 'none'} max={2000} /> : typeof of === 'object' ? <Data of={of} /> : <Text of={String(of)} max={2000} />}</dd></>;
}
