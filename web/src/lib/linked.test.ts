import { expect, it } from 'vitest';

import { linked } from './linked';

it('makes links of what a sentence names', () => {
  expect(linked('It waits for Move it (shell) until 14:00.', [{ text: 'Move it (shell)', to: 'a' }])).toEqual([{ text: 'It waits for ' }, { text: 'Move it (shell)', to: 'a' }, { text: ' until 14:00.' }]);
  expect(linked('Move it away', [{ text: 'Move it', to: 'a' }, { text: 'Move it away', to: 'b' }])).toEqual([{ text: 'Move it away', to: 'b' }]);
  expect(linked('nothing', [{ text: 'else', to: 'a' }, { text: '', to: 'b' }])).toEqual([{ text: 'nothing' }]);
});
