// How a connection stands, in a shape and a word: what does not work first.
import type { Trouble } from '../../api/schema';

export interface Standing { status: string; says: string; rank: number }

/** seen: when it was last heard of, where something can be heard of it; null: nothing can. */
export function standing(trouble: Trouble | undefined, seen: string | null | undefined = null): Standing {
  if (trouble) return trouble.grade === 'fail' ? { status: 'failed', says: 'does not work', rank: 0 } : { status: 'interrupted', says: 'needs a look', rank: 1 };
  if (seen === undefined || seen === '') return { status: 'pending', says: 'nothing yet', rank: 2 };
  return { status: 'succeeded', says: seen === null ? 'ready' : 'works', rank: 3 };
}

/** In the order in which somebody has to look at them; what stands alike stays as it was. */
export function byNeed<T extends { trouble?: Trouble }>(list: T[]): T[] {
  const rank = (x: T) => standing(x.trouble).rank;
  return list.toSorted((a, b) => rank(a) - rank(b));
}

/** The trouble of the one of a list that somebody has to look at first. */
export function worst(list: { trouble?: Trouble }[]): { trouble?: Trouble } {
  const first = byNeed(list)[0]?.trouble;
  return first ? { trouble: first } : {};
}

/** How many do not work or need a look. */
export const troubled = (...lists: { trouble?: Trouble }[][]) => lists.flat().filter((x) => x.trouble).length;

/** Where a service posts to: below the address that the server is configured with, else where this page is from. */
export const address = (base: string | undefined, here: string, path: string) => `${(base || here).replace(/\/+$/, '')}${path}`;
