// A plot over time. What it shows stands in a table too, for who cannot see it.
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

import { useStore } from '../../lib/store';
import { theme } from '../../app/theme';

export interface Series { name: string; tone: 'good' | 'bad' | 'live' | 'wait'; values: (number | null)[] }

const dashes: Record<Series['tone'], number[]> = { good: [], live: [], bad: [4, 3], wait: [2, 3] };

export default function Plot({ title, at, lines }: { title: string; at: number[]; lines: Series[] }) {
  const box = useRef<HTMLDivElement>(null);
  const t = useStore(theme);
  useEffect(() => {
    const el = box.current;
    if (!el) return;
    const token = (name: string) => getComputedStyle(el).getPropertyValue(name).trim();
    const axis = { stroke: token('--ink-3'), grid: { stroke: token('--line-soft'), width: 1 }, ticks: { stroke: token('--line-soft'), width: 1 }, font: `11px ${token('--font')}` };
    const plot = new uPlot({
      width: el.clientWidth, height: 180, legend: { live: true }, cursor: { points: { size: 6 } }, padding: [8, 8, 0, 0],
      scales: { y: { range: (_, __, max) => [0, Math.max(1, (max ?? 1) * 1.1)] } },
      axes: [axis, { ...axis, size: 44 }],
      series: [{}, ...lines.map((l) => ({ label: l.name, stroke: token(`--${l.tone}`), width: 1.5, dash: dashes[l.tone], points: { show: true, size: 4 }, spanGaps: true }))],
    }, [at, ...lines.map((l) => l.values)] as uPlot.AlignedData, el);
    const seen = new ResizeObserver(() => plot.setSize({ width: el.clientWidth, height: 180 }));
    seen.observe(el);
    return () => { seen.disconnect(); plot.destroy(); };
  }, [at.join(), JSON.stringify(lines), t]);
  return (
    <figure className="panel insights-plot">
      <figcaption><h2>{title}</h2></figcaption>
      <div ref={box} aria-hidden />
      <table className="sr"><caption>{title}</caption>
        <thead><tr><th>from</th>{lines.map((l) => <th key={l.name}>{l.name}</th>)}</tr></thead>
        <tbody>{at.map((s, i) => <tr key={s}><td>{new Date(s * 1000).toISOString().slice(0, 10)}</td>{lines.map((l) => <td key={l.name}>{l.values[i] ?? 'none'}</td>)}</tr>)}</tbody>
      </table>
    </figure>
  );
}
