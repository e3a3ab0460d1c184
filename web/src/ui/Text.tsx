// Text from outside: shown as text, cut where it is too long, and isolated so that it turns nothing around it.
import { clip, label, visible } from '../lib/text';
import { At } from './Time';

export { Data } from './Data';

/** A label: one line. The whole of it, as far as it is sensible, when the pointer rests on it. */
export function Text({ of, max = 200, className }: { of: string | undefined; max?: number; className?: string }) {
  if (!of) return null;
  const shown = label(of, max);
  return <bdi dir="auto" className={className} title={of.length > 40 ? label(of, 600) : undefined}>{shown}</bdi>;
}

/** A longer text, with its lines. */
export function Lines({ of, max = 20_000, className }: { of: string | undefined; max?: number; className?: string }) {
  if (!of) return null;
  return <bdi dir="auto" className={className} style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{visible(clip(of, max))}</bdi>;
}

/** A sentence of tend's, in which `this` is something to type. */
export function Sentence({ of }: { of: string | undefined }) {
  if (!of) return null;
  const parts = visible(clip(of, 4000)).split(/`([^`]*)`/);
  return <bdi dir="auto">{parts.map((p, i) => (i % 2 ? <code key={i}>{p}</code> : timed(p)))}</bdi>;
}

/** Times that the server wrote into a sentence are shown in the zone that the person chose. */
function timed(text: string) {
  const parts = text.split(/(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?Z)/);
  return parts.length === 1 ? text : parts.map((p, i) => (i % 2 ? <At key={i} at={p.replace(' ', 'T')} /> : p));
}
