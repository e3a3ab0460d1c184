// What a step can use: taken with the pointer to where it is to be, or chosen, and then its place.
import { type PointerEvent, useId, useState } from 'react';

import type { Action } from '../../api/schema';
import { Sentence, Text } from '../../ui/Text';
import type { Load } from './Carry';

export function Palette({ actions, begin, choose, close }: { actions: Action[]; begin: (e: PointerEvent, l: Load) => void; choose: (a: Action) => void; close: () => void }) {
  const [find, setFind] = useState('');
  const [on, setOn] = useState(0);
  const id = useId();
  const list = actions.filter((a) => !find || `${a.name} ${a.summary}`.toLowerCase().includes(find.toLowerCase()));
  list.sort((a, b) => Number(!a.name.startsWith(find)) - Number(!b.name.startsWith(find)));
  const at = Math.min(on, list.length - 1);
  const go = (to: number) => { setOn(to); document.getElementById(`${id}-${to}`)?.scrollIntoView({ block: 'nearest' }); };
  return (
    <aside className="editor-palette" aria-label="Actions">
      <header>
        <input className="input" role="combobox" aria-expanded aria-controls={id} aria-activedescendant={list.length ? `${id}-${at}` : undefined} aria-label="Find an action" placeholder="shell, http, approve, …" value={find} autoFocus onChange={(e) => { setFind(e.target.value); setOn(0); }}
          onKeyDown={(e) => {
            if (e.key === 'ArrowDown') { e.preventDefault(); go(Math.min(at + 1, list.length - 1)); }
            if (e.key === 'ArrowUp') { e.preventDefault(); go(Math.max(at - 1, 0)); }
            if (e.key === 'Enter' && list[at]) { e.preventDefault(); choose(list[at]); }
            if (e.key === 'Escape') { e.stopPropagation(); close(); }
          }} />
        <button type="button" className="button small plain" aria-label="Close the list of actions" onClick={close}>×</button>
      </header>
      <p className="dim">Drag one onto the graph, or choose one and then its place.</p>
      <ul id={id} role="listbox" aria-label="What a step can use">{list.map((a, i) => (
        <li key={a.name} id={`${id}-${i}`} role="option" aria-selected={i === at} data-action={a.name} onPointerDown={(e) => begin(e, { title: a.name, what: { action: a } })} onClick={() => choose(a)}>
          <strong className="mono"><Text of={a.name} max={60} /></strong>{a.effect === 'mutate' ? <span className="tag wait">{a.effect}</span> : null}
          <span className="dim"><Sentence of={a.summary} /></span>
        </li>
      ))}</ul>
    </aside>
  );
}
