// What is halted stands first and is loud; that nothing is, is a quiet line.
import { useAsk } from '../../api/query';
import type { Halt } from '../../api/schema';
import { useMay } from '../../app/me';
import { person } from '../../lib/text';
import { scopeOf } from '../../lib/scope';
import { Text } from '../../ui/Text';
import { Ago } from '../../ui/Time';
import type { Doing } from './Do';

export function Halts({ list, act }: { list: Halt[]; act: (d: Doing) => void }) {
  const may = useMay();
  const status = useAsk('status', {});
  const store = status.data?.halted;
  if (!list.length && !store) return <p className="dim" role="status">Nothing is halted.</p>;
  return (
    <section className="panel guards-halted" aria-label="Halts">
      <header><h2>Halted</h2>{list.length > 1 && may('unhalt') ? <span className="end"><button type="button" className="button small" onClick={() => act({ what: 'unhalt', halt: null })}>End all</button></span> : null}</header>
      <ul className="rows">
        {store ? <li><strong>Everything</strong><span>The store does not move: <Text of={store} max={400} /></span>{may('unhalt') ? <button type="button" className="button small" onClick={() => act({ what: 'store' })}>Let it move again</button> : null}</li> : null}
        {list.map((h) => (
          <li key={h.id}>
            <strong><Text of={scopeOf(h)} max={160} /></strong>
            <span>by <Text of={person(h.by)} max={60} />, <Ago at={h.at} />{h.why ? <>: <Text of={h.why} max={300} /></> : null}. No new effect begins there until somebody ends it.</span>
            {may('unhalt', h.project) || may('unhalt') ? <button type="button" className="button small" onClick={() => act({ what: 'unhalt', halt: h })}>Let it go on</button> : null}
          </li>
        ))}
      </ul>
    </section>
  );
}
