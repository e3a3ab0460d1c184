// The runs of the last 24 hours: the newest page is asked again when something changed; what is older changes seldom.
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';

import { call } from '../../api/client';
import { useAsk } from '../../api/query';
import type { Row } from '../../api/schema';
import { parse } from '../../lib/time';
import { over } from '../../ui/RunRow';
import { day, merge } from './day';

const most = 4; // pages of older ones: a day of more runs than that begins later

export function useDay(now: number, alive: Row[] | undefined) {
  const first = useAsk('listRuns', { query: { limit: 200 } });
  const cursor = first.data?.next;
  const wanted = !!cursor && parse(first.data?.rows.at(-1)?.at) > now - day;
  const older = useQuery<{ rows: Row[]; whole: boolean }>({
    queryKey: ['home-day', 'fixed'], enabled: wanted, staleTime: 10 * 60_000,
    queryFn: async ({ signal }) => {
      const rows: Row[] = [];
      let next: string | undefined = cursor;
      for (let i = 0; i < most && next; i++) {
        const page: { rows: Row[]; next?: string } = await call('listRuns', { query: { limit: 500, cursor: next } }, { signal });
        rows.push(...page.rows);
        next = page.next;
        if (parse(rows.at(-1)?.at) < Date.now() - day) return { rows, whole: true };
      }
      return { rows, whole: !next };
    },
  });
  // A run that went on when it was asked for and does not any more, or a gap between the pages: asked for again.
  const known = useMemo(() => new Set(alive?.map((r) => r.id)), [alive]);
  const newest = first.data?.rows;
  const old = older.data;
  const stale = old !== undefined && newest !== undefined && ((alive !== undefined && alive.length < 500 && old.rows.some((r) => !over(r.status) && !known.has(r.id) && !newest.some((f) => f.id === r.id)))
    || (old.rows[0] !== undefined && parse(newest.at(-1)?.at) > parse(old.rows[0].at) + 1));
  const { refetch } = older;
  useEffect(() => { if (stale) void refetch(); }, [stale, refetch]);
  const rows = useMemo(() => merge([...(old?.rows ?? []), ...(alive ?? [])], newest ?? [], now), [old, alive, newest, now]);
  return {
    rows, error: first.error, retry: () => { void first.refetch(); },
    ready: first.data !== undefined && (!wanted || old !== undefined || older.error !== null),
    /** Since when all of them are here; undefined: for the whole day. */
    since: wanted && !(old?.whole ?? false) ? (old?.rows.at(-1)?.at ?? newest?.at(-1)?.at) : undefined,
  };
}
