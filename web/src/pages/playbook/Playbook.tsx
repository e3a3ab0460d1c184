// One playbook: what it does, what it takes, what starts it, what holds it back, and how it came to be.
import { useAsk } from '../../api/query';
import { useMay } from '../../app/me';
import { Link, to, useParam, useParts } from '../../app/router';
import { useTitle } from '../../app/title';
import { diff, hunks } from '../../lib/diff';
import { Diff, Source } from '../../ui/Code';
import { Graph } from '../../ui/Graph';
import { Empty, Shown } from '../../ui/State';
import { Glyph } from '../../ui/Status';
import { Data, Text } from '../../ui/Text';
import { Ago, At } from '../../ui/Time';
import { Start } from './Start';
import './playbook.css';

const views = [['graph', 'Graph'], ['source', 'Source'], ['versions', 'Versions'], ['around', 'Triggers, guards, tests']] as const;
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
          {p.mutates ? <span className="tag wait">changes things</span> : <span className="tag">only looks</span>}
          <span className="tag">{p.mode}</span>
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

interface Where { name: string; query: { project?: string; environment?: string } }

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

function Versions({ name, query }: Where) {
  const asked = useAsk('playbookVersions', { path: { name }, query });
  const [chosen, choose] = useParam('version');
  return (
    <Shown of={asked} none={{ when: (d) => d.versions.length === 0, show: <Empty title="No revision is kept" /> }}>{(d) => {
      const i = Math.max(0, d.versions.findIndex((v) => v.revision === chosen));
      const [v, before] = [d.versions[i], d.versions[i + 1]];
      return (
        <div className="playbook-versions">
          <ol className="rows">{d.versions.map((x, k) => (
            <li key={x.revision}><button type="button" aria-current={k === i || undefined} onClick={() => choose(x.revision)}>
              <strong><Text of={x.title || x.revision.slice(0, 12)} max={100} /></strong>
              <span className="dim"><span className="mono">{x.revision.slice(0, 10)}</span> {x.author ? <Text of={x.author} max={60} /> : null} <Ago at={x.committed ?? x.liveSince} />{x.live ? <span className="tag good">live</span> : null}{x.does ? null : <span className="tag">does the same</span>}</span>
            </button></li>
          ))}</ol>
          <div>{v ? (before ? (v.text === before.text ? <Empty title="The text is the same">Something that it uses changed.</Empty> : <Diff of={hunks(diff(before.text, v.text), 4)} />) : <Source text={v.text} />) : null}</div>
        </div>
      );
    }}</Shown>
  );
}

function Around({ name, query }: Where) {
  const asked = useAsk('playbookAround', { path: { name }, query });
  return (
    <Shown of={asked}>{(d) => (
      <div className="playbook-around">
        <section><h2>What starts it</h2>{d.triggers.length ? <ul className="rows">{d.triggers.map((t) => <li key={t.name}><strong><Text of={t.name} max={80} /></strong>{t.enabled ? null : <span className="tag">off</span>} <span className="dim mono"><Text of={JSON.stringify(t.on ?? {})} max={300} /></span>{t.when ? <code><Text of={t.when} max={200} /></code> : null}</li>)}</ul> : <p className="dim">No trigger. People start it.</p>}</section>
        <section><h2>What can hold it back</h2>{d.guards.length ? <ul className="rows">{d.guards.map((g) => <li key={g.name}><Glyph status="held" quiet /> <strong><Text of={g.name} max={80} /></strong> {g.what}, else {g.then} <span className="dim"><Text of={g.steps.join(', ')} max={200} /></span></li>)}</ul> : <p className="dim">It changes nothing that a guard looks at.</p>}</section>
        <section><h2>Tests beside it</h2>{d.tests.length ? d.tests.map((t) => <details key={t.file}><summary className="mono"><Text of={t.file} max={160} /></summary>{t.text ? <Source text={t.text} /> : <p className="dim">It is too large to be shown.</p>}</details>) : <p className="dim">None.</p>}</section>
        <section><h2>What it uses</h2><p><Text of={[...d.uses, ...d.calls.map((c) => `playbook ${c}`)].join(', ') || 'nothing'} max={1000} /></p></section>
      </div>
    )}</Shown>
  );
}

function Last({ name, project }: { name: string; project: string }) {
  const asked = useAsk('listRuns', { query: { name, project, limit: 12 } });
  return (
    <section className="panel" aria-label="Last runs">
      <header><h2>Last runs</h2><span className="end"><Link to={`/runs?name=${encodeURIComponent(name)}`}>all</Link></span></header>
      <Shown of={asked} none={{ when: (d) => d.rows.length === 0, show: <div className="state dim">It has not run yet.</div> }}>{(d) => (
        <ul className="rows playbook-runs">{d.rows.map((r) => <li key={r.id}><Glyph status={r.status ?? ''} /><Link to={to.run(r.id)} className="mono">{r.id}</Link><span className="dim"><At at={r.at} /></span></li>)}</ul>
      )}</Shown>
    </section>
  );
}

