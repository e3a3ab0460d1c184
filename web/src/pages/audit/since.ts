export const spans = [['1h', 'last hour'], ['24h', 'last day'], ['168h', 'last week'], ['720h', 'last thirty days']] as const;

/** The moment that a span began. It is rounded to the minute, so that the same question is the same. */
export function sinceOf(span: string, now: number): string {
  const hours = Number.parseInt(span, 10);
  return new Date(Math.floor((now - (Number.isFinite(hours) ? hours : 0) * 3_600_000) / 60_000) * 60_000).toISOString();
}

/** When a day of the calendar begins, in the zone that is shown; days later with more. '' is no day. */
export function dayOf(day: string, zone: 'local' | 'utc', more = 0): string {
  const m = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day);
  if (!m) return '';
  const [y, mo, d] = [Number(m[1]), Number(m[2]) - 1, Number(m[3]) + more];
  return (zone === 'utc' ? new Date(Date.UTC(y, mo, d)) : new Date(y, mo, d)).toISOString();
}
