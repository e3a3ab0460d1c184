// How the house stands, in the bar whatever is looked at: the mode always, and what everybody must see: a halt, monitoring
// that is silent, a lost connection. It has its room from the beginning, so that nothing on the page moves when it speaks.
import type { ReactNode } from 'react';

import { live } from '../api/live';
import { useAsk } from '../api/query';
import type { Halt, Mode } from '../api/schema';
import { newer } from '../api/version';
import { scopeOf } from '../lib/scope';
import { useStore } from '../lib/store';
import { label, person } from '../lib/text';
import { Text } from '../ui/Text';
import { Ago, At } from '../ui/Time';
import { Link } from './router';

const modes: Record<string, string> = {
  auto: 'Effects within the guards are done.',
  ask: 'A person decides on each mutation.',
  observe: 'Mutations are not done; what would have been done is recorded.',
};

export function Standing() {
  const status = useAsk('status', {});
  const rules = useAsk('rules', {});
  const l = useStore(live);
  const outdated = useStore(newer);
  const halts = rules.data?.halts ?? [];
  const blind = Object.entries(rules.data?.blind ?? {});
  return (
    <div className="standing" data-halted={halts.length > 0 || status.data?.halted ? true : undefined}>
      {rules.data ? <ModeSays of={rules.data.modes} short={halts.length > 0 || l.state === 'away' || outdated} /> : null}
      {l.state === 'away' ? <Says tone="old"><strong>Not connected.</strong> What you see is as of <At at={new Date(l.since).toISOString()} />.</Says> : null}
      {outdated ? <Says tone="old"><strong>The server has a newer page.</strong> <button type="button" className="button small" title="What is half typed goes." onClick={() => location.reload()}>Load it again</button></Says> : null}
      {status.data?.halted ? <Says tone="halt"><strong>Halted.</strong> Nothing moves: <Text of={status.data.halted} max={300} /></Says> : null}
      {halts[0] ? <Halted of={halts[0]} more={halts.length - 1} /> : null}
      {blind[0] ? <Says tone="old"><strong>Monitoring is silent.</strong> Nothing from <Text of={blind[0][0]} max={80} />{blind.length > 1 ? ` and ${blind.length - 1} more` : ''} since <Ago at={blind[0][1]} />: guards stand down.</Says> : null}
    </div>
  );
}

function Says({ tone, children, title }: { tone: 'old' | 'halt'; children: ReactNode; title?: string }) {
  return <div className="standing-says" data-tone={tone} role="alert" title={title}>{children}</div>;
}

function Halted({ of: h, more }: { of: Halt; more: number }) {
  return (
    <Says tone="halt" title={`Halted: ${scopeOf(h)}${h.why ? `: ${label(h.why, 600)}` : ''}`}>
      <Link to="/guards"><strong>Halted: <Text of={scopeOf(h)} max={160} />{more > 0 ? ` and ${more} more` : ''}.</strong> By <Text of={person(h.by)} max={60} /> <Ago at={h.at} />{h.why ? <>: <Text of={h.why} max={300} /></> : null}</Link>
    </Says>
  );
}

/** The first mode is the server's; the others are exceptions. */
function ModeSays({ of, short }: { of: Mode[]; short: boolean }) {
  const [first, ...others] = of;
  if (!first) return null;
  const title = [modes[first.mode] ?? '', ...others.map((m) => `${m.mode} for ${scopeOf(m)}`)].join('\n');
  return (
    <Link to="/guards" className="standing-mode" data-mode={first.mode} title={title}>
      <strong>{first.mode}</strong>
      {short ? null : <span className="clip">{others.length > 0 ? <Text of={others.map((m) => `${m.mode} for ${scopeOf(m)}`).join('; ')} max={200} /> : first.mode === 'auto' ? 'not halted' : modes[first.mode]}</span>}
    </Link>
  );
}
