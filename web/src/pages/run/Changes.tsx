// What is other than the last time: the playbook, its parameters, and what they led to.
import { useAsk } from '../../api/query';
import type { GlanceHead } from '../../api/schema';
import { Link, to } from '../../app/router';
import { Loading } from '../../ui/State';
import { Status } from '../../ui/Status';
import { Text } from '../../ui/Text';
import { Ago } from '../../ui/Time';
import { differs, type Known } from './model';

const short = (v: unknown) => (v === undefined ? 'nothing' : typeof v === 'string' ? v : JSON.stringify(v));

export function Changes({ known }: { known: Known }) {
  const h = known.head;
  const list = useAsk('listRuns', { query: { name: h.name, project: h.project, limit: 50 } }, { fixed: true });
  if (list.isPending) return <Loading lines={1} />;
  const rows = list.data?.rows ?? [];
  const i = rows.findIndex((r) => r.id === h.id);
  const before = rows[i + 1];
  if (i < 0 || !before) return <p className="dim">{i < 0 ? 'The run before it is further back than is looked.' : 'It is the first run of this playbook.'}</p>;
  return <Compare known={known} before={before.id} />;
}

function Compare({ known, before }: { known: Known; before: string }) {
  const g = useAsk('glanceRun', { path: { run: before } }, { fixed: true });
  if (!g.data) return <Loading lines={1} />;
  const [a, b]: [GlanceHead, GlanceHead] = [g.data.head, known.head];
  const params = differs(g.data.params, known.params);
  return (
    <dl className="facts">
      <dt>run before</dt><dd><Link to={to.run(before)}>{before}</Link> <Status of={a.status} /> <span className="dim"><Ago at={a.created} /></span></dd>
      <dt>playbook</dt><dd>{a.closure === b.closure ? 'the same' : <>another{a.commit && b.commit && a.commit !== b.commit ? <>: <code>{a.commit.slice(0, 10)}</code> → <code>{b.commit.slice(0, 10)}</code>{b.author ? <> by <Text of={b.author} max={60} /></> : null}</> : null}</>}</dd>
      <dt>parameters</dt>
      <dd>{params.length === 0 ? 'the same' : params.map((p) => <div key={p.name}><code><Text of={p.name} max={60} /></code>: <Text of={short(p.was)} max={120} /> → <Text of={short(p.is)} max={120} /></div>)}</dd>
    </dl>
  );
}
