import { afterEach, expect, it, vi } from 'vitest';

import { Refusal, send } from './client';

afterEach(() => { vi.unstubAllGlobals(); });

const nextOf = async (method?: string) => {
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')));
  const no = await send('/v1/runs', method ? { method } : {}).catch((e: unknown) => e);
  return no instanceof Refusal ? no.problem.next : no;
};

it('says of an act that nobody answered that it is not sent again, and never that it is', async () => {
  expect(await nextOf()).toBe('It is asked again by itself.');
  expect(await nextOf('POST')).toContain('not sent again by itself');
});
