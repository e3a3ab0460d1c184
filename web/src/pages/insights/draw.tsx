// How a plot is drawn: bars of one part each, stacked from one baseline; lines with a point for each part; axes that say days.
import uPlot from 'uplot';

import type { Series } from './Plot';

type Every = 'hour' | 'day' | 'week';
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (n: number) => String(n).padStart(2, '0');

/** What a part is called: 28 Nov, 14:00, the week from 23 Nov. */
export function partName(at: number, every: Every, utc: boolean): string {
  const d = new Date(at * 1000);
  const day = `${utc ? d.getUTCDate() : d.getDate()} ${months[utc ? d.getUTCMonth() : d.getMonth()] ?? ''}`;
  if (every === 'hour') return `${day} ${two(utc ? d.getUTCHours() : d.getHours())}:${two(utc ? d.getUTCMinutes() : d.getMinutes())}`;
  return every === 'week' ? `the week from ${day}` : day;
}

/** The data of bars that stand on each other: the highest first, so that the lower ones are drawn over it. */
export function stack(at: number[], lines: { values: (number | null)[] }[]): (number | null)[][] {
  const sums = at.map(() => 0);
  const out = lines.map((l) => at.map((_, i) => { sums[i] = (sums[i] ?? 0) + (l.values[i] ?? 0); return sums[i] ?? 0; }));
  return [at, ...out.reverse()];
}

/** The highest number of an axis: a round one, so that the lines of the grid are whole numbers where the values are. */
export function top(max: number): number {
  if (max <= 4) return 4;
  const step = 10 ** Math.floor(Math.log10(max / 4));
  for (const m of [1, 1.5, 2, 3, 4, 5, 7.5, 10]) if (m * step * 4 >= max) return m * step * 4;
  return max;
}

export const marks = {
  bar: <rect x="1" y="0" width="10" height="10" fill="currentColor" />,
  line: <path d="M0 5h12" stroke="currentColor" strokeWidth="2" />,
  dashed: <path d="M0 5h12" stroke="currentColor" strokeWidth="2" strokeDasharray="3 2" />,
};

export function draw({ el, at, end, lines, stacked, every, utc, width, height, on }: {
  el: HTMLElement; at: number[]; end: number; lines: Series[]; stacked: boolean; every: Every; utc: boolean; width: number; height: number; on: (i: number | null) => void;
}): uPlot.Options {
  const token = (name: string) => getComputedStyle(el).getPropertyValue(name).trim();
  const step = { hour: 3600, day: 86_400, week: 604_800 }[every];
  const first = at[0] ?? end;
  const axis = { stroke: token('--ink-3'), ticks: { show: false }, font: `12px ${token('--font')}` };
  const bars = uPlot.paths.bars?.({ size: [0.78, 28], align: 1, gap: 1 });
  const order = stacked ? lines.toReversed() : lines;
  return {
    width, height, padding: [10, 6, 0, 0], legend: { show: false }, ...(utc ? { tzDate: (s: number) => uPlot.tzDate(new Date(s * 1000), 'UTC') } : {}),
    cursor: { x: false, y: false, drag: { x: false, y: false }, points: { show: !stacked, size: 7 }, ...(stacked ? { dataIdx: (_, __, ___, x) => Math.max(0, at.findLastIndex((s) => s <= x)) } : {}) },
    hooks: { setCursor: [(u: uPlot) => on(u.cursor.left !== undefined && u.cursor.left >= 0 ? (stacked ? Math.max(0, at.findLastIndex((s) => s <= u.posToVal(u.cursor.left ?? 0, 'x'))) : (u.cursor.idx ?? null)) : null)] },
    scales: { x: { range: () => [first - (stacked ? 0 : step / 2), Math.max(end, (at.at(-1) ?? end) + step)] }, y: { range: (_, __, max) => [0, top(max ?? 1)] } },
    axes: [
      { ...axis, size: 26, gap: 6, grid: { show: false }, space: 64, values: (_, splits) => splits.map((s) => axisName(s, every, utc)) },
      { ...axis, size: 40, gap: 6, space: 34, grid: { stroke: token('--line-soft'), width: 1 }, values: (_, splits) => splits.map((v) => (v >= 10_000 ? `${v / 1000} k` : v.toLocaleString('en'))) },
    ],
    series: [{}, ...order.map((l) => (stacked
      ? { label: l.name, fill: token(`--${l.tone}`), width: 0, points: { show: false }, ...(bars ? { paths: bars } : {}) }
      : { label: l.name, stroke: token(`--${l.tone}`), width: 2, dash: l.tone === 'wait' ? [4, 3] : [], spanGaps: true, points: { show: true, size: 6, fill: token(`--${l.tone}`) } }))],
  };
}

function axisName(at: number, every: Every, utc: boolean): string {
  const d = new Date(at * 1000);
  const [h, m] = utc ? [d.getUTCHours(), d.getUTCMinutes()] : [d.getHours(), d.getMinutes()];
  if (every === 'hour' && (h || m)) return `${two(h)}:${two(m)}`;
  if (every !== 'hour' && (h || m)) return '';
  return partName(at, 'day', utc);
}
