// The live connection: one stream for the page, with what the page looks at in it. It survives a server that restarts, a
// network that goes, and a laptop that sleeps; and it says since when what is shown may be old.
import { createStore } from '../lib/store';
import { renew } from './session';
import { Parser } from './sse';

/** The first event of the stream (wire.Hello). */
export interface Hello { index: number; instance: string; now: string; since: string }

export interface LiveState {
  /** live: what is shown is what is. connecting: not yet. away: the connection is lost. asleep: nobody looks at this tab. */
  state: 'connecting' | 'live' | 'away' | 'asleep';
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

const silence = 40_000; // the server speaks every 15 seconds
const hiddenFor = 30_000; // a tab that nobody sees lets its connection go after this
const longest = 10_000; // between two attempts

let path = '/v1/live';
let running: AbortController | null = null;
let lastHeard = Date.now();
let hiddenSince = 0;
let attempts = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

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
  void read(mine).then((again) => {
    if (running !== mine || !again) return;
    lost();
  });
}

function lost() {
  const was = live.get();
  if (was.state === 'live') live.set({ ...was, state: 'away', since: lastHeard });
  else if (was.state === 'connecting' && attempts > 1) live.set({ ...was, state: 'away' });
  const wait = Math.min(longest, 250 * 2 ** attempts) * (0.75 + Math.random() / 2);
  attempts++;
  timer = setTimeout(connect, wait);
}

/** Reads until the stream ends. True: try again. */
async function read(mine: AbortController): Promise<boolean> {
  const watchdog = setInterval(() => { if (Date.now() - lastHeard > silence) mine.abort(); }, 5000);
  try {
    lastHeard = Date.now();
    const answer = await fetch(path, { signal: mine.signal, credentials: 'same-origin', headers: { Accept: 'text/event-stream' } });
    if (answer.status === 401) return (await renew(mine.signal)) && running === mine;
    if (answer.status === 404 && path !== '/v1/live') {
      path = '/v1/live'; // the page says itself that there is no such run
      return true;
    }
    if (!answer.ok || !answer.body) return true;
    const parser = new Parser();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return true;
      lastHeard = Date.now();
      for (const e of parser.push(value)) {
        if (running !== mine) return false;
        tell(e.name, e.data);
      }
    }
  } catch {
    return true;
  } finally {
    clearInterval(watchdog);
    if (running === mine && mine.signal.aborted && Date.now() - lastHeard > silence) setTimeout(lost);
  }
}

function tell(name: string, text: string) {
  let data: unknown;
  try { data = JSON.parse(text); } catch { return; }
  if (name === 'hello') {
    attempts = 0;
    const hello = data as Hello;
    live.set({ state: 'live', since: Date.now(), ahead: Date.parse(hello.now) - Date.now(), hello });
  }
  for (const heard of [...ears]) heard(name, data);
}

function seen() {
  if (document.visibilityState === 'hidden') {
    hiddenSince = Date.now();
    setTimeout(() => {
      if (document.visibilityState !== 'hidden' || Date.now() - hiddenSince < hiddenFor - 50) return;
      running?.abort();
      running = null;
      clearTimeout(timer);
      live.set((was) => ({ ...was, state: 'asleep', since: lastHeard }));
    }, hiddenFor);
    return;
  }
  // Somebody looks again, perhaps after the laptop slept: a connection that says nothing is not believed.
  if (!running || Date.now() - lastHeard > 20_000) {
    attempts = 0;
    live.set((was) => (was.state === 'live' ? { ...was, state: 'away', since: lastHeard } : was));
    connect();
  }
}

/** Begins. Called once. */
export function listen() {
  document.addEventListener('visibilitychange', seen);
  addEventListener('online', () => { attempts = 0; connect(); });
  addEventListener('pageshow', (e) => { if (e.persisted) connect(); });
  connect();
}
