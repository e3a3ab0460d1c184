// What holds now and until when, what was loosened, which changes are approved: one table, what ends first first.
import type { Rules } from '../../api/schema';
import type { Hold } from '../../app/holds';
import { useMay } from '../../app/me';
import { Link, to } from '../../app/router';
import { person } from '../../lib/text';
import { parse } from '../../lib/time';
import { Cell, GlyphCell, Group, Line, List } from '../../ui/List';
import { Sentence, Text } from '../../ui/Text';
import { Until, useNow } from '../../ui/Time';
import type { Doing } from './Do';

export function Now({ rules, held, act }: { rules: Rules; held: Hold[]; act: (d: Doing) => void }) {
  const may = useMay();
  const now = useNow();
  const { overrides, changes = [] } = rules;
  if (!held.length && !overrides.length && !changes.length) return <p className="dim">No guard holds anything back now, and none is loosened.</p>;
  return (
    <section className="panel" aria-label="Now">
      <List label="What holds now" className="guards-now">
        {held.length ? (
          <Group title="Held back" n={held.length}>{held.map((h) => (
            <Line key={h.id} tone="wait">
              <GlyphCell status="held" />
              <Cell clip><Link className="whole" to={h.run ? to.run(h.run, h.path) : to.event(h.event ?? '')}><Text of={h.name} max={80} /></Link></Cell>
              <Cell><strong><Text of={h.guard} max={60} /></strong>{h.why ? <span className="dim">: <Sentence of={h.why} /></span> : null}</Cell>
              <Cell num>{h.until ? <>until <Until at={h.until} /></> : <span className="dim">until somebody lets it</span>}</Cell>
              <Cell />
            </Line>
          ))}</Group>
        ) : null}
        {overrides.length ? (
          <Group title="Loosened guards" n={overrides.length}>{overrides.map((o) => (
            <Line key={o.id}>
              <GlyphCell status="paused" />
              <Cell clip><Text of={o.guard} max={80} /></Cell>
              <Cell>{o.playbook ? <>for <Text of={o.playbook} max={60} />, </> : null}{o.targets?.length ? <>on <Text of={o.targets.join(', ')} max={120} />, </> : null}by <Text of={person(o.by)} max={60} />: <Text of={o.why} max={200} /></Cell>
              <Cell num>until <Until at={o.until} /></Cell>
              <Cell>{may('override', o.project) ? <button type="button" className="button small" onClick={() => act({ what: 'end', override: o })}>End it</button> : null}</Cell>
            </Line>
          ))}</Group>
        ) : null}
        {changes.length ? (
          <Group title="Approved changes" n={changes.length}>{changes.map((c) => (
            <Line key={`${c.project}/${c.id}`}>
              <GlyphCell status={parse(c.from) > now ? 'queued' : 'approved'} />
              <Cell clip><Text of={c.id} max={80} /></Cell>
              <Cell>{c.playbooks?.length ? <>for <Text of={c.playbooks.join(', ')} max={100} />, </> : null}{c.targets?.length ? <>on <Text of={c.targets.join(', ')} max={120} />, </> : null}by <Text of={person(c.by)} max={60} />{c.why ? <>: <Text of={c.why} max={200} /></> : null}</Cell>
              <Cell num>{parse(c.from) > now ? <>from <Until at={c.from} /></> : <>until <Until at={c.to} /></>}</Cell>
              <Cell>{may('approve', c.project) ? <button type="button" className="button small" onClick={() => act({ what: 'withdraw', change: c })}>End it</button> : null}</Cell>
            </Line>
          ))}</Group>
        ) : null}
      </List>
    </section>
  );
}
