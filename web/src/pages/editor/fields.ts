// From a Spec to a field of a form. Pure.
import type { Action, ActionField, Finding, Key, LookedPart } from '../../api/schema';

export interface Spec {
  name: string;
  /** string, logic, number, boolean, duration, list, map, any, secret, integration */
  type: string;
  required: boolean;
  description: string;
  options: unknown[];
  /** Never rendered: a script. */
  verbatim: boolean;
  fields: Spec[] | undefined;
  items: Spec | undefined;
  fallback: unknown;
  pattern: string;
}

const plain = { required: false, options: [], verbatim: false, fields: undefined, items: undefined, fallback: undefined, pattern: '', description: '' };

export const fromInput = (f: ActionField): Spec => ({
  name: f.name, type: f.type, required: f.required, description: f.description ?? '', options: f.enum ?? [], verbatim: f.verbatim ?? false,
  fields: f.fields?.map(fromInput), items: f.items ? fromInput(f.items) : undefined, fallback: f.default, pattern: f.pattern ?? '',
});

const types: Record<string, string> = { bool: 'boolean', count: 'number', number: 'number', duration: 'duration', logic: 'logic', map: 'map', labels: 'map', list: 'list', data: 'any', plain: 'any', loop: 'logic', range: 'list' };
const lists: Record<string, string> = { texts: 'string', templates: 'string' };

/** A key of the language, with the keys of the maps that it can hold. */
export function fromKey(k: Key, maps: Record<string, Key[] | null>, depth = 0): Spec {
  const s: Spec = { ...plain, name: k.name, type: types[k.form] ?? (lists[k.form] ? 'any' : 'string'), description: k.doc };
  if (k.form === 'effect') return { ...s, options: ['read', 'idempotent', 'mutate'] };
  if (k.form === 'onDoubt') return { ...s, type: 'any', options: ['retry', 'ask', 'fail'] };
  const inner = maps[k.form] ?? (k.form.endsWith('[]') ? maps[k.form.slice(0, -2)] : undefined);
  if (k.form.endsWith('[]')) return { ...s, type: 'list', items: { ...plain, name: '', type: inner ? 'map' : 'any', fields: inner?.map((x) => fromKey(x, maps, depth + 1)) } };
  if (inner && depth < 3) return { ...s, type: 'map', fields: inner.filter((x) => x.form !== 'step[]').map((x) => fromKey(x, maps, depth + 1)) };
  return s;
}

/** The path of a field below another one, as an edit names it. */
export const below = (path: string, name: string | number) => (typeof name === 'number' ? `${path}[${name}]` : /^[^.["\]]+$/.test(name) ? (path ? `${path}.${name}` : name) : `${path}[${JSON.stringify(name)}]`);

/** What lint says of each field of a step: of a place in the text the last field that begins before it. */
export function wrongs(part: LookedPart, findings: Finding[]): Map<string, Finding[]> {
  const out = new Map<string, Finding[]>();
  for (const f of findings) {
    if (!f.line || f.line < part.line || f.line > part.end) continue;
    const col = f.column ?? 1;
    const at = (part.fields ?? []).filter((x) => x.line < (f.line ?? 0) || (x.line === f.line && x.column <= col)).at(-1);
    // Where a key is missing the finding stands at the map: then its name is in what is said.
    const named = /`([\w.]+)`/.exec(f.message)?.[1];
    const path = at && (at.line === f.line || !named) ? at.path : at?.path ?? '';
    out.set(path, [...(out.get(path) ?? []), f]);
  }
  return out;
}

/** What is said of a field or of what is in it, where that has no field of its own. */
export function saidOf(all: Map<string, Finding[]>, path: string, own: (path: string) => boolean): Finding[] {
  return [...all].flatMap(([at, fs]) => (at === path || ((at.startsWith(`${path}.`) || at.startsWith(`${path}[`)) && !own(at)) ? fs : []));
}

/** A value as it is typed into a field: plain words for texts, JSON for all else. */
export const written = (v: unknown): string => (v === undefined || v === null ? '' : typeof v === 'string' ? v : JSON.stringify(v));

const durationText = /^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h|d|w))+$/;

/** And back. A template gives its value when it runs. */
export function readAs(type: string, text: string): { value: unknown } | { wrong: string } {
  const t = text.trim();
  if (t.includes('{{')) return { value: text };
  switch (type) {
    case 'number': return t !== '' && Number.isFinite(Number(t)) ? { value: Number(t) } : { wrong: 'A number, or a template.' };
    case 'boolean': return t === 'true' || t === 'false' ? { value: t === 'true' } : { wrong: 'true or false, or a template.' };
    case 'duration': return durationText.test(t) ? { value: t } : { wrong: 'A duration such as 30s, 5m or 1h30m, or a template.' };
    case 'list': case 'map': case 'any': {
      try { return { value: JSON.parse(t) as unknown }; } catch { return type === 'any' ? { value: text } : { wrong: `${type === 'list' ? 'A list' : 'A map'} as JSON, or a template.` }; }
    }
    default: return { value: text };
  }
}

/** The fields of a step, in groups: first what it does. */
export function groupsOf(a: Action | undefined, keys: Key[], maps: Record<string, Key[] | null>, block: boolean): { title: string; of: Spec[] }[] {
  const one = (names: string[]) => names.flatMap((n) => { const k = keys.find((x) => x.name === n); return k ? [fromKey(k, maps)] : []; });
  const seen = new Set(['id', 'uses', 'with', 'steps', 'parallel', 'catch', 'finally', 'verify', 'undo']);
  const when = ['when', 'until', 'within', 'every', 'foreach', 'lock', 'target', 'effect', 'irreversible', 'env', 'args', 'runner', 'integration'];
  const goes = ['timeout', 'retry', 'onDoubt', 'approval', 'stopWhen', 'ignoreFailure', 'artifacts'];
  const about = ['name', 'description'];
  const rest = keys.map((k) => k.name).filter((n) => !seen.has(n) && ![...when, ...goes, ...about].includes(n));
  return [
    ...(block ? [] : [{ title: 'Inputs', of: (a?.inputs ?? []).map(fromInput) }]),
    { title: block ? 'When and what' : 'When, on what and where', of: one(when) },
    { title: 'How it goes on', of: one([...goes, ...rest]) },
    { title: 'What it is called', of: one(about) },
  ].filter((g) => g.of.length > 0);
}
