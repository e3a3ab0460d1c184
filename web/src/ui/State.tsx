// The states of what is shown: loading, nothing, an error, not allowed, not there. They are designed once, here.
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';

import { Refusal } from '../api/client';
import { Sentence } from './Text';

export function Loading({ lines = 4, what }: { lines?: number; what?: string }) {
  return <div className="skeleton" role="status" aria-label={`Loading ${what ?? ''}`}>{Array.from({ length: lines }, (_, i) => <i key={i} />)}</div>;
}

/** There is nothing, and that is how it should be or what to do about it. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return <div className="state"><strong>{title}</strong>{children ? <span>{children}</span> : null}</div>;
}

/** What the server said no with. */
export function Failed({ error, retry, what }: { error: unknown; retry?: () => void; what?: string }) {
  const no = error instanceof Refusal ? error : null;
  const title = no?.forbidden ? 'You may not see this' : no?.missing ? `There is no such ${what ?? 'thing'} here` : no?.away ? 'The server does not answer' : 'This did not work';
  return (
    <div className="state" role="alert">
      <strong>{title}</strong>
      <Sentence of={error instanceof Error ? error.message : String(error)} />
      {no?.problem.next ? <span className="next"><Sentence of={no.problem.next} /></span> : null}
      {no?.problem.errors?.map((e, i) => <span key={i} className="next"><Sentence of={e.detail} /></span>)}
      {retry && !no?.forbidden && !no?.missing ? <span className="do"><button type="button" className="button small" onClick={retry}>Ask again</button></span> : null}
    </div>
  );
}

/** What was asked, in whichever state it is. `none` says when there is nothing, and what stands there then. */
export function Shown<T>({ of, children, none, what, lines }: {
  of: UseQueryResult<T, Error>;
  children: (data: T) => ReactNode;
  none?: { when: (data: T) => boolean; show: ReactNode };
  what?: string;
  lines?: number;
}) {
  if (of.data === undefined) {
    if (of.error) return <Failed error={of.error} retry={() => { void of.refetch(); }} {...(what ? { what } : {})} />;
    return <Loading {...(what ? { what } : {})} {...(lines ? { lines } : {})} />;
  }
  if (none?.when(of.data)) return none.show;
  return <>{children(of.data)}</>;
}
