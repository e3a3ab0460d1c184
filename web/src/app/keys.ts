// Keys: one letter acts, g and a letter goes somewhere, and nothing is taken from somebody who types.
import { useEffect } from 'react';

interface Binding { keys: string; does: string; run: () => void }

const bindings = new Set<Binding>();
let prefix = '';
let timer: ReturnType<typeof setTimeout> | undefined;

/** Whether keys belong to what has the focus. */
export function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** Binds keys while a component is there: 'j', 'g r', 'mod+k'. The help lists them by what they do. */
export function useKeys(list: Record<string, [does: string, run: () => void] | null | undefined>) {
  useEffect(() => {
    const mine = Object.entries(list).flatMap(([keys, b]) => (b ? [{ keys, does: b[0], run: b[1] }] : []));
    for (const b of mine) bindings.add(b);
    return () => { for (const b of mine) bindings.delete(b); };
  });
}

export const bound = () => [...bindings].map(({ keys, does }) => ({ keys, does }));

export function name(e: Pick<KeyboardEvent, 'key' | 'metaKey' | 'ctrlKey' | 'altKey'>): string {
  const key = e.key.length === 1 ? e.key.toLowerCase() : e.key;
  return (e.metaKey || e.ctrlKey ? 'mod+' : '') + (e.altKey ? 'alt+' : '') + key;
}

function press(e: KeyboardEvent) {
  if (e.defaultPrevented || e.isComposing) return;
  const key = name(e);
  const chord = key.startsWith('mod+');
  if (!chord && (typing(e.composedPath()[0] ?? e.target) || document.querySelector('dialog[open]'))) return;
  const want = prefix ? `${prefix} ${key}` : key;
  prefix = '';
  clearTimeout(timer);
  // The newest binding wins: what is open lies above the page.
  const found = [...bindings].reverse().find((b) => b.keys === want);
  if (found) {
    e.preventDefault();
    found.run();
  } else if (!chord && [...bindings].some((b) => b.keys.startsWith(`${want} `))) {
    prefix = want;
    timer = setTimeout(() => { prefix = ''; }, 1200);
  }
}

/** Begins to listen. Called once. */
export function listenKeys() { addEventListener('keydown', press); }
