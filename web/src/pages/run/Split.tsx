// Two panels side by side, with a handle between them that is moved by pointer or keys. The browser keeps where it is.
import { type KeyboardEvent, type PointerEvent, useRef } from 'react';

import { createKeptStore, useStore } from '../../lib/store';

const least = 22;
const most = 64; // percent

const side = createKeptStore<number>('tend.run.side', 40, (v): v is number => typeof v === 'number' && v >= least && v <= most);
export const useSide = () => useStore(side);

const set = (n: number) => side.set(Math.round(Math.max(least, Math.min(most, n)) * 10) / 10);

export function Handle() {
  const now = useSide();
  const all = useRef<DOMRect | null>(null);
  return (
    <div className="run-handle" role="separator" aria-orientation="vertical" aria-label="The width of the right side" aria-valuenow={Math.round(now)} aria-valuemin={least} aria-valuemax={most} tabIndex={0}
      onPointerDown={(e: PointerEvent<HTMLDivElement>) => { all.current = e.currentTarget.parentElement?.getBoundingClientRect() ?? null; e.currentTarget.setPointerCapture(e.pointerId); e.preventDefault(); }}
      onPointerMove={(e) => { const r = all.current; if (r && e.buttons & 1) set(((r.right - e.clientX) / r.width) * 100); }}
      onPointerUp={() => { all.current = null; }}
      onDoubleClick={() => set(40)}
      onKeyDown={(e: KeyboardEvent) => { const by = e.key === 'ArrowLeft' ? 2 : e.key === 'ArrowRight' ? -2 : 0; if (by) { e.preventDefault(); set(now + by); } }} />
  );
}
