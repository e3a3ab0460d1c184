// The steps as a list with their times beside it: what went on when, and beside what.
import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useEffect, useMemo, useRef, useState } from 'react';

import type { GlanceHead, GlanceStep } from '../../api/schema';
import { label, nth } from '../../lib/text';
import { clock, parse, took } from '../../lib/time';
import { Glyph, lookOf } from '../../ui/Status';
import { serverNow, useNow, useZone } from '../../ui/Time';
import { shownAs } from './model';
import { busyOf, marksOf, type Piece as Part, placeAt, scaleOf } from './scale';

export function Gantt({ head, steps, chosen, choose }: { head: GlanceHead; steps: GlanceStep[]; chosen: string; choose: (path: string) => void }) {
  const box = useRef<HTMLDivElement>(null);
  const scale = useScale(head, steps);
  const virtual = useVirtualizer({ count: steps.length, getScrollElement: () => box.current, estimateSize: () => 26, overscan: 15 });
  const at = useMemo(() => steps.findIndex((s) => s.path === chosen), [steps, chosen]);
  useEffect(() => { if (at >= 0) virtual.scrollToIndex(at, { align: 'auto' }); }, [at]); // eslint-disable-line react-hooks/exhaustive-deps -- when another one is chosen
  const cuts = scale.filter((p) => p.cut);
  return (
    <div className="gantt">
      <Axis scale={scale} />
      <div ref={box} className="gantt-box" role="listbox" aria-label="Steps" tabIndex={0} aria-activedescendant={at >= 0 ? `step-${at}` : undefined}
        onKeyDown={(e) => {
          const next = e.key === 'ArrowDown' ? at + 1 : e.key === 'ArrowUp' ? at - 1 : -1;
          const s = steps[next];
          if (s) { e.preventDefault(); choose(s.path); }
        }}>
        <div style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {virtual.getVirtualItems().map((v) => {
            const s = steps[v.index];
            return s ? <Row key={s.path} id={`step-${v.index}`} step={s} top={v.start} scale={scale} going={Number.isNaN(parse(head.ended))} chosen={s.path === chosen} choose={choose} /> : null;
          })}
        </div>
      </div>
      <Cuts cuts={cuts} />
    </div>
  );
}

/** The scale of the whole, which grows each second while the run goes on. */
function useScale(head: GlanceHead, steps: GlanceStep[]): Part[] {
  const from = parse(head.started) || parse(head.created);
  const end = parse(head.ended);
  const going = Number.isNaN(end);
  const tick = useTick(going);
  return useMemo(() => {
    const to = going ? Math.max(tick, serverNow()) : end;
    return scaleOf(busyOf(steps, to), from, to);
  }, [steps, from, end, going, tick]);
}

/** The second that it is while something goes on, else always the same. */
function useTick(going: boolean): number {
  const now = useNow();
  return going ? now : 0;
}

function Axis({ scale }: { scale: Part[] }) {
  const zone = useZone();
  const box = useRef<HTMLSpanElement>(null);
  const [parts, setParts] = useState(3);
  useEffect(() => {
    const s = box.current;
    if (!s) return;
    const o = new ResizeObserver(() => setParts(Math.max(1, Math.min(6, Math.floor(s.clientWidth / 76)))));
    o.observe(s);
    return () => o.disconnect();
  }, []);
  const from = scale[0]?.from ?? NaN;
  return (
    <div className="gantt-axis">
      <span aria-hidden>{Number.isNaN(from) ? null : clock(from, zone)}</span>
      <span className="scale" ref={box}>
        {marksOf(scale, parts).map((m) => <i key={m.at} aria-hidden style={{ insetInlineStart: `${m.x * 100}%` }}>{m.at === 0 ? '0' : took(m.at).replace(/ 0?0 (s|min)$/, '')}</i>)}
        {scale.filter((p) => p.cut).map((p) => <b key={p.from} title={`Nothing happened for ${took(p.to - p.from)}`} style={{ insetInlineStart: `${((p.x0 + p.x1) / 2) * 100}%` }}><span className="sr">Nothing happened for </span>{rough(p.to - p.from)}</b>)}
      </span>
      <span />
    </div>
  );
}

/** "14 min", "40 s", "2 h 10 min": as it is read at a glance. */
const rough = (ms: number) => (ms < 60_000 ? `${Math.round(ms / 1000)} s` : ms < 3_600_000 ? `${Math.floor(ms / 60_000)} min` : took(ms).replace(/ 00 min$/, ''));

/** A zigzag down the time line, over the bars: beyond it the scale goes on as before. */
function Cuts({ cuts }: { cuts: Part[] }) {
  if (cuts.length === 0) return null;
  return (
    <div className="gantt-cuts" aria-hidden>
      <span className="lane">
        {cuts.map((p) => (
          <i key={p.from} style={{ insetInlineStart: `${((p.x0 + p.x1) / 2) * 100}%` }}>
            <svg width="12" height="100%"><defs><pattern id="gantt-zigzag" width="12" height="10" patternUnits="userSpaceOnUse"><path className="ground" d="M3 -1 9 5 3 11" /><path d="M3 -1 9 5 3 11" /></pattern></defs><rect width="12" height="100%" fill="url(#gantt-zigzag)" /></svg>
          </i>
        ))}
      </span>
    </div>
  );
}

const Row = memo(function Row({ id, step: s, top, scale, going, chosen, choose }: { id: string; step: GlanceStep; top: number; scale: Part[]; going: boolean; chosen: boolean; choose: (path: string) => void }) {
  const status = shownAs(s);
  const live = !s.ended && !!s.started && going;
  const from = placeAt(scale, parse(s.started));
  const to = live ? 1 : placeAt(scale, parse(s.ended) || parse(s.started));
  return (
    <div id={id} role="option" aria-selected={chosen} className="gantt-row" data-tone={lookOf(status).tone} data-idle={status === 'pending' || status === 'not-reached' || status === 'skipped' || undefined} style={{ transform: `translateY(${top}px)` }} onClick={() => choose(s.path)}>
      <span className="name" style={{ paddingInlineStart: Math.min(s.depth, 8) * 12 }}>
        <Glyph status={status} />
        {s.section && s.section !== 'steps' && s.section !== 'parallel' ? <b>{s.section}</b> : null}
        <bdi className="clip" title={label(s.label, 200)}>{label(s.label, 90)}</bdi>
        {s.count ? <span className="dim">{s.done ?? 0}/{s.count}</span> : null}
        {s.attempts && s.attempts > 1 ? <span className="dim nth">{nth(s.attempts)} attempt</span> : null}
      </span>
      <span className="lane">{s.started ? <Bar left={from} width={to - from} live={live && !!s.acts} /> : null}</span>
      <span className="num">{s.started && s.ended ? took(parse(s.ended) - parse(s.started)) : live ? <LiveTook at={parse(s.started)} /> : null}</span>
    </div>
  );
});

function Bar({ left, width, live }: { left: number; width: number; live: boolean }) {
  const l = Math.max(0, Math.min(0.995, left));
  return <i className="bar" data-live={live || undefined} style={{ insetInlineStart: `${l * 100}%`, width: `max(3px, ${Math.max(0, Math.min(1 - l, width)) * 100}%)` }} />;
}

function LiveTook({ at }: { at: number }) {
  const now = useNow();
  return <>{took(Math.max(0, Math.floor((now - at) / 1000) * 1000))}</>;
}
