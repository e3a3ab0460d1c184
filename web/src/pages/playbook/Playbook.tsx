// One playbook: what it does, what it takes, what starts it, what holds it back, and how it came to be.
import { useAsk } from '../../api/query';
import { bodyOf, type RunBody } from '../../api/rows';
import type { Row } from '../../api/schema';
import { useMay } from '../../app/me';
import { Link, to, useParam, useParts } from '../../app/router';
import { useTitle } from '../../app/title';
import { Source } from '../../ui/Code';
import { Graph } from '../../ui/Graph';
import { Cell, GlyphCell, Line, List } from '../../ui/List';
import { cause } from '../../ui/RunRow';
import { Empty, Shown } from '../../ui/State';
import { lookOf } from '../../ui/Status';
import { Data, Text } from '../../ui/Text';
import { Ago } from '../../ui/Time';
import { Around } from './Around';
import { Start } from './Start';
import { Versions } from './Versions';
import './playbook.css';

const views = [['graph', 'Graph'], ['source', 'Source'], ['versions', 'Versions'], ['around', 'Triggers, guards, tests']] as const;
const modes: Record<string, string> = { auto: 'by itself', ask: 'and asks before each', observe: 'and only says now what it would do' };
const nothing = new Map<string, never>();

export default function Playbook() {
  const { playbook = '' } = useParts();
  const [project] = useParam('project');
  const [environment] = useParam('environment');
  const [view, setView] = useParam('view');
  const at = view || 'graph';
  const may = useMay();
  const query = { ...(project ? { project } : {}), ...(environment ? { environment } : {}) };
  const asked = useAsk('showPlaybook', { path: { name: playbook }, query });
  const source = useAsk('playbookSource', { path: { name: playbook }, query }, { keep: true });
  useTitle(playbook);
  return (
    <Shown of={asked} what="playbook" lines={12}>{(p) => (
      <>
        <header className="head">
          <h1><Text of={p.name} max={120} /></h1>
          <span className="dim">{p.mutates ? `changes things, ${modes[p.mode] ?? p.mode}` : 'only looks'}</span>
          <span className="end">{may('publish', p.project) || may('start', p.project) ? <Link className="button" to={`${to.playbook(p.name)}/edit?project=${encodeURIComponent(p.project)}${p.environment ? `&environment=${encodeURIComponent(p.environment)}` : ''}`}>Edit</Link> : null}</span>
        </header>
        {p.description ? <p className="playbook-says"><Text of={p.description} max={600} /></p> : null}
        <div className="sides">
          <div className="panel playbook-main">
            <div className="tabs" role="tablist">{views.map(([id, says]) => <button key={id} type="button" role="tab" aria-selected={at === id} onClick={() => setView(id === 'graph' ? null : id)}>{says}</button>)}</div>
            {at === 'graph' ? <Drawing name={p.name} query={query} /> : null}
            {at === 'source' ? <Shown of={source}>{(s) => <Source text={s.text} />}</Shown> : null}
            {at === 'versions' ? <Versions name={p.name} query={query} /> : null}
            {at === 'around' ? <Around name={p.name} query={query} /> : null}
          </div>
          <aside className="stack" aria-label="Facts">
            {may('start', p.project) ? <Start p={p} {...(source.data ? { source: source.data } : {})} /> : null}
            <section className="panel" aria-label="About"><div className="body"><dl className="facts">
              <dt>owner</dt><dd>{p.owner ? <Text of={p.owner} max={80} /> : <span className="dim">nobody</span>}</dd>
              <dt>project</dt><dd><Text of={p.project} max={80} />{p.environment ? <> · <Text of={p.environment} max={60} /></> : null}</dd>
              {source.data ? <><dt>file</dt><dd className="mono"><Text of={source.data.file} max={160} /></dd><dt>repository</dt><dd><Link to={`/revisions?repository=${encodeURIComponent(source.data.repository)}`}><Text of={source.data.repository} max={80} /></Link></dd><dt>revision</dt><dd className="mono">{source.data.revision.id.slice(0, 12)}</dd>{source.data.revision.author ? <><dt>author</dt><dd><Text of={source.data.revision.author} max={80} /></dd></> : null}</> : null}
              {Object.entries(p.labels ?? {}).map(([k, v]) => <Pair key={k} name={k} of={v} />)}
              {(p.outputs ?? []).map((f) => <Pair key={f.name} name={`gives ${f.name}`} of={f.type} />)}
            </dl></div></section>
            <Last name={p.name} project={p.project} />
          </aside>
        </div>
      </>
    )}</Shown>
  );
}

const Pair = ({ name, of }: { name: string; of: string }) => <><dt><Text of={name} max={60} /></dt><dd><Text of={of} max={200} /></dd></>;

export interface Where { name: string; query: { project?: string; environment?: string } }

function Drawing({ name, query }: Where) {
  const [step, choose] = useParam('step');
  const asked = useAsk('drawPlaybook', { path: { name }, query });
  return (
    <Shown of={asked} what="graph" lines={12}>{(d) => {
      const doc = d.documents.find((x) => x.layout && x.name === name) ?? d.documents.find((x) => x.layout);
      if (!doc?.layout) return <Empty title="It cannot be drawn" />;
      const part = doc.parts?.find((x) => x.path === step);
      return (
        <div className="playbook-graph">
          <Graph layout={doc.layout} places={nothing} chosen={step} choose={choose} follow={undefined} still />
          {part ? <div className="playbook-step"><button type="button" className="button small plain" aria-label="Close" onClick={() => choose(null)}>×</button><Data of={part.says} /></div> : null}
        </div>
      );
    }}</Shown>
  );
}

function Last({ name, project }: { name: string; project: string }) {
  const asked = useAsk('listRuns', { query: { name, project, limit: 12 } });
  return (
    <section className="panel" aria-label="Last runs">
      <header><h2>Last runs</h2><span className="end"><Link to={`/runs?name=${encodeURIComponent(name)}`}>all</Link></span></header>
      <Shown of={asked} none={{ when: (d) => d.rows.length === 0, show: <p className="body dim">It has not run yet.</p> }}>{(d) => (
        <List label="Last runs" className="playbook-runs">{d.rows.map((r) => <One key={r.id} r={r} />)}</List>
      )}</Shown>
    </section>
  );
}

function One({ r }: { r: Row }) {
  const b = bodyOf<RunBody>(r);
  const look = lookOf(r.status ?? '');
  return (
    <Line>
      <GlyphCell status={r.status ?? ''} />
      <Cell clip><Link className="whole" to={to.run(r.id)}>{look.says}</Link> <span className="dim"><Text of={b.fault?.message ?? `by ${cause(b)}`} max={120} /></span></Cell>
      <Cell num small><Ago at={r.at} /></Cell>
    </Line>
  );
}
