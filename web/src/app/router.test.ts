import { expect, it } from 'vitest';

import { match } from './router';

it('matches paths', () => {
  expect(match('/', '/')).toEqual({});
  expect(match('/runs/:run', '/runs/run_1')).toEqual({ run: 'run_1' });
  expect(match('/runs/:run', '/runs')).toBeNull();
  expect(match('/playbooks/:name', '/playbooks/a%2Fb')).toEqual({ name: 'a/b' });
  expect(match('/playbooks/:name', '/playbooks/%E0%A4%A')).toBeNull();
  expect(match('/audit/*', '/audit/a/b')).toEqual({ '*': 'a/b' });
});
