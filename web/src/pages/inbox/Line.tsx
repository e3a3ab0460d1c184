// A question as a row: what it is, what a yes would do, where it comes from, whose it is, and until when.
import { bodyOf, type TaskBody } from '../../api/rows';
import type { Row } from '../../api/schema';
import { Link, to } from '../../app/router';
import { questionOf } from '../../lib/answer';
import { person } from '../../lib/text';
import { parse, relative } from '../../lib/time';
import { Cell, GlyphCell, Line as ListLine } from '../../ui/List';
import { Text } from '../../ui/Text';
import { Ago, At, useNow } from '../../ui/Time';
import { kinds } from './order';

export interface Origin { name: string; incident: string | undefined }

interface What { action?: string; targets?: string[]; irreversible?: boolean }

export function Line({ row, origin, chosen, choose, me, claim, delegate, handed, back }: {
  row: Row; origin: Origin | undefined; chosen: boolean; choose: () => void; me: string; claim: (() => void) | null; delegate: (() => void) | null;
  /** To whom the person handed it, and how it is taken back. */
  handed: string[] | undefined; back: (() => void) | null;
}) {
  const b = bodyOf<TaskBody>(row);
  const now = useNow();
  const open = row.status === 'open';
  const left = parse(b.expires) - now;
  const soon = open && left < 600_000;
  return (
    <ListLine chosen={chosen} tone={soon ? 'bad' : b.type === 'doubt' && open ? 'doubt' : undefined}>
      <GlyphCell status={open ? (b.type === 'doubt' ? 'in-doubt' : 'open') : (row.status ?? '')} />
      <Cell className="inbox-what">
        <Link id={`task-${row.id}`} className="whole" to={to.task(row.id)} onFocus={choose}><Text of={questionOf(b, row.name)} max={240} /></Link>
        <span className="inbox-about">
          <span>{kinds[b.type ?? ''] ?? b.type}</span>
          <Would of={b.show as What | undefined} />
          {row.parent ? <span>from <Link to={to.run(row.parent, b.path)}><Text of={origin?.name || row.parent} max={60} /></Link></span> : null}
          {origin?.incident ? <span><Link to={to.incident(origin.incident)}>its incident</Link></span> : null}
        </span>
      </Cell>
      <Cell className="inbox-who" small from="m">{handed ? <>you handed it to <Text of={handed.map(person).join(', ')} max={60} /></> : <Whose b={b} me={me} open={open} />}</Cell>
      <Cell className="inbox-do">
        {open && claim && b.assignee !== me ? <button type="button" className="button small" onClick={claim}>I see to it</button> : null}
        {open && delegate ? <button type="button" className="button small" onClick={delegate}>Delegate</button> : null}
        {handed && back ? <button type="button" className="button small" onClick={back}>Take it back</button> : null}
      </Cell>
      <Cell num className="inbox-due">{!open ? <Ago at={row.at} /> : Number.isNaN(left) ? <span className="dim">no end</span> : <><span className={soon ? 'tone-bad' : undefined}>{relative(parse(b.expires), now)}</span><small className="dim"><At at={b.expires} /></small></>}</Cell>
    </ListLine>
  );
}

/** What a yes would change. */
function Would({ of: s }: { of: What | undefined }) {
  if (!s?.action) return null;
  const n = s.targets?.length ?? 0;
  return (
    <>
      <span><span className="mono"><Text of={s.action} max={60} /></span>{n ? <> on <Text of={s.targets?.slice(0, 2).join(', ')} max={120} />{n > 2 ? ` and ${n - 2} more` : ''}</> : null}</span>
      {s.irreversible ? <span className="tone-bad">cannot be undone</span> : null}
    </>
  );
}

function Whose({ b, me, open }: { b: Partial<TaskBody>; me: string; open: boolean }) {
  const yes = (b.votes ?? []).filter((v) => v.answer === 'approve').length;
  if (!open) {
    const by = [...new Set((b.votes ?? []).map((v) => v.by.name))];
    return by.length ? <>by <Text of={by.join(', ')} max={80} /></> : null;
  }
  return (
    <>
      {b.assignee ? (b.assignee === me ? 'you see to it' : <>with <Text of={person(b.assignee)} max={40} /></>) : b.from?.length ? <Text of={b.from.map(person).join(', ')} max={60} /> : 'anybody who may'}
      {(b.count ?? 1) > 1 ? <span>, {yes} of {b.count} said yes</span> : null}
    </>
  );
}
