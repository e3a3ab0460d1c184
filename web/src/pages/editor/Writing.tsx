// The text, to be written in, with line numbers and what is wrong beside it.
import { useEffect, useRef } from 'react';

import type { Finding, LookedPart } from '../../api/schema';

const lineHeight = 18;

export function Writing({ text, write, findings, goTo, part }: { text: string; write: (t: string) => void; findings: Finding[]; goTo: number | null; part: Pick<LookedPart, 'line' | 'end'> | null }) {
  const area = useRef<HTMLTextAreaElement>(null);
  const gutter = useRef<HTMLDivElement>(null);
  const lines = text.split('\n').length;
  const tones = new Map<number, string>();
  for (const f of findings) if (f.line && tones.get(f.line) !== 'bad') tones.set(f.line, f.severity === 'error' ? 'bad' : 'wait');
  useEffect(() => {
    const a = area.current;
    if (!a || goTo === null) return;
    a.scrollTop = Math.max(0, (goTo - 4) * lineHeight);
  }, [goTo]);
  return (
    <div className="writing">
      <div ref={gutter} className="writing-gutter" aria-hidden>
        <div>{Array.from({ length: Math.min(lines, 20_000) }, (_, i) => <span key={i} data-tone={tones.get(i + 1)} data-in={part && part.line <= i + 1 && i + 1 <= part.end ? true : undefined}>{i + 1}</span>)}</div>
      </div>
      <textarea ref={area} aria-label="The text of the playbook" value={text} wrap="off" spellCheck={false} autoCapitalize="off" autoComplete="off"
        onChange={(e) => write(e.target.value)}
        onScroll={(e) => { if (gutter.current) gutter.current.scrollTop = e.currentTarget.scrollTop; }}
        onKeyDown={(e) => {
          // Tab indents; who wants to leave by the keyboard presses Escape first.
          if (e.key === 'Escape') e.currentTarget.dataset['free'] = 'yes';
          if (e.key !== 'Tab' || e.shiftKey || e.currentTarget.dataset['free']) return;
          e.preventDefault();
          e.currentTarget.setRangeText('  ', e.currentTarget.selectionStart, e.currentTarget.selectionEnd, 'end');
          write(e.currentTarget.value);
        }}
        onFocus={(e) => { delete e.currentTarget.dataset['free']; }} />
    </div>
  );
}
