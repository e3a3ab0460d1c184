// The text that is being written, with the way back. Pure, but for what is kept in the browser.
import type { Finding, LookedPart } from '../../api/schema';

export interface Draft { text: string; before: string[]; after: string[]; typing: boolean }
export type Said = { write: string; typed?: boolean } | 'undo' | 'redo';

const most = 200; // steps back

export const begin = (text: string): Draft => ({ text, before: [], after: [], typing: false });

/** What is typed in one go is one step back; what the graph did is one each. */
export function next(s: Draft, said: Said): Draft {
  if (said === 'undo') {
    const text = s.before.at(-1);
    return text === undefined ? s : { text, before: s.before.slice(0, -1), after: [...s.after, s.text], typing: false };
  }
  if (said === 'redo') {
    const text = s.after.at(-1);
    return text === undefined ? s : { text, before: [...s.before, s.text], after: s.after.slice(0, -1), typing: false };
  }
  if (said.write === s.text) return s;
  if (said.typed && s.typing && Math.abs(said.write.length - s.text.length) <= 1) return { ...s, text: said.write, after: [] };
  return { text: said.write, before: [...s.before, s.text].slice(-most), after: [], typing: said.typed ?? false };
}

/** The paths in which an error stands: of each the innermost. */
export function worst(parts: Pick<LookedPart, 'path' | 'line' | 'end' | 'list'>[], findings: Pick<Finding, 'severity' | 'line'>[]): string[] {
  const out = new Set<string>();
  for (const f of findings) {
    const line = f.line;
    if (f.severity !== 'error' || line === undefined) continue;
    const inner = parts.filter((p) => !p.list && p.line <= line && line <= p.end).sort((a, b) => a.end - a.line - (b.end - b.line))[0];
    if (inner) out.add(inner.path);
  }
  return [...out];
}

/** What was written and not saved outlives the page, for the revision that it was made from. */
export function kept(name: string, revision: string) {
  const key = `tend.draft.${name}.${revision}`;
  return {
    get: (): string | null => { try { return localStorage.getItem(key); } catch { return null; } },
    set: (text: string | null) => { try { if (text === null) localStorage.removeItem(key); else localStorage.setItem(key, text); } catch { /* storage is refused or full */ } },
  };
}

/** A value as it is typed into a field, and back: YAML's plain words for texts, JSON for all else. */
export const written = (v: unknown): string => (v === undefined || v === null ? '' : typeof v === 'string' ? v : JSON.stringify(v));

export function readAs(type: string, text: string): { value: unknown } | { wrong: string } {
  const t = text.trim();
  // A template or an expression gives its value when it runs.
  if (t.includes('{{')) return { value: text };
  switch (type) {
    case 'number': return t !== '' && Number.isFinite(Number(t)) ? { value: Number(t) } : { wrong: 'A number, or a template.' };
    case 'boolean': return t === 'true' || t === 'false' ? { value: t === 'true' } : { wrong: 'true or false, or a template.' };
    case 'list': case 'map': case 'any': {
      try { return { value: JSON.parse(t) as unknown }; } catch { return type === 'any' ? { value: text } : { wrong: `${type === 'list' ? 'A list' : 'A map'} as JSON, or a template.` }; }
    }
    default: return { value: text };
  }
}

/** What is wrong with the name of a playbook that is to be; undefined: nothing. It is also the name of its folder. */
export const wrongName = (name: string): string | undefined =>
  /^[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?$/.test(name) ? undefined : 'Small letters, digits and - between them, 60 at most.';

/** Where a draft's file belongs: the names of files begin in the folder of the repository that is read. */
export function fileIn(path: string | undefined, file: string): string {
  const folder = (path ?? '').replace(/^\.?\/+|\/+$/g, '').split('/').at(-1);
  return folder && file.startsWith(`${folder}/`) ? file.slice(folder.length + 1) : file;
}
