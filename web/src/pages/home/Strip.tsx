// The last 24 hours: a lane for each playbook, a mark for what ran within a half hour, incidents as spans above. It is a list of
// links to who does not see it, and one place of the tab order: arrows go on within it.
import { type CSSProperties, type KeyboardEvent, memo, useRef } from 'react';

import type { Row } from '../../api/schema';
import { Link, to } from '../../app/router';
import { count, label } from '../../lib/text';
import { clock, offsetMinutes } from '../../lib/time';
import { Glyph, lookOf } from '../../ui/Status';
import { Text } from '../../ui/Text';
import { useZone } from '../../ui/Time';
import { type Lane, hoursOf, lanes, type Mark, type Span, spans } from './day';
import './strip.css';

const at = (x: number): CSSProperties => ({ insetInlineStart: `${(x * 100).toFixed(3)}%` });

export const Strip = memo(function Strip({ runs, incidents, now, max, since }: { runs: Row[]; incidents: Row[]; now: number; max: number; since: string | undefined }) {
  const zone = useZone();
  const of = lanes(runs, now, max);
  const burnt = spans(incidents, now);
  const rows = burnt.reduce((n, s) => Math.max(n, s.row + 1), 0);
  const failed = of.reduce((n, l) => n + l.failed, 0);
  const box = useRef<HTMLDivElement>(null);
  const hours = hoursOf(now, offsetMinutes(now, zone));
  return (
    <section className="panel strip" aria-labelledby="strip-head">
      <header>
        <h2 id="strip-head">The last 24 hours</h2>
        <span className="dim">{runs.length === 0 ? 'nothing ran' : count(runs.length, 'run')}{failed ? <>, <Link to="/runs?status=failed&since=24h" className="tone-bad">{failed} failed</Link></> : runs.length ? ', none failed' : null}{rows > 0 ? <>, {count(burnt.length, 'incident')}</> : null}{since ? <>; of what is older than <time dateTime={since}>{clock(Date.parse(since), zone).slice(0, 5)}</time> only the newest is asked for</> : null}</span>
        <span className="end"><Link to="/runs?since=24h">as a list</Link></span>
      </header>
      <div ref={box} className="strip-in" onKeyDown={(e) => rove(e, box.current)}>
        <div className="strip-hours" aria-hidden>{hours.filter((h) => h.x > 0.02 && h.x < 0.98).map((h) => <span key={h.at} style={at(h.x)}>{clock(h.at, zone).slice(0, 5)}</span>)}</div>
        {hours.map((h) => <i key={h.at} className="strip-line" aria-hidden style={{ '--x': h.x } as CSSProperties} />)}
        {Array.from({ length: rows }, (_, row) => (
          <div key={row} className="strip-lane">
            {row === 0 ? <Link to="/incidents" className="strip-name">Incidents</Link> : <span className="strip-name" />}
            <ul aria-label={row === 0 ? 'Incidents' : 'Incidents at the same time'}>{burnt.filter((s) => s.row === row).map((s) => <Burnt key={s.id} of={s} zone={zone} />)}</ul>
          </div>
        ))}
        {of.map((l) => <LaneOf key={l.name || 'others'} of={l} zone={zone} />)}
        {runs.length === 0 ? <p className="strip-none dim">A trigger, a person or a schedule starts a playbook; what it did stands here.</p> : null}
      </div>
    </section>
  );
});

type Zone = ReturnType<typeof useZone>;

function LaneOf({ of: l, zone }: { of: Lane; zone: Zone }) {
  return (
    <div className="strip-lane">
      {l.others ? <Link to="/runs?since=24h" className="strip-name dim">{l.others} other playbooks</Link>
        : <Link to={`/runs?since=24h&name=${encodeURIComponent(l.name)}`} className="strip-name clip"><Text of={l.name} max={80} /></Link>}
      <ul aria-label={`${l.others ? `${l.others} other playbooks` : label(l.name, 80)}: ${count(l.n, 'run')}${l.failed ? `, ${l.failed} failed` : ''}`}>{l.marks.map((m) => <MarkOf key={m.from} of={m} zone={zone} name={l.others ? (m.worst.name ?? '') : ''} />)}</ul>
    </div>
  );
}

function MarkOf({ of: m, zone, name }: { of: Mark; zone: Zone; name: string }) {
  const says = m.of.map(([s, n]) => (m.n > 1 ? `${n} ${lookOf(s).says}` : lookOf(s).says)).join(', ');
  const when = clock(m.n > 1 ? m.from : Date.parse(m.worst.at ?? ''), zone).slice(0, 5);
  const text = `${when}${name ? ` ${label(name, 60)}` : ''}: ${says}${m.n > 1 && m.of.length > 1 ? '; the worst is opened' : ''}`;
  return (
    <li style={at(m.x)}><Link to={to.run(m.worst.id)} className="strip-mark" tabIndex={-1} aria-label={text} title={text} data-tone={lookOf(m.worst.status ?? '').tone}>
      <Glyph status={m.worst.status ?? ''} quiet size={13} />{m.n > 1 ? <i style={{ width: `${Math.min(100, 20 + m.n * 10)}%` }} /> : null}
    </Link></li>
  );
}

function Burnt({ of: s, zone }: { of: Span; zone: Zone }) {
  const text = `${s.severity ? `${s.severity}: ` : ''}${label(s.title, 120)}, ${clock(Date.parse(s.began), zone).slice(0, 5)} to ${s.ended ? clock(Date.parse(s.ended), zone).slice(0, 5) : 'now'}`;
  return (
    <li style={{ ...at(s.from), width: `${(Math.max(0.005, s.to - s.from) * 100).toFixed(3)}%` }} className="strip-burnt" data-severity={s.severity} data-open={s.ended ? undefined : true}>
      <Link to={to.incident(s.id)} className="strip-mark" tabIndex={-1} aria-label={text} title={text}><Glyph status={s.status === 'open' ? 'burning' : s.status} quiet size={12} /><span className="clip"><Text of={s.title} max={120} /></span></Link>
    </li>
  );
}

/** Left and right are earlier and later, up and down the lane above and below. Before any had the focus, the newest has it. */
function rove(e: KeyboardEvent, box: HTMLElement | null) {
  const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[e.key];
  if (!by || !box || e.altKey || e.ctrlKey || e.metaKey) return;
  const lists = [...box.querySelectorAll<HTMLElement>('.strip-lane')].map((l) => [...l.querySelectorAll<HTMLElement>('.strip-mark')]);
  const here = document.activeElement as HTMLElement | null;
  const row = [...box.querySelectorAll('.strip-lane')].findIndex((l) => l.contains(here));
  if (row < 0 || !here) return;
  e.preventDefault();
  const [dx = 0, dy = 0] = by;
  const col = lists[row]?.indexOf(here) ?? -1;
  let next: HTMLElement | undefined;
  if (dx !== 0) {
    // From the name of a lane: to its newest mark; before its first one: back to the name.
    next = col < 0 ? (dx > 0 ? lists[row]?.[0] : lists[row]?.at(-1)) : lists[row]?.[col + dx];
    if (!next && col >= 0 && col + dx < 0) next = box.querySelectorAll('.strip-lane')[row]?.querySelector<HTMLElement>('a.strip-name') ?? undefined;
  } else {
    const x = here.getBoundingClientRect().left;
    for (let r = row + dy; r >= 0 && r < lists.length && !next; r += dy) {
      const to_ = col < 0 ? box.querySelectorAll('.strip-lane')[r]?.querySelector<HTMLElement>('a.strip-name') : undefined;
      next = to_ ?? [...(lists[r] ?? [])].sort((a, b) => Math.abs(a.getBoundingClientRect().left - x) - Math.abs(b.getBoundingClientRect().left - x))[0];
    }
  }
  next?.focus();
}
