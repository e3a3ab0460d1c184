// What is told of a run beside its steps: its story, and what it is.
import { Link, to } from '../../app/router';
import { over } from '../../ui/RunRow';
import { Since } from '../../ui/Since';
import { Data, Text } from '../../ui/Text';
import { At } from '../../ui/Time';
import type { Known } from './model';

export function Story({ known, choose }: { known: Known; choose: (path: string) => void }) {
  const list = [...known.moments].reverse();
  return (
    <section className="panel run-story" aria-label="Story">
      <ol>{list.map((m, i) => (
        <li key={`${m.seq}-${i}`}><At at={m.at} />{m.path && known.at.has(m.path) ? <button type="button" className="plainlink" onClick={() => choose(m.path ?? '')}><Text of={m.text} max={400} /></button> : <Text of={m.text} max={400} />}<span className="no" title="Number of the entry">{m.seq}</span></li>
      ))}</ol>
      {known.earlier ? <p className="dim">{known.earlier} earlier moments are not kept here; the run’s stream has them all.</p> : null}
    </section>
  );
}

const some = (o: object | undefined) => !!o && Object.keys(o).length > 0;

export function About({ known }: { known: Known }) {
  const h = known.head;
  return (
    <section className="panel run-about" aria-label="About the run">
      <h2>Since the last time</h2>
      <Since now={known} run={(id) => <Link to={to.run(id)}>{id}</Link>} source={(says) => <Link to={`${to.playbook(h.name)}?view=versions`}>{says}</Link>} />
      <h2>Parameters</h2>
      {some(known.params) ? <Data of={known.params} /> : <p className="dim">None.</p>}
      <h2>Outputs</h2>
      {some(known.outputs) ? <Data of={known.outputs} /> : <p className="dim">{over(h.status) ? 'None.' : 'They come when it has ended.'}</p>}
      <h2>What it is</h2>
      <dl className="facts">
        {h.source ? <><dt>from</dt><dd><code><Text of={h.source} max={400} /></code></dd></> : null}
        {h.commit ? <><dt>commit</dt><dd><code>{h.commit}</code></dd></> : null}
        {h.author ? <><dt>author</dt><dd><Text of={h.author} /></dd></> : null}
        <dt>compiled as</dt><dd><code>{h.closure}</code></dd>
        <dt>project</dt><dd><Text of={h.project} /></dd>
        {h.changed?.length ? <><dt>changed</dt><dd>{h.changed.slice(0, 50).map((t) => <div key={t}><code><Text of={t} max={300} /></code></div>)}{h.changed.length > 50 ? <span className="dim">and {h.changed.length - 50} more</span> : null}</dd></> : null}
        {h.erased ? <><dt>erased</dt><dd>{h.erased} entries had a text erased; the chain holds.</dd></> : null}
        {h.remarks?.map((r) => <Remark key={r} of={r} />)}
      </dl>
    </section>
  );
}

function Remark({ of }: { of: string }) { return <><dt>remark</dt><dd className="tone-bad"><Text of={of} max={400} /></dd></>; }
