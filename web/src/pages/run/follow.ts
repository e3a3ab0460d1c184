// Following a run: one store for what is known of it, fed by the live connection.
import { useEffect, useMemo } from 'react';

import { call } from '../../api/client';
import { hear, tune } from '../../api/live';
import type { Glance } from '../../api/schema';
import { createStore, type Store, useStore } from '../../lib/store';
import { apply, type Delta, know, type Known, type Piece } from './model';

export interface Followed { known: Known | null; error: Error | null }

/** What attempts in flight printed, as it comes. It is bounded: the whole log is there when the attempt is over. */
export class Logs {
  private kept = new Map<string, Piece[]>();
  private size = 0;
  readonly version: Store<number> = createStore(0);
  lost = 0;

  add(pieces: Piece[]) {
    for (const p of pieces) {
      const key = `${p.path}\n${p.attempt}`;
      const list = this.kept.get(key);
      if (list) list.push(p);
      else this.kept.set(key, [p]);
      this.size += p.text.length;
    }
    while (this.size > 32 << 20) {
      const [key, list] = this.kept.entries().next().value ?? [];
      if (key === undefined || !list) break;
      // The attempt that began first goes; of the only one its older half, and that is said.
      const alone = this.kept.size === 1 && list.length > 1;
      const gone = alone ? list.splice(0, Math.ceil(list.length / 2)) : list;
      for (const p of gone) this.size -= p.text.length;
      if (alone) this.lost += gone.length;
      else this.kept.delete(key);
    }
    this.version.set((v) => v + 1);
  }

  /** The stream begins again, and tells what was printed so far. */
  clear() { this.kept.clear(); this.size = 0; this.lost = 0; this.version.set((v) => v + 1); }

  of(path: string, attempt: number): Piece[] { return this.kept.get(`${path}\n${attempt}`) ?? []; }
}

export function useRun(run: string): Followed & { logs: Logs; again: () => void } {
  const { store, logs, ask } = useMemo(() => {
    const s = createStore<Followed>({ known: null, error: null });
    const put = (g: Glance) => s.set((was) => (was.known && was.known.head.seq > g.head.seq ? was : { known: know(g), error: null }));
    const get = (signal?: AbortSignal) => call('glanceRun', { path: { run } }, { signal }).then(put, (error: Error) => {
      if (error.name !== 'AbortError') s.set((was) => (was.known ? was : { known: null, error }));
    });
    return { store: s, logs: new Logs(), ask: get };
  }, [run]);
  useEffect(() => {
    const stop = new AbortController();
    let pending: Delta[] = [];
    let frame = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = () => {
      timer = undefined;
      const deltas = pending;
      pending = [];
      const was = store.get();
      let known = was.known;
      for (const d of deltas) known = known && apply(known, d);
      if (known) store.set({ known, error: null });
      else if (was.known) void ask(stop.signal);
    };
    const done = hear((name, data) => {
      if (name === 'glance' && (data as Glance).head.id === run) {
        pending = [];
        store.set({ known: know(data as Glance), error: null });
      } else if (name === 'delta') {
        pending.push(data as Delta);
        // A large run is drawn a few times a second, so that there is time for who looks at it.
        timer ||= setTimeout(() => { frame = requestAnimationFrame(flush); }, (store.get().known?.steps.length ?? 0) > 300 ? 250 : 0);
      } else if (name === 'logs') logs.add(data as Piece[]);
      else if (name === 'dropped') logs.lost += (data as { count: number }).count;
      else if (name === 'hello') logs.clear();
      else if (name === 'end') void ask(stop.signal); // with its outputs
    });
    void ask(stop.signal);
    tune(run);
    return () => {
      stop.abort();
      clearTimeout(timer);
      cancelAnimationFrame(frame);
      done();
      tune(null);
    };
  }, [run, store, logs, ask]);
  return { ...useStore(store), logs, again: () => { void ask(); } };
}
