// What people are asked: what waits for me first, by when it is due; then what waits for others, and what was answered.
import { useState } from 'react';

import { useAsk, usePages, useTell } from '../../api/query';
import { bodyOf, type RunBody, type TaskBody } from '../../api/rows';
import type { Row } from '../../api/schema';
import { useKeys } from '../../app/keys';
import { useMay, useMe } from '../../app/me';
import { handedOn, handsOn, needs } from '../../app/needs';
import { go, to, useParam } from '../../app/router';
import { useTitle } from '../../app/title';
import { Delegate, TakeBack } from '../../ui/Delegate';
import { Filters, Find, Pick, Segments } from '../../ui/Filters';
import { Group, List, Pages } from '../../ui/List';
import { toast, toastError } from '../../ui/Toasts';
import { Line, type Origin } from './Line';
import { byDue, kinds } from './order';
import './inbox.css';

const answered = ['approved', 'rejected', 'answered', 'done', 'expired', 'void', 'cancelled'];

export default function Inbox() {
  useTitle('Inbox');
  const me = useMe();
  const may = useMay();
  const [kind, setKind] = useParam('kind');
  const [state, setState] = useParam('state');
  const [find, setFind] = useParam('find');
  const [at, setAt] = useState('');
  const [handing, setHanding] = useState<Row | null>(null);
  const [taking, setTaking] = useState<Row | null>(null);
  const of = usePages('listTasks', { limit: 100, status: state === 'over' ? answered : ['open'] });
  const runs = useAsk('listRuns', { query: { limit: 500, ...(state === 'over' ? {} : { status: ['waiting', 'running', 'in-doubt', 'paused', 'interrupted'] }) } }, { keep: true });
  const origins = new Map<string, Origin>((runs.data?.rows ?? []).map((r) => [r.id, { name: r.name ?? '', incident: bodyOf<RunBody>(r).cause?.incident }]));
  const claim = useTell('claimTask');
  const claimIt = (r: Row) => claim.mutate({ path: { task: r.id }, body: {} }, { onSuccess: () => toast('It is yours to see to.'), onError: toastError });
  const mayAct = (r: Row) => r.status === 'open' && may('answer', r.project);

  const rows = of.data?.pages.flatMap((p) => p.rows) ?? [];
  const list = rows.filter((r) => (!kind || bodyOf<TaskBody>(r).type === kind) && (!find || `${r.name} ${bodyOf<TaskBody>(r).message ?? ''} ${origins.get(r.parent ?? '')?.name ?? ''}`.toLowerCase().includes(find.toLowerCase())));
  const mine = list.filter((r) => needs(r, me.data, may)).sort(byDue);
  const others = list.filter((r) => r.status === 'open' && !mine.includes(r)).sort(byDue);
  const over = list.filter((r) => r.status !== 'open');
  const flat = [...mine, ...others, ...over];
  const here = flat.find((r) => r.id === at);
  const step = (by: number) => {
    const next = flat[Math.max(0, Math.min(flat.length - 1, flat.findIndex((r) => r.id === at) + by))];
    if (next) { setAt(next.id); document.getElementById(`task-${next.id}`)?.focus(); }
  };
  useKeys(flat.length ? {
    j: ['the next question', () => step(1)], k: ['the question before', () => step(-1)],
    Enter: here ? ['open it', () => go(to.task(here.id))] : null,
    c: here && mayAct(here) ? ['see to it', () => claimIt(here)] : null,
    d: here && handsOn(here, me.data, may) ? ['delegate it', () => setHanding(here)] : null,
  } : {});

  const line = (r: Row) => (
    <Line key={r.id} row={r} origin={origins.get(r.parent ?? '')} chosen={r.id === at} choose={() => setAt(r.id)} me={me.data?.id ?? ''}
      claim={mayAct(r) ? () => claimIt(r) : null} delegate={handsOn(r, me.data, may) && may('answer', r.project) ? () => setHanding(r) : null}
      handed={handedOn(r, me.data)} back={mayAct(r) ? () => setTaking(r) : null} />
  );
  const clear = kind || find ? () => { setKind(null); setFind(null); } : undefined;
  return (
    <>
      <header className="head"><h1>Inbox</h1></header>
      <Filters clear={clear}>
        <Segments label="State" value={state} set={setState} of={[{ value: '', label: 'Open', glyph: 'open', n: state ? undefined : list.length }, { value: 'over', label: 'Answered', glyph: 'done' }]} />
        <Find label="Find" value={find} set={setFind} placeholder="question, playbook" />
        <Pick label="Asked" value={kind} set={setKind} of={Object.entries(kinds)} any="anything" />
      </Filters>
      <Pages of={of} none={<p className="dim">{state ? 'Nothing was answered yet.' : 'Nothing waits for a person. Approvals, forms, work by hand and doubts come here.'}</p>}>
        {() => (
          <>
            {!state && mine.length === 0 ? <p className="dim inbox-none">Nothing waits for you.</p> : null}
            {flat.length ? (
              <div className="panel">
                <List label="Questions" className="inbox">
                  {mine.length ? <Group title="For you" n={mine.length}>{mine.map(line)}</Group> : null}
                  {others.length ? <Group title="For others" n={others.length}>{others.map(line)}</Group> : null}
                  {over.length ? <Group title="Answered" n={over.length}>{over.map(line)}</Group> : null}
                </List>
              </div>
            ) : <p className="dim">None fits the filters.</p>}
          </>
        )}
      </Pages>
      {handing ? <Delegate row={handing} close={() => setHanding(null)} /> : null}
      {taking ? <TakeBack row={taking} from={handedOn(taking, me.data) ?? []} close={() => setTaking(null)} /> : null}
    </>
  );
}
