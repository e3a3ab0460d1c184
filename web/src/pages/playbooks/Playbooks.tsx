// The playbooks that are live: one table, by team, with what each does and how it fared.
import { useAsk } from '../../api/query';
import type { Playbook, PlaybookRecord } from '../../api/schema';
import { useMay } from '../../app/me';
import { go, Link, to, useParam } from '../../app/router';
import { useTitle } from '../../app/title';
import { Filters, Find, Pick } from '../../ui/Filters';
import { Cell, Group, Line, List } from '../../ui/List';
import { Share } from '../../ui/Share';
import { Empty, Shown } from '../../ui/State';
import { Glyph, lookOf } from '../../ui/Status';
import { Text } from '../../ui/Text';
import { Ago } from '../../ui/Time';
import { byTeam, labelsOf, tone, unproven, worstFirst } from './list';
import './playbooks.css';

const head = ['Playbook', { says: 'Effect', from: 'm' as const }, { says: 'Starts by', from: 'l' as const }, { says: 'Last runs', from: 'm' as const }, { says: 'Verified', num: true }, { says: 'Last run', num: true }];

export default function Playbooks() {
  useTitle('Playbooks');
  const may = useMay();
  const asked = useAsk('listPlaybooks', {});
  const records = useAsk('playbookRecords', { query: { runs: 10 } });
  const [find, setFind] = useParam('find');
  const [team, setTeam] = useParam('team');
  const [label, setLabel] = useParam('label');
  const record = new Map((records.data?.records ?? []).map((r) => [`${r.project}/${r.name}`, r]));
  const of = (p: Playbook) => record.get(`${p.project}/${p.name}`);
  const all = asked.data?.playbooks ?? [];
  const teams = [...new Set(all.map((p) => p.owner ?? ''))].filter(Boolean).sort();
  const labels = [...new Set(all.flatMap(labelsOf))].sort();
  const list = all.filter((p) => (!find || `${p.name} ${p.description ?? ''}`.toLowerCase().includes(find.toLowerCase())) && (!team || p.owner === team) && (!label || labelsOf(p).includes(label)));
  return (
    <>
      <header className="head">
        <h1>Playbooks</h1>
        <Filters label="Only these playbooks" clear={find || team || label ? () => go('/playbooks', { replace: true }) : undefined}>
          <Find label="Find" value={find} set={setFind} placeholder="name or description" width="12rem" />
          {teams.length ? <Pick label="Team" value={team} set={setTeam} of={teams} /> : null}
          {labels.length ? <Pick label="Label" value={label} set={setLabel} of={labels} /> : null}
        </Filters>
        {may('publish', '*') || may('start', '*') ? <span className="end"><Link className="button" to="/new/playbook">New playbook</Link></span> : null}
      </header>
      <div className="panel">
        <Shown of={asked} lines={10} none={{ when: (d) => d.playbooks.length === 0, show: <Empty title="No playbook is live"><code>tend init</code> makes a repository with an example; the server’s file names repositories.</Empty> }}>{() => (
          list.length === 0 ? <Empty title="No playbook is like that" /> : (
            <List label="Playbooks" className="playbooks-list" head={head}>
              {byTeam(list).map(([owner, group]) => (
                <Group key={owner} title={owner ? <Text of={owner} max={80} /> : 'no owner'} n={group.length}>
                  {worstFirst(group, of).map((p) => <One key={`${p.project}/${p.environment ?? ''}/${p.name}`} p={p} r={of(p)} known={records.data !== undefined} />)}
                </Group>
              ))}
            </List>
          )
        )}</Shown>
      </div>
    </>
  );
}

function One({ p, r, known }: { p: Playbook; r: PlaybookRecord | undefined; known: boolean }) {
  const last = r?.last[0];
  const starts = r?.triggers ?? [];
  return (
    <Line tone={tone(r)}>
      <Cell>
        <Link className="whole" to={`${to.playbook(p.name)}?project=${encodeURIComponent(p.project)}${p.environment ? `&environment=${encodeURIComponent(p.environment)}` : ''}`}><Text of={p.name} max={100} /></Link>
        {p.environment ? <> <span className="tag"><Text of={p.environment} max={30} /></span></> : null}
        {p.description ? <span className="playbooks-says clip"><Text of={p.description} max={200} /></span> : null}
      </Cell>
      <Cell small from="m" className={p.mutates ? 'playbooks-changes' : ''}>{p.mutates ? 'changes things' : 'only looks'}{p.mutates && p.mode !== 'auto' ? <span className="tone-live"> {p.mode === 'observe' ? 'only observes now' : 'asks first'}</span> : null}</Cell>
      <Cell clip small from="l">{starts.length ? <Text of={starts.join(', ')} max={200} /> : known ? 'people' : ''}</Cell>
      <Cell from="m">
        <span className="playbooks-last">{(r?.last ?? []).slice(0, 10).map((x) => <Link key={x.run} to={to.run(x.run)} aria-label={`run ${lookOf(x.status).says}`} title={lookOf(x.status).says}><Glyph status={x.status} quiet size={12} /></Link>)}</span>
      </Cell>
      <Cell num>{known ? <Share part={r?.verified ?? 0} of={r?.verifiable ?? 0} none={unproven(r)} /> : null}</Cell>
      <Cell num small>{last ? <Ago at={last.began} /> : known ? 'never' : null}</Cell>
    </Line>
  );
}
