// Colours for YAML: enough to read by, line by line. It decides nothing.

export interface Token { kind: 'plain' | 'key' | 'text' | 'comment' | 'mark' | 'template' | 'number'; text: string }

/** The parts of one line. Together they are the line. */
export function tokens(line: string): Token[] {
  const out: Token[] = [];
  const indent = /^\s*(?:- +)*/.exec(line)?.[0] ?? '';
  if (indent) out.push({ kind: 'mark', text: indent });
  let rest = line.slice(indent.length);
  if (rest.startsWith('#') || rest === '---') return [...out, { kind: rest === '---' ? 'mark' : 'comment', text: rest }];
  const key = /^(?:"[^"]*"|'[^']*'|[^\s#'"{}[\],:][^#{}[\],:]*?):(?=\s|$)/.exec(rest)?.[0];
  if (key) {
    out.push({ kind: 'key', text: key.slice(0, -1) }, { kind: 'mark', text: ':' });
    rest = rest.slice(key.length);
  }
  const part = /\{\{.*?\}\}|(?:(?<=^|\s)#.*$)|"(?:\\.|[^"\\])*"|'(?:''|[^'])*'|(?<=[\s:,[{]|^)-?\d+(?:\.\d+)?(?:ms|s|m|h)?(?=[\s,\]}]|$)|[[\]{},|>]/g;
  let at = 0;
  for (const m of rest.matchAll(part)) {
    if (m.index > at) out.push({ kind: 'plain', text: rest.slice(at, m.index) });
    const t = m[0];
    const kind = t.startsWith('{{') ? 'template' : t.startsWith('#') ? 'comment' : /^["']/.test(t) ? 'text' : /^-?\d/.test(t) ? 'number' : 'mark';
    out.push({ kind, text: t });
    at = m.index + t.length;
  }
  if (at < rest.length) out.push({ kind: 'plain', text: rest.slice(at) });
  return out;
}
