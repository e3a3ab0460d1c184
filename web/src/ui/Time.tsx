// Times: roughly where they are read at a glance, exactly where the pointer rests, always in the zone that the person
// chose, which stands in the bar.
import { useSyncExternalStore } from 'react';

import { createKeptStore, createStore, useStore } from '../lib/store';
import { clock, day, full, offset, parse, relative, short, took, type Zone } from '../lib/time';
import { live } from '../api/live';

export const zone = createKeptStore<Zone>('tend.zone', 'local', (v): v is Zone => v === 'local' || v === 'utc');

/** The server's now, once a second: what counts down is measured by the clock that decides. */
const now = createStore(Date.now());
let ticking = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
function subscribe(heard: () => void) {
  const done = now.subscribe(heard);
  if (ticking++ === 0) tick();
  return () => {
    if (--ticking === 0) clearTimeout(timer); // else whoever comes within the second starts another clock beside this one
    done();
  };
}
function tick() {
  now.set(Date.now() + live.get().ahead);
  timer = setTimeout(tick, 1000 - (Date.now() % 1000) + 5);
}
const ticker = { ...now, subscribe };
export const useNow = () => useStore(ticker);
/** The end of the minute that it is, for what need not be drawn each second. */
export const useMinute = () => useSyncExternalStore(ticker.subscribe, minute, minute);
const minute = () => (Math.floor(now.get() / 60_000) + 1) * 60_000;
export const serverNow = () => Date.now() + live.get().ahead;

export const useZone = () => useStore(zone);

/** "3 min ago". */
export function Ago({ at }: { at: string | undefined }) {
  const n = useNow();
  const z = useZone();
  const t = parse(at);
  if (Number.isNaN(t)) return null;
  return <time dateTime={at} title={full(new Date(t), z)}>{relative(t, n)}</time>;
}

/** The clock; with the day when it is another one. */
export function At({ at, exact }: { at: string | undefined; exact?: boolean }) {
  const z = useZone();
  const t = parse(at);
  if (Number.isNaN(t)) return null;
  const d = new Date(t);
  return <time dateTime={at} title={full(d, z)}>{exact ? `${day(d, z)} ${clock(d, z)} ${offset(d, z)}` : short(d, serverNow(), z)}</time>;
}

/** "until 14:05, in 4 min". */
export function Until({ at }: { at: string | undefined }) {
  const n = useNow();
  const t = parse(at);
  if (Number.isNaN(t)) return null;
  return <><At at={at} /> <span className="dim">({relative(t, n)})</span></>;
}

/** How long something took, or takes. */
export function Took({ from, to }: { from: string | undefined; to?: string | undefined }) {
  const start = parse(from);
  const end = parse(to);
  if (Number.isNaN(start)) return null;
  return Number.isNaN(end) ? <Ticking from={start} /> : <span>{took(end - start)}</span>;
}

function Ticking({ from }: { from: number }) {
  const n = useNow();
  return <span>{took(Math.max(0, Math.floor((n - from) / 1000) * 1000))}</span>;
}
