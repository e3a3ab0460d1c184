// What can be done with a log: search it, narrow it, wrap it, go to its ends, save it, link to a line, and make it large.
import type { RefObject } from 'react';

export interface Bar {
  field: RefObject<HTMLInputElement | null>;
  query: string; setQuery: (q: string) => void; says: string; found: boolean; step: (by: number) => void;
  lost: number;
  live: boolean; tail: boolean; setTail: (t: boolean) => void;
  /** How many lines are of stderr; 0 where that is none, or all. */
  errs: number; only: boolean; setOnly: (o: boolean) => void;
  wrap: boolean; setWrap: (w: boolean) => void;
  large: boolean; setLarge: (l: boolean) => void;
  jump: (to: 'start' | 'end') => void;
  save: () => void;
  link: (() => void) | undefined;
}

export function LogBar(b: Bar) {
  return (
    <div className="log-bar" role="toolbar" aria-label="The log">
      <input ref={b.field} className="input" type="search" aria-label="Search in the log" placeholder="Search" spellCheck={false} value={b.query} onChange={(e) => b.setQuery(e.target.value)}
        onKeyDown={(e) => { if (e.key === 'Enter') { e.preventDefault(); b.step(e.shiftKey ? -1 : 1); } }} />
      <span className="dim num" role="status">{b.says}</span>
      {b.found ? (
        <span className="log-steps">
          <button type="button" className="button small" aria-label="The occurrence before" title="The occurrence before (Shift+Enter)" onClick={() => b.step(-1)}>↑</button>
          <button type="button" className="button small" aria-label="The next occurrence" title="The next occurrence (Enter)" onClick={() => b.step(1)}>↓</button>
        </span>
      ) : null}
      {b.lost > 0 ? <span className="tag wait">{b.lost} pieces were lost on the way; the stored log has them</span> : null}
      {b.live ? <button type="button" className="button small" aria-pressed={b.tail} onClick={() => b.setTail(!b.tail)}>{b.tail ? 'Following' : 'Follow'}</button> : null}
      {b.errs ? <button type="button" className="button small" aria-pressed={b.only} onClick={() => b.setOnly(!b.only)}>Only stderr <span className="tally">{b.errs.toLocaleString('en')}</span></button> : null}
      <button type="button" className="button small" aria-pressed={b.wrap} onClick={() => b.setWrap(!b.wrap)}>Wrap</button>
      <span className="log-steps">
        <button type="button" className="button small" aria-label="To the beginning" title="To the beginning" onClick={() => b.jump('start')}>⤒</button>
        <button type="button" className="button small" aria-label="To the end" title="To the end" onClick={() => b.jump('end')}>⤓</button>
      </span>
      {b.link ? <button type="button" className="button small" onClick={b.link}>Link</button> : null}
      <button type="button" className="button small" onClick={b.save}>Save</button>
      <button type="button" className="button small log-large" aria-pressed={b.large} title="As large as the page (f)" onClick={() => b.setLarge(!b.large)}>Large</button>
    </div>
  );
}
