// A plot over time: bars that stack, or lines through what there is; a legend of our own that says the part under the pointer.
// What it shows stands in a table too, for who cannot see it. Where there is next to nothing, a sentence stands in its place.
import { useEffect, useMemo, useRef, useState } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

import { theme } from '../../app/theme';
import { useStore } from '../../lib/store';
import { useZone } from '../../ui/Time';
import { draw, marks, partName, stack } from './draw';

export interface Series { name: string; tone: 'good' | 'bad' | 'live' | 'wait' | 'off'; values: (number | null)[] }

const height = 168;

export default function Plot({ title, unit, every, at, end, lines, stacked = false, none }: {
  title: string; unit: string; every: 'hour' | 'day' | 'week'; at: number[]; end: number; lines: Series[]; stacked?: boolean; none: string;
}) {
  const box = useRef<HTMLDivElement>(null);
  const t = useStore(theme);
  const zone = useZone();
  const [on, setOn] = useState<number | null>(null);
  const shown = lines.filter((l) => l.values.some((v) => v));
  const points = shown.reduce((n, l) => n + l.values.filter((v) => v !== null).length, 0);
  const empty = shown.length === 0 || (!stacked && points < 2);
  const key = useMemo(() => JSON.stringify([at, end, shown]), [at, end, shown]);
  useEffect(() => {
    const el = box.current;
    if (!el || empty) return;
    const plot = new uPlot(draw({ el, at, end, lines: shown, stacked, every, utc: zone === 'utc', width: el.clientWidth, height, on: setOn }), (stacked ? stack(at, shown) : [at, ...shown.map((l) => l.values)]) as uPlot.AlignedData, el);
    const seen = new ResizeObserver(() => plot.setSize({ width: el.clientWidth, height }));
    seen.observe(el);
    return () => { seen.disconnect(); plot.destroy(); };
  }, [key, t, zone, stacked, every, empty]);
  const sums = shown.map((l) => l.values.reduce<number>((a, b) => a + (b ?? 0), 0));
  const single = shown.flatMap((l) => l.values.map((v, i) => ({ v, i, name: l.name }))).find((x) => x.v !== null);
  const say = (v: number | null | undefined) => (v === null || v === undefined ? '–' : v >= 10 || Number.isInteger(v) ? Math.round(v).toLocaleString('en') : v.toFixed(1));
  return (
    <figure className="panel insights-plot">
      <figcaption><h2>{title}</h2><span className="dim">{empty ? '' : on === null ? `by ${every}` : partName(at[on] ?? 0, every, zone === 'utc')}</span></figcaption>
      {empty ? <p className="insights-none dim">{single && !stacked ? `Once so far: ${say(single.v)} ${unit} ${single.name}.` : none}</p> : (
        <>
          <div ref={box} className="insights-canvas" aria-hidden />
          <ul className="insights-legend" aria-hidden>{shown.map((l, i) => (
            <li key={l.name}><svg width="12" height="10" viewBox="0 0 12 10" className={`tone-${l.tone}`}>{marks[stacked ? 'bar' : l.tone === 'wait' ? 'dashed' : 'line']}</svg>{l.name} <strong>{on === null ? (stacked ? say(sums[i]) : '') : say(l.values[on])}</strong></li>
          ))}<li className="dim">{unit}</li></ul>
        </>
      )}
      <table className="sr"><caption>{title}, {unit}</caption>
        <thead><tr><th>from</th>{lines.map((l) => <th key={l.name}>{l.name}</th>)}</tr></thead>
        <tbody>{at.map((s, i) => <tr key={s}><td>{partName(s, every, zone === 'utc')}</td>{lines.map((l) => <td key={l.name}>{l.values[i] ?? 'none'}</td>)}</tr>)}</tbody>
      </table>
    </figure>
  );
}
