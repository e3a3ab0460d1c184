import { bodyOf } from '../../api/rows';
import type { Incident, Row } from '../../api/schema';

export { Severity, severities } from '../../ui/Severity';

export const columns = [
  { status: 'open', says: 'Open', none: 'Everything that burns is somebody’s.' },
  { status: 'acknowledged', says: 'Acknowledged', none: 'Nobody is at one.' },
  { status: 'mitigated', says: 'Mitigated', none: 'None waits for its end.' },
] as const;

const ranks: Record<string, number> = { critical: 0, major: 1, minor: 2, info: 3 };

/** The worst first, then the oldest. */
export function bySeverity(a: Row, b: Row): number {
  const rank = (r: Row) => ranks[bodyOf<Incident>(r).severity ?? ''] ?? 4;
  return rank(a) - rank(b) || (a.at ?? '').localeCompare(b.at ?? '');
}
