// Taking what is handed over: once, and then it is gone. It is shown here and kept nowhere.
import { useState } from 'react';

import { useTell } from '../../api/query';
import type { Handover } from '../../api/schema';
import { Confirm } from '../../ui/Confirm';
import { Dialog } from '../../ui/Dialog';
import { Data, Text } from '../../ui/Text';
import { toast } from '../../ui/Toasts';

export function Take({ of: h, close }: { of: Handover; close: () => void }) {
  const tell = useTell('takeHandover');
  const [value, setValue] = useState<string | null>(null);
  if (value !== null) {
    return (
      <Dialog title={<Text of={h.title || 'It is yours'} max={120} />} firm foot={(
        <>
          <button type="button" className="button" onClick={() => { void navigator.clipboard.writeText(value).then(() => toast('It is in the clipboard.')); }}>Copy it</button>
          <button type="button" className="button primary" onClick={close}>I have it</button>
        </>
      )}>
        <p>It is shown this once. When this closes it is gone.</p>
        <Data of={value} />
      </Dialog>
    );
  }
  return (
    <Confirm title="Take what is handed over" does="Take it now" reason="none" close={close} asking={tell} submit={() => tell.mutate({ path: { id: h.id } }, { onSuccess: (d) => setValue(d.value) })}>
      <p><strong><Text of={h.title || h.id} max={200} /></strong></p>
      <p className="dim">It can be taken once, and is gone from tend then. Take it where you can keep it.</p>
    </Confirm>
  );
}
