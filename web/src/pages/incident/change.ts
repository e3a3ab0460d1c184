import type { Incident, IncidentChange, Link } from '../../api/schema';
import { safe } from '../../lib/link';

/** Names as people write them: with commas between them, each once. */
export const people = (text: string): string[] => [...new Set(text.split(/[,\n]/).map((p) => p.trim()).filter(Boolean))];

/** When it will be in so many minutes; '' is not said, null is no number. */
export function inMinutes(text: string, now: number): string | null | undefined {
  if (text.trim() === '') return undefined;
  const n = Number(text);
  if (!Number.isFinite(n) || n <= 0 || n > 60 * 24 * 30) return null;
  return new Date(now + n * 60_000).toISOString();
}

type Edited = Pick<IncidentChange, 'title' | 'severity' | 'summary' | 'next' | 'commander' | 'responders' | 'stakeholders'>;

/** What differs from the incident: nothing else is sent, so that what somebody else changed meanwhile stays. */
export function changed(d: Pick<Incident, 'title' | 'severity' | 'summary' | 'next' | 'commander' | 'responders' | 'stakeholders'>, now: Edited): IncidentChange {
  const out: IncidentChange = {};
  for (const k of ['title', 'severity', 'summary', 'next', 'commander'] as const) {
    const v = now[k];
    if (v !== undefined && v !== (d[k] ?? '')) out[k] = v;
  }
  for (const k of ['responders', 'stakeholders'] as const) {
    const v = now[k];
    if (v !== undefined && v.join('\n') !== (d[k] ?? []).join('\n')) out[k] = v;
  }
  return out;
}

const lines = (text: string) => text.split('\n').map((l) => l.trim()).filter(Boolean);

/** "https://… What it is called", one in a line. */
const links = (text: string): Link[] => lines(text).map((l) => {
  const [url = '', ...name] = l.split(/\s+/);
  return { url, ...(name.length ? { name: name.join(' ') } : {}) };
});

export function linksWrong(text: string): string | undefined {
  const bad = links(text).find((l) => !safe(l.url));
  return bad && `${bad.url} is no address: it begins with https://`;
}

export const linksChanged = (was: Link[], text: string): IncidentChange => {
  const is = links(text);
  const of = (list: Link[]) => list.map((l) => `${l.url} ${l.name ?? ''}`).join('\n');
  return of(is) === of(was) ? {} : { links: is };
};

export function labelsWrong(text: string): string | undefined {
  const bad = lines(text).find((l) => !/^[^=\s]+=/.test(l));
  return bad && `${bad}: a name, =, and a value`;
}

/** What came is set, what went is null. */
export function labelsChanged(was: Record<string, string>, text: string): IncidentChange {
  const is = Object.fromEntries(lines(text).map((l) => [l.slice(0, l.indexOf('=')), l.slice(l.indexOf('=') + 1)]));
  const labels: Record<string, string | null> = {};
  for (const [k, v] of Object.entries(is)) if (was[k] !== v) labels[k] = v;
  for (const k of Object.keys(was)) if (!(k in is)) labels[k] = null;
  return Object.keys(labels).length ? { labels } : {};
}
