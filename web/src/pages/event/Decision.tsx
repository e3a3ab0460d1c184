// What was decided of an event, in a sentence that can be read from a metre away, and why.
import type { Receipt } from '../../api/schema';
import { Link, to } from '../../app/router';
import { decided, Glyph, lookOf } from '../../ui/Status';
import { Sentence, Text } from '../../ui/Text';
import { Until } from '../../ui/Time';

export function Decision({ d, playbook, guard, project }: { d: Receipt; playbook?: string | undefined; guard?: string | undefined; project?: string }) {
  const status = decided(d.outcome);
  const book = playbook ? <Link to={`${to.playbook(playbook)}${project ? `?project=${encodeURIComponent(project)}` : ''}`}><Text of={playbook} max={100} /></Link> : null;
  const until = d.until && !d.until.startsWith('0001') ? <>, until <Until at={d.until} /></> : null;
  const by = d.trigger ? <> by trigger <strong><Text of={d.trigger} max={80} /></strong></> : null;
  return (
    <div className="event-decision">
      <Glyph status={status} quiet size={18} />
      <p className={`event-says tone-${lookOf(status).tone}`}>{said(d.outcome)}{d.run ? <>: <Link to={to.run(d.run)}>{playbook ? <>the run of <Text of={playbook} max={100} /></> : 'its run'}</Link></> : null}</p>
      <div className="event-why">
        {d.why && d.why !== 'no trigger matched' && !(d.run && d.trigger && d.why.startsWith(d.run)) ? <p><Sentence of={d.why} />{guard ? null : until}</p> : null}
        {guard ? <p>Guard <strong><Text of={guard} max={80} /></strong> {d.outcome === 'held' ? 'holds it back' : 'says no'}{until}.</p> : null}
        {by || book ? <p className="dim">{d.outcome === 'started' ? 'Started' : 'Taken'}{by}{book ? <>, for playbook {book}</> : null}.</p> : null}
        {d.incident ? <p><Link to={to.incident(d.incident)}>Its incident</Link></p> : null}
      </div>
    </div>
  );
}

const words: Record<string, string> = {
  started: 'A run was started', joined: 'It joined what goes on already', held: 'A guard holds it back', queued: 'It waits for its turn', unmatched: 'No trigger took it',
  stale: 'It was too old to act on', refused: 'It was refused', woke: 'A run that waited goes on', resolves: 'It ended what an earlier one began', duplicate: 'It was here before',
};

export const said = (outcome: string): string => words[outcome] ?? outcome;
