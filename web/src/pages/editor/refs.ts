// What a field of a step can refer to: parameters, what steps before it give, what loops around it name. Pure.
import type { Action, ActionField, LookedDocument, LookedPart } from '../../api/schema';
import { listOf, says, slotOf } from './places';

export interface Ref {
  /** As logic has it: steps.usage.value */
  name: string;
  /** Whose it is. */
  from: string;
  type: string;
  description: string;
  /** The step gets this id first: without one it leaves nothing behind. */
  needs?: { path: string; id: string };
}

interface Token { list: string; at: number }

/** The lists that a path leads through. */
function tokens(path: string): Token[] {
  const out: Token[] = [];
  for (const m of path.matchAll(/\[(\d+)\]/g)) out.push({ list: path.slice(0, m.index), at: Number(m[1]) });
  return out;
}

/** Whether what a step gives can be there when another one runs. */
export function before(path: string, of: string): boolean {
  const [a, b] = [tokens(path), tokens(of)];
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [x, y] = [a[i], b[i]];
    if (!x || !y) break;
    if (x.list === y.list) {
      if (x.at === y.at) continue;
      return x.at < y.at && !/(^|\.)parallel$/.test(x.list);
    }
    // In the catch or finally of what the other one stands in, all of it may have run.
    return /(^|\.)(catch|finally)$/.test(y.list) && !/(^|\.)finally$/.test(x.list) && (/(^|\.)finally$/.test(y.list) || !/(^|\.)catch$/.test(x.list));
  }
  // A verify and an undo see what their own step gives; a block that is around is not over.
  return Boolean(slotOf(of)) && listOf(path) !== '' && slotOf(of)?.[1] === path && /\.undo$/.test(of);
}

/** An id for a step that has none, of what it is called. */
export function idFor(title: string, taken: Set<string>): string {
  const begin = title.toLowerCase().replace(/[^a-z0-9]+/g, '_').replace(/^[^a-z]+|_+$/g, '').slice(0, 30).replace(/_+$/, '') || 'step';
  for (let n = 1; ; n++) {
    const id = n === 1 ? begin : `${begin}_${n}`;
    if (!taken.has(id)) return id;
  }
}

const plainName = /^[A-Za-z_][A-Za-z0-9_]*$/;

function outputsOf(at: string, fields: ActionField[], depth = 0): { name: string; type: string; description: string }[] {
  return fields.flatMap((f) => (plainName.test(f.name) ? [
    { name: `${at}.${f.name}`, type: f.type, description: f.description ?? '' },
    ...(depth < 2 && f.fields ? outputsOf(`${at}.${f.name}`, f.fields, depth + 1) : []),
  ] : []));
}

/** What is in reach of a step, the nearest first. */
export function inReach(doc: LookedDocument, actions: Map<string, Action>, path: string): Ref[] {
  const parts = doc.parts ?? [];
  const out: Ref[] = [];
  const part = (p: string) => parts.find((x) => x.path === p);
  if (/\.verify$/.test(path)) {
    const a = actions.get(String(says(part(path))['uses'] ?? ''));
    for (const o of outputsOf('result', a?.outputs ?? [])) out.push({ ...o, from: 'what the check found' });
  }
  for (let at = path; at; ) {
    const up = listOf(at).replace(/(^|\.)[^.[\]]+$/, '');
    const loop = /\.foreach\.steps(\[|$)/.test(at) ? at.slice(0, at.lastIndexOf('.foreach.steps')) : '';
    const l = loop ? says(part(loop))['foreach'] as Record<string, unknown> | undefined : undefined;
    for (const k of ['value', 'key'] as const) if (typeof l?.[k] === 'string' && !out.some((r) => r.name === l[k])) out.push({ name: l[k], from: 'the loop around it', type: 'any', description: k === 'key' ? 'The number or key of the turn.' : 'The value of the turn.' });
    at = loop || up;
    if (at === path) break;
  }
  const taken = new Set(parts.map((p) => says(p)['id']).filter((x): x is string => typeof x === 'string'));
  const steps = parts.filter((p): p is LookedPart => !p.list && /\]$/.test(p.path) && says(p)['uses'] !== undefined && before(p.path, path));
  for (const p of steps.reverse()) {
    const s = says(p);
    const a = actions.get(String(s['uses']));
    const title = [s['name'], s['id'], s['uses']].find((x): x is string => typeof x === 'string') ?? p.path;
    const id = typeof s['id'] === 'string' ? s['id'] : idFor(title, taken);
    const needs = typeof s['id'] === 'string' ? {} : { needs: { path: p.path, id } };
    const list = outputsOf(`steps.${id}`, a?.outputs ?? []);
    if (!list.length && typeof s['id'] === 'string') list.push({ name: `steps.${id}`, type: 'any', description: '' });
    for (const o of list) out.push({ ...o, from: title, ...needs });
  }
  if (/(^|\.)(catch|finally)\[/.test(path)) for (const n of ['kind', 'message', 'name', 'step']) out.push({ name: `error.${n}`, from: 'what failed', type: 'string', description: '' });
  for (const p of doc.parameters ?? []) out.push({ name: plainName.test(p.name) ? `params.${p.name}` : `params.'${p.name}'`, from: 'parameters', type: p.type, description: p.description ?? '' });
  for (const n of ['run.id', 'run.by', 'run.name']) out.push({ name: n, from: 'the run', type: 'string', description: '' });
  return out;
}

/** A reference as it is written: logic has it plain, all else as a template. */
export const writtenRef = (r: Pick<Ref, 'name'>, logic: boolean) => (logic ? r.name : `{{ $.${r.name} }}`);

/** A text with a reference put at a place of it. An empty field becomes the reference itself, and keeps its type. */
export function insertRef(text: string, from: number, to: number, r: Pick<Ref, 'name'>, logic: boolean): string {
  const open = text.lastIndexOf('{{', from - 1);
  const within = !logic && open >= 0 && text.indexOf('}}', open) >= from;
  return text.slice(0, from) + (within ? `$.${r.name}` : writtenRef(r, logic)) + text.slice(to);
}

/** Those that one step gives. */
export function givenBy(refs: Ref[], doc: LookedDocument | undefined, path: string): Ref[] {
  const id = says(doc?.parts?.find((p) => p.path === path))['id'];
  return refs.filter((r) => (r.needs ? r.needs.path === path : typeof id === 'string' && (r.name === `steps.${id}` || r.name.startsWith(`steps.${id}.`))));
}
