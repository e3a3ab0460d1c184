// The list that somebody came from, so that the next one of it can be opened without going back.
import { createStore } from './store';

export interface Listed { ids: readonly string[]; from: string }

export const listed = createStore<Listed>({ ids: [], from: '' });

/** What stands before and after one, and which one it is; null where it is not in the list, or alone in it. */
export function near(of: Listed, id: string): { at: number; n: number; before?: string | undefined; after?: string | undefined } | null {
  const at = of.ids.indexOf(id);
  if (at < 0 || of.ids.length < 2) return null;
  return { at, n: of.ids.length, before: of.ids[at - 1], after: of.ids[at + 1] };
}
