import { expect, it } from 'vitest';

import type { Glance, GlanceStep } from '../../api/schema';
import { apply, know, linesOf, matters, rowsOf } from './model';

const step = (path: string, status = 'pending', more: Partial<GlanceStep> = {}): GlanceStep => ({ path, place: path.replace(/\["[^"]*"\]/g, ''), depth: 0, kind: 'action', label: path, status, ...more });
const glance = (steps: GlanceStep[]): Glance => ({ head: { id: 'run_1', seq: 1 } as Glance['head'], steps, moments: [] });

it('changes what changed, and puts what is new after what it says', () => {
  const k = know(glance([step('a', 'running'), step('b'), step('c')]));
  const next = apply(k, { steps: [step('a', 'succeeded'), step('a.x', 'running', { after: 'a' }), step('a.y', 'pending', { after: 'a.x' })] });
  expect(next?.steps.map((s) => `${s.path}:${s.status}`)).toEqual(['a:succeeded', 'a.x:running', 'a.y:pending', 'b:pending', 'c:pending']);
  expect(apply(next!, { gone: ['a.x'] })?.steps.map((s) => s.path)).toEqual(['a', 'a.y', 'b', 'c']);
  expect(k.steps.map((s) => s.path)).toEqual(['a', 'b', 'c']);
});

it('puts what is new at the beginning', () => {
  expect(apply(know(glance([step('b')])), { steps: [step('a')] })?.steps.map((s) => s.path)).toEqual(['a', 'b']);
});

it('asks for all of it when a delta does not fit', () => {
  expect(apply(know(glance([step('a')])), { steps: [step('z', 'running', { after: 'nowhere' })] })).toBeNull();
});

it('tells what happened once, also when the glance holds it already', () => {
  const m = (seq: number, text: string) => ({ seq, text, at: '2026-01-01T00:00:00Z' });
  const k = know({ ...glance([]), moments: [m(1, 'started'), m(2, 'approved')] });
  expect(apply(k, { moments: [m(2, 'approved'), m(3, 'done'), m(3, 'and verified')] })?.moments.map((x) => x.text)).toEqual(['started', 'approved', 'done', 'and verified']);
});

it('shows of iterations what must be seen most', () => {
  const k = know(glance([
    step('l', 'running', { kind: 'foreach', count: 3, done: 2, failed: 1 }), step('l["a"]', 'failed', { kind: 'iteration' }),
    step('l["a"].s', 'failed'), step('l["b"]', 'succeeded', { kind: 'iteration' }), step('l["b"].s', 'succeeded'), step('l["c"].s', 'running'),
  ]));
  expect(k.places.get('l.s')).toMatchObject({ status: 'failed', instances: 3, path: 'l["a"].s' });
  expect(k.places.get('l')).toMatchObject({ status: 'running', count: 3, done: 2, failed: 1 });
});

it('makes lines of pieces, each stream its own', () => {
  const p = (stream: string, text: string) => ({ at: 't', attempt: 1, path: 'a', stream, text });
  expect(linesOf([p('stdout', 'one\ntw'), p('stderr', 'err\n'), p('stdout', 'o\nthree'), p('stdout', '\n\nend')]).map((l) => l.text)).toEqual(['one', 'two', 'err', 'three', '', 'end']);
});

it('shows an iteration of one step in one row', () => {
  const at = (path: string, parent: string, depth: number, kind = 'action'): GlanceStep => ({ ...step(path), parent, depth, kind });
  const rows = rowsOf([
    at('l', '', 0, 'foreach'), at('l[0]', 'l', 1, 'iteration'), at('l[0].s', 'l[0]', 2), at('l[1]', 'l', 1, 'iteration'), at('l[1].a', 'l[1]', 2), at('l[1].b', 'l[1]', 2), at('z', '', 0),
  ]);
  expect(rows.map((s) => `${s.path}@${s.depth}`)).toEqual(['l@0', 'l[0].s@1', 'l[1]@1', 'l[1].a@2', 'l[1].b@2', 'z@0']);
});

it('finds the step that matters', () => {
  expect(matters([step('a', 'failed'), step('b', 'running', { acts: 't' }), step('c', 'waiting', { task: 'task_1' })])?.path).toBe('c');
  expect(matters([step('a', 'failed'), step('b', 'running', { acts: 't' })])?.path).toBe('b');
  expect(matters([step('l', 'failed', { kind: 'foreach' }), step('l.s', 'failed')])?.path).toBe('l.s');
  expect(matters([step('a', 'succeeded')])).toBeUndefined();
});
