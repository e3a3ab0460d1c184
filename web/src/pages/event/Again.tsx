// An event is decided on again, by the triggers that are live now.
import { useState } from 'react';

import { useTell } from '../../api/query';
import { Confirm } from '../../ui/Confirm';
import { Decision } from './Decision';

export function Again({ event, close }: { event: string; close: () => void }) {
  const [anyway, setAnyway] = useState(false);
  const tell = useTell('replayEvent');
  return (
    <Confirm title="Decide on this event again" does={tell.data ? 'Decide once more' : 'Decide again'} reason="none" close={close} asking={tell} submit={() => tell.mutate({ path: { event }, body: anyway ? { anyway } : {} })}>
      <p>The triggers that are live now look at it as if it came now. It may start a playbook, within the guards.</p>
      <label><input type="checkbox" checked={anyway} onChange={(x) => setAnyway(x.target.checked)} /> also if it is too old for the trigger</label>
      {tell.data ? <div role="status" aria-label="What was decided"><Decision d={tell.data} /></div> : null}
    </Confirm>
  );
}
