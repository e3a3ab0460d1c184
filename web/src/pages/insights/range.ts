// What is looked at, and how figures are said.

/** The last of days, and the parts that they are shown in. */
export const ranges = [
  { value: '1', label: '24 hours', every: 'hour' },
  { value: '7', label: '7 days', every: 'day' },
  { value: '28', label: '28 days', every: 'day' },
  { value: '91', label: '13 weeks', every: 'week' },
  { value: '364', label: '52 weeks', every: 'week' },
] as const;

/** What is chosen where nothing is. */
export const usual = ranges[2];

export interface Span { since: string; every: 'hour' | 'day' | 'week' }

/** From midnight of the first day, or a whole hour, on: the question stays the same for as long. It goes to now. */
export function span(range: string, now: number, utc: boolean): Span {
  const r = ranges.find((x) => x.value === range) ?? usual;
  const days = Number(r.value);
  const d = new Date(now);
  if (r.every === 'hour') d.setTime(Math.ceil(now / 3_600_000) * 3_600_000 - 24 * 3_600_000);
  else if (utc) { d.setUTCDate(d.getUTCDate() - days + 1); d.setUTCHours(0, 0, 0, 0); } else { d.setDate(d.getDate() - days + 1); d.setHours(0, 0, 0, 0); }
  return { since: d.toISOString(), every: r.every };
}

/** Seconds, as people say them. */
export function duration(s: number): string {
  if (s < 90) return `${Math.round(s)} s`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  if (s < 172_800) return `${(s / 3600).toFixed(1)} h`;
  return `${(s / 86_400).toFixed(1)} days`;
}

/** Minutes, as people say them. */
export const minutes = (m: number): string => (m < 120 ? `${Math.round(m)} min` : `${(m / 60).toFixed(m < 600 ? 1 : 0)} h`);

export interface Change { says: string; tone: 'good' | 'bad' | '' }

/** What became of a figure since the time before. better: which way is good; 0: neither is. */
export function change(now: number | null, before: number | null, better: 1 | -1 | 0, say: (n: number) => string): Change {
  if (now === null || before === null) return { says: before === null ? 'nothing before' : `${say(before)} before`, tone: '' };
  if (now === before) return { says: 'as before', tone: '' };
  const up = now > before;
  return { says: `${up ? '▲' : '▼'} from ${say(before)}`, tone: better === 0 ? '' : up === better > 0 ? 'good' : 'bad' };
}

export interface Count { runs: number; succeeded: number; failed: number; verified: number; observed: number; savedMinutes: number }

/** Runs by how they ended, in the order in which they are stacked: the sum is all of them. */
export function outcomes(c: Count): { verified: number; succeeded: number; failed: number; other: number } {
  return { verified: c.verified, succeeded: c.succeeded - c.verified, failed: c.failed, other: c.runs - c.succeeded - c.failed };
}
