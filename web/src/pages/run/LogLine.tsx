// One line of a log: its number, which is a link to it, its time, and what was printed.
import { memo } from 'react';

import { visible } from '../../lib/text';
import { clock, parse } from '../../lib/time';
import { useZone } from '../../ui/Time';
import { className, spans, type Style } from './ansi';
import type { LogLine } from './model';

const says: Record<string, [mark: string, says: string]> = { stderr: ['E', 'stderr'], tend: ['·', 'said by tend'] };

export const LineRow = memo(function LineRow({ top, index, n, line, style, find, here, same, measure, link }: {
  top: number; index: number; n: number; line: LogLine; style: Style; find: string; here: boolean;
  /** It was printed in the same second as the line before it. */
  same: boolean;
  /** Its height is not known, as it is wrapped. */
  measure: ((e: Element | null) => void) | undefined;
  link: (n: number) => void;
}) {
  const zone = useZone();
  const list = spans(line.text.length > 20_000 ? `${line.text.slice(0, 20_000)}…` : line.text, style).spans;
  const mark = says[line.stream];
  return (
    <div ref={measure} data-index={index} className="log-line" data-stream={line.stream} data-here={here || undefined} data-same={same || undefined} style={{ transform: `translateY(${top}px)` }}>
      <span className="mark" title={mark?.[1]}>{mark ? <><span aria-hidden>{mark[0]}</span><span className="sr">{mark[1]}: </span></> : null}</span>
      {/* Not on the way of the Tab key: there are a hundred thousand. "Link" in the bar does the same. */}
      <button type="button" className="no" tabIndex={-1} title="Link to this line" aria-label={`Line ${n}`} onClick={() => link(n)}>{n}</button>
      <time dateTime={line.at}>{clock(parse(line.at), zone)}</time>
      <bdi dir="ltr">{list.map((s, i) => { const c = className(s.style); return <span key={i} {...(c ? { className: c } : {})}>{find ? marked(visible(s.text), find) : visible(s.text)}</span>; })}</bdi>
    </div>
  );
});

function marked(text: string, find: string) {
  const low = text.toLowerCase();
  const out: React.ReactNode[] = [];
  let from = 0;
  for (let i = low.indexOf(find); i >= 0 && out.length < 200; i = low.indexOf(find, from)) {
    out.push(text.slice(from, i), <mark key={i}>{text.slice(i, i + find.length)}</mark>);
    from = i + find.length;
  }
  out.push(text.slice(from));
  return out;
}
