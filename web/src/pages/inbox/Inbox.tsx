// What people are asked: what is mine first, then the rest, by when it is due.
import { usePages } from '../../api/query';
import { bodyOf, type TaskBody } from '../../api/rows';
import type { Row } from '../../api/schema';
import { askedOf, useMay, useMe } from '../../app/me';
import { Link, to, useParam } from '../../app/router';
import { useTitle } from '../../app/title';
import { person } from '../../lib/text';
import { Choice } from '../../ui/Confirm';
import { Pages } from '../../ui/List';
import { Empty } from '../../ui/State';
import { Status } from '../../ui/Status';
import { Text } from '../../ui/Text';
import { Ago } from '../../ui/Time';
import { byDue, kinds } from './order';
import './inbox.css';

export default function Inbox() {
  useTitle('Inbox');
  const me = useMe();
  const may = useMay();
  const [kind, setKind] = useParam('kind');
  const [over, setOver] = useParam('show');
  const of = usePages('listTasks', { limit: 100, ...(over ? {} : { status: ['open'] }) });
  const mine = (r: Row) => {
    const b = bodyOf<TaskBody>(r);
    return r.status === 'open' && askedOf(b.from, me.data) && may(b.type === 'approve' || b.type === 'review' ? 'approve' : 'answer', r.project) && !(b.votes ?? []).some((v) => v.by.id === me.data?.id);
  };
  return (
    <>
      <header className="head"><h1>Inbox</h1></header>
      <div className="filters">
        <Choice label="What is asked" value={kind} set={setKind} of={Object.entries(kinds)} any="everything" />
        <Choice label="Show" value={over} set={setOver} of={[['all', 'also what is answered']]} any="what is open" />
      </div>
      <Pages of={of} none={<div className="panel"><Empty title={over ? 'Nobody was asked anything yet' : 'Nothing waits for a person'}>Approvals, forms, work by hand and doubts stand here.</Empty></div>}>
        {(rows) => {
          const list = rows.filter((r) => !kind || bodyOf<TaskBody>(r).type === kind);
          const [a, b] = over ? [[], list] : [list.filter(mine).sort(byDue), list.filter((r) => !mine(r)).sort(byDue)];
          return (
            <div className="stack">
              {over ? null : (
                <section className="panel" aria-label="Asked of you">
                  <header><h2>Asked of you <span className="tally">{a.length}</span></h2></header>
                  {a.length ? <ul className="rows">{a.map((r) => <Line key={r.id} row={r} />)}</ul> : <div className="state dim">Nothing is asked of you.</div>}
                </section>
              )}
              {b.length ? (
                <section className="panel" aria-label={over ? 'All' : 'Asked of others'}>
                  <header><h2>{over ? 'All' : 'Asked of others'} <span className="tally">{b.length}</span></h2></header>
                  <ul className="rows">{b.map((r) => <Line key={r.id} row={r} />)}</ul>
                </section>
              ) : null}
            </div>
          );
        }}
      </Pages>
    </>
  );
}

function Line({ row }: { row: Row }) {
  const b = bodyOf<TaskBody>(row);
  const votes = (b.votes ?? []).filter((v) => v.answer === 'approve').length;
  return (
    <li>
      <Link to={to.task(row.id)} className="inbox-line">
        <Status of={row.status ?? 'open'} says={row.status === 'open' ? kinds[b.type ?? ''] ?? b.type ?? '' : (row.status ?? '')} />
        <span className="what"><strong><Text of={row.name} max={200} /></strong>{b.message ? <span className="dim"><Text of={b.message} max={200} /></span> : null}</span>
        <span className="who dim">
          {(b.count ?? 1) > 1 ? <span className="tag">{votes} of {b.count}</span> : null}
          {b.assignee ? <>with <Text of={person(b.assignee)} max={40} /></> : b.from?.length ? <Text of={b.from.map(person).join(', ')} max={60} /> : 'anybody who may'}
        </span>
        <span className="due">{row.status !== 'open' ? <Ago at={row.at} /> : b.expires && !b.expires.startsWith('0001') ? <Ago at={b.expires} /> : <span className="dim">no end</span>}</span>
      </Link>
    </li>
  );
}
