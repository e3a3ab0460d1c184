import { useEffect } from 'react';

import { createStore } from '../lib/store';
import { label } from '../lib/text';

const shown = createStore('');
const waiting = createStore(0);

/** "(2) Runs · tend": how much waits for the person, what is shown, then tend. */
export function titleOf(page: string, n: number): string {
  return `${n > 0 ? `(${n}) ` : ''}${page ? `${page} · tend` : 'tend'}`;
}

function write() { if (typeof document !== 'undefined') document.title = titleOf(shown.get(), waiting.get()); }
shown.subscribe(write);
waiting.subscribe(write);

/** The title of the tab. */
export function useTitle(title: string) {
  useEffect(() => {
    shown.set(label(title, 100));
    return () => shown.set('');
  }, [title]);
}

/** What waits for the person stands before the title, so that a tab that nobody looks at says it. */
export function useTitleNumber(n: number) {
  useEffect(() => { waiting.set(n); }, [n]);
}
