// Carrying: a step, an action of the list or a reference is taken with the pointer, and everything that it can become is said
// in words while it is over something. Whatever is dropped is one change. The same by keyboard is Connect.tsx.
import { type PointerEvent as Taken, useCallback, useEffect, useMemo, useRef, useState } from 'react';

import { label } from '../../lib/text';
import { type Known, type Place, placeOnLine, placesAt, type What } from './places';
import { type Ref, writtenRef } from './refs';

export type Load = { title: string; what: What } | { title: string; ref: Ref };

/** Fields that take a reference, by name. */
export type Takers = Map<string, { logic: boolean; take: (r: Ref) => void }>;

interface Spot { key: string; says: string; refused?: string | undefined; drop: () => void }
interface Card { at: string; left: number; top: number; spots: Spot[] }

const far = 6; // pixels before a press is a drag
const wide = 336;

export function useCarry({ known, apply, takers, given, taking }: {
  known: Known | null; apply: (p: Place) => void; takers: Takers;
  /** What a step gives to the field that it is dropped on. */
  given: (path: string) => Ref[];
  /** Said before a field takes a reference. */
  taking: (r: Ref) => void;
}) {
  const [load, setLoad] = useState<Load | null>(null);
  const [at, setAt] = useState({ x: 0, y: 0 });
  const [card, setCard] = useState<Card | null>(null);
  const [spot, setSpot] = useState<Spot | null>(null);
  const now = useRef({ known, apply, takers, given, taking, card, spot });
  useEffect(() => { now.current = { known, apply, takers, given, taking, card, spot }; });
  const before = useRef({ x: 0, y: 0 });
  const end = useRef<(() => void) | null>(null);
  useEffect(() => () => end.current?.(), []);

  /** What lies under the pointer. */
  const over = useCallback((x: number, y: number, l: Load) => {
    const { known: k, card: open } = now.current;
    const el = document.elementFromPoint(x, y);
    const row = el?.closest<HTMLElement>('[data-spot]')?.dataset['spot'];
    if (row !== undefined) { setSpot(open?.spots.find((s) => s.key === row) ?? null); return; }
    // On the way to what is said of a box other boxes are crossed: they wait.
    const was = before.current;
    before.current = { x, y };
    if (open && x > was.x && x < open.left && open.left - x < wide && y > open.top - 12 && y < open.top + open.spots.length * 34 + 12) return;
    const spotOf = (p: Place): Spot => ({ key: p.key, says: p.says, refused: p.refused, drop: () => now.current.apply(p) });
    const line = el?.closest<HTMLElement>('[data-line]')?.dataset['line'];
    if (line && k && 'what' in l) {
      const [from = '', to = ''] = line.split('>');
      const p = placeOnLine(k, from, to, l.what);
      setCard(null);
      setSpot(p ? spotOf(p) : null);
      return;
    }
    const field = el?.closest<HTMLElement>('[data-takes]')?.dataset['takes'];
    const taker = field === undefined ? undefined : now.current.takers.get(field);
    if (field !== undefined && taker) {
      const list: Ref[] = 'ref' in l ? [l.ref] : 'path' in l.what ? now.current.given(l.what.path) : [];
      const spots = list.map((r): Spot => ({ key: r.name, says: `${field.split('.').at(-1)} becomes ${writtenRef(r, taker.logic)}`, drop: () => { now.current.taking(r); taker.take(r); } }));
      if (!spots.length) spots.push({ key: 'none', says: field, refused: 'Nothing of it is in reach here: only what ran before can be referred to.', drop: () => undefined });
      if (spots.length > 1 && open?.at !== field) setCard({ at: field, ...beside(x, y, spots.length), spots });
      if (spots.length === 1) setCard(null);
      setSpot(spots[0] ?? null);
      return;
    }
    const boxed = el?.closest<HTMLElement>('[data-path]');
    const path = boxed?.dataset['path'];
    const box = path === undefined ? undefined : k?.doc.layout?.boxes.find((b) => b.path === path);
    if (box && k && 'what' in l) {
      if (open?.at === box.path) { setSpot(open.spots.find((s) => !s.refused) ?? open.spots[0] ?? null); return; }
      const spots = placesAt(k, box, l.what).map(spotOf);
      setCard({ at: box.path, ...beside(x, y, spots.length), spots });
      setSpot(spots.find((s) => !s.refused) ?? spots[0] ?? null);
      return;
    }
    setCard(null);
    setSpot(null);
  }, []);

  const begin = useCallback((e: Taken, l: Load) => {
    if (e.button !== 0 || e.pointerType === 'touch') return;
    const from = { x: e.clientX, y: e.clientY };
    let on = false;
    const move = (m: PointerEvent) => {
      if (!on && Math.hypot(m.clientX - from.x, m.clientY - from.y) < far) return;
      if (!on) { on = true; document.documentElement.dataset['carrying'] = 'yes'; setLoad(l); getSelection()?.removeAllRanges(); }
      setAt({ x: m.clientX, y: m.clientY });
      scroll(m.clientX, m.clientY);
      over(m.clientX, m.clientY, l);
    };
    const stop = (drop: boolean) => {
      removeEventListener('pointermove', move);
      removeEventListener('pointerup', up);
      removeEventListener('pointercancel', cancel);
      removeEventListener('keydown', key, true);
      end.current = null;
      if (!on) return;
      delete document.documentElement.dataset['carrying'];
      // The press that ends here is no click.
      const quiet = (c: MouseEvent) => { c.stopPropagation(); c.preventDefault(); };
      addEventListener('click', quiet, { capture: true, once: true });
      setTimeout(() => removeEventListener('click', quiet, { capture: true }), 0);
      const s = now.current.spot;
      setLoad(null); setCard(null); setSpot(null);
      if (drop && s && !s.refused) s.drop();
    };
    const up = (u: PointerEvent) => { if (on) over(u.clientX, u.clientY, l); setTimeout(() => stop(true), 0); };
    const cancel = () => stop(false);
    const key = (k: KeyboardEvent) => { if (k.key === 'Escape') { k.stopPropagation(); stop(false); } };
    addEventListener('pointermove', move);
    addEventListener('pointerup', up);
    addEventListener('pointercancel', cancel);
    addEventListener('keydown', key, true);
    end.current = () => stop(false);
  }, [over]);

  const layer = useMemo(() => (load ? (
    <div className="carry" data-refused={spot?.refused ? true : undefined}>
      <div className="carry-ghost" style={{ transform: `translate(${Math.min(at.x + 16, innerWidth - 280)}px, ${card ? card.top - 4 : Math.min(at.y + 18, innerHeight - 64)}px)${card ? ' translateY(-100%)' : ''}` }}>
        <b>{label(load.title, 60)}</b>
        <span role="status">{spot ? (spot.refused ? `cannot: ${spot.refused}` : spot.says) : 'Let it go over a step, a line or a field.'}</span>
      </div>
      {card ? (
        <ul className="carry-card" style={{ left: card.left, top: card.top }} aria-label="What comes of it">
          {card.spots.map((s) => <li key={s.key} data-spot={s.key} data-on={spot?.key === s.key || undefined} data-refused={s.refused ? true : undefined}>{label(s.says, 90)}{s.refused ? <span>{s.refused}</span> : null}</li>)}
        </ul>
      ) : null}
    </div>
  ) : null), [load, at, card, spot]);
  return { load, begin, layer, target: card?.at };
}

const low = (y: number, rows: number) => Math.max(8, Math.min(y, innerHeight - rows * 30 - 16));

const beside = (x: number, y: number, rows: number) => ({ left: Math.min(x + 16, innerWidth - wide), top: low(y - 14, rows) });

/** What is carried to the edge of the graph moves it. */
function scroll(x: number, y: number) {
  const b = document.querySelector('.editor-graph .graph-box');
  const r = b?.getBoundingClientRect();
  if (!b || !r || x < r.left || x > r.right || y < r.top || y > r.bottom) return;
  if (y < r.top + 36) b.scrollTop -= 16;
  if (y > r.bottom - 36) b.scrollTop += 16;
  if (x < r.left + 36) b.scrollLeft -= 16;
  if (x > r.right - 36) b.scrollLeft += 16;
}
