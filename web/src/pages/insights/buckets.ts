export const ranges = [['7', '7 days'], ['28', '28 days'], ['91', '13 weeks']] as const;

export interface Bucket { since: string; until: string }

/** The parts of the last days that are looked at one by one: days of a week, else weeks. */
export function buckets(days: string, now: number): Bucket[] {
  const n = ranges.some(([d]) => d === days) ? Number(days) : 28;
  const step = (n <= 7 ? 1 : 7) * 86_400_000;
  const count = Math.ceil((n * 86_400_000) / step);
  return Array.from({ length: count }, (_, i) => {
    const until = now - (count - 1 - i) * step;
    return { since: new Date(until - step).toISOString(), until: new Date(until).toISOString() };
  });
}

/** Seconds, as people say them. */
export function duration(s: number): string {
  if (!s) return '–';
  if (s < 90) return `${Math.round(s)} s`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  return `${(s / 3600).toFixed(1)} h`;
}

export const ratio = (part: number, of: number): string => (of ? `${Math.round((100 * part) / of)} %` : '–');
