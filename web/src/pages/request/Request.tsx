// One request of mine, and what came of it.
import { useAsk } from '../../api/query';
import { useParts } from '../../app/router';
import { useTitle } from '../../app/title';
import { Shown } from '../../ui/State';
import { Status } from '../../ui/Status';
import { Data, Text } from '../../ui/Text';
import { At } from '../../ui/Time';
import './request.css';

export default function Request() {
  const { request = '' } = useParts();
  const asked = useAsk('showRequest', { path: { id: request } });
  useTitle(asked.data?.title || 'Request');
  return (
    <Shown of={asked} what="request" lines={8}>{(r) => (
      <>
        <header className="head"><Status of={r.status} /><h1><Text of={r.title || r.offer} max={160} /></h1></header>
        <div className="stack request-one">
          <section className="panel" aria-label="State"><div className="body"><dl className="facts">
            <dt>asked</dt><dd><At at={r.asked} exact /></dd>
            {r.waits ? <><dt>waits for</dt><dd><Text of={r.waits} max={200} /></dd></> : null}
            {r.ended ? <><dt>done</dt><dd><At at={r.ended} exact /></dd></> : null}
            <dt>id</dt><dd className="mono">{r.id}</dd>
          </dl></div></section>
          {r.outputs && Object.keys(r.outputs).length ? <section className="panel" aria-label="Result"><header><h2>What came of it</h2></header><div className="body"><Values of={r.outputs} /></div></section> : null}
          {r.withheld?.length ? <p className="dim">Not shown, because it is sensitive: <Text of={r.withheld.join(', ')} max={200} /></p> : null}
          <section className="panel" aria-label="Asked"><header><h2>What you asked for</h2></header><div className="body"><Values of={r.params ?? {}} /></div></section>
        </div>
      </>
    )}</Shown>
  );
}

function Values({ of }: { of: Record<string, unknown> }) {
  return <dl className="facts">{Object.entries(of).map(([k, v]) => <Pair key={k} name={k} of={v} />)}</dl>;
}

const Pair = ({ name, of }: { name: string; of: unknown }) => <><dt><Text of={name} max={80} /></dt><dd>{typeof of === 'object' ? <Data of={of} /> : <Text of={String(of)} max={2000} />}</dd></>;
