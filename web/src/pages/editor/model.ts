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

/** What was written and not saved, with what it was written on. */
export interface Kept { base: string; origin: string; text: string }

/** What was written and not saved outlives the page, the session, and the revision that it was made from. */
export function kept(name: string, repository: string) {
  const key = `tend.draft.${name}.${repository}`;
  return {
    get: (): Kept | null => {
      try {
        const k = JSON.parse(localStorage.getItem(key) ?? 'null') as Partial<Kept> | null;
        return k && typeof k.base === 'string' && typeof k.origin === 'string' && typeof k.text === 'string' ? { base: k.base, origin: k.origin, text: k.text } : null;
      } catch { return null; }
    },
    set: (k: Kept | null) => { try { if (k === null) localStorage.removeItem(key); else localStorage.setItem(key, JSON.stringify({ ...k, at: Date.now() })); } catch { /* storage is refused or full */ } },
  };
}

const longest = 90 * 24 * 3_600_000;

/** Drops drafts that nobody wrote on for 90 days: a browser that stays in use would keep each for ever. */
export function sweep(now: number, from: Storage) {
  for (const key of Object.keys(from)) {
    if (!key.startsWith('tend.draft.')) continue;
    try {
      const k = JSON.parse(from.getItem(key) ?? 'null') as { at?: number } | null;
      if (k && typeof k.at !== 'number') from.setItem(key, JSON.stringify({ ...k, at: now })); // of a page that kept no time
      else if (!k || now - (k.at ?? 0) > longest) from.removeItem(key);
    } catch { from.removeItem(key); }
  }
}

/** The last part of a branch's name, as the server makes one of a title. */
export const slug = (title: string): string => title.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 40).replace(/-+$/, '');

/** What is wrong with the name of a playbook that is to be; undefined: nothing. It is also the name of its folder. */
export const wrongName = (name: string): string | undefined =>
  /^[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?$/.test(name) ? undefined : 'Small letters, digits and - between them, 60 at most.';

/** Where a draft's file belongs: the names of files begin in the folder of the repository that is read. */
export function fileIn(path: string | undefined, file: string): string {
  const folder = (path ?? '').replace(/^\.?\/+|\/+$/g, '').split('/').at(-1);
  return folder && file.startsWith(`${folder}/`) ? file.slice(folder.length + 1) : file;
}
