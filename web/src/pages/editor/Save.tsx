// Save is a proposal: a commit on a branch of its own, or a patch. Never a change of what is live.
import { useState } from 'react';

import { useTell } from '../../api/query';
import type { Finding } from '../../api/schema';
import { safe } from '../../lib/link';
import { diff, hunks } from '../../lib/diff';
import { Diff } from '../../ui/Code';
import { Confirm, Field } from '../../ui/Confirm';
import { Dialog } from '../../ui/Dialog';
import { Data, Text } from '../../ui/Text';
import type { Written } from './Editor';

/** What is said of saving: before the server was asked it is not always known what becomes of it. */
export function words(saves: Written['saves']): { title: string; does: string } {
  switch (saves) {
    case 'branch': return { title: 'Propose on a branch', does: 'Push the branch' };
    case 'patch': return { title: 'Make a patch', does: 'Make the patch' };
    case undefined: return { title: 'Propose it', does: 'Push a branch, or make a patch' };
  }
}

export function Save({ source, text, findings, close, done }: { source: Written; text: string; findings: Finding[]; close: () => void; done: () => void }) {
  const [title, setTitle] = useState('');
  const tell = useTell('proposeChange');
  const errors = findings.filter((f) => f.severity === 'error').length;
  const [anyway, setAnyway] = useState(false);
  const p = tell.data;
  if (p) {
    const url = safe(p.address);
    const download = () => {
      const blob = URL.createObjectURL(new Blob([p.patch ?? ''], { type: 'text/x-patch' }));
      Object.assign(document.createElement('a'), { href: blob, download: `${title.toLowerCase().replace(/[^a-z0-9]+/g, '-').slice(0, 60) || 'change'}.patch` }).click();
      setTimeout(() => URL.revokeObjectURL(blob), 10_000);
    };
    return (
      <Dialog wide title={p.how === 'branch' ? 'It is proposed' : 'Here is the patch'} close={close} foot={<button type="button" className="button primary" onClick={close}>Go on</button>}>
        {p.how === 'branch' ? <p>Branch <code><Text of={p.branch} max={200} /></code>, commit <code>{p.commit?.slice(0, 12)}</code>. Nothing is live before it is merged.{url ? <> <a href={url} rel="noreferrer noopener" target="_blank">Ask for it to be merged ↗</a></> : null}</p>
          : <><p>It changes nothing here. <code>git am</code> takes it with its author and message.</p><Data of={p.patch} /><p><button type="button" className="button" onClick={download}>Download the patch</button></p></>}
      </Dialog>
    );
  }
  return (
    <Confirm wide title={words(source.saves).title} does={words(source.saves).does} close={close} asking={tell} ready={title.trim() !== '' && (!errors || anyway)}
      submit={(why) => tell.mutate({ path: { repository: source.repository }, body: { ...(source.base ? { base: source.base } : {}), file: source.file, text, title: title.trim(), ...(why ? { why } : {}), ...(anyway ? { anyway: true } : {}) } }, { onSuccess: done })}>
      <div className="editor-diff"><Diff of={hunks(diff(source.text, text))} /></div>
      <Field label="What it does, in a line" value={title} set={setTitle} required autoFocus />
      {errors ? <label><input type="checkbox" checked={anyway} onChange={(e) => setAnyway(e.target.checked)} /> also with {errors === 1 ? 'its error' : `its ${errors} errors`}: it cannot be live before they are mended</label> : null}
    </Confirm>
  );
}
