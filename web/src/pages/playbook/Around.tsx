// What belongs to a playbook: what starts it, what can hold it back and what that says, its tests, and what it uses.
import { useAsk } from '../../api/query';
import type { AroundGuard, AroundTrigger } from '../../api/schema';
import { Link, to } from '../../app/router';
import { Source } from '../../ui/Code';
import { Shown } from '../../ui/State';
import { Glyph } from '../../ui/Status';
import { Sentence, Text } from '../../ui/Text';
import { pairs } from './around';
import type { Where } from './Playbook';

export function Around({ name, query }: Where) {
  const asked = useAsk('playbookAround', { path: { name }, query });
  return (
    <Shown of={asked}>{(d) => (
      <div className="playbook-around">
        <section aria-label="What starts it">
          <h2>What starts it</h2>
          {d.triggers.length ? <ul className="rows">{d.triggers.map((t) => <Trigger key={t.name} t={t} />)}</ul> : <p className="dim">No trigger: people start it, or other playbooks.</p>}
        </section>
        <section aria-label="What can hold it back">
          <h2>What can hold it back</h2>
          {d.guards.length ? <ul className="rows">{d.guards.map((g) => <Guard key={g.name} g={g} />)}</ul> : <p className="dim">Nothing that it changes is looked at by a guard.</p>}
        </section>
        <section aria-label="Tests">
          <h2>Tests beside it</h2>
          {d.tests.length ? (
            <>
              <p className="dim">They run on a laptop or in CI, with <code>tend test</code>; how they ended is known there.</p>
              {d.tests.map((t) => <details key={t.file}><summary className="mono"><Text of={t.file} max={160} /></summary>{t.text ? <Source text={t.text} /> : <p className="dim">It is too large to be shown.</p>}</details>)}
            </>
          ) : <p className="dim">None.</p>}
        </section>
        <section aria-label="What it uses">
          <h2>What it uses</h2>
          {d.uses.length || d.calls.length ? <p className="playbook-uses">{d.uses.map((u) => <span key={u} className="tag"><Text of={u} max={80} /></span>)}{d.calls.map((c) => <Link key={c} to={to.playbook(c)}>playbook <Text of={c} max={80} /></Link>)}</p> : <p className="dim">Nothing.</p>}
        </section>
      </div>
    )}</Shown>
  );
}

const place = (x: { file?: string; line?: number }) => (x.file ? `${x.file}${x.line ? `:${x.line}` : ''}` : undefined);

function Trigger({ t }: { t: AroundTrigger }) {
  return (
    <li className="playbook-about">
      <p><strong><Text of={t.name} max={80} /></strong>{t.enabled ? null : <> <span className="tag wait">off</span></>} <span className="dim mono"><Text of={place(t)} max={120} /></span></p>
      <dl className="facts">
        {pairs(t.on ?? {}).map(([k, v]) => <Pair key={k} name={k} of={v} />)}
        {t.when ? <><dt>when</dt><dd><code><Text of={t.when} max={300} /></code></dd></> : null}
      </dl>
    </li>
  );
}

const Pair = ({ name, of }: { name: string; of: string }) => <><dt><Text of={name} max={60} /></dt><dd><Text of={of} max={300} /></dd></>;

const thens: Record<string, string> = { hold: 'else it waits', deny: 'else it is refused', ask: 'else a person is asked' };

function Guard({ g }: { g: AroundGuard }) {
  return (
    <li className="playbook-about">
      <p><Glyph status="held" quiet /> <strong><Text of={g.name} max={80} /></strong> <span className="dim mono"><Text of={place(g)} max={120} /></span></p>
      <p><Sentence of={g.says} />{g.says.includes(thens[g.then] ?? '\n') ? null : <span className="dim">; {thens[g.then] ?? g.then}</span>}</p>
      {g.steps.length ? <p className="dim">It is asked at <span className="mono"><Text of={g.steps.join(', ')} max={300} /></span></p> : null}
    </li>
  );
}
