// Whether somebody is signed on. When the server says 401 the page stays as it is, a dialog asks to sign on again, and
// every request waits for that.
import { createStore } from '../lib/store';

export interface Session {
  /** Requests wait for somebody to sign on. */
  needed: boolean;
}

export const session = createStore<Session>({ needed: false });

let waiting: { promise: Promise<boolean>; settle: (ok: boolean) => void } | null = null;

/** Asks the person to sign on. True when they did. */
export function renew(signal?: AbortSignal): Promise<boolean> {
  if (!waiting) {
    let settle!: (ok: boolean) => void;
    const promise = new Promise<boolean>((done) => { settle = done; });
    waiting = { promise, settle };
    session.set({ needed: true });
  }
  const { promise } = waiting;
  if (!signal) return promise;
  if (signal.aborted) return Promise.reject(new DOMException('aborted', 'AbortError'));
  return new Promise((done, fail) => {
    signal.addEventListener('abort', () => fail(new DOMException('aborted', 'AbortError')), { once: true });
    promise.then(done, fail);
  });
}

/** Somebody signed on: what waited goes on. */
export function signedOn() {
  session.set({ needed: false });
  waiting?.settle(true);
  waiting = null;
}

const channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('tend.session');
channel?.addEventListener('message', (e) => { if (e.data === 'on' && waiting) signedOn(); });

/** Tells the other tabs, whose session it is too. */
export function tellOthers() { channel?.postMessage('on'); }

export interface Problemish { detail: string; next?: string }

/** Signs on by a token: a personal one, or one that is good once. */
export async function signOn(body: { token: string; name?: string; why?: string }): Promise<Problemish | null> {
  try {
    const answer = await fetch('/auth/on', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
    if (answer.ok) {
      tellOthers();
      signedOn();
      return null;
    }
    return (await answer.json()) as Problemish;
  } catch {
    return { detail: 'The server does not answer.', next: 'Try again.' };
  }
}

export async function signOff() {
  await fetch('/auth/off', { method: 'POST' });
  location.assign('/');
}

export async function issuers(): Promise<string[]> {
  try {
    const answer = await fetch('/auth/issuers');
    return answer.ok ? ((await answer.json()) as { issuers: string[] }).issuers : [];
  } catch {
    return [];
  }
}
