import { describe, expect, it } from 'vitest';

import type { AuditRecord } from '../../api/schema';
import { done, sentenceOf } from './sentence';

const record = (more: Partial<AuditRecord>) => ({ kind: 'audited', by: { id: 'user:ann', name: 'ann', via: 'page' }, ...more }) as AuditRecord;
const say = (more: Partial<AuditRecord>) => { const s = sentenceOf(record(more)); return [s.who, s.says, s.object].filter(Boolean).join(' '); };

describe('sentenceOf', () => {
  it('tells what was done', () => {
    expect(say({ what: 'halted', object: 'playbook take-*' })).toBe('ann halted playbook take-*');
    expect(say({ what: 'guard-overridden', object: 'default-rate' })).toBe('ann loosened the guard default-rate');
    expect(say({ what: 'something-new', object: 'x' })).toBe('ann something new x');
    expect(say({ kind: 'run-sealed', what: 'ended', object: 'run_1' })).toBe('The run ended: run_1');
  });
  it('tells what was allowed and what was not', () => {
    expect(say({ kind: 'access-decided', what: 'view', of: 'guard', allowed: true })).toBe('ann was let look at any guard');
    expect(say({ kind: 'access-decided', what: 'halt', of: 'halt', object: 'x', allowed: false })).toBe('ann was not let halt halt x');
    expect(say({ kind: 'access-decided', what: 'manage', allowed: false })).toBe('ann was not let manage the server');
  });
});

it('a right that was looked at is nothing that was done', () => {
  expect([done(record({})), done(record({ kind: 'access-decided', allowed: true })), done(record({ kind: 'access-decided', allowed: false }))]).toEqual([true, false, true]);
});
