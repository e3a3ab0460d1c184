// Save is a proposal: a commit on a branch of its own, or a patch. Never a change of what is live. What will come of it is said
// before, with what changes.
import { useMemo, useState } from 'react';

import { useTell } from '../../api/query';
import type { Finding, Repository } from '../../api/schema';
import { safe } from '../../lib/link';
import { diff, hunks } from '../../lib/diff';
import { count } from '../../lib/text';
import { Diff } from '../../ui/Code';
import { Confirm, Field } from '../../ui/Confirm';
import { Dialog } from '../../ui/Dialog';
import { Data, Text } from '../../ui/Text';
import type { Written } from './Desk';
import { slug } from './model';

export type Saves = NonNullable<Repository['saves']>;

/** What is said of saving. */
export const words = (how: 'branch' | 'patch'): { title: string; does: string } => (how === 'branch' ? { title: 'Propose on a branch', does: 'Push the branch' } : { title: 'Make a patch', does: 'Make the patch' });

export function Save({ source, saves, text, findings, close, done }: { source: Written; saves: Saves; text: string; findings: Finding[]; close: () => void; done: () => void }) {
  const [title, setTitle] = useState('');
  const [branch, setBranch] = useState<string | null>(null);
  const [patch, setPatch] = useState(saves.how === 'patch');
  const [anyway, setAnyway] = useState(false);
  const tell = useTell('proposeChange');
  const lines = useMemo(() => diff(source.text, text), [source.text, text]);
  const errors = findings.filter((f) => f.severity === 'error').length;
  const name = branch ?? slug(title);
  const wrong = branch !== null && branch !== '' && slug(branch) !== branch ? 'Small letters, digits and - between them, 40 at most.' : undefined;
  const p = tell.data;
  if (p) {
    const url = safe(p.address);
    const download = () => {
      const blob = URL.createObjectURL(new Blob([p.patch ?? ''], { type: 'text/x-patch' }));
      Object.assign(document.createElement('a'), { href: blob, download: `${slug(title) || 'change'}.patch` }).click();
      setTimeout(() => URL.revokeObjectURL(blob), 10_000);
    };
    return (
      <Dialog wide title={p.how === 'branch' ? 'It is proposed' : 'Here is the patch'} close={close} foot={<button type="button" className="button primary" onClick={close}>Go on</button>}>
        {p.how === 'branch' ? <p>Branch <code><Text of={p.branch} max={200} /></code>, commit <code>{p.commit?.slice(0, 12)}</code>. Nothing is live before it is merged.{url ? <> <a href={url} rel="noreferrer noopener" target="_blank">Ask for it to be merged ↗</a></> : null}</p>
          : <><p>It changes nothing here. <code>git am</code> takes it with its author and message.</p><Data of={p.patch} /><p><button type="button" className="button" onClick={download}>Download the patch</button></p></>}
      </Dialog>
    );
  }
  const how = patch ? 'patch' : 'branch';
  const [gone, come] = [lines.filter((l) => l.kind === 'gone').length, lines.filter((l) => l.kind === 'new').length];
  return (
    <Confirm wide title={words(how).title} does={words(how).does} close={close} asking={tell} ready={title.trim() !== '' && !wrong && (!errors || anyway)}
      submit={(why) => tell.mutate({ path: { repository: source.repository }, body: { ...(source.base ? { base: source.base } : {}), file: source.file, text, title: title.trim(), ...(why ? { why } : {}), ...(branch && !patch ? { branch } : {}), ...(patch && saves.how === 'branch' ? { patch: true } : {}), ...(anyway ? { anyway: true } : {}) } }, { onSuccess: done })}>
      <p className="editor-comes">
        {how === 'branch'
          ? <>One commit on the new branch <code><Text of={`${saves.prefix ?? ''}${name || '…'}`} max={120} />{branch === null ? '-…' : ''}</code> of <b><Text of={source.repository} max={60} /></b>{saves.into ? <>, to be merged into <code><Text of={saves.into} max={60} /></code></> : null}.</>
          : <>A patch to download. {saves.how === 'patch' ? 'This server has nothing to push with for you here: it pushes nothing.' : 'Nothing is pushed.'}</>}
        {' '}By <b><Text of={saves.author} max={120} /></b>. What is live does not change.
      </p>
      <details open className="editor-changes"><summary><Text of={source.file} max={100} />{source.base ? null : ' (a new file)'} <span className="num">−{gone} +{come}</span></summary><div className="editor-diff"><Diff of={hunks(lines)} /></div></details>
      <Field label="What it does, in a line" value={title} set={setTitle} required autoFocus />
      {saves.how === 'branch' ? (
        <>
          {patch ? null : <Field label={`Branch, after ${saves.prefix ?? ''}`} value={branch ?? slug(title)} set={(v) => setBranch(v)} wrong={wrong} hint={branch === null ? 'Made of the line above; a few characters keep it apart from others.' : ''} />}
          <label><input type="checkbox" checked={patch} onChange={(e) => setPatch(e.target.checked)} /> as a patch instead, without a push</label>
        </>
      ) : null}
      {errors ? <label><input type="checkbox" checked={anyway} onChange={(e) => setAnyway(e.target.checked)} /> also with {count(errors, 'error')}: it cannot be live before {errors === 1 ? 'it is' : 'they are'} mended</label> : null}
    </Confirm>
  );
}
