// What can be written at a place of the text: keys, actions, references. Pure: it reads the lines above.
import type { Action, Key } from '../../api/schema';
import type { Ref } from './refs';

export interface Offer { label: string; type: 'action' | 'key' | 'reference' | 'value'; says: string; insert?: string }
export interface Offers { from: number; list: Offer[] }

export interface Words { actions: Action[]; step: Key[]; block: Key[]; maps: Record<string, Key[] | null>; refs: Ref[] }

const top: Offer[] = ['apiVersion', 'kind', 'metadata', 'parameters', 'offer', 'timeout', 'steps', 'catch', 'finally', 'outputs', 'artifacts'].map((label) => ({ label, type: 'key', says: '', insert: `${label}: ` }));

const logic = /^\s*(?:- +)*(?:when|until|break|that|if|in):\s*/;

/** The keys of the maps around a line, the outermost first, and what the innermost step uses. */
export function around(lines: string[], column: number): { keys: string[]; uses: string; has: Set<string> } {
  const keys: string[] = [];
  let deep = column;
  let uses = '';
  const has = new Set<string>();
  let inStep = true;
  for (let i = lines.length - 1; i >= 0; i--) {
    const l = lines[i] ?? '';
    if (!l.trim() || /^\s*#/.test(l)) continue;
    if (l.startsWith('---')) break;
    const m = /^(\s*(?:- +)*)([\w.-]+):/.exec(l);
    if (!m) continue;
    const [, lead = '', key = ''] = m;
    if (lead.length === deep && keys.length === 0) has.add(key);
    if (inStep && key === 'uses' && lead.length <= deep) uses ||= /uses:\s*['"]?([\w./@-]+)/.exec(l)?.[1] ?? '';
    if (lead.length < deep) { keys.unshift(key); deep = lead.replace(/- +$/, '').length < lead.length ? lead.length : lead.length; }
    // Behind a dash a step begins: what stands above it belongs to others.
    if (/- /.test(lead) && lead.length <= column) inStep = false;
    if (lead.length === 0) break;
  }
  return { keys, uses, has };
}

/** What fits at the end of a text. null: nothing is known. */
export function offers(text: string, w: Words): Offers | null {
  const lines = text.split('\n');
  const line = lines.pop() ?? '';
  const start = text.length - line.length;
  const ref = /(?:\$\.)?((?:[A-Za-z_]\w*\.)*[A-Za-z_]*)$/.exec(line);
  const open = line.lastIndexOf('{{');
  const inTemplate = open >= 0 && line.indexOf('}}', open) < 0;
  if (inTemplate && ref) {
    const at = ref[0].startsWith('$.') ? ref.index : ref[1] === '' ? line.length : -1;
    if (at < 0) return null;
    return { from: start + at, list: w.refs.map((r) => ({ label: `$.${r.name}`, type: 'reference', says: r.from })) };
  }
  if (logic.test(line) && ref) return { from: start + ref.index, list: w.refs.map((r) => ({ label: r.name, type: 'reference', says: r.from })) };
  const uses = /^\s*(?:- +)*uses:\s*['"]?([\w./@-]*)$/.exec(line);
  if (uses) return { from: start + line.length - (uses[1] ?? '').length, list: w.actions.map((a) => ({ label: a.name, type: 'action', says: a.summary })) };
  const key = /^(\s*(?:- +)*)([\w-]*)$/.exec(line);
  if (!key) return null;
  const [, lead = '', word = ''] = key;
  const from = start + lead.length;
  if (lead === '') return word ? { from, list: top } : null;
  const at = around(lines, lead.length);
  const inner = at.keys.at(-1) ?? '';
  const keys = (ks: Key[]): Offer[] => ks.filter((k) => !at.has.has(k.name)).map((k) => ({ label: k.name, type: 'key', says: k.doc, insert: `${k.name}: ` }));
  if (inner === 'with') {
    const a = w.actions.find((x) => x.name === at.uses);
    return a ? { from, list: a.inputs.filter((f) => !at.has.has(f.name)).map((f) => ({ label: f.name, type: 'key', says: f.description ?? '', insert: `${f.name}: ` })) } : null;
  }
  if (['steps', 'catch', 'finally', 'parallel'].includes(inner)) return { from, list: keys([...w.step, ...w.block.filter((b) => !w.step.some((s) => s.name === b.name))]) };
  const form = [...w.step, ...w.block].find((k) => k.name === inner)?.form ?? '';
  const map = w.maps[form];
  return map ? { from, list: keys(map) } : null;
}
