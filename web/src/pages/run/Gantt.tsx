// The steps as a list with their times beside it: what went on when, and beside what.
import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useEffect, useMemo, useRef, useState } from 'react';

import type { GlanceHead, GlanceStep } from '../../api/schema';
import { label } from '../../lib/text';
import { clock, parse, took } from '../../lib/time';
import { Glyph, lookOf } from '../../ui/Status';
import { useNow, useZone } from '../../ui/Time';
import { shownAs } from './model';

/** Round times that divide a span into at most so many parts. */
export function ticks(span: number, parts = 5): number {
  const steps = [10, 50, 100, 250, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000, 10_800_000, 21_600_000, 86_400_000];
  return steps.find((s) => span / s <= parts) ?? Math.ceil(span / parts / 86_400_000) * 86_400_000;
}

export function Gantt({ head, steps, chosen, choose }: { head: GlanceHead; steps: GlanceStep[]; chosen: string; choose: (path: string) => void }) {
  const box = useRef<HTMLDivElement>(null);
  const going = Number.isNaN(parse(head.ended));
  const from = parse(head.started) || parse(head.created);
  const virtual = useVirtualizer({ count: steps.length, getScrollElement: () => box.current, estimateSize: () => 26, overscan: 15 });
  const at = useMemo(() => steps.findIndex((s) => s.path === chosen), [steps, chosen]);
  useEffect(() => { if (at >= 0) virtual.scrollToIndex(at, { align: 'auto' }); }, [at]); // eslint-disable-line react-hooks/exhaustive-deps -- when another one is chosen
  return (
    <div className="gantt">
      <Axis from={from} to={going ? undefined : parse(head.ended)} />
      <div ref={box} className="gantt-box" role="listbox" aria-label="Steps" tabIndex={0} aria-activedescendant={at >= 0 ? `step-${at}` : undefined}
        onKeyDown={(e) => {
          const next = e.key === 'ArrowDown' ? at + 1 : e.key === 'ArrowUp' ? at - 1 : -1;
          const s = steps[next];
          if (s) { e.preventDefault(); choose(s.path); }
        }}>
        <div style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {virtual.getVirtualItems().map((v) => {
            const s = steps[v.index];
            return s ? <Row key={s.path} id={`step-${v.index}`} step={s} top={v.start} from={from} to={going ? undefined : parse(head.ended)} chosen={s.path === chosen} choose={choose} /> : null;
          })}
        </div>
      </div>
    </div>
  );
}

function Axis({ from, to }: { from: number; to: number | undefined }) {
  const now = useNow();
  const zone = useZone();
  const span = Math.max(1, (to ?? now) - from);
  const scale = useRef<HTMLSpanElement>(null);
  const [parts, setParts] = useState(3);
  useEffect(() => {
    const s = scale.current;
    if (!s) return;
    const o = new ResizeObserver(() => setParts(Math.max(1, Math.min(6, Math.floor(s.clientWidth / 76)))));
    o.observe(s);
    return () => o.disconnect();
  }, []);
  const step = ticks(span, parts);
  const marks = Array.from({ length: Math.floor(span / step) + 1 }, (_, i) => i * step).filter((m) => m / span < 0.86);
  return (
    <div className="gantt-axis" aria-hidden>
      <span>{Number.isNaN(from) ? null : clock(from, zone)}</span>
      <span className="scale" ref={scale}>{marks.map((m) => <i key={m} style={{ insetInlineStart: `${(m / span) * 100}%` }}>{m === 0 ? '0' : took(m).replace(/ 0?0 (s|min)$/, '')}</i>)}</span>
      <span />
    </div>
  );
}

const Row = memo(function Row({ id, step: s, top, from, to, chosen, choose }: { id: string; step: GlanceStep; top: number; from: number; to: number | undefined; chosen: boolean; choose: (path: string) => void }) {
  const status = shownAs(s);
  const live = !s.ended && !!s.started && to === undefined;
  return (
    <div id={id} role="option" aria-selected={chosen} className="gantt-row" data-tone={lookOf(status).tone} data-idle={status === 'pending' || status === 'not-reached' || status === 'skipped' || undefined} style={{ transform: `translateY(${top}px)` }} onClick={() => choose(s.path)}>
      <span className="name" style={{ paddingInlineStart: Math.min(s.depth, 8) * 12 }}>
        <Glyph status={status} />
        {s.section && s.section !== 'steps' && s.section !== 'parallel' ? <b>{s.section}</b> : null}
        <bdi className="clip" title={label(s.label, 200)}>{label(s.label, 90)}</bdi>
        {s.count ? <span className="dim">{s.done ?? 0}/{s.count}</span> : null}
        {s.attempts && s.attempts > 1 ? <span className="dim">#{s.attempts}</span> : null}
      </span>
      <span className="lane">{s.started ? (live ? <LiveBar from={from} at={parse(s.started)} acts={!!s.acts} /> : <Bar span={Math.max(1, (to ?? Date.now()) - from)} from={from} at={parse(s.started)} end={parse(s.ended) || (to ?? parse(s.started))} fixed={to !== undefined} />) : null}</span>
      <span className="num">{s.started && s.ended ? took(parse(s.ended) - parse(s.started)) : live ? <LiveTook at={parse(s.started)} /> : null}</span>
    </div>
  );
});

function Bar({ span, from, at, end, fixed }: { span: number; from: number; at: number; end: number; fixed: boolean }) {
  return fixed ? <Piece left={(at - from) / span} width={(end - at) / span} /> : <MovingBar from={from} at={at} end={end} />;
}

function MovingBar({ from, at, end }: { from: number; at: number; end: number }) {
  const span = Math.max(1, useNow() - from);
  return <Piece left={(at - from) / span} width={(end - at) / span} />;
}

function LiveBar({ from, at, acts }: { from: number; at: number; acts: boolean }) {
  const now = useNow();
  const span = Math.max(1, now - from);
  return <Piece left={(at - from) / span} width={Math.max(0, now - at) / span} live={acts} />;
}

function Piece({ left, width, live }: { left: number; width: number; live?: boolean }) {
  const l = Math.max(0, Math.min(0.995, left));
  return <i className="bar" data-live={live || undefined} style={{ insetInlineStart: `${l * 100}%`, width: `max(3px, ${Math.max(0, Math.min(1 - l, width)) * 100}%)` }} />;
}

function LiveTook({ at }: { at: number }) {
  const now = useNow();
  return <>{took(Math.max(0, Math.floor((now - at) / 1000) * 1000))}</>;
}
