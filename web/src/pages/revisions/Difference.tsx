// What differs between two revisions: which files, and each line by line.
import { useMemo, useState } from 'react';

import { useAsk } from '../../api/query';
import type { Revision } from '../../api/schema';
import { diff, hunks } from '../../lib/diff';
import { Diff } from '../../ui/Code';
import { Loading, Shown } from '../../ui/State';
import { Text } from '../../ui/Text';
import { type Changed, differ } from './differ';

/** was: undefined where the older one is not kept; all of it is new then. */
export function Difference({ repository, was, is }: { repository: string; was: Revision | undefined; is: Revision }) {
  const old = useAsk('repositoryFiles', { path: { repository }, query: { revision: was?.id ?? '' } }, { when: was !== undefined, fixed: true });
  const now = useAsk('repositoryFiles', { path: { repository }, query: { revision: is.id } }, { fixed: true });
  if (was && old.data === undefined) return <Shown of={old} what="revision" lines={3}>{() => null}</Shown>;
  return (
    <Shown of={now} what="revision" lines={3}>{(d) => {
      const list = differ(old.data?.files ?? [], d.files);
      if (!list.length) return <p className="dim">No file that is read differs.</p>;
      return (
        <div className="revisions-diff">
          {was ? null : <p className="dim">The revision before it is not kept: all that it holds is shown as new.</p>}
          {list.map((c, i) => <File key={c.file} repository={repository} was={was} is={is} of={c} open={i < 3} />)}
        </div>
      );
    }}</Shown>
  );
}

const says = { new: 'is new', gone: 'is gone', changed: '' };

function File({ repository, was, is, of: c, open: first }: { repository: string; was: Revision | undefined; is: Revision; of: Changed; open: boolean }) {
  const [open, setOpen] = useState(first);
  const old = useAsk('repositoryFiles', { path: { repository }, query: { revision: was?.id ?? '', file: c.file } }, { when: open && was !== undefined && c.how !== 'new', fixed: true });
  const now = useAsk('repositoryFiles', { path: { repository }, query: { revision: is.id, file: c.file } }, { when: open && c.how !== 'gone', fixed: true });
  const ready = (c.how === 'new' || !was || old.data !== undefined) && (c.how === 'gone' || now.data !== undefined);
  const lines = useMemo(() => (ready ? hunks(diff(old.data?.files[0]?.text ?? '', now.data?.files[0]?.text ?? '')) : []), [ready, old.data, now.data]);
  const failed = old.error ?? now.error;
  return (
    <details open={open} onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary><span className="mono"><Text of={c.file} max={200} /></span> <span className={c.how === 'gone' ? 'tone-bad' : c.how === 'new' ? 'tone-good' : 'dim'}>{says[c.how]}</span></summary>
      {!open ? null : failed ? <p className="tone-bad">{failed.message}</p> : ready ? <Diff of={lines} /> : <Loading lines={3} />}
    </details>
  );
}
