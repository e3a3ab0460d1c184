import { expect, it } from 'vitest';

import { pairs } from './around';

it('says what a trigger selects by', () => {
  expect(pairs({ source: 'am', labels: { alertname: 'DiskFull', tier: 1 }, kinds: ['a', 'b'], none: null, empty: [] })).toEqual([
    ['source', 'am'], ['labels.alertname', 'DiskFull'], ['labels.tier', '1'], ['kinds', 'a, b'],
  ]);
});
