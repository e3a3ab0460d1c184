// The playbooks that are live: by team, with how they fared.
import { useAsk } from '../../api/query';
import type { Playbook, PlaybookRecord } from '../../api/schema';
import { Link, to, useParam } from '../../app/router';
import { useTitle } from '../../app/title';
import { Choice, Field } from '../../ui/Confirm';
import { Empty, Shown } from '../../ui/State';
import { Glyph } from '../../ui/Status';
import { Text } from '../../ui/Text';
import { Ago } from '../../ui/Time';
import { byTeam, labelsOf, share } from './list';
import './playbooks.css';

export default function Playbooks() {
  useTitle('Playbooks');
  const asked = useAsk('listPlaybooks', {});
  const records = useAsk('playbookRecords', { query: { runs: 10 } });
  const [find, setFind] = useParam('find');
  const [team, setTeam] = useParam('team');
  const [label, setLabel] = useParam('label');
  const record = new Map((records.data?.records ?? []).map((r) => [`${r.project}/${r.name}`, r]));
  return (
    <>
      <header className="head"><h1>Playbooks</h1></header>
      <Shown of={asked} lines={10} none={{ when: (d) => d.playbooks.length === 0, show: <div className="panel"><Empty title="No playbook is live"><code>tend init</code> makes a repository with an example; the server’s file names repositories.</Empty></div> }}>{(d) => {
        const teams = [...new Set(d.playbooks.map((p) => p.owner ?? ''))].filter(Boolean).sort();
        const list = d.playbooks.filter((p) => (!find || `${p.name} ${p.description ?? ''}`.toLowerCase().includes(find.toLowerCase())) && (!team || p.owner === team) && (!label || labelsOf(p).includes(label)));
        return (
          <>
            <div className="filters">
              <Field label="Find" value={find} set={setFind} placeholder="name or description" type="search" />
              <Choice label="Team" value={team} set={setTeam} of={teams} any="all" />
              <Choice label="Label" value={label} set={setLabel} of={[...new Set(d.playbooks.flatMap(labelsOf))].sort()} any="all" />
            </div>
            {list.length === 0 ? <div className="panel"><Empty title="No playbook is like that" /></div> : (
              <div className="stack">{byTeam(list).map(([owner, of]) => (
                <section key={owner} className="panel" aria-label={owner || 'no owner'}>
                  <header><h2>{owner ? <Text of={owner} max={80} /> : <span className="dim">no owner</span>} <span className="tally">{of.length}</span></h2></header>
                  <ul className="rows">{of.map((p) => <Line key={`${p.project}/${p.environment ?? ''}/${p.name}`} p={p} record={record.get(`${p.project}/${p.name}`)} />)}</ul>
                </section>
              ))}</div>
            )}
          </>
        );
      }}</Shown>
    </>
  );
}

function Line({ p, record: r }: { p: Playbook; record: PlaybookRecord | undefined }) {
  const last = r?.last[0];
  return (
    <li className="playbooks-line">
      <Link to={`${to.playbook(p.name)}?project=${encodeURIComponent(p.project)}${p.environment ? `&environment=${encodeURIComponent(p.environment)}` : ''}`} className="what">
        <strong><Text of={p.name} max={100} /></strong>
        <span className="dim"><Text of={p.description} max={200} /></span>
      </Link>
      <span className="tags">
        {p.mutates ? <span className="tag wait">changes things</span> : <span className="tag">only looks</span>}
        {p.mode === 'auto' ? null : <span className="tag live">{p.mode}</span>}
        {p.environment ? <span className="tag"><Text of={p.environment} max={30} /></span> : null}
      </span>
      <span className="num">{r && r.runs ? <span title={`${r.verified} of ${r.runs} succeeded and proved it`}>{share(r)} verified</span> : <span className="dim">never ran</span>}</span>
      <span className="last">{(r?.last ?? []).slice(0, 10).map((x) => <Link key={x.run} to={to.run(x.run)} aria-label={`run ${x.status}`}><Glyph status={x.status} quiet size={12} /></Link>)}</span>
      <span className="dim">{last ? <Ago at={last.began} /> : null}</span>
    </li>
  );
}
