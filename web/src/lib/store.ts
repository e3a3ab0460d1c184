// A value that components can watch.
import { useSyncExternalStore } from 'react';

export interface Store<T> {
  get(): T;
  set(next: T | ((was: T) => T)): void;
  subscribe(heard: () => void): () => void;
}

export function createStore<T>(first: T): Store<T> {
  let value = first;
  const ears = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      const now = typeof next === 'function' ? (next as (was: T) => T)(value) : next;
      if (Object.is(now, value)) return;
      value = now;
      for (const heard of [...ears]) heard();
    },
    subscribe(heard) {
      ears.add(heard);
      return () => { ears.delete(heard); };
    },
  };
}

export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get, store.get);
}

/** A store whose value outlives the page, where the browser lets it. */
export function createKeptStore<T>(key: string, first: T, ok: (v: unknown) => v is T): Store<T> {
  let start = first;
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(key) ?? 'null');
    if (ok(kept)) start = kept;
  } catch {
    // Nothing was kept, or storage is refused.
  }
  const store = createStore(start);
  store.subscribe(() => {
    try { localStorage.setItem(key, JSON.stringify(store.get())); } catch { /* storage is refused */ }
  });
  return store;
}
