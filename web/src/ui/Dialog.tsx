import { type ReactNode, useId, useLayoutEffect, useRef } from 'react';

/** A dialog over the page. The browser keeps the focus in it; Escape closes it. */
export function Dialog({ title, children, foot, close, wide, firm }: {
  title: ReactNode; children: ReactNode; foot?: ReactNode; close?: () => void; wide?: boolean;
  /** It cannot be closed: something must be decided. */
  firm?: boolean;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  const head = useId();
  // Closed while it still stands in the document, it gives the focus back to where it was.
  useLayoutEffect(() => {
    const d = ref.current;
    if (d && !d.open) d.showModal();
    return () => { d?.close(); };
  }, []);
  return (
    <dialog ref={ref} aria-labelledby={head} style={{ width: wide ? '44rem' : '28rem' }}
      onCancel={(e) => { e.preventDefault(); if (!firm) close?.(); }}
      /* Not by the second half of the double click that opened it. */
      onMouseDown={(e) => { if (e.target === ref.current && !firm && e.detail < 2) close?.(); }}>
      <div className="head" id={head}>{title}</div>
      <div className="in">{children}</div>
      {foot ? <div className="foot">{foot}</div> : null}
    </dialog>
  );
}
