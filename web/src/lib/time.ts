// Times as people read them: always with the zone, and never guessed.

export type Zone = 'local' | 'utc';

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: Zone, what: 'time' | 'full' | 'day'): Intl.DateTimeFormat {
  const key = zone + what;
  let f = formats.get(key);
  if (!f) {
    const time: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' };
    const day: Intl.DateTimeFormatOptions = { year: 'numeric', month: '2-digit', day: '2-digit' };
    f = new Intl.DateTimeFormat('en-CA', { ...(what === 'day' ? {} : time), ...(what === 'time' ? {} : day), ...(zone === 'utc' ? { timeZone: 'UTC' } : {}) });
    formats.set(key, f);
  }
  return f;
}

/** 14:03:22 */
export const clock = (at: Date | number, zone: Zone) => format(zone, 'time').format(at);
/** 2026-11-28 */
export const day = (at: Date | number, zone: Zone) => format(zone, 'day').format(at);

/** What the zone is ahead of UTC at that time. */
export const offsetMinutes = (at: Date | number, zone: Zone) => (zone === 'utc' ? 0 : -new Date(at).getTimezoneOffset());

/** UTC, UTC+01:00: what the zone is at that time. */
export function offset(at: Date, zone: Zone): string {
  const minutes = offsetMinutes(at, zone);
  if (minutes === 0) return 'UTC';
  const abs = Math.abs(minutes);
  return `UTC${minutes < 0 ? '−' : '+'}${String(Math.floor(abs / 60)).padStart(2, '0')}:${String(abs % 60).padStart(2, '0')}`;
}

/** 2026-11-28 14:03:22 UTC+01:00 */
export const full = (at: Date, zone: Zone) => `${day(at, zone)} ${clock(at, zone)} ${offset(at, zone)}`;

/** The clock today, else the day too. */
export function short(at: Date, now: number, zone: Zone): string {
  return day(at, zone) === day(now, zone) ? clock(at, zone) : `${day(at, zone).slice(5)} ${clock(at, zone).slice(0, 5)}`;
}

/** 850 ms, 12.4 s, 3 min 05 s, 2 h 10 min, 3 d 4 h */
export function took(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) ms = 0;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const s = ms / 1000;
  if (s < 60) return `${s < 10 ? s.toFixed(1) : Math.floor(s)} s`;
  const m = Math.floor(s / 60);
  if (m < 60) return `${m} min ${String(Math.floor(s % 60)).padStart(2, '0')} s`;
  const h = Math.floor(m / 60);
  if (h < 24) return `${h} h ${String(m % 60).padStart(2, '0')} min`;
  return `${Math.floor(h / 24)} d ${h % 24} h`;
}

/** "in 4 min", "12 s ago": rough, because it is read at a glance. */
export function relative(at: number, now: number): string {
  const d = at - now;
  const abs = Math.abs(d);
  const rough = abs < 1000 ? 'now' : abs < 60_000 ? `${Math.floor(abs / 1000)} s` : abs < 3_600_000 ? `${Math.floor(abs / 60_000)} min`
    : abs < 86_400_000 ? `${Math.floor(abs / 3_600_000)} h` : `${Math.floor(abs / 86_400_000)} d`;
  if (rough === 'now') return 'now';
  return d > 0 ? `in ${rough}` : `${rough} ago`;
}

/** Milliseconds since 1970, or NaN. The server writes no time as 0001-01-01. */
export function parse(at: string | undefined): number {
  if (!at || at.startsWith('0001-')) return NaN;
  return Date.parse(at);
}
