// Text of a document, with line numbers and colours, as text.
import { memo } from 'react';

import type { DiffLine } from '../lib/diff';
import { clip, visible } from '../lib/text';
import { tokens } from '../lib/yaml';
import './code.css';

const longest = 2000; // characters of a line

const Line = memo(function Line({ text }: { text: string }) {
  return <>{tokens(clip(text, longest)).map((t, i) => (t.kind === 'plain' ? visible(t.text) : <span key={i} className={`y-${t.kind}`}>{visible(t.text)}</span>))}</>;
});

/** marks: lines (from 1) that something is said about. */
export function Source({ text, marks, at }: { text: string; marks?: Map<number, 'bad' | 'wait'>; at?: number }) {
  const lines = text.replace(/\n$/, '').split('\n');
  return (
    <pre className="code" tabIndex={0}><code dir="ltr">{lines.slice(0, 20_000).map((l, i) => (
      <span key={i} className="code-line" data-tone={marks?.get(i + 1)} data-at={at === i + 1 || undefined}><i aria-hidden>{i + 1}</i><span><Line text={l} />{'\n'}</span></span>
    ))}</code></pre>
  );
}

export function Diff({ of }: { of: (DiffLine | null)[] }) {
  return (
    <pre className="code" tabIndex={0}><code dir="ltr">{of.map((l, i) => (l === null
      ? <span key={i} className="code-line code-gap"><i aria-hidden>…</i><span>{'\n'}</span></span>
      : <span key={i} className="code-line" data-diff={l.kind}><i aria-hidden>{l.was ?? ''}</i><i aria-hidden>{l.is ?? ''}</i><b aria-label={l.kind === 'gone' ? 'removed' : l.kind === 'new' ? 'added' : undefined}>{l.kind === 'gone' ? '−' : l.kind === 'new' ? '+' : ' '}</b><span><Line text={l.text} />{'\n'}</span></span>))}</code></pre>
  );
}
