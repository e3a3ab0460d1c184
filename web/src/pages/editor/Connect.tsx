// Where a step goes, chosen from words: by keyboard all that can be done with the pointer on the graph.
import { type ReactNode, useId, useMemo, useState } from 'react';

import { Dialog } from '../../ui/Dialog';
import { Text } from '../../ui/Text';
import { allPlaces, type Known, type Place, type What } from './places';

export function Connect({ known, what, title, first, close, apply }: { known: Known; what: What; title: string; first?: string; close: () => void; apply: (p: Place) => void }) {
  const places = useMemo(() => {
    const all = allPlaces(known, what);
    // What belongs to the chosen step comes first.
    return first ? [...all.filter((p) => p.at === first), ...all.filter((p) => p.at !== first)] : all;
  }, [known, what, first]);
  return (
    <Pick title={<>Where <Text of={title} max={60} /> goes</>} label="Places" hint="after measure, undoes, in parallel, …" does="Connect it" close={close}
      of={places.map((p) => ({ key: p.key, says: p.says, ...(p.refused ? { refused: p.refused } : {}) }))}
      pick={(key) => { const p = places.find((x) => x.key === key); if (p) apply(p); }} />
  );
}

export interface Option { key: string; says: string; more?: string; refused?: string }

/** One of a list that is found by typing: arrows move, Enter takes. */
export function Pick({ title, label, hint, of, does, close, pick }: { title: ReactNode; label: string; hint: string; of: Option[]; does: string; close: () => void; pick: (key: string) => void }) {
  const [find, setFind] = useState('');
  const [on, setOn] = useState(0);
  const id = useId();
  const words = find.toLowerCase().split(/\s+/).filter(Boolean);
  const found = of.filter((o) => words.every((w) => `${o.says} ${o.more ?? ''}`.toLowerCase().includes(w))).sort((a, b) => Number(Boolean(a.refused)) - Number(Boolean(b.refused))).slice(0, 300);
  const at = Math.min(on, Math.max(0, found.length - 1));
  const take = (o: Option | undefined) => { if (o && !o.refused) pick(o.key); };
  const go = (to: number) => { setOn(to); document.getElementById(`${id}-${to}`)?.scrollIntoView({ block: 'nearest' }); };
  return (
    <Dialog wide title={title} close={close} foot={<><button type="button" className="button" onClick={close}>Leave it</button><button type="button" className="button primary" disabled={!found[at] || Boolean(found[at].refused)} onClick={() => take(found[at])}>{does}</button></>}>
      <input className="input" role="combobox" aria-expanded aria-controls={`${id}-list`} aria-activedescendant={found.length ? `${id}-${at}` : undefined} aria-label={`Find among ${label.toLowerCase()}`} placeholder={hint} value={find} autoFocus
        onChange={(e) => { setFind(e.target.value); setOn(0); }}
        onKeyDown={(e) => {
          if (e.key === 'ArrowDown') { e.preventDefault(); go(Math.min(at + 1, found.length - 1)); }
          if (e.key === 'ArrowUp') { e.preventDefault(); go(Math.max(at - 1, 0)); }
          if (e.key === 'Enter') { e.preventDefault(); take(found[at]); }
        }} />
      <ul id={`${id}-list`} className="editor-pick" role="listbox" aria-label={label}>{found.map((o, i) => (
        <li key={o.key} id={`${id}-${i}`} role="option" aria-selected={i === at} aria-disabled={o.refused ? true : undefined} onClick={() => take(o)} onMouseMove={() => setOn(i)}>
          <Text of={o.says} max={120} />{o.refused ? <span className="dim"> <Text of={o.refused} max={160} /></span> : o.more ? <span className="dim"> <Text of={o.more} max={120} /></span> : null}
        </li>
      ))}{found.length ? null : <li className="dim">Nothing is called so.</li>}</ul>
    </Dialog>
  );
}
