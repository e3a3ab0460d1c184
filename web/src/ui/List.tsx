// Lists that come page by page.
import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';

import type { Page, Row } from '../api/schema';
import { Failed, Loading } from './State';

/** The rows of all pages, and a way to the next one. */
export function Pages({ of, none, children }: { of: UseInfiniteQueryResult<InfiniteData<Page>, Error>; none: ReactNode; children: (rows: Row[]) => ReactNode }) {
  if (of.data === undefined) return of.error ? <Failed error={of.error} retry={() => { void of.refetch(); }} /> : <Loading lines={8} />;
  const rows = of.data.pages.flatMap((p) => p.rows);
  if (rows.length === 0) return <>{none}</>;
  return (
    <>
      {children(rows)}
      {of.hasNextPage ? <div className="more"><button type="button" className="button small" disabled={of.isFetchingNextPage} onClick={() => { void of.fetchNextPage(); }}>{of.isFetchingNextPage ? 'Asking for more' : 'Show older ones'}</button></div> : null}
    </>
  );
}
