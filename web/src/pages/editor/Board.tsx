// The graph that is worked on: boxes are taken and dropped, lines take what is dropped on them, actions are at hand.
import type { PointerEvent } from 'react';

import type { Action, Edge } from '../../api/schema';
import { ux, uy } from '../../lib/graph';
import { Graph } from '../../ui/Graph';
import { Empty } from '../../ui/State';
import type { useCarry } from './Carry';
import { Palette } from './Palette';
import { type Known, slotOf, titleOf, type What } from './places';

const nothing = new Map<string, never>();

export function Board({ known, looked, chosen, select, marked, carry, palette, setPalette, actions, connect, movable }: {
  known: Known | null; looked: boolean; chosen: string; select: (p: string) => void; marked: Set<string>; carry: ReturnType<typeof useCarry>;
  palette: boolean; setPalette: (on: boolean) => void; actions: Action[]; connect: (w: What) => void; movable: boolean;
}) {
  const layout = known?.doc.layout;
  const take = (e: PointerEvent) => {
    const path = (e.target as Element).closest('button')?.closest<HTMLElement>('[data-path]')?.dataset['path'];
    if (!path || !known || !(/\]$/.test(path) || slotOf(path)) || !known.doc.parts?.some((p) => p.path === path && !p.list)) return;
    carry.begin(e, { title: titleOf(known, path), what: { path } });
  };
  const lines = carry.load && 'what' in carry.load ? (layout?.edges ?? []).filter((e) => e.kind === 'next' || e.kind === 'finally') : [];
  return (
    <section className="panel editor-graph" aria-label="Graph">
      <header>
        <button type="button" className="button small" aria-expanded={palette} onClick={() => setPalette(!palette)} disabled={!known}>Add a step <kbd>a</kbd></button>
        <button type="button" className="button small" onClick={() => connect({ path: chosen })} disabled={!movable}>Connect… <kbd>c</kbd></button>
        <span className="dim clip">{movable ? 'Drag it to where it is to run.' : 'Choose a step, or drag one to another place.'}</span>
      </header>
      <div className="editor-board" onPointerDown={take} data-target={carry.target}>
        {palette && known ? <Palette actions={actions} begin={carry.begin} choose={(a) => connect({ action: a })} close={() => setPalette(false)} /> : null}
        {layout ? <Graph layout={layout} places={nothing} chosen={chosen} choose={select} follow={undefined} still marked={marked} over={lines.map((e) => <Gap key={`${e.from}>${e.to}`} edge={e} />)} />
          : <Empty title={looked ? 'It cannot be drawn as it is written' : 'It is being read'}>{looked ? 'The text says at which line.' : null}</Empty>}
      </div>
    </section>
  );
}

/** A line on which something can be dropped. */
function Gap({ edge }: { edge: Edge }) {
  const ps = edge.points;
  const i = Math.max(1, Math.floor(ps.length / 2));
  const [a, b] = [ps[i - 1], ps[i]];
  if (!a || !b) return null;
  return <div className="editor-gap" data-line={`${edge.from}>${edge.to}`} style={{ left: ((a.x + b.x) / 2) * ux, top: ((a.y + b.y) / 2) * uy }} />;
}
