// The run that the question comes from: how it stands, where in it the step is, and what is other than the last time.
import { useMemo } from 'react';

import { useAsk } from '../../api/query';
import type { Glance } from '../../api/schema';
import { go, Link, to } from '../../app/router';
import { Graph } from '../../ui/Graph';
import { placesOf, withTarget } from '../../ui/places';
import { Since } from '../../ui/Since';
import { Status } from '../../ui/Status';
import { Text } from '../../ui/Text';
import { At } from '../../ui/Time';
import { placeOf } from './model';

export function Around({ run, path, known, targets }: { run: string | undefined; path: string | undefined; known: Glance | undefined; targets: string[] | undefined }) {
  const layout = useAsk('runGraph', { path: { run: run ?? '' } }, { when: Boolean(run), fixed: true });
  // The question knows what the step is about before the step itself has begun.
  const places = useMemo(() => withTarget(placesOf(known?.steps ?? []), placeOf(path ?? ''), targets), [known, path, targets]);
  if (!run) return null;
  const h = known?.head;
  const place = placeOf(path ?? '');
  return (
    <section className="panel" aria-label="Run">
      <header><h2><Link to={to.run(run, path)}>{h ? <Text of={h.name} max={120} /> : run}</Link></h2>{h ? <Status of={h.status} /> : null}</header>
      <div className="task-graph">{layout.data ? <Graph plain layout={layout.data} places={places} chosen={place} choose={(p) => go(to.run(run, places.get(p)?.path ?? p))} follow={undefined} /> : null}</div>
      {h ? (
        <div className="body stack">
          <dl className="facts">
            <dt>began</dt><dd><At at={h.started ?? h.created} /> by <Text of={h.by.name} max={80} /></dd>
            {h.commit ? <><dt>commit</dt><dd className="mono" title={h.commit}>{h.commit.slice(0, 12)}</dd></> : null}
            {h.author ? <><dt>author</dt><dd><Text of={h.author} max={80} /></dd></> : null}
            {h.cause?.incident ? <><dt>incident</dt><dd><Link to={to.incident(h.cause.incident)}>{h.cause.incident}</Link></dd></> : null}
            {h.changed?.length ? <><dt>changed so far</dt><dd>{h.changed.slice(0, 8).map((t) => <div key={t}><code><Text of={t} max={200} /></code></div>)}{h.changed.length > 8 ? <span className="dim">and {h.changed.length - 8} more</span> : null}</dd></> : null}
          </dl>
          <h3>Since the last time</h3>
          <Since now={known} run={(id) => <Link to={to.run(id)}>{id}</Link>} source={(says) => <Link to={`${to.playbook(h.name)}?view=versions`}>{says}</Link>} />
        </div>
      ) : null}
    </section>
  );
}
