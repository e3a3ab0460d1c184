export const spans = [['1h', 'an hour ago'], ['24h', 'a day ago'], ['168h', 'a week ago'], ['720h', 'thirty days ago']] as const;

/** The moment that a span began. It is rounded to the minute, so that the same question is the same. */
export function sinceOf(span: string, now: number): string {
  const hours = Number.parseInt(span, 10);
  return new Date(Math.floor((now - (Number.isFinite(hours) ? hours : 0) * 3_600_000) / 60_000) * 60_000).toISOString();
}
