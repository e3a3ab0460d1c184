// What stands in a graph: steps, blocks around them, and the lines between them.
import { memo } from 'react';

import type { Box, Edge } from '../api/schema';
import { linesFor, ux, uy } from '../lib/graph';
import { label } from '../lib/text';
import { parse, took } from '../lib/time';
import { Glyph, lookOf } from './Status';
import { useNow } from './Time';

/** What is known of a box while a playbook runs. */
export interface Place {
  status: string;
  /** The instance that is shown when somebody chooses the place: the one that a person must see most. */
  path: string;
  instances: number;
  count: number;
  done: number;
  failed: number;
  attempts: number;
  started: string | undefined;
  ended: string | undefined;
  undone: boolean;
  would: boolean;
  held: boolean;
  /** The first target of that instance, as it was rendered, and how many there are. */
  target?: string | undefined;
  targets?: number;
}

interface Props { box: Box; place: Place | undefined; chosen: boolean; choose: (p: string) => void; still: boolean; wrong: boolean }

export const Line = memo(function Line({ edge, done }: { edge: Edge; done: boolean }) {
  const d = edge.points.map((p, i) => `${i ? 'L' : 'M'}${p.x * ux} ${p.y * uy}`).join('');
  const tip = edge.kind === 'join' || edge.kind === 'attached' ? undefined : `url(#graph-tip${edge.kind === 'catch' ? '-catch' : done ? '-done' : ''})`;
  return <path className={`line line-${edge.kind}`} data-done={done || undefined} d={d} markerEnd={tip} />;
});

const words: Record<string, string> = { catch: 'catch', finally: 'finally', lane: 'lane', foreach: 'loop', parallel: 'parallel', lock: 'lock', steps: 'block' };
const adds: Record<string, string> = { catch: 'if something failed', finally: 'in any case' };

const plainBlock = new Set(['parallel', 'steps']);

const at = (b: Box) => ({ left: b.x * ux, top: b.y * uy, width: b.w * ux, height: b.h * uy });

export const Block = memo(function Block({ box, place, chosen, choose, still, wrong }: Props) {
  const status = place?.held ? 'held' : (place?.status ?? '');
  const lines = (box.lines ?? []).filter((l) => !plainBlock.has(l));
  return (
    <div className={`gblock gblock-${box.kind}`} style={at(box)} data-path={box.path} data-tone={status ? lookOf(status).tone : undefined} data-chosen={chosen || undefined} data-wrong={wrong || undefined}>
      <button type="button" onClick={() => choose(box.path)} disabled={!place && !still}>
        {status && status !== 'pending' ? <Glyph status={status} size={13} /> : null}
        <span className="clip"><b>{words[box.kind] ?? box.kind}</b> {box.title === box.kind ? <span className="adds">{adds[box.kind]}</span> : <bdi>{label(box.title.replace(/^(foreach|lock) /, ''), 60)}</bdi>}</span>
        {place && place.count > 0 ? <span className="count">{place.done}/{place.count}{place.failed ? <i> {place.failed} failed</i> : null}</span> : null}
      </button>
      {lines.map((l, i) => <span key={i} className="lines clip"><bdi>{label(l, 80)}</bdi></span>)}
    </div>
  );
});

export const Step = memo(function Step({ box, place, chosen, choose, still, wrong }: Props) {
  const status = place?.held ? 'held' : (place?.status ?? '');
  if (box.kind === 'start' || box.kind === 'end') return <div className="gend" style={at(box)} data-path={box.path}><span>{box.title}</span></div>;
  const busy = status === 'running' || status === 'verifying' || status === 'retrying';
  return (
    <button type="button" className={`gstep gstep-${box.role || box.kind}`} style={at(box)} data-path={box.path} data-status={status || undefined} data-tone={status && status !== 'pending' ? lookOf(status).tone : undefined} data-effect={box.effect || undefined} data-chosen={chosen || undefined} data-wrong={wrong || undefined} onClick={() => choose(box.path)} disabled={!place && !still}>
      {still ? null : <Glyph status={status || 'pending'} quiet />}
      <span className="in">
        <span className="title clip">{box.role ? <b>{box.role === 'stopWhen' ? 'stop when' : box.role} </b> : null}<bdi>{label(box.title, 80)}</bdi><span className="sr"> {still ? (wrong ? 'something is wrong in it' : 'a step') : status ? lookOf(status).says : 'not begun'}</span></span>
        {linesFor(box.lines ?? [], place?.target, place?.targets ?? 0).map((l, i) => <span key={i} className="line-of clip"><bdi>{label(l, 120)}</bdi></span>)}
        {status && status !== 'pending' ? (
          <span className="says clip" aria-hidden>
            {place?.would ? 'observed' : lookOf(status).says}
            {busy && place?.started ? <> <Since from={place.started} /></> : place?.started && place.ended ? ` ${took(parse(place.ended) - parse(place.started))}` : null}
            {place && place.attempts > 1 ? <span title="attempts"> #{place.attempts}</span> : null}
            {place && place.instances > 1 ? <span title="instances"> ×{place.instances}</span> : null}
          </span>
        ) : null}
      </span>
    </button>
  );
});

function Since({ from }: { from: string }) {
  const now = useNow();
  return <span>{took(Math.max(0, Math.floor((now - parse(from)) / 1000) * 1000))}</span>;
}
