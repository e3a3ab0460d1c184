import { describe, expect, it } from 'vitest';

import { first, type FormField, read } from './form';

const fields: FormField[] = [
  { name: 'service', type: 'string', required: true, pattern: '^[a-z]+$' },
  { name: 'size', type: 'number', default: 10 },
  { name: 'fast', type: 'boolean' },
  { name: 'hosts', type: 'list' },
  { name: 'labels', type: 'map' },
  { name: 'tier', type: 'string', enum: ['gold', 'tin'] },
];

it('begins with what is declared', () => {
  expect(first(fields)).toEqual({ service: '', size: '10', fast: '', hosts: '', labels: '', tier: '' });
});

describe('read', () => {
  it('gives values of the declared types and leaves out what is empty', () => {
    expect(read(fields, { service: 'shop', size: '2.5', fast: 'true', hosts: 'a\n b \n', labels: '{"x": 1}', tier: 'tin' })).toEqual({
      values: { service: 'shop', size: 2.5, fast: true, hosts: ['a', 'b'], labels: { x: 1 }, tier: 'tin' }, wrong: {},
    });
    expect(read(fields, { service: 'shop' }).values).toEqual({ service: 'shop' });
    expect(read(fields, { service: 'shop', hosts: '[1, 2]' }).values['hosts']).toEqual([1, 2]);
  });
  it('says everything that is wrong at once', () => {
    const { wrong } = read(fields, { service: 'SHOP', size: 'many', fast: 'yes', hosts: '[1', labels: '[]', tier: 'lead' });
    expect(Object.keys(wrong)).toEqual(['service', 'size', 'fast', 'hosts', 'labels', 'tier']);
    expect(read(fields, {}).wrong).toEqual({ service: 'It is needed.' });
  });
  it('leaves a pattern that it does not know to the server', () => {
    expect(read([{ name: 'a', type: 'string', pattern: '(?i)x' }], { a: 'Y' }).wrong).toEqual({});
  });
});

it('a list of texts is lines, anything else is JSON', () => {
  expect(first([{ name: 'a', type: 'list', default: ['x', 'y'] }, { name: 'b', type: 'list', default: [1] }, { name: 'c', type: 'list', default: [] }, { name: 'd', type: 'list', default: ['[x'] }])).toEqual({ a: 'x\ny', b: '[1]', c: '[]', d: '["[x"]' });
});
