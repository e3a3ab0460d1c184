// Where a step can go, in words: what becomes of it when it is let go over a box of the graph, with the edits that do it.
// Pure. What the server would refuse for sure is refused here, with its reason; all else it decides itself.
import type { Action, Box, Edit, Key, LookedDocument, LookedPart } from '../../api/schema';

/** What is moved or added. */
export type What = { path: string } | { action: Action };

export interface Place {
  key: string;
  /** The box that it belongs to. */
  at: string;
  /** What comes of it: "runs after Measure". */
  says: string;
  edits: Edit[];
  /** Why it cannot be. */
  refused?: string;
}

/** What is known of the text. */
export interface Known { doc: LookedDocument; actions: Map<string, Action>; check: Key[]; undo: Key[] }

export const listOf = (path: string) => path.replace(/\[\d+\]$/, '');
const nameOf = (list: string) => /([^.\]]+)$/.exec(list)?.[1] ?? '';
const inside = (path: string, of: string) => path === of || path.startsWith(`${of}.`);
export const slotOf = (path: string) => /^(.*)\.(verify|undo)$/.exec(path);

/** The step that a step or list stands in: of `steps[1].catch` and of `steps[1].parallel[0]` it is `steps[1]`. */
export const holderOf = (path: string) => {
  const at = listOf(path).replace(/(^|\.)[^.[\]]+$/, '');
  return at === 'start' ? '' : at.replace(/\.foreach$/, '');
};

export const says = (p: LookedPart | undefined) => (p?.says ?? {}) as Record<string, unknown>;

/** What a step is called. */
export function titleOf(k: Known, path: string): string {
  const box = k.doc.layout?.boxes.find((b) => b.path === path);
  const s = says(k.doc.parts?.find((p) => p.path === path));
  for (const v of [s['name'], box?.title, s['id'], s['uses']]) if (typeof v === 'string' && v) return v;
  return box?.kind ?? path;
}

/** The step that an action begins as: its inputs that are needed, with what is right by default. */
export function beginning(a: Action): Record<string, unknown> {
  const needs = a.inputs.filter((f) => f.required).map((f) => [f.name, f.default ?? f.enum?.[0] ?? (f.type === 'list' ? [] : f.type === 'map' ? {} : f.type === 'number' ? 0 : f.type === 'boolean' ? false : f.type === 'duration' ? '1m' : '…')]);
  return { uses: a.name, ...(needs.length ? { with: Object.fromEntries(needs) as Record<string, unknown> } : {}) };
}

/** What a check waits for when nobody said it: what the action itself calls well. */
export function untilOf(a: Action | undefined): string {
  const has = (n: string) => a?.outputs.some((o) => o.name === n);
  if (has('status')) return 'result.status == 200';
  if (has('exitCode')) return 'result.exitCode == 0';
  return 'result.value == true';
}

/** Why something cannot be the verify or undo of a step; undefined: nothing is in the way. */
function unfit(k: Known, what: What, target: LookedPart, name: 'verify' | 'undo'): string | undefined {
  const to = says(target);
  const uses = typeof to['uses'] === 'string' ? to['uses'] : '';
  const title = titleOf(k, target.path);
  const verb = k.actions.get(uses)?.verb && uses !== 'playbook';
  if (verb) return `${uses} is a command of the run: it has no ${name}`;
  if (to[name] !== undefined) return `${title} has ${name === 'undo' ? 'an undo' : 'a verify'} already`;
  const part = 'path' in what ? k.doc.parts?.find((p) => p.path === what.path) : undefined;
  const a = 'action' in what ? what.action : k.actions.get(String(says(part)['uses'] ?? ''));
  if (part && !says(part)['uses']) return `a block cannot ${name} a step`;
  if (a?.verb) return `${a.name} is a command of the run: it cannot ${name} a step`;
  const keys = new Set((name === 'verify' ? k.check : k.undo).map((x) => x.name));
  const more = Object.keys(says(part)).find((x) => x !== 'id' && !keys.has(x));
  if (keys.size && more) return `${name === 'undo' ? 'an undo' : 'a verify'} has no ${more}`;
  return undefined;
}

/** All that can become of something that is let go over a box, the likeliest first. */
export function placesAt(k: Known, box: Box, what: What): Place[] {
  const t = titleOf(k, box.path);
  const out: Place[] = [];
  const moving = 'path' in what ? what.path : undefined;
  const put = (to: { after?: string; before?: string; into?: string }, value?: unknown): Edit => ('path' in what
    ? { do: 'move', path: what.path, ...to, ...(value ? { value } : {}) }
    : { do: 'add', value: { ...beginning(what.action), ...(value as object | undefined) }, ...to });
  const place = (how: string, says: string, edits: Edit[], refused?: string) => out.push({ key: `${box.path}:${how}`, at: box.path, says, edits, ...(refused ? { refused } : {}) });
  if (moving !== undefined && moving === box.path) return [{ key: `${box.path}:self`, at: box.path, says: t, edits: [], refused: 'It is this one.' }];
  if (moving !== undefined && inside(box.path, moving)) return [{ key: `${box.path}:in`, at: box.path, says: t, edits: [], refused: `It stands in ${titleOf(k, moving)}: a step cannot go into itself.` }];
  if (box.kind === 'start') {
    const first = k.doc.parts?.find((p) => p.path === 'steps[0]');
    place('first', 'runs first', [put(first ? { before: 'steps[0]' } : { into: 'steps' })]);
    return out;
  }
  if (box.kind === 'end') {
    place('last', 'runs last', [put({ into: 'steps' })]);
    place('catch', 'runs when the playbook failed', [put({ into: 'catch' })]);
    place('finally', 'runs at the end, however the playbook ended', [put({ into: 'finally' })]);
    return out;
  }
  const part = k.doc.parts?.find((p) => p.path === box.path);
  if (!part) return [{ key: `${box.path}:none`, at: box.path, says: t, edits: [], refused: 'It has no place of its own in the text.' }];
  if (part.list) {
    const of = holderOf(part.path);
    const whose = of ? titleOf(k, of) : 'the playbook';
    place('into', nameOf(part.path) === 'catch' ? `runs when ${whose} failed, last of its catch` : nameOf(part.path) === 'finally' ? `runs at the end of ${whose}, however it ended` : `runs last in ${whose}`, [put({ into: part.path })]);
    return out;
  }
  if (!/\]$/.test(part.path)) {
    const slot = slotOf(part.path);
    return [{ key: `${box.path}:slot`, at: box.path, says: t, edits: [], refused: slot ? `${t} is the ${slot[2]} of ${titleOf(k, slot[1] ?? '')}: let it go over that step.` : 'One step stands there, and no other one can.' }];
  }
  const s = says(part);
  const body = bodyOf(k.doc, part.path);
  const lane = nameOf(listOf(part.path)) === 'parallel';
  if (body) {
    const into = `${part.path}.${body}`;
    if (body === 'parallel') place('lane', `runs beside all in ${t}, as a lane of its own`, [put({ into })]);
    else place('into', body === 'foreach.steps' ? `runs in each turn of ${t}, last` : s['lock'] ? `runs while ${t} is locked, last` : `runs in ${t}, last`, [put({ into })]);
  }
  // What is wrapped has another way to it; so has what stands in it and leaves it.
  const wrapped = (into: 'parallel' | 'steps', after: string): Edit[] => {
    const one = put({ after });
    if (moving !== undefined && inside(moving, part.path)) one.path = `${part.path}.${into}[0]${moving.slice(part.path.length)}`;
    return [{ do: 'wrap', path: part.path, block: into }, one];
  };
  if (lane) {
    if (!body) place('then', `runs after ${t}, in the same lane`, wrapped('steps', `${part.path}.steps[0]`));
    place('beside', `runs beside ${t}, as a lane of its own`, [put({ after: part.path })]);
  } else {
    place('after', `runs after ${t}`, [put({ after: part.path })]);
    place('before', `runs before ${t}`, [put({ before: part.path })]);
    if (body !== 'parallel') place('beside', `runs beside ${t}`, wrapped('parallel', `${part.path}.parallel[0]`));
  }
  if (body) {
    place('catch', `runs when ${t} failed`, [put({ into: `${part.path}.catch` })]);
    place('finally', `runs at the end of ${t}, however it ended`, [put({ into: `${part.path}.finally` })]);
  } else if (moving === undefined || !slotOf(moving)) {
    const a = 'action' in what ? what.action : k.actions.get(String(says(k.doc.parts?.find((p) => p.path === moving))['uses'] ?? ''));
    place('verify', `verifies ${t}`, [put({ into: `${part.path}.verify` }, { until: untilOf(a) })], unfit(k, what, part, 'verify'));
    place('undo', `undoes ${t}`, [put({ into: `${part.path}.undo` })], unfit(k, what, part, 'undo'));
  }
  return out;
}

/** The list in which a block has its steps; undefined: it is no block. */
export function bodyOf(doc: LookedDocument, path: string): 'parallel' | 'foreach.steps' | 'steps' | undefined {
  return (['parallel', 'foreach.steps', 'steps'] as const).find((b) => doc.parts?.some((p) => p.list && p.path === `${path}.${b}`));
}

/** Every place there is, in the order of the text. */
export function allPlaces(k: Known, what: What): Place[] {
  return (k.doc.layout?.boxes ?? []).flatMap((b) => placesAt(k, b, what)).filter((p) => p.edits.length > 0);
}

/** Where a line of the graph leads: what is let go on it stands there. */
export function placeOnLine(k: Known, from: string, to: string, what: What): Place | undefined {
  const box = (path: string) => k.doc.layout?.boxes.find((b) => b.path === path);
  const [a, b] = [box(from), box(to)];
  if (!a || !b) return undefined;
  const before = b.kind === 'end' ? undefined : placesAt(k, b, what).find((p) => /:before$/.test(p.key));
  const p = before ?? (b.kind === 'end' ? placesAt(k, b, what)[0] : placesAt(k, a, what).find((x) => /:(after|first)$/.test(x.key)));
  if (!p) return undefined;
  const words = a.kind === 'start' ? `runs first, before ${titleOf(k, to)}` : b.kind === 'end' ? `runs last, after ${titleOf(k, from)}` : `runs between ${titleOf(k, from)} and ${titleOf(k, to)}`;
  return { ...p, key: `${from}>${to}`, says: words };
}
