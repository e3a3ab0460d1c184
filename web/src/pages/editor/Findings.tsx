// What lint says, as a line: what is wrong where the cursor is, else what is worst. It opens to all of it.
import { useState } from 'react';

import type { Finding } from '../../api/schema';
import { count } from '../../lib/text';
import { Sentence } from '../../ui/Text';

const tone = (f: Finding) => (f.severity === 'error' ? 'bad' : f.severity === 'warning' ? 'wait' : '');

export function Findings({ of, line, show }: { of: Finding[] | null; line: number; show: (line: number, column: number) => void }) {
  const [open, setOpen] = useState(false);
  const errors = of?.filter((f) => f.severity === 'error').length ?? 0;
  const warnings = (of?.length ?? 0) - errors;
  const here = of?.find((f) => f.line === line) ?? of?.find((f) => f.severity === 'error') ?? of?.[0];
  return (
    <section className="editor-findings" aria-label="Findings">
      <div className="editor-findings-line">
        <button type="button" className="button small plain" aria-expanded={open} disabled={!of?.length} onClick={() => setOpen(!open)}>
          {of === null ? 'Being read' : of.length === 0 ? <span className="tone-good">Nothing to say</span> : <>{errors ? <span className="tone-bad">{count(errors, 'error')}</span> : null}{errors && warnings ? ', ' : ''}{warnings ? <span className="tone-wait">{count(warnings, 'warning')}</span> : null} {open ? '▾' : '▴'}</>}
        </button>
        <span className="clip" role="status">{here ? <Said of={here} /> : null}</span>
      </div>
      {open && of?.length ? (
        <ul>{of.slice(0, 200).map((f, i) => (
          <li key={i}><button type="button" onClick={() => show(f.line ?? 1, f.column ?? 1)}><span className={`tag ${tone(f)}`}>{f.severity}</span> <Said of={f} /></button></li>
        ))}</ul>
      ) : null}
    </section>
  );
}

function Said({ of: f }: { of: Finding }) {
  return <><span className="mono dim">{f.line ? `${f.line}:${f.column ?? 1}` : ''}</span> <Sentence of={f.message} />{f.remedy ? <span className="dim"> <Sentence of={f.remedy} /></span> : null}</>;
}
