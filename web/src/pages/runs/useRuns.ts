// The runs that the address asks for, page by page: newest first, or section after section with the worst first. A section is
// asked for when the one before it is at its end, so that 5,000 runs are not asked for at once.
import { useMemo } from 'react';

import { usePages } from '../../api/query';
import { parse } from '../../lib/time';
import { groups, sectionsOf } from './lines';

export interface Asked { status: string; name: string; project: string; since: number | undefined; worst: boolean }

const limit = 200;

export function useRuns({ status, name, project, since, worst }: Asked) {
  const narrow = { limit, ...(name ? { name } : {}), ...(project ? { project } : {}) };
  const want = worst ? sectionsOf(status) : [{ title: '', of: groups.find((g) => g.id === status)?.of ?? (status ? [status] : []) }];
  const at = (i: number) => ({ ...narrow, ...(want[i]?.of.length ? { status: want[i].of } : {}) });
  // As many as there are sections; hooks are always as many.
  const a = usePages('listRuns', at(0));
  const end = (q: typeof a, i: number) => i >= want.length || (q.data !== undefined && !q.isPlaceholderData && (!q.hasNextPage || tooOld(q, since)));
  const b = usePages('listRuns', at(1), { when: want.length > 1 && end(a, 0) });
  const c = usePages('listRuns', at(2), { when: want.length > 2 && end(a, 0) && end(b, 1) });
  const d = usePages('listRuns', at(3), { when: want.length > 3 && end(a, 0) && end(b, 1) && end(c, 2) });
  const e = usePages('listRuns', at(4), { when: want.length > 4 && end(a, 0) && end(b, 1) && end(c, 2) && end(d, 3) });
  const f = usePages('listRuns', at(5), { when: want.length > 5 && end(a, 0) && end(b, 1) && end(c, 2) && end(d, 3) && end(e, 4) });
  const all = [a, b, c, d, e, f].slice(0, want.length);
  // What was asked for before stands there until the answer comes, but never under the head of another section.
  const data = all.map((q) => (q.isPlaceholderData && worst ? undefined : q.data));
  const of = useMemo(
    () => want.map((s, i) => ({ title: s.title, rows: (data[i]?.pages.flatMap((p) => p.rows) ?? []).filter((r) => since === undefined || !(parse(r.at) < since)) })),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- want is made of status and worst
    [...Array.from({ length: 6 }, (_, i) => data[i]), status, worst, since],
  );
  const next = all.find((q, i) => !end(q, i));
  const last = all.at(-1);
  return {
    of,
    n: of.reduce((n, s) => n + s.rows.length, 0),
    error: all.find((q) => q.error)?.error ?? null,
    loading: data[0] === undefined && !a.error,
    old: a.isPlaceholderData && !worst,
    /** Whether there is more, or there may be. */
    more: next !== undefined || (last !== undefined && last.data === undefined && !last.error),
    asking: all.some((q) => q.isFetching),
    again: () => { for (const q of all) if (q.error) void q.refetch(); },
    ask: () => { if (next?.hasNextPage && !next.isFetchingNextPage && !next.isPlaceholderData) void next.fetchNextPage(); },
  };
}

/** The list is newest first, so what comes after a run that is too old is too old. */
function tooOld(q: ReturnType<typeof usePages>, since: number | undefined): boolean {
  return since !== undefined && parse(q.data?.pages.at(-1)?.rows.at(-1)?.at) < since;
}
