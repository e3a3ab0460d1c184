// How a playbook came to be: the revisions in which it changed, each beside the one before it.
import { useAsk } from '../../api/query';
import type { PlaybookVersion } from '../../api/schema';
import { useParam } from '../../app/router';
import { diff, hunks } from '../../lib/diff';
import { Diff, Source } from '../../ui/Code';
import { Empty, Shown } from '../../ui/State';
import { Text } from '../../ui/Text';
import { Ago } from '../../ui/Time';
import type { Where } from './Playbook';

export function Versions({ name, query }: Where) {
  const asked = useAsk('playbookVersions', { path: { name }, query });
  const [chosen, choose] = useParam('version');
  return (
    <Shown of={asked} none={{ when: (d) => d.versions.length === 0, show: <Empty title="No revision is kept" /> }}>{(d) => {
      const i = Math.max(0, d.versions.findIndex((v) => v.revision === chosen));
      const [v, before] = [d.versions[i], d.versions[i + 1]];
      return (
        <div className="playbook-versions">
          <div className="playbook-list">
            <ol className="rows" aria-label="Versions">{d.versions.map((x, k) => <One key={x.revision} x={x} on={k === i} choose={() => choose(x.revision)} />)}</ol>
            <p className="body dim">{d.whole ? 'That is all of them.' : d.versions.some((x) => x.past) ? 'There were more before: the repository has them.' : 'There may have been more before: only the last 20 revisions are kept, and what they came from tells no more.'}</p>
          </div>
          <div className="playbook-change">{v ? (
            <>
              <p className="body dim">{before ? <>What <Name of={v} /> changed since <Name of={before} /></> : <>The first one{d.whole ? '' : ' that is known'}, <Name of={v} /></>}{v.past ? '. It is from before the revisions that are kept: whether it was ever live is not known.' : ''}</p>
              {before ? (v.text === before.text ? <Empty title="The text is the same">Something that it uses changed.</Empty> : <Diff of={hunks(diff(before.text, v.text), 4)} />) : <Source text={v.text} />}
            </>
          ) : null}</div>
        </div>
      );
    }}</Shown>
  );
}

const Name = ({ of }: { of: PlaybookVersion }) => <span className="mono">{of.revision.slice(0, 10)}</span>;

function One({ x, on, choose }: { x: PlaybookVersion; on: boolean; choose: () => void }) {
  return (
    <li><button type="button" aria-current={on || undefined} onClick={choose}>
      <strong><Text of={x.title || x.revision.slice(0, 12)} max={100} /></strong>
      <span className="dim"><span className="mono">{x.revision.slice(0, 10)}</span> {x.author ? <Text of={x.author.replace(/ <[^>]*>$/, '')} max={60} /> : null} <Ago at={x.committed ?? x.liveSince} /></span>
      {x.live || x.past || !x.does ? <span>{x.live ? <span className="tag good">live</span> : null}{x.past ? <span className="tag">from the history</span> : x.does ? null : <span className="tag">does the same</span>}</span> : null}
    </button></li>
  );
}
