// The live connection: one stream for the page, with what the page looks at in it. It survives a server that restarts, a
// network that goes, and a laptop that sleeps; and it says since when what is shown may be old.
import { createStore } from '../lib/store';
import { renew } from './session';
import { Parser } from './sse';

/** The first event of the stream (wire.Hello). */
export interface Hello { index: number; instance: string; now: string; since: string }

export interface LiveState {
  /**
   * live: what is shown is what is. connecting: not yet. away: the connection is lost. asleep: nobody looks at this tab.
   * refused: the server answers, and says no.
   */
  state: 'connecting' | 'live' | 'away' | 'asleep' | 'refused';
  /** Since when nothing is heard, in milliseconds since 1970. */
  since: number;
  /** What the server's clock is ahead of ours, in milliseconds. */
  ahead: number;
  hello: Hello | null;
}

export const live = createStore<LiveState>({ state: 'connecting', since: Date.now(), ahead: 0, hello: null });

type Heard = (name: string, data: unknown) => void;
const ears = new Set<Heard>();

/** Hears the events of the stream until the function that it gives is called. */
export function hear(heard: Heard): () => void {
  ears.add(heard);
  return () => { ears.delete(heard); };
}

const silence = 25_000; // the server speaks every 15 seconds
const patience = 10_000; // for an answer to begin
const slept = 8_000; // between two looks at the clock, a second apart
const hiddenFor = 30_000; // a tab that nobody sees lets its connection go after this
const longest = 10_000; // between two attempts

let path = '/v1/live';
let running: AbortController | null = null;
let spoke = false; // whether the connection that runs said something
let begun = 0; // when it began
let heard = Date.now(); // when the server last said something
let looked = Date.now(); // at the clock
let hiddenSince = 0;
let attempts = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

// Requests that began before the connection was lost may have gone where nobody answers: they are not waited for.
let sent = new AbortController();

/** Is aborted when the connection had been lost and is there again: what was asked before has no answer to wait for. */
export const lostAt = () => sent.signal;

/** Chooses what the stream tells of beside that something changed: one run, or nothing. */
export function tune(run: string | null) {
  const next = run ? `/v1/runs/${encodeURIComponent(run)}/live` : '/v1/live';
  if (next === path) return;
  path = next;
  attempts = 0;
  if (running) connect();
}

function connect() {
  clearTimeout(timer);
  running?.abort();
  const mine = new AbortController();
  running = mine;
  spoke = false;
  begun = Date.now();
  void read(mine).then((then) => {
    if (running !== mine) return;
    if (then === 'at once') connect();
    else lost(then);
  });
}

function away() {
  live.set((was) => (was.state === 'live' || was.state === 'refused' || (was.state === 'connecting' && attempts > 1) ? { ...was, state: 'away', since: heard } : was));
}

function lost(why: 'away' | 'refused') {
  if (why === 'refused') live.set((was) => ({ ...was, state: 'refused', since: heard }));
  else away();
  const wait = Math.min(longest, 250 * 2 ** attempts) * (0.75 + Math.random() / 2);
  attempts++;
  timer = setTimeout(connect, wait);
}

/** Looks at the clock, once a second: whether the server still speaks, and whether this device slept. */
function look() {
  const now = Date.now();
  const seen = document.visibilityState !== 'hidden'; // the clock of a tab that nobody sees goes slowly
  const woke = seen && now - looked > slept;
  looked = now;
  if (!running) return;
  if (woke || (spoke && now - heard > silence)) void again();
  else if (!spoke && now - begun > patience) running.abort();
}

/** The connection was alive once, and who knows what it is now: it is not believed, and another one is made at once. */
async function again() {
  attempts = 0;
  away();
  clearTimeout(timer);
  running?.abort();
  const mine = new AbortController();
  running = mine;
  spoke = false;
  begun = Date.now();
  // The browser keeps more connections to the server, which are as dead without its knowing: it would ask on them. Whatever
  // does not answer now is given up. A browser keeps six.
  const signal = AbortSignal.any([mine.signal, AbortSignal.timeout(1500)]);
  await Promise.allSettled(Array.from({ length: 6 }, () => fetch('/readyz', { cache: 'no-store', signal })));
  if (running === mine) connect();
}

/** Reads until the stream ends, and says what then. */
async function read(mine: AbortController): Promise<'away' | 'refused' | 'at once'> {
  const asked = path;
  try {
    const answer = await fetch(asked, { signal: mine.signal, credentials: 'same-origin', headers: { Accept: 'text/event-stream' } });
    if (answer.status === 401) return (await renew(mine.signal)) ? 'at once' : 'away';
    if (answer.status === 404 && asked !== '/v1/live') {
      if (path === asked) path = '/v1/live'; // the page says itself that there is no such run
      return 'at once';
    }
    if (answer.status === 403) return 'refused';
    if (!answer.ok || !answer.body) return 'away';
    const parser = new Parser();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return 'away';
      if (running !== mine) return 'away';
      heard = Date.now();
      spoke = true;
      for (const e of parser.push(value)) tell(e.name, e.data);
    }
  } catch {
    return 'away';
  }
}

function tell(name: string, text: string) {
  let data: unknown;
  try { data = JSON.parse(text); } catch { return; }
  if (name === 'hello') {
    attempts = 0;
    const hello = data as Hello;
    const was = live.get().state;
    if (was === 'away' || was === 'asleep') {
      sent.abort();
      sent = new AbortController();
    }
    live.set({ state: 'live', since: Date.now(), ahead: Date.parse(hello.now) - Date.now(), hello });
  }
  for (const h of [...ears]) h(name, data);
}

function seen() {
  if (document.visibilityState === 'hidden') {
    hiddenSince = Date.now();
    setTimeout(() => {
      if (document.visibilityState !== 'hidden' || Date.now() - hiddenSince < hiddenFor - 50) return;
      running?.abort();
      running = null;
      clearTimeout(timer);
      live.set((was) => ({ ...was, state: 'asleep', since: heard }));
    }, hiddenFor);
    return;
  }
  // Somebody looks again, perhaps after the laptop slept: a connection that says nothing is not believed.
  looked = Date.now();
  if (!running || Date.now() - heard > 20_000) {
    void again();
  }
}

/** Begins. Called once. */
export function listen() {
  document.addEventListener('visibilitychange', seen);
  addEventListener('online', () => { if (running) void again(); });
  addEventListener('pageshow', (e) => { if (e.persisted) void again(); });
  setInterval(look, 1000);
  connect();
}
