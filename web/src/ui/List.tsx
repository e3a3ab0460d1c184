// Lists: one grid on every page, in the columns that the page's class gives (--cols), and lists that come page by page.
import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query';
import { Children, type ReactNode, useId } from 'react';

import type { Page, Row } from '../api/schema';
import { Glyph } from './Status';
import { Failed, Loading } from './State';

export interface Column {
  says: string;
  /** Right, as numbers and times are. */
  num?: boolean;
  /** Not where the list is narrower than 46 rem (m) or 64 rem (l). */
  from?: 'm' | 'l';
}

/** A list of things. Its class sets --cols; `''` as a column is the one of the glyph, which needs no head. */
export function List({ label, className, head, children }: { label: string; className: string; head?: readonly (string | Column)[]; children: ReactNode }) {
  return (
    <div className={`list ${className}`} role="table" aria-label={label}>
      {head ? (
        <div className="list-row list-head" role="row">
          {head.map((h, i) => {
            const c = typeof h === 'string' ? { says: h } : h;
            return <span key={i} role="columnheader" className={classes(c)}>{c.says || <span className="sr">state</span>}</span>;
          })}
        </div>
      ) : null}
      {children}
    </div>
  );
}

/** Rows that belong together, under a row that says what they share: a team, a state. Where it has no rows it is not there. */
export function Group({ id: own, title, n, end, children }: { id?: string; title: ReactNode; n?: number; end?: ReactNode; children: ReactNode }) {
  const id = useId();
  if (Children.count(children) === 0) return null;
  return (
    <div className="list-group" role="rowgroup" aria-labelledby={id} id={own}>
      <div className="list-title" role="row">
        <span role="rowheader"><h2 id={id}>{title}</h2>{n === undefined ? null : <span className="tally">{n}</span>}{end ? <span className="end">{end}</span> : null}</span>
      </div>
      {children}
    </div>
  );
}

/** A row, of cells. Its link is `<Link className="whole">` in one of them. tone: what is wrong is marked at its edge. */
export function Line({ tone, chosen, children }: { tone?: 'bad' | 'doubt' | 'wait' | undefined; chosen?: boolean; children: ReactNode }) {
  return <div className="list-row" role="row" data-tone={tone} data-chosen={chosen || undefined}>{children}</div>;
}

interface CellOf { num?: boolean; from?: 'm' | 'l'; clip?: boolean; small?: boolean; className?: string }
const classes = ({ num, from, clip, small, className }: CellOf) => [num && 'num', from && `from-${from}`, clip && 'clip', small && 'small', className].filter(Boolean).join(' ');

/** clip: one line, cut where it ends. small: of less weight. */
export function Cell({ children, ...how }: CellOf & { children?: ReactNode }) {
  return <span role="cell" className={`list-cell ${classes(how)}`}>{children}</span>;
}

/** The cell of the shape, on the baseline of the text. */
export function GlyphCell({ status }: { status: string }) {
  return <span role="cell" className="list-cell"><Glyph status={status} /></span>;
}

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
