// A state has a shape and a colour: who cannot tell colours apart, or looks from far, sees the shape.
import { memo } from 'react';

export type Tone = 'good' | 'bad' | 'doubt' | 'live' | 'wait' | 'off';

interface Look { tone: Tone; shape: Shape; says: string }
type Shape = 'check' | 'cross' | 'query' | 'arc' | 'pause' | 'hold' | 'dash' | 'dot' | 'back' | 'slash' | 'again' | 'bang' | 'flame' | 'person' | 'say';

const looks: Record<string, Look> = {
  succeeded: { tone: 'good', shape: 'check', says: 'succeeded' },
  carried: { tone: 'good', shape: 'check', says: 'carried over' },
  answered: { tone: 'good', shape: 'check', says: 'answered' },
  approved: { tone: 'good', shape: 'check', says: 'approved' },
  done: { tone: 'good', shape: 'check', says: 'done' },
  resolved: { tone: 'good', shape: 'check', says: 'resolved' },
  failed: { tone: 'bad', shape: 'cross', says: 'failed' },
  rejected: { tone: 'bad', shape: 'cross', says: 'rejected' },
  refused: { tone: 'bad', shape: 'cross', says: 'refused' },
  quarantined: { tone: 'bad', shape: 'bang', says: 'quarantined' },
  ignored: { tone: 'wait', shape: 'cross', says: 'failed, ignored' },
  'in-doubt': { tone: 'doubt', shape: 'query', says: 'in doubt' },
  interrupted: { tone: 'doubt', shape: 'bang', says: 'interrupted' },
  running: { tone: 'live', shape: 'arc', says: 'running' },
  verifying: { tone: 'live', shape: 'arc', says: 'verifying' },
  cancelling: { tone: 'live', shape: 'arc', says: 'cancelling' },
  undoing: { tone: 'live', shape: 'back', says: 'undoing' },
  started: { tone: 'live', shape: 'arc', says: 'started' },
  retrying: { tone: 'wait', shape: 'again', says: 'retrying' },
  waiting: { tone: 'wait', shape: 'person', says: 'waiting' },
  held: { tone: 'wait', shape: 'hold', says: 'held' },
  paused: { tone: 'wait', shape: 'pause', says: 'paused' },
  queued: { tone: 'wait', shape: 'dot', says: 'queued' },
  open: { tone: 'wait', shape: 'person', says: 'open' },
  burning: { tone: 'bad', shape: 'flame', says: 'open' },
  acknowledged: { tone: 'wait', shape: 'flame', says: 'acknowledged' },
  mitigated: { tone: 'live', shape: 'flame', says: 'mitigated' },
  pending: { tone: 'off', shape: 'dot', says: 'not begun' },
  skipped: { tone: 'off', shape: 'dash', says: 'skipped' },
  'not-reached': { tone: 'off', shape: 'dot', says: 'not reached' },
  cancelled: { tone: 'off', shape: 'slash', says: 'cancelled' },
  undone: { tone: 'off', shape: 'back', says: 'undone' },
  expired: { tone: 'off', shape: 'slash', says: 'expired' },
  guards: { tone: 'off', shape: 'hold', says: 'guards' },
  // What was decided of an event: `decided()` makes the name.
  'event-started': { tone: 'good', shape: 'check', says: 'started a run' },
  'event-joined': { tone: 'good', shape: 'check', says: 'joined' },
  'event-woke': { tone: 'good', shape: 'check', says: 'woke a run' },
  'event-resolves': { tone: 'off', shape: 'back', says: 'ended it' },
  'event-held': { tone: 'wait', shape: 'hold', says: 'held' },
  'event-queued': { tone: 'wait', shape: 'dot', says: 'queued' },
  'event-unmatched': { tone: 'off', shape: 'dash', says: 'no trigger' },
  'event-stale': { tone: 'off', shape: 'slash', says: 'too old' },
  'event-refused': { tone: 'bad', shape: 'cross', says: 'refused' },
  void: { tone: 'off', shape: 'slash', says: 'void' },
  said: { tone: 'off', shape: 'say', says: 'said' },
};

/** How a status looks; one that is not known is shown by its name. */
export function lookOf(status: string): Look {
  return looks[status] ?? { tone: 'off', shape: 'dot', says: status || 'unknown' };
}

/** The status of an event, by what was decided of it. */
export const decided = (outcome: string | undefined) => `event-${outcome ?? ''}`;

const disc = <circle cx="8" cy="8" r="7" fill="currentColor" stroke="none" />;
const ring = <circle cx="8" cy="8" r="6.2" />;
const ink = 'var(--surface)';

// Filled shapes are over, outlines go on or wait.
export const shapes: Record<Shape, React.ReactNode> = {
  check: <>{disc}<path d="M4.8 8.3l2.2 2.2 4.2-4.8" stroke={ink} /></>,
  cross: <><rect x="1.2" y="1.2" width="13.6" height="13.6" rx="1.5" fill="currentColor" stroke="none" /><path d="M5 5l6 6M11 5l-6 6" stroke={ink} /></>,
  query: <><path d="M8 .8L15.4 14.6H.6z" fill="currentColor" stroke="none" /><path d="M6.3 7.4c0-2.2 3.4-2.2 3.4 0 0 1.3-1.7 1.4-1.7 2.7M8 12.3v.1" stroke={ink} strokeWidth="1.5" /></>,
  arc: <><circle cx="8" cy="8" r="6.2" opacity="0.28" /><path className="arc" d="M8 1.8a6.2 6.2 0 0 1 6.2 6.2" strokeWidth="2.4" /></>,
  pause: <>{ring}<path d="M6.3 5.4v5.2M9.7 5.4v5.2" /></>,
  hold: <><path d="M8 1l5.6 2v4.6c0 3.6-2.4 6-5.6 7.4-3.2-1.4-5.6-3.8-5.6-7.4V3z" /><path d="M8 5v3.4M8 11v.1" /></>,
  dash: <><circle cx="8" cy="8" r="6.2" strokeDasharray="2.2 2" /><path d="M5.2 8h5.6" /></>,
  dot: <circle cx="8" cy="8" r="5.6" strokeDasharray="1.6 1.9" strokeWidth="1.4" />,
  back: <><path d="M4.2 4.4A5.6 5.6 0 1 1 2.6 9.6" /><path d="M4.6 1.4v3.4H8" /></>,
  slash: <>{ring}<path d="M3.8 12.2l8.4-8.4" /></>,
  again: <><path d="M13.2 6A5.6 5.6 0 1 0 13.6 9.4" /><path d="M13.6 2.4V6H10" /></>,
  bang: <><path d="M8 .8L15.4 14.6H.6z" fill="currentColor" stroke="none" /><path d="M8 6v4M8 12.3v.1" stroke={ink} /></>,
  flame: <path d="M8.6 1.2c.6 2.8 4.4 4.4 4.4 8.3a5 5 0 0 1-10 0c0-2 1-3.2 2-4.2.2 1.4.8 2.2 1.7 2.6C6.3 5.3 6.9 3 8.6 1.200z" fill="currentColor" stroke="none" />,
  say: <path d="M2.4 2.8h11.200v7.600H8l-3 2.800v-2.800H2.400z" />,
  person: <><path d="M8 1.2L14.8 8 8 14.8 1.2 8z" /><path d="M8 5.200v3.200M8 10.700v.1" /></>,
};

/** The shape of a status. It says itself to a screen reader unless its name stands beside it. */
export const Glyph = memo(function Glyph({ status, quiet, size = 14 }: { status: string; quiet?: boolean; size?: number }) {
  const l = lookOf(status);
  return (
    <svg className={`glyph tone-${l.tone}${l.shape === 'arc' ? ' turns' : ''}`} width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.7" strokeLinecap="round" strokeLinejoin="round"
      {...(quiet ? { 'aria-hidden': true } : { role: 'img', 'aria-label': l.says })}>{shapes[l.shape]}</svg>
  );
});

export function Status({ of, says }: { of: string; says?: string }) {
  const l = lookOf(of);
  return <span className={`status tone-${l.tone}`}><Glyph status={of} quiet />{says ?? l.says}</span>;
}
