// One question, with all that is needed to decide on it in view, and the answer in reach while it is read.
import { type ReactNode, useState } from 'react';

import { useAsk } from '../../api/query';
import { bodyOf, type TaskBody } from '../../api/rows';
import type { Row } from '../../api/schema';
import { useMay, useMe } from '../../app/me';
import { answers, handedOn, handsOn } from '../../app/needs';
import { useParts } from '../../app/router';
import { useTitle } from '../../app/title';
import { howOf, questionOf } from '../../lib/answer';
import { person } from '../../lib/text';
import { Answer, Terms } from '../../ui/Answer';
import { Shown } from '../../ui/State';
import { Status } from '../../ui/Status';
import { Lines, Text } from '../../ui/Text';
import { Acts, type Act } from './Acts';
import { Around } from './Around';
import { Facts } from './Facts';
import { Plan } from './Plan';
import { Said } from './Said';
import './task.css';

export default function Task() {
  const { task = '' } = useParts();
  const asked = useAsk('showTask', { path: { task } });
  useTitle(asked.data?.name ?? 'Task');
  return <Shown of={asked} what="task" lines={10}>{(row) => <Body row={row} b={bodyOf<TaskBody>(row)} />}</Shown>;
}

function Body({ row, b }: { row: Row; b: Partial<TaskBody> }) {
  const me = useMe();
  const may = useMay();
  const [act, setAct] = useState<Act | null>(null);
  const open = row.status === 'open';
  const mine = answers(row, me.data, may);
  const handed = handedOn(row, me.data);
  const voted = (b.votes ?? []).some((v) => v.by.id === me.data?.id);
  const writes = open && may('answer', row.project);
  const run = useAsk('glanceRun', { path: { run: row.parent ?? '' } }, { when: Boolean(row.parent) });
  const reading = (fields: ReactNode) => (
    <div className="sides task-reading">
      <div className="stack">
        <section className="panel" aria-label="Question">
          <div className="body task-question">
            <p className="task-asks"><Lines of={questionOf(b, row.name)} /></p>
            {howOf(b, row.name) ? <p className="task-how"><Lines of={howOf(b, row.name)} /></p> : null}
            <p className="dim">{open ? <Terms of={b} /> : <>It is {row.status}.</>}</p>
            {handed ? <p>You handed your answer to <strong><Text of={handed.map(person).join(', ')} max={200} /></strong>. One of them may answer in your place, once.</p> : open && !mine && !voted ? <p>It is asked of {b.from?.length ? <Text of={b.from.map(person).join(', ')} max={200} /> : 'people who may answer'}.</p> : null}
          </div>
        </section>
        <Plan b={b} row={row} run={run.data} />
        {fields}
      </div>
      <aside className="stack" aria-label="Facts"><Facts row={row} b={b} link={writes ? () => setAct('link') : null} /><Around run={row.parent} path={b.path} known={run.data} targets={(b.show as { targets?: string[] } | undefined)?.targets} /></aside>
    </div>
  );
  return (
    <div className="task">
      <header className="head">
        <Status of={row.status ?? ''} says={open ? 'waits for a person' : (row.status ?? '')} />
        <h1><Text of={row.name} max={300} /></h1>
        {writes ? (
          <span className="end">
            {b.assignee === me.data?.id ? null : <button type="button" className="button" onClick={() => setAct('claim')}>I see to it</button>}
            <button type="button" className="button" onClick={() => setAct('assign')}>Assign</button>
            {handsOn(row, me.data, may) ? <button type="button" className="button" onClick={() => setAct('delegate')}>Delegate</button> : null}
            {handed ? <button type="button" className="button" onClick={() => setAct('back')}>Take it back</button> : null}
            {b.type === 'approve' && may('break', row.project) ? <button type="button" className="button danger" onClick={() => setAct('break')}>Break the glass</button> : null}
          </span>
        ) : null}
      </header>
      {mine ? <Answer row={row} b={b}>{reading}</Answer> : reading(null)}
      <Said row={row} b={b} />
      {act ? <Acts act={act} handed={handed ?? []} row={row} b={b} close={() => setAct(null)} /> : null}
    </div>
  );
}
