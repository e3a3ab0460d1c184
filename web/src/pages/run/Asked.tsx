// What waits for a person, first on the page: the question, what it is about, and the answer.
import { useAsk } from '../../api/query';
import { bodyOf, type TaskBody } from '../../api/rows';
import type { RunWait } from '../../api/schema';
import { useMay, useMe } from '../../app/me';
import { answers, handedOn } from '../../app/needs';
import { Link, to } from '../../app/router';
import { howOf, questionOf } from '../../lib/answer';
import { person } from '../../lib/text';
import { Answer, Terms } from '../../ui/Answer';
import { Glyph } from '../../ui/Status';
import { Lines, Text } from '../../ui/Text';

const most = 3;

/** The tasks that are shown above the run. */
export const askedHere = (waits: RunWait[] | undefined): string[] => [...new Set((waits ?? []).filter((w) => w.for === 'task' || w.for === 'doubt').map((w) => w.on ?? '').filter(Boolean))].slice(0, most);

export function AskedHere({ tasks, project }: { tasks: string[]; project: string }) {
  return <>{tasks.map((t) => <Question key={t} task={t} project={project} />)}</>;
}

/** What a question is bound to. */
export interface What { action?: string; effect?: string; targets?: string[]; irreversible?: boolean; inputs?: Record<string, unknown> }

export function Question({ task, project }: { task: string; project: string }) {
  const t = useAsk('showTask', { path: { task } });
  const me = useMe();
  const may = useMay();
  if (t.isPending) return <div className="answer run-asked-wait" aria-hidden />; // its room, so that nothing moves when it comes
  if (!t.data || t.data.status !== 'open') return null;
  const b = bodyOf<TaskBody>(t.data);
  const what = b.show as What | undefined;
  const mine = answers({ ...t.data, project }, me.data, may);
  const handed = handedOn(t.data, me.data);
  const voted = (b.votes ?? []).some((v) => v.by.id === me.data?.id);
  const about = (
    <div className="answer-about">
      <p className="asks"><Glyph status={b.type === 'doubt' ? 'in-doubt' : 'open'} /><Lines of={questionOf(b)} max={4000} /></p>
      {howOf(b) ? <p className="answer-how"><Lines of={howOf(b)} max={4000} /></p> : null}
      <p>
        {what?.action ? <><code><Text of={what.action} max={80} /></code>{what.effect ? `, ${what.effect}` : ''}{what.irreversible ? <strong className="tone-bad"> cannot be undone</strong> : null}{what.targets?.length ? <> on <code><Text of={what.targets.slice(0, 3).join(', ')} max={200} /></code>{what.targets.length > 3 ? ` and ${what.targets.length - 3} more` : ''}</> : null}. </> : null}
        {b.from?.length ? <>Asked: <Text of={b.from.map(person).join(', ')} max={200} />. </> : null}<Terms of={b} /> <Link to={to.task(task)}>All there is to know</Link>
      </p>
    </div>
  );
  return (
    <section className="answer" data-type={b.type} aria-label="A question">
      {mine ? <Answer row={t.data} b={b}>{about}</Answer> : <>{about}<p className="dim">{handed ? <>You handed your answer to <Text of={handed.map(person).join(', ')} max={200} />.</> : voted ? 'You have answered.' : 'It is asked of others.'}</p></>}
    </section>
  );
}
