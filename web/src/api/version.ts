// Whether the server has another version of the page than the one that runs here: it was upgraded while somebody looked.
import { createStore } from '../lib/store';
import { type Hello, hear } from './live';

/** The server serves another page than this one. */
export const newer = createStore(false);

/** Begins to watch. Called once. Another process of the server may be another version of it. */
export function watch() {
  let since = '';
  hear((name, data) => {
    if (name !== 'hello') return;
    const now = (data as Hello).since;
    if (since && now !== since) void compare();
    since = now;
  });
}

async function compare() {
  const mine = document.querySelector('script[type="module"][src]')?.getAttribute('src');
  try {
    const answer = await fetch('/', { cache: 'no-cache' });
    if (mine && answer.ok) newer.set(!(await answer.text()).includes(`"${mine}"`));
  } catch {
    // It is away again; when it is back it is looked at again.
  }
}
