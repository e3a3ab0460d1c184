// How far a request is. What the server tells of one is little on purpose: its state, and whether it waits for people.
import type { Request } from '../api/schema';
import type { Stop } from '../ui/Track';

const done = ['succeeded', 'failed', 'cancelled', 'quarantined'];

/** asks: people are asked on its way. */
export function stopsOf(r: Pick<Request, 'status' | 'waits'>, asks: boolean): Stop[] {
  const over = done.includes(r.status);
  const people = r.waits === 'people';
  const works = !over && !people;
  const out: Stop[] = [{ says: 'asked', status: 'done' }];
  if (people) out.push({ says: 'a person decides', status: 'waiting', here: true });
  else if (asks) out.push({ says: 'decided', status: over ? 'done' : 'pending' });
  if (asks && !people && !over) out[1] = { says: 'a person decides', status: 'pending' };
  out.push({ says: works ? (r.waits === 'time' ? 'waits for its time' : 'is being done') : over ? 'worked on' : 'done by tend', status: over ? 'done' : works ? 'running' : 'pending', ...(works ? { here: true } : {}) });
  out.push({ says: !over || r.status === 'succeeded' ? 'done' : r.status, status: over ? r.status : 'pending', ...(over ? { here: true } : {}) });
  return out;
}
