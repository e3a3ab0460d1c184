// The text became another one underneath: what differs is shown, and brought into what is written.
import { useMemo, useState } from 'react';

import { count } from '../../lib/text';
import { diff, hunks } from '../../lib/diff';
import { Diff } from '../../ui/Code';
import { Dialog } from '../../ui/Dialog';
import { merge } from './merge';

export interface Version { base: string; text: string }

export function Newer({ from, mine, live, bring, leave }: { from: Version; mine: string; live: Version; bring: (text: string) => void; leave: () => void }) {
  const [shown, setShown] = useState(false);
  const merged = useMemo(() => merge(from.text, mine, live.text), [from.text, mine, live.text]);
  const changed = mine !== from.text;
  return (
    <div className="editor-newer" role="alert">
      <span><b>A newer revision is live:</b> <code>{live.base.slice(0, 10)}</code>. {changed ? <>What you write is made from <code>{from.base.slice(0, 10)}</code>.{merged.clashes ? ` ${count(merged.clashes, 'place')} changed in both: there yours stays.` : ' The two do not touch.'}</> : 'You have changed nothing yet.'}</span>
      <span className="end">
        <button type="button" className="button small" onClick={() => setShown(true)}>Show the difference</button>
        <button type="button" className="button small primary" onClick={() => bring(merged.text)}>{changed ? 'Bring it into mine' : 'Take it'}</button>
        <button type="button" className="button small plain" onClick={leave}>Not now</button>
      </span>
      {shown ? (
        <Dialog wide title="What the newer revision changed" close={() => setShown(false)} foot={<button type="button" className="button primary" onClick={() => setShown(false)}>Go on</button>}>
          <div className="editor-diff"><Diff of={hunks(diff(from.text, live.text))} /></div>
        </Dialog>
      ) : null}
    </div>
  );
}
