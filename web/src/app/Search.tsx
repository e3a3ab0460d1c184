// ⌘K: over everything that the person may look at, and every place of the page.
import { useQuery } from '@tanstack/react-query';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'react';

import { call } from '../api/client';
import type { Found, Hit } from '../api/schema';
import { createStore, useStore } from '../lib/store';
import { Glyph } from '../ui/Status';
import { Text } from '../ui/Text';
import { Ago } from '../ui/Time';
import { useMay } from './me';
import { go, to } from './router';
import { routes } from './routes';

const open = createStore(false);
export const openSearch = () => open.set(true);

export function Search() {
  return useStore(open) ? <Palette close={() => open.set(false)} /> : null;
}

const words: Record<Hit['kind'], string> = { run: 'run', task: 'task', incident: 'incident', event: 'event', playbook: 'playbook', trigger: 'trigger', guard: 'guard', action: 'action', revision: 'revision' };
const where = (h: Hit) => ({
  run: to.run, task: to.task, incident: to.incident, event: to.event, playbook: to.playbook,
  trigger: () => (h.of ? to.playbook(h.of) : '/events'), guard: () => '/guards', action: () => '/playbooks', revision: () => '/revisions',
})[h.kind](h.id);

function Palette({ close }: { close: () => void }) {
  const ref = useRef<HTMLDialogElement>(null);
  const list = useId();
  const [text, setText] = useState('');
  const [asked, setAsked] = useState('');
  const [at, setAt] = useState(0);
  const may = useMay();
  useLayoutEffect(() => {
    const d = ref.current;
    d?.showModal();
    return () => { d?.close(); }; // while it still stands in the document: the focus returns to where it was
  }, []);
  useEffect(() => {
    const t = setTimeout(() => setAsked(text.trim()), 120);
    return () => clearTimeout(t);
  }, [text]);
  const found = useQuery<Found>({
    queryKey: ['search', asked, 'fixed'], enabled: asked.length > 1, staleTime: 5000, placeholderData: (was) => was,
    queryFn: ({ signal }) => call('search', { query: { q: asked, limit: 30 } }, { signal }) as Promise<Found>,
  });
  const places = routes.flatMap((r) => (r.nav && (!r.nav.may || may(r.nav.may) || may(r.nav.may, '*')) && r.nav.label.toLowerCase().includes(text.trim().toLowerCase()) ? [{ label: r.nav.label, path: r.pattern, key: r.nav.key }] : []));
  const hits = asked.length > 1 ? (found.data?.hits ?? []) : [];
  const all = [...places.map((p) => p.path), ...hits.map(where)];
  const chosen = Math.min(at, Math.max(0, all.length - 1));
  const pick = (i: number) => {
    const there = all[i];
    if (!there) return;
    close();
    go(there);
  };
  useEffect(() => { document.getElementById(`${list}-${chosen}`)?.scrollIntoView({ block: 'nearest' }); }, [chosen, list]);
  return (
    <dialog ref={ref} className="palette" aria-label="Search" onCancel={(e) => { e.preventDefault(); close(); }} onMouseDown={(e) => { if (e.target === ref.current) close(); }}>
      <input className="query" role="combobox" aria-expanded aria-controls={list} aria-activedescendant={all.length ? `${list}-${chosen}` : undefined} aria-label="Search"
        placeholder="A name, an id, a status…" autoFocus spellCheck={false} value={text}
        onChange={(e) => { setText(e.target.value); setAt(0); }}
        onKeyDown={(e) => {
          if (e.key === 'ArrowDown') { e.preventDefault(); setAt(Math.min(chosen + 1, all.length - 1)); }
          else if (e.key === 'ArrowUp') { e.preventDefault(); setAt(Math.max(chosen - 1, 0)); }
          else if (e.key === 'Enter') { e.preventDefault(); pick(chosen); }
        }} />
      <ul id={list} role="listbox" aria-label="Found">
        {places.map((p, i) => (
          <li key={p.path} id={`${list}-${i}`} role="option" aria-selected={i === chosen} onClick={() => pick(i)} onMouseMove={() => setAt(i)}>
            <span className="kind">go to</span><span className="clip">{p.label}</span><kbd>g {p.key}</kbd>
          </li>
        ))}
        {hits.map((h, j) => {
          const i = places.length + j;
          return (
            <li key={h.kind + h.id} id={`${list}-${i}`} role="option" aria-selected={i === chosen} onClick={() => pick(i)} onMouseMove={() => setAt(i)}>
              <span className="kind">{words[h.kind]}</span>
              {h.status ? <span><Glyph status={h.kind === 'incident' && h.status === 'open' ? 'burning' : h.status} /></span> : null}
              <span className="clip"><Text of={h.title} max={90} /> {h.title !== h.id ? <span className="id">{h.id}</span> : null}{h.text ? <span className="dim"> <Text of={h.text} max={100} /></span> : null}</span>
              <span className="dim"><Ago at={h.at} /></span>
            </li>
          );
        })}
      </ul>
      {asked.length > 1 && found.isFetched && hits.length === 0 ? <p className="none">Nothing that you may look at has “<Text of={asked} max={60} />” in its name, id or status.</p> : null}
      {found.data?.more && hits.length > 0 ? <p className="none">There may be more: only the newest were looked at. An id is found whatever its age.</p> : null}
    </dialog>
  );
}
