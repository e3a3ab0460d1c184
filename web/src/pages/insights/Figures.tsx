// The figures at a glance, each beside what it was in the time before. What cannot be said is a dash, with the reason.
import type { Team } from '../../api/schema';
import { change, duration, minutes } from './range';

interface Figure { name: string; value: string; note: string; now: number | null; before: number | null; better: 1 | -1 | 0; say: (n: number) => string }

const count = (n: number) => n.toLocaleString('en');
const percent = (n: number) => `${Math.round(n)} %`;
const share = (t: Team | undefined) => (t?.verifiable ? (100 * t.verified) / t.verifiable : null);

export function figures(t: Team, b: Team | undefined): Figure[] {
  const taken = (x: Team | undefined) => (x?.taken ? x.mttaSeconds : null);
  const resolved = (x: Team | undefined) => (x?.resolved ? x.mttrSeconds : null);
  const lead = (x: Team | undefined) => (x?.changesLive ? x.leadSeconds : null);
  const of = (k: 'runs' | 'savedMinutes' | 'pagesAvoided' | 'held' | 'changesLive') => [t[k], b ? b[k] : null] as const;
  const row = (name: string, [now, before]: readonly [number | null, number | null], better: 1 | -1 | 0, say: (n: number) => string, note: string): Figure => ({ name, value: now === null ? '–' : say(now), note, now, before, better, say });
  return [
    row('Runs', of('runs'), 0, count, t.runs ? `${t.succeeded} succeeded, ${t.failed} failed` : 'none'),
    row('Verified', [share(t), share(b)], 1, percent, t.verifiable ? `${t.verified} of ${t.verifiable} that had something to prove` : 'no run had anything to verify'),
    row('Saved', of('savedMinutes'), 1, minutes, t.undeclared ? `${t.undeclared} verified runs declare nothing` : 'as the playbooks declare'),
    row('Pages avoided', of('pagesAvoided'), 1, count, 'nobody was asked or called'),
    row('To acknowledge', [taken(t), taken(b)], -1, duration, t.taken ? `mean of ${t.taken} of ${t.incidents} incidents` : t.incidents ? 'nobody took an incident' : 'there was no incident'),
    row('To resolve', [resolved(t), resolved(b)], -1, duration, t.resolved ? `mean of ${t.resolved} of ${t.incidents} incidents` : t.incidents ? 'none was resolved' : 'there was no incident'),
    row('Held by guards', of('held'), 0, count, Object.keys(t.guards).length ? `${Object.keys(t.guards).length} guards` : 'nothing was held'),
    row('Lead time', [lead(t), lead(b)], -1, duration, t.changesLive ? `from commit to live, ${t.changesLive} changes` : 'no commit changed a playbook'),
  ];
}

export function Figures({ now, before, label }: { now: Team; before: Team | undefined; label: string }) {
  return (
    <dl className="insights-figures panel" aria-label={`The last ${label}, and the ${label} before`}>{figures(now, before).map((f) => {
      const c = change(f.now, f.before, f.better, f.say);
      return (
        <div key={f.name}>
          <dt>{f.name}</dt>
          <dd><strong>{f.value}</strong> <span className={c.tone ? `tone-${c.tone}` : 'dim'} title={`compared with the ${label} before`}>{c.says}</span></dd>
          <dd className="dim">{f.note}</dd>
        </div>
      );
    })}</dl>
  );
}
