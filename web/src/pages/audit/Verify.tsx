import { useState } from 'react';

import { useTell } from '../../api/query';
import { Sentence } from '../../ui/Text';
import { At, serverNow } from '../../ui/Time';

/** Reads the whole chain, and says what it found and when. */
export function Verify() {
  const verify = useTell('verifyAudit');
  const [at, setAt] = useState('');
  const d = verify.data;
  return (
    <>
      <span role="status" className={`audit-verified ${verify.error || d?.damaged.length ? 'tone-bad' : d ? 'tone-good' : 'dim'}`}>
        {verify.isPending ? 'Reading the whole chain…' : verify.error ? <Sentence of={verify.error.message} />
          : d ? (d.damaged.length ? <>Damaged: <Sentence of={d.damaged[0]?.detail} /></> : <>The chain holds: {d.entries.toLocaleString('en')} entries, at <At at={at} /></>) : 'Not verified since you came'}
      </span>
      <button type="button" className="button" disabled={verify.isPending} onClick={() => verify.mutate({}, { onSuccess: () => setAt(new Date(serverNow()).toISOString()) })}>Verify the chain</button>
    </>
  );
}
