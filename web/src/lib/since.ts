// What is other than the last time. Pure.

/** What differs between the parameters of two runs. */
export function differs(a: Record<string, unknown> = {}, b: Record<string, unknown> = {}): { name: string; was: unknown; is: unknown }[] {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
  return names.filter((n) => JSON.stringify(a[n]) !== JSON.stringify(b[n])).map((n) => ({ name: n, was: a[n], is: b[n] }));
}

interface Ended { path: string; label: string; status: string; kind: string }

const over = new Set(['succeeded', 'failed', 'skipped', 'in-doubt', 'ignored', 'undone', 'cancelled', 'carried']);

/** The steps that came out otherwise. What has not ended in both runs cannot be told. */
export function otherwise(was: readonly Ended[], is: readonly Ended[]): { path: string; label: string; was: string; is: string }[] {
  const before = new Map(was.map((s) => [s.path, s.status]));
  const out = [];
  for (const s of is) {
    const b = before.get(s.path);
    if (b === undefined || b === s.status || s.kind === 'iteration' || !over.has(b) || !over.has(s.status)) continue;
    out.push({ path: s.path, label: s.label, was: b, is: s.status });
  }
  return out;
}
