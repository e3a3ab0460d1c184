import { expect, it } from 'vitest';

import { parts } from './Rulebook';

it('a rule is a sentence, and what it is about stands apart', () => {
  expect(parts({ says: 'at most 60 effects within 1h; not slack/*; x', rule: 'rate' })).toEqual(['At most 60 effects within 1h', 'not slack/*; x']);
  expect(parts({ says: '', rule: 'fence' })).toEqual(['Fence', '']);
});
