// Who asked whom, and what became of it so far.
import type { TaskBody } from '../../api/rows';
import type { Row } from '../../api/schema';
import { Link, to } from '../../app/router';
import { safe } from '../../lib/link';
import { person } from '../../lib/text';
import { Text } from '../../ui/Text';
import { At } from '../../ui/Time';

/** link: adds a link; null: nobody who looks may. */
export function Facts({ row, b, link }: { row: Row; b: Partial<TaskBody>; link: (() => void) | null }) {
  return (
    <section className="panel" aria-label="Who"><div className="body">
      <dl className="facts">
        <dt>asked</dt><dd><At at={row.at} exact /></dd>
        <dt>by</dt><dd><Text of={person(b.requesterID || b.requester || '')} max={80} /></dd>
        {b.author ? <><dt>author</dt><dd><Text of={b.author} max={120} /></dd></> : null}
        <dt>of</dt><dd>{b.from?.length ? <Text of={b.from.map(person).join(', ')} max={300} /> : 'anybody who may'}</dd>
        <dt>with</dt><dd>{b.assignee ? <Text of={person(b.assignee)} max={80} /> : <span className="dim">nobody yet</span>}</dd>
        {b.reviews ? <><dt>reviews</dt><dd><Link to={to.task(b.reviews)}>{b.reviews}</Link></dd></> : null}
        {(b.escalated ?? []).map((e, i) => <Pair key={i} name="escalated" of={(e.to ?? []).map(person).join(', ')} />)}
        {(b.delegated ?? []).map((d, i) => <Pair key={i} name="delegated" of={`${d.by.name} to ${(d.to ?? []).map(person).join(', ')}`} />)}
        <dt>project</dt><dd><Text of={row.project} max={80} /></dd>
        <dt>id</dt><dd className="mono">{row.id}</dd>
      </dl>
      {b.links?.length ? <ul className="task-links">{b.links.map((l) => { const url = safe(l.url); return <li key={l.url}>{url ? <a href={url} rel="noreferrer noopener" target="_blank"><Text of={l.name || l.url} max={80} /> ↗</a> : <Text of={l.url} max={80} />}</li>; })}</ul> : null}
      {link ? <p className="task-link"><button type="button" className="button plain small" onClick={link}>Add a link</button></p> : null}
    </div></section>
  );
}

const Pair = ({ name, of }: { name: string; of: string }) => <><dt>{name}</dt><dd><Text of={of} max={200} /></dd></>;
