// Every guard in a sentence, with how much it holds back now.
import type { Guard, Rules } from '../../api/schema';
import type { Hold } from '../../app/holds';
import { useMay } from '../../app/me';
import { useParam } from '../../app/router';
import { Filters, Find } from '../../ui/Filters';
import { Cell, Line, List } from '../../ui/List';
import { Glyph } from '../../ui/Status';
import { Sentence, Text } from '../../ui/Text';

const otherwise: Record<string, string> = { hold: 'it waits', deny: 'the step fails', ask: 'a person decides' };

/** The rule, and apart from it what it is about. */
export function parts(g: Pick<Guard, 'says' | 'rule'>): [string, string] {
  const text = g.says || g.rule;
  const i = text.indexOf('; ');
  const first = i < 0 ? text : text.slice(0, i);
  return [first.charAt(0).toUpperCase() + first.slice(1), i < 0 ? '' : text.slice(i + 2)];
}

export function Rulebook({ rules, held, loosen }: { rules: Rules; held: Hold[]; loosen: (g: Guard) => void }) {
  const may = useMay();
  const [find, setFind] = useParam('find');
  const loosened = new Set(rules.overrides.map((o) => `${o.project}\n${o.guard}`));
  const holding = (g: Guard) => held.filter((h) => h.guard === g.name).length;
  const list = rules.guards.filter((g) => !find || `${g.name} ${g.rule} ${g.says} ${g.project}`.toLowerCase().includes(find.toLowerCase())).sort((a, b) => holding(b) - holding(a));
  const projects = new Set(rules.guards.map((g) => g.project)).size > 1;
  return (
    <section aria-label="Guards">
      <div className="guards-head"><h2>Guards <span className="dim">{rules.guards.length}</span></h2><Filters clear={find ? () => setFind(null) : undefined}><Find label="Find" value={find} set={setFind} placeholder="guard, rule" /></Filters></div>
      {list.length ? (
        <div className="panel"><List label="Guards" className={`guards${projects ? ' guards-projects' : ''}`} head={['', 'Guard', 'It says', { says: 'Holds now', num: true }, { says: 'Otherwise', from: 'm' }, ...(projects ? [{ says: 'Project', from: 'l' as const }] : []), '']}>
          {list.map((g) => {
            const [rule, about] = parts(g);
            const n = holding(g);
            return (
              <Line key={`${g.project}/${g.name}`} tone={n > 0 ? 'wait' : undefined}>
                <Cell className={n > 0 ? '' : 'guards-idle'}><Glyph status={loosened.has(`${g.project}\n${g.name}`) ? 'paused' : 'held'} quiet /></Cell>
                <Cell><Text of={g.name} max={80} /></Cell>
                <Cell className="guards-says"><Sentence of={rule} />{about ? <span className="dim"> <Sentence of={about} /></span> : null}</Cell>
                <Cell num>{n > 0 ? <strong className="tone-wait">{n}</strong> : <span className="dim">–</span>}</Cell>
                <Cell small from="m">{otherwise[g.then ?? 'hold'] ?? g.then}</Cell>
                {projects ? <Cell small from="l"><Text of={g.project} max={40} /></Cell> : null}
                <Cell num>{loosened.has(`${g.project}\n${g.name}`) ? <span className="tag wait">loosened</span> : may('override', g.project) ? <button type="button" className="button small" onClick={() => loosen(g)}>Loosen</button> : null}</Cell>
              </Line>
            );
          })}
        </List></div>
      ) : <p className="dim">No guard is called so.</p>}
    </section>
  );
}
