// Asking as components do: what is shown is kept, asked again when something changed, and said to be old when it is.
import { keepPreviousData, QueryClient, useInfiniteQuery, useMutation, useQuery, type UseQueryResult } from '@tanstack/react-query';
import { useCallback, useRef } from 'react';

import { type Answer, type Args, type Ask, call, type Op, Refusal } from './client';
import { hear } from './live';
import type { Operations } from './schema';

export const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 60_000, // the live connection says when something changed
      gcTime: 5 * 60_000,
      refetchOnWindowFocus: false,
      networkMode: 'always',
      retry: (n, e) => e instanceof Refusal && e.away && n < 30,
      retryDelay: (n) => Math.min(10_000, 500 * 2 ** n),
    },
    mutations: { retry: false, networkMode: 'always' },
  },
});

export interface Asked {
  /** false: not now. */
  when?: boolean;
  /** Show the answer to the question before while this one is asked. */
  keep?: boolean;
  /** Never asked again because something changed: it cannot change. */
  fixed?: boolean;
}

/** Asks an operation that only looks, and asks again when something changed on the server. */
export function useAsk<O extends Op>(op: O, args: Args<O>, how: Asked = {}): UseQueryResult<Answer<O>, Error> {
  return useQuery({
    queryKey: [op, args, how.fixed ? 'fixed' : 'live'],
    queryFn: ({ signal }) => call(op, args, { signal }),
    enabled: how.when ?? true,
    staleTime: how.fixed ? Infinity : 60_000,
    ...(how.keep ? { placeholderData: keepPreviousData } : {}),
  }) as UseQueryResult<Answer<O>, Error>;
}

/** Asks for a list page by page. */
export function usePages<O extends 'listRuns' | 'listTasks' | 'listIncidents' | 'listEvents'>(op: O, query: Operations[O]['query'], how: Pick<Asked, 'when'> = {}) {
  return useInfiniteQuery({
    queryKey: [op, query, 'pages', 'live'],
    queryFn: ({ signal, pageParam }) => call(op, { query: { ...query, cursor: pageParam } } as Args<O>, { signal }),
    enabled: how.when ?? true,
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
    placeholderData: keepPreviousData,
  });
}

/**
 * Tells the server something. The answer of the operation is the result; a Refusal is the error. The same once more while the
 * first is under way, as of a double click, is not told: it would be another act, with a key of its own.
 */
export function useTell<O extends Op>(op: O) {
  type Told = Args<O> & { ask?: Ask };
  const under = useRef(new Set<string>());
  const m = useMutation<Answer<O>, Error, Told>({
    mutationFn: ({ ask, ...args }) => call(op, args as unknown as Args<O>, ask),
    onSuccess: () => { refresh(true); },
    onSettled: (_, __, { ask: ___, ...args }) => { under.current.delete(JSON.stringify(args)); },
  });
  const { mutate } = m;
  const once = useCallback((told: Told, how?: Parameters<typeof mutate>[1]) => {
    const { ask: _, ...args } = told;
    const what = JSON.stringify(args);
    if (under.current.has(what)) return;
    under.current.add(what);
    (mutate as (told: Told, how?: Parameters<typeof mutate>[1]) => void)(told, how);
  }, [mutate]);
  return { ...m, mutate: once } as typeof m;
}

let due: ReturnType<typeof setTimeout> | undefined;
let last = 0;

/** Asks again for everything that is shown and can change; a burst of changes is one asking. at once: this person changed it, and waits to see it. */
export function refresh(atOnce = false) {
  if (due && !atOnce) return;
  clearTimeout(due);
  due = setTimeout(() => {
    due = undefined;
    last = Date.now();
    void client.invalidateQueries({ predicate: (q) => q.queryKey.at(-1) === 'live' });
  }, atOnce ? 0 : Math.max(50, 1500 - (Date.now() - last)));
}

/** Begins to listen. Called once. */
export function follow() {
  let index = 0;
  hear((name, data) => {
    if (name === 'changed') refresh();
    if (name === 'hello') {
      const now = (data as { index: number }).index;
      if (index === 0) {
        // What was answered before anybody listened may have changed in between.
        void client.invalidateQueries({ predicate: (q) => q.queryKey.at(-1) === 'live' && q.state.dataUpdatedAt > 0 });
      } else {
        // While nobody listened anything may have happened. What had no answer does not wait for its next attempt.
        void client.resetQueries({ predicate: (q) => q.state.data === undefined });
        if (now !== index || client.getQueryCache().getAll().some((q) => q.state.fetchFailureCount > 0)) refresh();
      }
      index = now;
    }
  });
}
