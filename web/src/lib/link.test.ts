import { expect, it } from 'vitest';

import { safe } from './link';

it('lets nobody follow what runs', () => {
  expect(safe('https://example.org/a?b#c')).toBe('https://example.org/a?b#c');
  for (const bad of ['javascript:alert(1)', ' java\nscript:alert(1)', 'data:text/html,x', '/local', 'vbscript:x', undefined]) expect(safe(bad)).toBeUndefined();
});
