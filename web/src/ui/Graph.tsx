// The playbook as a graph, laid out on the server as `tend graph` lays it out. Only what is in view is in the document, so
// that thousands of steps move as easily as ten. It is moved by wheel, pointer, finger and keys, and opens at what matters.
import { type KeyboardEvent, type PointerEvent, type ReactNode, type RefObject, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';

import type { Edge, Layout } from '../api/schema';
import { anchored, clampZoom, fitZoom, isLarge, middle, stepZoom, ux, uy } from '../lib/graph';
import { Block, Line, Step, type Place } from './GraphBox';
import { GraphMap } from './GraphMap';
import './graph.css';

export type { Place };

const margin = 240; // drawn around what is seen

export interface View { x: number; y: number; w: number; h: number }

export function Graph({ layout, places, chosen, choose, follow, still, marked, over, plain }: {
  layout: Layout; places: Map<string, Place>; chosen: string; choose: (place: string) => void;
  /** It does not run: every box can be chosen, and none has a state. */
  still?: boolean;
  /** Boxes in which something is wrong. */
  marked?: Set<string>;
  /** What is drawn over it, in its pixels at zoom 1. */
  over?: ReactNode;
  /** The place that matters now: it opens there, and keeps it in view while nobody scrolls. */
  follow: string | undefined;
  /** Without an overview and buttons, where it is small. */
  plain?: boolean;
}) {
  const box = useRef<HTMLDivElement>(null);
  const [zoom, setZoom] = useState(1);
  const [view, setView] = useState<View>({ x: 0, y: 0, w: 800, h: 600 });
  const moved = useRef(false);
  const at = useRef(1); // the zoom, for what is told by the browser
  const anchor = useRef<{ from: number; x: number; y: number } | null>(null);
  // Where the box is scrolled to, read when it scrolls and at no other time: reading makes the browser lay out what changed.
  const where = useRef<View>(view);
  const lens = useRef<((v: View) => void) | null>(null);
  const all = useMemo(() => ({ w: layout.w * ux, h: layout.h * uy }), [layout]);
  const byPath = useMemo(() => new Map(layout.boxes.map((x) => [x.path, x])), [layout]);
  const look = useCallback(() => {
    const b = box.current;
    if (!b) return;
    const now = { x: b.scrollLeft, y: b.scrollTop, w: b.clientWidth, h: b.clientHeight };
    where.current = now;
    lens.current?.(now);
    setView((was) => {
      const far = Math.abs(now.x - was.x) > margin / 3 || Math.abs(now.y - was.y) > margin / 3 || now.w !== was.w || now.h !== was.h;
      return far ? now : was;
    });
  }, []);
  /** Brings a place into the middle; what is in view already stays where it is, unless it must be in the middle. */
  const bring = useCallback((path: string, must = false) => {
    const b = box.current;
    const x = byPath.get(path);
    if (!b || !x) return;
    const [sx, sy, v] = [ux * at.current, uy * at.current, where.current];
    const h = Math.min(x.h, 14) * sy;
    // What follows stands below: the next screenful comes into view at once, so that it scrolls once in a while.
    if (must) b.scrollTop = middle(x.y * sy, h, v.h);
    else if (x.y * sy < v.y + 16 || x.y * sy + h > v.y + v.h - 16) b.scrollTop = x.y * sy - v.h / 5;
    if (must || x.x * sx < v.x || (x.x + x.w) * sx > v.x + v.w) b.scrollLeft = middle(x.x * sx, x.w * sx, v.w);
  }, [byPath]);
  const opens = useRef('');
  const opened = useRef(false);
  opens.current = chosen || follow || '';
  useLayoutEffect(() => {
    const b = box.current;
    if (!b) return;
    look();
    // What is written on stays where it was looked at.
    if (still && opened.current) { /* as it is */ } else if (byPath.has(opens.current)) bring(opens.current, true);
    else { const s = byPath.get('start'); b.scrollTop = 0; b.scrollLeft = s ? middle(s.x * ux * at.current, s.w * ux * at.current, b.clientWidth) : 0; }
    opened.current = true;
    look();
    const o = new ResizeObserver(() => {
      const was = where.current.w;
      look();
      if (still && opens.current) bring(opens.current); // where the room becomes less, as beside a form, what is chosen stays in it
      // It has got another width, as on a phone that is turned: what was in the middle stays there.
      if (was > 0 && Math.abs(b.clientWidth - was) > 40 && !moved.current && byPath.has(opens.current)) bring(opens.current, true);
    });
    o.observe(b);
    return () => o.disconnect();
  }, [byPath, look, bring, still]);
  useEffect(() => { if (chosen) bring(chosen); }, [chosen, bring]);
  useEffect(() => { if (follow && !moved.current && !chosen) bring(follow); }, [follow, chosen, bring]);

  const scale = useCallback((to: number, x?: number, y?: number) => {
    const b = box.current;
    const z = clampZoom(to);
    if (!b || z === at.current) return;
    anchor.current ??= { from: at.current, x: x ?? b.clientWidth / 2, y: y ?? b.clientHeight / 2 };
    at.current = z;
    setZoom(z);
  }, []);
  useLayoutEffect(() => {
    const [b, a] = [box.current, anchor.current];
    anchor.current = null;
    if (!b || !a) return;
    b.scrollLeft = anchored({ scroll: where.current.x, point: a.x, view: b.clientWidth, all: all.w, from: a.from, to: zoom, centred: true });
    b.scrollTop = anchored({ scroll: where.current.y, point: a.y, view: b.clientHeight, all: all.h, from: a.from, to: zoom });
    look();
  }, [zoom, all, look]);
  const fit = useCallback(() => {
    const b = box.current;
    if (b) scale(fitZoom({ w: b.clientWidth, h: b.clientHeight }, all));
  }, [all, scale]);
  useHands(box, at, moved, scale);

  const seen = useMemo(() => {
    const [sx, sy] = [ux * zoom, uy * zoom];
    const [x0, y0, x1, y1] = [(view.x - margin) / sx, (view.y - margin) / sy, (view.x + view.w + margin) / sx, (view.y + view.h + margin) / sy];
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
  const keys = (e: KeyboardEvent) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const does = { '+': () => scale(stepZoom(zoom, 1)), '=': () => scale(stepZoom(zoom, 1)), '-': () => scale(stepZoom(zoom, -1)), '0': fit, '1': () => scale(1) }[e.key];
    if (does) { e.preventDefault(); moved.current = true; does(); } else if (/^(Arrow|Page|Home|End)/.test(e.key)) moved.current = true;
  };
  const large = !plain && isLarge({ w: view.w, h: view.h }, { w: all.w * zoom, h: all.h * zoom });
  return (
    <div className="graph" data-plain={plain || undefined}>
      <div ref={box} className="graph-box" onScroll={look} onKeyDown={keys} {...grab} tabIndex={0} role="group" aria-label="The playbook as a graph">
        <div className="graph-all" style={{ width: all.w * zoom, height: all.h * zoom }}>
          <div className="graph-in" data-far={zoom < 0.6 || undefined} data-still={still || undefined} style={{ width: all.w, height: all.h, transform: `scale(${zoom})` }}>
            <svg className="graph-lines" width={all.w} height={all.h} aria-hidden>
              <defs>{['', '-done', '-catch'].map((k) => <marker key={k} id={`graph-tip${k}`} className={`tip${k}`} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 .6 7.5 4 0 7.4z" /></marker>)}</defs>
              {seen.edges.map((e) => <Line key={`${e.from}>${e.to}>${e.kind}`} edge={e} done={passed(places, e)} />)}
            </svg>
            {seen.boxes.map((b) => {
              const One = b.block ? Block : Step;
              return <One key={`${b.block ? 'b' : ''}${b.path}`} box={b} place={places.get(b.path)} chosen={chosen === b.path} choose={choose} still={still ?? false} wrong={marked?.has(b.path) ?? false} />;
            })}
            {over}
          </div>
        </div>
      </div>
      {large ? <GraphMap layout={layout} places={places} chosen={chosen} zoom={zoom} lens={lens} where={where} go={(x, y) => { moved.current = true; box.current?.scrollTo(x, y); }} /> : null}
      {plain ? null : (
        <div className="graph-zoom" role="group" aria-label="Zoom">
          <button type="button" className="button small" aria-label="Smaller" onClick={() => scale(stepZoom(zoom, -1))}>−</button>
          <button type="button" className="button small" title="As large as it is" onClick={() => scale(1)}>{Math.round(zoom * 100)}%</button>
          <button type="button" className="button small" aria-label="Larger" onClick={() => scale(stepZoom(zoom, 1))}>+</button>
          <button type="button" className="button small" title="All of it in view (0)" onClick={fit}>Fit</button>
        </div>
      )}
    </div>
  );
}

/** The wheel with Ctrl, which is also what a touchpad's pinch is, and two fingers zoom around the point that they are at. */
function useHands(box: RefObject<HTMLDivElement | null>, at: RefObject<number>, moved: RefObject<boolean>, scale: (to: number, x?: number, y?: number) => void) {
  useEffect(() => {
    const b = box.current;
    if (!b) return;
    const here = (x: number, y: number) => { const r = b.getBoundingClientRect(); return [x - r.left, y - r.top] as const; };
    const wheel = (e: WheelEvent) => {
      moved.current = true;
      if (!e.ctrlKey && !e.metaKey) return;
      e.preventDefault(); // the page itself stays as large as it is
      scale(at.current * Math.exp(-Math.max(-60, Math.min(60, e.deltaY)) / 180), ...here(e.clientX, e.clientY));
    };
    let pinch: { apart: number; zoom: number } | null = null;
    const two = (e: TouchEvent) => {
      const [p, q] = [e.touches[0], e.touches[1]];
      return p && q && e.touches.length === 2 ? { apart: Math.hypot(p.clientX - q.clientX, p.clientY - q.clientY), x: (p.clientX + q.clientX) / 2, y: (p.clientY + q.clientY) / 2 } : null;
    };
    const down = (e: TouchEvent) => { moved.current = true; const t = two(e); pinch = t ? { apart: t.apart, zoom: at.current } : null; };
    const move = (e: TouchEvent) => {
      const t = two(e);
      if (!t || !pinch || pinch.apart < 1) return;
      e.preventDefault();
      scale(pinch.zoom * (t.apart / pinch.apart), ...here(t.x, t.y));
    };
    const hard = { passive: false };
    b.addEventListener('wheel', wheel, hard);
    b.addEventListener('touchstart', down, { passive: true });
    b.addEventListener('touchmove', move, hard);
    return () => { b.removeEventListener('wheel', wheel); b.removeEventListener('touchstart', down); b.removeEventListener('touchmove', move); };
  }, [box, at, moved, scale]);
}

/** The ground is taken and moved, as a map is. */
function useDrag(box: RefObject<HTMLDivElement | null>, moved: RefObject<boolean>) {
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
