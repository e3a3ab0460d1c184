import { describe, expect, it } from 'vitest';

import type { Line } from '../../api/schema';
import { moments, type Piece } from './story';

const say = (p: Piece) => (typeof p === 'string' ? p : 'who' in p ? `<${p.who}>` : 'at' in p ? `@${p.at}` : `"${p.value}"`);
const by = { id: 'user:ann', name: 'ann', via: 'page' };
const line = (what: string, detail: Line['detail'], more: Partial<Line> = {}): Line => ({ at: '2026-01-01T00:00:00Z', what, who: 'ann', ...(detail ? { detail } : {}), ...more });
const told = (timeline: Line[]) => moments({ timeline }).map((m) => m.phrases.map((p) => p.map(say).join('')).join('; '));
const opened = line('opened', { name: 'Disk', severity: 'major' });

describe('an update is told against what stood before', () => {
  it('take, command, severity', () => {
    expect(told([opened, line('updated', { change: { by, status: 'acknowledged', responders: ['ann'] } })])[1]).toBe('took it');
    expect(told([opened, line('updated', { change: { by, commander: 'ann', severity: 'critical' } })])[1]).toBe('took command; raised the severity from major to "critical"');
    expect(told([opened, line('updated', { change: { by, commander: 'bob', severity: 'minor' } })])[1]).toBe('gave command to <bob>; lowered the severity from major to "minor"');
  });
  it('people that came and went', () => {
    const list = told([opened, line('updated', { change: { by, responders: ['bob', 'carol', 'dave'] } }), line('updated', { change: { by, responders: ['bob'], stakeholders: ['eve'] } })]);
    expect(list.slice(1)).toEqual(['added <bob>, <carol> and <dave> as responders', 'let <carol> and <dave> go as responders; added <eve> as stakeholder']);
  });
  it('what is next, and what is said', () => {
    const m = moments({ timeline: [opened, line('updated', { change: { by, next: 'move the logs', nextBy: '2026-01-01T00:20:00Z', summary: 'full' } })] })[1];
    expect(m?.phrases.map((p) => p.map(say).join(''))).toEqual(['said how it stands', 'named the next step, due @2026-01-01T00:20:00Z']);
    expect(m?.said).toEqual([{ label: '', text: 'full' }, { label: 'next', text: 'move the logs' }]);
  });
  it('what is the same is not told as a change', () => {
    expect(told([opened, line('updated', { change: { by, severity: 'major' } })])[1]).toBe('changed nothing');
  });
});

it('who did it decides where it is shown', () => {
  expect(moments({ timeline: [opened, line('joined', { status: 'firing' }, { who: '' }), line('commented', undefined)] }).map((m) => m.by)).toEqual(['people', 'machine', 'people']);
});

it('a step is told once, when it ended', () => {
  const list = moments({ timeline: [
    line('ran', { status: 'started' }, { ref: 'run_1', who: '' }),
    line('run', { path: 'steps[0]', status: 'began' }, { ref: 'run_1', who: '', at: '2026-01-01T00:00:01Z' }),
    line('run', { path: 'steps[0]', status: 'held' }, { ref: 'run_1', who: '' }),
    line('run', { path: 'steps[0]', status: 'succeeded' }, { ref: 'run_1', who: '', at: '2026-01-01T00:00:05Z' }),
    line('run', { path: 'steps[1]', status: 'began' }, { ref: 'run_1', who: '' }),
  ] });
  expect(list.map((m) => m.line.detail?.status)).toEqual(['started', 'held', 'succeeded', 'began']);
  expect(list[2]?.began).toBe('2026-01-01T00:00:01Z');
});

it('a question is told once, with what became of it, and a run that waits goes on', () => {
  const list = moments({ timeline: [
    line('ran', { status: 'started' }, { ref: 'run_1', who: '' }),
    line('run', { path: 'steps[0]', status: 'asked', task: 'task_1' }, { ref: 'run_1', who: '', at: '2026-01-01T00:00:01Z' }),
    line('ran', { status: 'waiting' }, { ref: 'run_1', who: '', at: '2026-01-01T00:00:02Z' }),
    line('ran', { status: 'succeeded' }, { ref: 'run_1', who: '', at: '2026-01-01T00:00:09Z' }),
  ] }, [{ id: 'task_1', at: '2026-01-01T00:00:01Z', name: 'Sure?', status: 'approved', run: 'run_1' }]);
  expect(list.map((m) => [m.line.what, m.line.detail?.status])).toEqual([['ran', 'started'], ['question', 'approved'], ['ran', 'waiting'], ['ran', 'succeeded']]);
  expect(list[3]?.began).toBe('2026-01-01T00:00:00Z');
});
