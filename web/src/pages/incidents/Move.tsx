// Moving an incident: what it means is said, and a reason is taken.
import { useTell } from '../../api/query';
import type { Row } from '../../api/schema';
import { Confirm } from '../../ui/Confirm';
import { Text } from '../../ui/Text';
import { toast } from '../../ui/Toasts';

export type Place = 'open' | 'acknowledged' | 'mitigated' | 'resolved';

export const moves: Record<Place, { title: string; does: string; says: string; done: string }> = {
  open: { title: 'Put it back to open', does: 'Put it back', says: 'Everybody sees that nobody has it in hand.', done: 'It is open.' },
  acknowledged: { title: 'Acknowledge it', does: 'Acknowledge it', says: 'A person has it in hand.', done: 'It is acknowledged.' },
  mitigated: { title: 'It is mitigated', does: 'Say it is mitigated', says: 'Users no longer notice it. It stays until it is resolved.', done: 'It is mitigated.' },
  resolved: { title: 'Resolve the incident', does: 'Resolve it', says: 'It is over. Alerts that still fire may open it again.', done: 'The incident is resolved.' },
};

export function Move({ row, to, close }: { row: Row; to: Place; close: () => void }) {
  const update = useTell('updateIncident');
  const resolve = useTell('resolveIncident');
  const m = moves[to];
  const path = { incident: row.id };
  const done = { onSuccess: () => { toast(m.done); close(); } };
  return (
    <Confirm title={m.title} does={m.does} close={close} asking={to === 'resolved' ? resolve : update}
      submit={(why) => (to === 'resolved' ? resolve.mutate({ path, body: { why } }, done) : update.mutate({ path, body: { status: to, ...(why ? { why } : {}) } }, done))}>
      <p><strong><Text of={row.name} max={200} /></strong></p>
      <p className="dim">{m.says}</p>
    </Confirm>
  );
}
