// Addresses: every object and every view has one, and back goes back. A page is a pattern, a title, and code that is
// loaded when somebody goes there.
import { createContext, type AnchorHTMLAttributes, type ComponentType, type LazyExoticComponent, type ReactNode, useContext, useMemo } from 'react';

import { createStore, useStore } from '../lib/store';

export interface Place { path: string; query: URLSearchParams }

const read = (): Place => (typeof location === 'undefined' ? { path: '/', query: new URLSearchParams() } : { path: location.pathname, query: new URLSearchParams(location.search) });

const place = createStore<Place>(read());
if (typeof window !== 'undefined') addEventListener('popstate', () => place.set(read()));

/** Goes somewhere. replace: back does not come here. */
export function go(to: string, how: { replace?: boolean } = {}) {
  if (to === location.pathname + location.search) return;
  history[how.replace ? 'replaceState' : 'pushState'](null, '', to);
  const was = place.get().path;
  place.set(read());
  if (!how.replace && was !== location.pathname) {
    scrollTo(0, 0);
    document.getElementById('page')?.scrollTo(0, 0);
  }
}

export const usePlace = () => useStore(place);

/** A value in the address: a filter, a tab, a selected step. Empty is not there. Changing it makes no new page. */
export function useParam(name: string): [string, (value: string | null) => void] {
  const { query } = usePlace();
  return [query.get(name) ?? '', (value) => {
    const next = new URLSearchParams(location.search);
    if (value) next.set(name, value);
    else next.delete(name);
    const text = next.toString();
    go(location.pathname + (text ? `?${text}` : ''), { replace: true });
  }];
}

export interface Route {
  /** /runs/:run */
  pattern: string;
  page: LazyExoticComponent<ComponentType>;
}

/** The parts of the path that a pattern names; null when it is another path. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const want = pattern.split('/').filter(Boolean);
  const have = path.split('/').filter(Boolean);
  const rest = want.at(-1) === '*';
  if (rest ? have.length < want.length - 1 : have.length !== want.length) return null;
  const out: Record<string, string> = {};
  for (const [i, w] of want.entries()) {
    if (w === '*') { out['*'] = have.slice(i).join('/'); break; }
    const h = have[i] ?? '';
    if (w.startsWith(':')) {
      try { out[w.slice(1)] = decodeURIComponent(h); } catch { return null; }
    } else if (w !== h) return null;
  }
  return out;
}

const Parts = createContext<Record<string, string>>({});

/** The parts of the path, by the names of the pattern. */
export const useParts = () => useContext(Parts);

export function Page({ routes, other }: { routes: Route[]; other: ReactNode }) {
  const { path } = usePlace();
  const found = useMemo(() => {
    for (const r of routes) {
      const parts = match(r.pattern, path);
      if (parts) return { r, parts };
    }
    return null;
  }, [routes, path]);
  if (!found) return other;
  const { page: Body } = found.r;
  return <Parts.Provider value={found.parts}><Body key={path} /></Parts.Provider>;
}

/** A link within the page. */
export function Link({ to, children, ...rest }: { to: string; children: ReactNode } & Omit<AnchorHTMLAttributes<HTMLAnchorElement>, 'href'>) {
  return (
    <a {...rest} href={to} onClick={(e) => {
      rest.onClick?.(e);
      if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
      e.preventDefault();
      go(to);
    }}>{children}</a>
  );
}

/** Where an object is shown. */
export const to = {
  run: (id: string, step?: string) => `/runs/${encodeURIComponent(id)}${step ? `?step=${encodeURIComponent(step)}` : ''}`,
  task: (id: string) => `/inbox/${encodeURIComponent(id)}`,
  incident: (id: string) => `/incidents/${encodeURIComponent(id)}`,
  event: (id: string) => `/events/${encodeURIComponent(id)}`,
  playbook: (name: string) => `/playbooks/${encodeURIComponent(name)}`,
};
