// The playbook as a graph, laid out on the server as `tend graph` lays it out. Only what is in view is in the document, so
// that thousands of steps move as easily as ten.
import { memo, type PointerEvent, type ReactNode, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';

import type { Box, Edge, Layout } from '../api/schema';
import { label } from '../lib/text';
import { parse, took } from '../lib/time';
import { Glyph, lookOf } from './Status';
import { useNow } from './Time';
import './graph.css';

/** What is known of a box while a playbook runs. */
export interface Place {
  status: string;
  /** The instance that is shown when somebody chooses the place: the one that a person must see most. */
  path: string;
  instances: number;
  count: number;
  done: number;
  failed: number;
  attempts: number;
  started: string | undefined;
  ended: string | undefined;
  undone: boolean;
  would: boolean;
  held: boolean;
}

export const unit = 7; // pixels of a unit of the grid, at zoom 1
const zooms = [0.25, 0.35, 0.5, 0.7, 0.85, 1, 1.25, 1.5];
const margin = 240; // drawn around what is seen

interface View { x: number; y: number; w: number; h: number }

export function Graph({ layout, places, chosen, choose, follow, still, marked, over }: {
  layout: Layout; places: Map<string, Place>; chosen: string; choose: (place: string) => void;
  /** It does not run: every box can be chosen, and none has a state. */
  still?: boolean;
  /** Boxes in which something is wrong. */
  marked?: Set<string>;
  /** What is drawn over it, in its units. */
  over?: ReactNode;
  /** The place to keep in view while nobody scrolls. */
  follow: string | undefined;
}) {
  const box = useRef<HTMLDivElement>(null);
  const [zoom, setZoom] = useState(1);
  const [view, setView] = useState<View>({ x: 0, y: 0, w: 800, h: 600 });
  const moved = useRef(false);
  const fitted = useRef(false);
  const again = useRef(() => { /* nothing is chosen */ });
  // Where the box is scrolled to, read when it scrolls and at no other time: reading makes the browser lay out what changed.
  const where = useRef<View>(view);
  const byPath = useMemo(() => new Map(layout.boxes.map((x) => [x.path, x])), [layout]);
  const look = useCallback(() => {
    const b = box.current;
    if (!b) return;
    const now = { x: b.scrollLeft, y: b.scrollTop, w: b.clientWidth, h: b.clientHeight };
    where.current = now;
    setView((was) => {
      const far = Math.abs(now.x - was.x) > margin / 3 || Math.abs(now.y - was.y) > margin / 3 || now.w !== was.w || now.h !== was.h;
      return far ? now : was;
    });
  }, []);
  useLayoutEffect(() => {
    const b = box.current;
    if (!b) return;
    // What is written on stays where it was looked at.
    if (!still || !fitted.current) {
      fitted.current = true;
      // A graph that is a little too wide is shown whole; one that is far too wide is read, not looked at.
      const fit = b.clientWidth / (layout.w * unit + 24);
      const start = fit >= 1 ? 1 : Math.max(0.7, [...zooms].reverse().find((z) => z <= fit) ?? 0.7);
      setZoom(start);
      const first = byPath.get('start');
      b.scrollLeft = Math.max(0, ((first ? first.x + first.w / 2 : 0) * unit * start) - b.clientWidth / 2);
    }
    look();
    const o = new ResizeObserver(() => { look(); again.current(); });
    o.observe(b);
    return () => o.disconnect();
  }, [layout, byPath, look, still]);
  const bring = useCallback((path: string, z: number) => {
    const b = box.current;
    const at = byPath.get(path);
    if (!b || !at) return;
    const s = unit * z;
    const h = Math.min(at.h, 14);
    const v = where.current;
    // What follows stands below: the next screenful comes into view at once, so that it scrolls once in a while.
    if (at.y * s < v.y + 24 || (at.y + h) * s > v.y + v.h - 24) b.scrollTop = at.y * s - v.h / 5;
    if (at.x * s < v.x || (at.x + at.w) * s > v.x + v.w) b.scrollLeft = (at.x + Math.min(at.w, 60) / 2) * s - v.w / 2;
  }, [byPath]);
  useEffect(() => { if (chosen) bring(chosen, zoom); }, [chosen, bring, zoom]);
  // Where the room becomes less, as beside a form, what is chosen stays in it.
  useEffect(() => { again.current = () => { if (still && chosen) bring(chosen, zoom); }; });
  useEffect(() => { if (follow && !moved.current && !chosen) bring(follow, zoom); }, [follow, chosen, bring, zoom]);

  const scale = (to: number) => {
    const b = box.current;
    if (!b) return;
    const [cx, cy] = [(b.scrollLeft + b.clientWidth / 2) / zoom, (b.scrollTop + b.clientHeight / 2) / zoom];
    setZoom(to);
    requestAnimationFrame(() => { b.scrollLeft = cx * to - b.clientWidth / 2; b.scrollTop = cy * to - b.clientHeight / 2; look(); });
  };
  const next = (by: 1 | -1) => {
    const i = zooms.findIndex((z) => z >= zoom);
    scale(zooms[Math.max(0, Math.min(zooms.length - 1, (i < 0 ? zooms.length - 1 : i) + by))] ?? 1);
  };

  const seen = useMemo(() => {
    const s = unit * zoom;
    const [x0, y0, x1, y1] = [(view.x - margin) / s, (view.y - margin) / s, (view.x + view.w + margin) / s, (view.y + view.h + margin) / s];
    return {
      boxes: layout.boxes.filter((b) => b.x < x1 && b.x + b.w > x0 && b.y < y1 && b.y + b.h > y0),
      edges: layout.edges.filter((e) => {
        let [ax, ay, bx, by] = [Infinity, Infinity, -Infinity, -Infinity];
        for (const p of e.points) { ax = Math.min(ax, p.x); ay = Math.min(ay, p.y); bx = Math.max(bx, p.x); by = Math.max(by, p.y); }
        return ax < x1 && bx > x0 && ay < y1 && by > y0;
      }),
    };
  }, [layout, view, zoom]);

  const grab = useDrag(box, moved);
  return (
    <div className="graph">
      <div ref={box} className="graph-box" onScroll={look} onWheel={(e) => { moved.current = true; if (e.ctrlKey) next(e.deltaY < 0 ? 1 : -1); }} {...grab} tabIndex={0} role="group" aria-label="The playbook as a graph">
        <div className="graph-all" style={{ width: layout.w * unit * zoom, height: layout.h * unit * zoom }}>
          <div className="graph-in" data-far={zoom < 0.5 || undefined} style={{ width: layout.w * unit, height: layout.h * unit, transform: `scale(${zoom})` }}>
            <svg className="graph-lines" width={layout.w * unit} height={layout.h * unit} aria-hidden>
              {seen.edges.map((e) => <Line key={`${e.from}>${e.to}>${e.kind}`} edge={e} done={passed(places, e)} />)}
            </svg>
            {seen.boxes.map((b) => (b.block
              ? <Block key={`b${b.path}`} box={b} place={places.get(b.path)} chosen={chosen === b.path} choose={choose} still={still ?? false} wrong={marked?.has(b.path) ?? false} />
              : <Step key={b.path} box={b} place={places.get(b.path)} chosen={chosen === b.path} choose={choose} still={still ?? false} wrong={marked?.has(b.path) ?? false} />))}
            {over}
          </div>
        </div>
      </div>
      <div className="graph-zoom" role="group" aria-label="Zoom">
        <button type="button" className="button small" aria-label="Smaller" onClick={() => next(-1)}>−</button>
        <button type="button" className="button small" title="As large as it is" onClick={() => scale(1)}>{Math.round(zoom * 100)}%</button>
        <button type="button" className="button small" aria-label="Larger" onClick={() => next(1)}>+</button>
      </div>
    </div>
  );
}

/** The ground is taken and moved, as a map is. */
function useDrag(box: React.RefObject<HTMLDivElement | null>, moved: React.RefObject<boolean>) {
  const from = useRef<{ x: number; y: number; left: number; top: number } | null>(null);
  return {
    onPointerDown: (e: PointerEvent<HTMLDivElement>) => {
      if (e.pointerType !== 'mouse' || e.button !== 0 || (e.target as Element).closest('button')) return;
      const b = box.current;
      if (!b) return;
      from.current = { x: e.clientX, y: e.clientY, left: b.scrollLeft, top: b.scrollTop };
    },
    onPointerMove: (e: PointerEvent<HTMLDivElement>) => {
      const f = from.current;
      const b = box.current;
      if (!f || !b) return;
      if (Math.abs(e.clientX - f.x) + Math.abs(e.clientY - f.y) > 4) { moved.current = true; b.setPointerCapture(e.pointerId); }
      b.scrollLeft = f.left - (e.clientX - f.x);
      b.scrollTop = f.top - (e.clientY - f.y);
    },
    onPointerUp: () => { from.current = null; },
    onPointerCancel: () => { from.current = null; },
  };
}

/** Whether the flow went along a line. */
function passed(places: Map<string, Place>, e: Edge): boolean {
  const to = places.get(e.to)?.status ?? '';
  if (e.to === 'end' || e.kind === 'join') return ['succeeded', 'ignored', 'undone', 'carried'].includes(places.get(e.from)?.status ?? '');
  return !['', 'pending', 'not-reached'].includes(to);
}

const Line = memo(function Line({ edge, done }: { edge: Edge; done: boolean }) {
  const d = edge.points.map((p, i) => `${i ? 'L' : 'M'}${p.x * unit} ${p.y * unit}`).join('');
  return <path className={`line line-${edge.kind}`} data-done={done || undefined} d={d} />;
});

const words: Record<string, string> = { catch: 'catch', finally: 'finally', lane: 'lane', foreach: 'loop', parallel: 'parallel', lock: 'lock', steps: 'block' };

const plainBlock = new Set(['parallel', 'steps']);

const at = (b: Box) => ({ left: b.x * unit, top: b.y * unit, width: b.w * unit, height: b.h * unit });

const Block = memo(function Block({ box, place, chosen, choose, still, wrong }: { box: Box; place: Place | undefined; chosen: boolean; choose: (p: string) => void; still: boolean; wrong: boolean }) {
  const status = place?.held ? 'held' : (place?.status ?? '');
  return (
    <div className={`gblock gblock-${box.kind}`} style={at(box)} data-path={box.path} data-tone={status ? lookOf(status).tone : undefined} data-chosen={chosen || undefined} data-wrong={wrong || undefined}>
      <button type="button" onClick={() => choose(box.path)} disabled={!place && !still}>
        {status && status !== 'pending' ? <Glyph status={status} size={12} /> : null}
        <span className="clip"><b>{words[box.kind] ?? box.kind}</b> {box.title === box.kind ? null : <bdi>{label(box.title, 60)}</bdi>}</span>
        {place && place.count > 0 ? <span className="count">{place.done}/{place.count}{place.failed ? <i> {place.failed} failed</i> : null}</span> : null}
      </button>
      {box.lines?.some((l) => !plainBlock.has(l)) ? <span className="lines clip">{box.lines.filter((l) => !plainBlock.has(l)).map((l) => label(l, 60)).join(' · ')}</span> : null}
    </div>
  );
});

const Step = memo(function Step({ box, place, chosen, choose, still, wrong }: { box: Box; place: Place | undefined; chosen: boolean; choose: (p: string) => void; still: boolean; wrong: boolean }) {
  const status = place?.held ? 'held' : (place?.status ?? '');
  if (box.kind === 'start' || box.kind === 'end') return <div className="gend" style={at(box)} data-path={box.path}><span>{box.title}</span></div>;
  const busy = status === 'running' || status === 'verifying' || status === 'retrying';
  return (
    <button type="button" className={`gstep gstep-${box.role || box.kind}`} style={at(box)} data-path={box.path} data-status={status || undefined} data-tone={status && status !== 'pending' ? lookOf(status).tone : undefined} data-effect={box.effect || undefined} data-chosen={chosen || undefined} data-wrong={wrong || undefined} onClick={() => choose(box.path)} disabled={!place && !still}>
      <span className="title">{still ? null : <Glyph status={status || 'pending'} quiet />}<bdi className="clip">{box.role ? <span className="sr">{box.role} </span> : null}{label(box.title, 80)}<span className="sr"> {still ? (wrong ? 'something is wrong in it' : 'a step') : status ? lookOf(status).says : 'not begun'}</span></bdi>
      </span>
      {box.lines?.map((l, i) => <span key={i} className="line-of clip"><bdi>{label(l, 80)}</bdi></span>)}
      {status && status !== 'pending' ? (
        <span className="says clip" aria-hidden>
          {place?.would ? 'observed' : lookOf(status).says}
          {busy && place?.started ? <> <Since from={place.started} /></> : place?.started && place.ended ? ` ${took(parse(place.ended) - parse(place.started))}` : null}
          {place && place.attempts > 1 ? <span title="attempts"> #{place.attempts}</span> : null}
          {place && place.instances > 1 ? <span title="instances"> ×{place.instances}</span> : null}
        </span>
      ) : null}
    </button>
  );
});

function Since({ from }: { from: string }) {
  const now = useNow();
  return <span>{took(Math.max(0, Math.floor((now - parse(from)) / 1000) * 1000))}</span>;
}
