import { expect, it } from 'vitest';

import type { Row } from '../../api/schema';
import { bySeverity } from './severity';

const row = (id: string, severity: string, at: string): Row => ({ id, kind: 'incident', at, body: { severity } });

it('the worst comes first, and of the same the oldest', () => {
  const list = [row('c', 'minor', '2026-01-01T00:00:00Z'), row('b', 'critical', '2026-01-02T00:00:00Z'), row('a', 'critical', '2026-01-01T00:00:00Z'), row('d', 'strange', '2025-01-01T00:00:00Z')];
  expect(list.sort(bySeverity).map((r) => r.id)).toEqual(['a', 'b', 'c', 'd']);
});
