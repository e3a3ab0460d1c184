// Data for people: names and values in columns, texts with their lines, short lists in a line, what is large folded. JSON is
// a click away.
import { useState } from 'react';

import { folded, raw, shapeOf, word } from '../lib/data';
import { clip, label, visible } from '../lib/text';
import { toast } from './Toasts';
import './data.css';

const most = { lines: 24, items: 12, entries: 30, text: 100_000, depth: 6 };

export function Data({ of, max = most.text }: { of: unknown; max?: number }) {
  const [json, setJson] = useState(false);
  if (of === undefined || of === null) return null;
  const s = shapeOf(of);
  const structured = typeof of === 'object';
  return (
    <div className="data">
      <span className="data-tools">
        {structured ? <button type="button" className="button plain small" aria-pressed={json} onClick={() => setJson(!json)}>JSON</button> : null}
        <button type="button" className="button plain small" onClick={() => copy(raw(of))}>Copy</button>
      </span>
      {json ? <TextBlock lines={clip(raw(of), max).split('\n')} all /> : s.kind === 'map' ? <Map entries={s.entries} depth={0} /> : <Value of={typeof of === 'string' ? clip(of, max) : of} depth={0} />}
    </div>
  );
}

function copy(text: string) {
  const done = () => toast('Copied.');
  // Where the page is not on HTTPS the browser keeps its clipboard to itself.
  if (!navigator.clipboard) { toast('This browser does not let the page copy here. Select the text instead.', 'bad'); return; }
  navigator.clipboard.writeText(text).then(done, () => toast('The browser did not let the page copy.', 'bad'));
}

function Map({ entries, depth }: { entries: [string, unknown][]; depth: number }) {
  const [all, setAll] = useState(false);
  const n = all ? entries.length : folded(entries.length, most.entries);
  return (
    <dl className="data-map">
      {entries.slice(0, n).map(([k, v]) => {
        const wide = ['map', 'lines', 'table'].includes(shapeOf(v).kind);
        return <div key={k} data-wide={wide || undefined}><dt title={k.length > 40 ? label(k, 400) : undefined}><bdi>{label(k, 60)}</bdi></dt><dd><Value of={v} depth={depth + 1} /></dd></div>;
      })}
      {n < entries.length ? <More what={`${entries.length - n} more`} show={() => setAll(true)} /> : null}
    </dl>
  );
}

function Value({ of, depth }: { of: unknown; depth: number }) {
  const s = shapeOf(of);
  switch (s.kind) {
    case 'nothing': return <span className="dim">{s.says}</span>;
    case 'word': return <bdi dir="auto" className={`data-is-${s.type}`}>{visible(s.text)}</bdi>;
    case 'row': return <span className="data-row">{s.items.map((v, i) => <bdi key={i}>{visible(word(v))}</bdi>)}</span>;
    case 'lines': return <TextBlock lines={s.lines} />;
    case 'table': return <Table columns={s.columns} rows={s.rows} />;
    case 'map': return depth > most.depth ? <TextBlock lines={raw(of).split('\n')} /> : <Map entries={s.entries} depth={depth} />;
    case 'list': return depth > most.depth ? <TextBlock lines={raw(of).split('\n')} /> : <List items={s.items} depth={depth} />;
  }
}

function List({ items, depth }: { items: unknown[]; depth: number }) {
  const [all, setAll] = useState(false);
  const n = all ? Math.min(items.length, 5000) : folded(items.length, most.items);
  return (
    <ol className="data-list">
      {items.slice(0, n).map((v, i) => <li key={i}><Value of={v} depth={depth + 1} /></li>)}
      {n < items.length ? <More what={`${(items.length - n).toLocaleString('en')} more`} show={() => setAll(true)} /> : null}
    </ol>
  );
}

function Table({ columns, rows }: { columns: string[]; rows: Record<string, unknown>[] }) {
  const [all, setAll] = useState(false);
  const n = all ? Math.min(rows.length, 5000) : folded(rows.length, most.items);
  return (
    <div className="data-table">
      <table><thead><tr>{columns.map((c) => <th key={c} scope="col"><bdi>{label(c, 60)}</bdi></th>)}</tr></thead>
        <tbody>{rows.slice(0, n).map((r, i) => <tr key={i}>{columns.map((c) => <td key={c} className={typeof r[c] === 'number' ? 'num' : undefined}><bdi>{visible(word(r[c]))}</bdi></td>)}</tr>)}</tbody></table>
      {n < rows.length ? <More what={`${(rows.length - n).toLocaleString('en')} more`} show={() => setAll(true)} /> : null}
    </div>
  );
}

/** A text with its lines, numbered, and wrapped where they are long. */
export function TextBlock({ lines, all: whole }: { lines: string[]; all?: boolean }) {
  const [all, setAll] = useState(whole ?? false);
  const n = all ? Math.min(lines.length, 20_000) : folded(lines.length, most.lines);
  return (
    <div className="data-text">
      <pre tabIndex={0}><code dir="ltr">{lines.slice(0, n).map((l, i) => <span key={i}>{lines.length > 1 ? <i aria-hidden>{i + 1}</i> : null}<bdi>{visible(clip(l, all ? most.text : 2000))}{'\n'}</bdi></span>)}</code></pre>
      {n < lines.length ? <More what={`all ${lines.length.toLocaleString('en')} lines`} show={() => setAll(true)} /> : null}
    </div>
  );
}

const More = ({ what, show }: { what: string; show: () => void }) => <button type="button" className="button plain small data-more" onClick={show}>Show {what}</button>;
