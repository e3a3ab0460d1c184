import { describe, expect, it } from 'vitest';

import type { Action, Box, LookedDocument } from '../../api/schema';
import { offers, type Words } from './complete';
import { fromKey, wrongs } from './fields';
import { merge } from './merge';
import { allPlaces, beginning, type Known, placeOnLine, placesAt } from './places';
import { before, idFor, inReach, insertRef } from './refs';

const box = (path: string, kind: string, title: string): Box => ({ path, kind, title, x: 0, y: 0, w: 1, h: 1 });
const shell: Action = { name: 'shell', summary: '', inputs: [{ name: 'script', type: 'string', required: true, verbatim: true }], outputs: [{ name: 'exitCode', type: 'number', required: true }, { name: 'value', type: 'any', required: true }] };
const approve: Action = { name: 'approve', summary: '', verb: true, inputs: [], outputs: [] };
const doc = {
  index: 0, kind: 'Playbook', parameters: [{ name: 'who', type: 'string', required: true }],
  layout: { name: 'p', w: 1, h: 1, edges: [], boxes: [box('start', 'start', 'start'), box('steps[0]', 'action', 'Measure'), box('steps[1]', 'parallel', 'Look'), box('steps[1].parallel[0]', 'action', 'A'), box('steps[1].parallel[1]', 'action', 'B'), box('steps[2]', 'action', 'Act'), box('steps[2].undo', 'action', 'back'), box('catch', 'catch', 'catch'), box('catch[0]', 'action', 'Say'), box('end', 'end', 'end')] },
  parts: [
    { path: 'steps', list: true, line: 1, end: 20, column: 1 }, { path: 'steps[0]', line: 2, end: 3, column: 3, says: { id: 'usage', uses: 'shell' }, fields: [{ path: 'id', line: 2, column: 5 }, { path: 'with', line: 3, column: 5 }, { path: 'with.script', line: 3, column: 12 }] },
    { path: 'steps[1]', line: 4, end: 9, column: 3, says: { name: 'Look' } }, { path: 'steps[1].parallel', list: true, line: 5, end: 9, column: 5 },
    { path: 'steps[1].parallel[0]', line: 6, end: 7, column: 7, says: { id: 'a', uses: 'shell' } }, { path: 'steps[1].parallel[1]', line: 8, end: 9, column: 7, says: { name: 'List all', uses: 'shell' } },
    { path: 'steps[2]', line: 10, end: 14, column: 3, says: { uses: 'shell', when: 'true', undo: { uses: 'shell' } } }, { path: 'steps[2].undo', line: 13, end: 14, column: 5, says: { uses: 'shell' } },
    { path: 'catch', list: true, line: 15, end: 16, column: 1 }, { path: 'catch[0]', line: 16, end: 16, column: 3, says: { uses: 'shell' } },
  ],
} as unknown as LookedDocument;
const key = (name: string, form = 'text') => ({ name, form, doc: '' });
const k: Known = { doc, actions: new Map([['shell', shell], ['approve', approve]]), check: [key('uses'), key('with', 'map'), key('until', 'logic')], undo: [key('uses'), key('with', 'map')] };
const at = (path: string) => doc.layout?.boxes.find((b) => b.path === path) as Box;
const said = (path: string, what: Parameters<typeof placesAt>[2]) => placesAt(k, at(path), what).map((p) => (p.refused ? `${p.says}: ${p.refused}` : p.says));

describe('places', () => {
  it('says what comes of it, and refuses with a reason', () => {
    expect(said('steps[0]', { path: 'catch[0]' })).toEqual(['runs after usage', 'runs before usage', 'runs beside usage', 'verifies usage', 'undoes usage'].map((s) => s.replace('usage', 'Measure')));
    expect(said('steps[2]', { action: approve })).toContain('verifies Act: approve is a command of the run: it cannot verify a step');
    expect(said('steps[2]', { path: 'catch[0]' })).toContain('undoes Act: Act has an undo already');
    expect(said('steps[0]', { path: 'steps[2]' })).toContain('verifies Measure: a verify has no when');
    expect(said('steps[1].parallel[0]', { path: 'steps[1]' })).toEqual(['A: It stands in Look: a step cannot go into itself.']);
    expect(said('steps[1]', { path: 'steps[0]' })).toEqual(['runs beside all in Look, as a lane of its own', 'runs after Look', 'runs before Look', 'runs when Look failed', 'runs at the end of Look, however it ended']);
    expect(said('steps[2].undo', { path: 'steps[0]' })[0]).toMatch(/is the undo of Act/);
    expect(said('end', { path: 'steps[0]' })).toEqual(['runs last', 'runs when the playbook failed', 'runs at the end, however the playbook ended']);
    expect(placeOnLine(k, 'steps[0]', 'steps[1]', { path: 'catch[0]' })).toMatchObject({ says: 'runs between Measure and Look', edits: [{ do: 'move', path: 'catch[0]', before: 'steps[1]' }] });
    expect(allPlaces(k, { path: 'steps[0]' }).length).toBeGreaterThan(15);
  });
  it('finds what stands in something that is wrapped', () => {
    const p = placesAt(k, at('steps[2]'), { path: 'steps[2].undo' }).find((x) => x.says === 'runs beside Act');
    expect(p?.edits).toEqual([{ do: 'wrap', path: 'steps[2]', block: 'parallel' }, { do: 'move', path: 'steps[2].parallel[0].undo', after: 'steps[2].parallel[0]' }]);
  });
  it('begins a step with what it needs', () => expect(beginning(shell)).toEqual({ uses: 'shell', with: { script: '…' } }));
});

describe('references', () => {
  it('reach what ran before, and not what runs beside', () => {
    expect([before('steps[0]', 'steps[2]'), before('steps[1].parallel[0]', 'steps[2]'), before('steps[1].parallel[0]', 'steps[1].parallel[1]'), before('steps[2]', 'steps[0]'), before('steps[2]', 'catch[0]'), before('steps[2]', 'steps[2].undo')]).toEqual([true, true, false, false, true, true]);
    const names = inReach(doc, k.actions, 'steps[2]').map((r) => r.name);
    expect(names).toContain('steps.usage.value');
    expect(names).toContain('params.who');
    expect(inReach(doc, k.actions, 'steps[2]').find((r) => r.name === 'steps.list_all.exitCode')?.needs).toEqual({ path: 'steps[1].parallel[1]', id: 'list_all' });
    expect(inReach(doc, k.actions, 'catch[0]').map((r) => r.name)).toContain('error.message');
  });
  it('are written as the field takes them', () => {
    const r = { name: 'steps.a.b' };
    expect(insertRef('', 0, 0, r, false)).toBe('{{ $.steps.a.b }}');
    expect(insertRef('x > 1', 0, 1, r, true)).toBe('steps.a.b > 1');
    expect(insertRef('{{ upper  }}', 9, 9, r, false)).toBe('{{ upper $.steps.a.b }}');
    expect([idFor('Measure it!', new Set()), idFor('Ä 1', new Set()), idFor('a', new Set(['a']))]).toEqual(['measure_it', 'step', 'a_2']);
  });
});

it('two changes of one text are brought together, and where both changed a line mine stays', () => {
  expect(merge('a\nb\nc', 'a\nB\nc', 'a\nb\nc\nd')).toEqual({ text: 'a\nB\nc\nd', clashes: 0 });
  expect(merge('a\nb\nc', 'a\nB\nc', 'a\nX\nc')).toEqual({ text: 'a\nB\nc', clashes: 1 });
  expect(merge('a\nb', 'a\nb', 'x\na')).toEqual({ text: 'x\na', clashes: 0 });
  expect(merge('a', 'b', 'b')).toEqual({ text: 'b', clashes: 0 });
});

it('offers what can be written where the cursor is', () => {
  const w: Words = { actions: [shell], step: [key('id'), key('uses'), key('with', 'map'), key('retry', 'retry')], block: [key('parallel', 'step[]')], maps: { retry: [key('attempts')] }, refs: inReach(doc, k.actions, 'steps[2]') };
  const list = (text: string) => offers(text, w)?.list.map((o) => o.label);
  expect(list('steps:\n  - uses: sh')).toEqual(['shell']);
  expect(list('steps:\n  - uses: shell\n    with:\n      sc')).toEqual(['script']);
  expect(list('steps:\n  - uses: shell\n    re')).toEqual(['id', 'with', 'retry', 'parallel']);
  expect(list('steps:\n  - uses: shell\n    retry:\n      a')).toEqual(['attempts']);
  expect(list("steps:\n  - uses: log\n    with: {message: '{{ $.st")).toContain('$.steps.usage.value');
  expect(list('steps:\n  - when: ste')).toContain('steps.usage.value');
  expect(offers('steps:\n  - uses: log\n    name: hel', w)).toBeNull();
});

it('forms follow the keys of the language, and what is wrong stands at its field', () => {
  const s = fromKey(key('retry', 'retry'), { retry: [key('attempts', 'count'), key('on', 'texts')] });
  expect([s.type, s.fields?.map((f) => f.type)]).toEqual(['map', ['number', 'any']]);
  const p = doc.parts?.find((x) => x.path === 'steps[0]');
  const f = (line: number, column: number) => ({ file: '', line, column, message: 'x', rule: 'r', severity: 'error' });
  expect([...wrongs(p as NonNullable<typeof p>, [f(3, 20), f(2, 6), f(9, 1)]).keys()]).toEqual(['with.script', 'id']);
});
