// What may happen now: what is halted, what holds and until when, what was loosened, and every rule in a sentence.
import { useState } from 'react';

import { useAsk } from '../../api/query';
import { holds } from '../../app/holds';
import { useKeys } from '../../app/keys';
import { useMay } from '../../app/me';
import { useTitle } from '../../app/title';
import { Shown } from '../../ui/State';
import { useNow } from '../../ui/Time';
import { Do, type Doing } from './Do';
import { Halts } from './Halts';
import { Modes } from './Modes';
import { Now } from './Now';
import { Rulebook } from './Rulebook';
import './guards.css';

export default function Guards() {
  useTitle('Guards and halt');
  const may = useMay();
  const rules = useAsk('rules', {});
  const going = useAsk('listRuns', { query: { status: ['waiting', 'running', 'paused', 'interrupted'], limit: 500 } });
  const [doing, setDoing] = useState<Doing | null>(null);
  const can = (verb: string) => may(verb) || may(verb, '*');
  const waiting = useAsk('listEvents', { query: { status: ['held', 'queued'], limit: 50 } });
  const now = Math.floor(useNow() / 60_000) * 60_000;
  const held = holds(going.data?.rows ?? [], waiting.data?.rows ?? [], now);
  useKeys({ h: can('halt') ? ['halt', () => setDoing({ what: 'halt' })] : null });
  return (
    <>
      <header className="head">
        <h1>Guards and halt</h1>
        <span className="end">
          {can('approve') ? <button type="button" className="button" onClick={() => setDoing({ what: 'change' })}>Approve a change</button> : null}
          {can('override') ? <button type="button" className="button" onClick={() => setDoing({ what: 'mode' })}>Change a mode</button> : null}
          {can('halt') ? <button type="button" className="button danger" onClick={() => setDoing({ what: 'halt' })}>Halt</button> : null}
        </span>
      </header>
      <Shown of={rules} lines={10}>{(r) => (
        <div className="stack">
          <Halts list={r.halts} act={setDoing} />
          <Modes list={r.modes} blind={r.blind ?? {}} />
          <Now rules={r} held={held} act={setDoing} />
          <Rulebook rules={r} held={held} loosen={(guard) => setDoing({ what: 'override', guard })} />
        </div>
      )}</Shown>
      {doing ? <Do doing={doing} close={() => setDoing(null)} /> : null}
    </>
  );
}
