// The whole graph in small, beside it: where the states are, and where the view is. Who has no pointer scrolls.
import { memo, type PointerEvent, type RefObject, useEffect, useMemo, useRef, useState } from 'react';

import type { Layout } from '../api/schema';
import { mapSize, ux, uy } from '../lib/graph';
import type { View } from './Graph';
import type { Place } from './GraphBox';
import { lookOf } from './Status';

export function GraphMap({ layout, places, chosen, zoom, lens, where, go }: {
  layout: Layout; places: Map<string, Place>; chosen: string; zoom: number;
  /** Is told where the view is, without anything being drawn anew. */
  lens: RefObject<((v: View) => void) | null>;
  where: RefObject<View>;
  go: (x: number, y: number) => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  const glass = useRef<HTMLElement>(null);
  const [room, setRoom] = useState(400);
  useEffect(() => {
    const parent = box.current?.parentElement;
    if (!parent) return;
    const o = new ResizeObserver(() => setRoom(Math.max(80, parent.clientHeight - 64)));
    o.observe(parent);
    return () => o.disconnect();
  }, []);
  const all = { w: layout.w * ux, h: layout.h * uy };
  const size = mapSize(all, { w: 76, h: room });
  const [sx, sy] = [size.w / (all.w * zoom), size.h / (all.h * zoom)];
  useEffect(() => {
    lens.current = (v) => {
      const g = glass.current;
      if (!g) return;
      g.style.transform = `translate(${Math.round(v.x * sx)}px, ${Math.round(v.y * sy)}px)`;
      g.style.width = `${Math.min(size.w, v.w * sx)}px`;
      g.style.height = `${Math.max(6, Math.min(size.h, v.h * sy))}px`;
    };
    lens.current(where.current);
    return () => { lens.current = null; };
  }, [lens, where, sx, sy, size.w, size.h]);
  const to = (e: PointerEvent<HTMLDivElement>) => {
    if (!(e.buttons & 1)) return;
    const r = e.currentTarget.getBoundingClientRect();
    go((e.clientX - r.left) / sx - where.current.w / 2, (e.clientY - r.top) / sy - where.current.h / 2);
  };
  return (
    <div ref={box} className="graph-map" aria-hidden style={{ width: size.w, height: size.h }} onPointerDown={(e) => { e.currentTarget.setPointerCapture(e.pointerId); to(e); }} onPointerMove={to}>
      <Drawing layout={layout} places={places} chosen={chosen} w={size.w} h={size.h} />
      <i ref={glass} />
    </div>
  );
}

/** One path for each tone, however many boxes there are. */
const Drawing = memo(function Drawing({ layout, places, chosen, w, h }: { layout: Layout; places: Map<string, Place>; chosen: string; w: number; h: number }) {
  const paths = useMemo(() => {
    const [x, y] = [w / layout.w, h / layout.h];
    const out: Record<string, string> = {};
    for (const b of layout.boxes) {
      if (b.block) continue;
      const p = places.get(b.path);
      const tone = p && p.status !== 'pending' ? lookOf(p.held ? 'held' : p.status).tone : 'none';
      const [l, t, ww, hh] = [b.x * x, b.y * y, Math.max(1.5, b.w * x), Math.max(0.6, b.h * y)];
      out[tone] = `${out[tone] ?? ''}M${l.toFixed(1)} ${t.toFixed(1)}h${ww.toFixed(1)}v${hh.toFixed(1)}h-${ww.toFixed(1)}z`;
    }
    return Object.entries(out);
  }, [layout, places, w, h]);
  const mark = useMemo(() => layout.boxes.find((b) => b.path === chosen), [layout, chosen]);
  return <svg width={w} height={h}>{paths.map(([tone, d]) => <path key={tone} className={`map-${tone}`} d={d} />)}{mark ? <rect className="map-chosen" x={mark.x * (w / layout.w) - 1} y={mark.y * (h / layout.h) - 1} width={Math.max(4, mark.w * (w / layout.w) + 2)} height={Math.max(4, mark.h * (h / layout.h) + 2)} /> : null}</svg>;
});
