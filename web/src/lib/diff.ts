// What differs between two texts, line by line.

export interface DiffLine { kind: 'same' | 'gone' | 'new'; text: string; was?: number; is?: number }

const most = 4000; // lines; larger texts are compared as a whole

/** The lines of both, in order: the longest common part stays. */
export function diff(was: string, is: string): DiffLine[] {
  const [a, b] = [was.split('\n'), is.split('\n')];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const [x, y] = [a.slice(head, a.length - tail), b.slice(head, b.length - tail)];
  const out: DiffLine[] = [];
  const same = (i: number, j: number) => out.push({ kind: 'same', text: a[i] ?? '', was: i + 1, is: j + 1 });
  for (let i = 0; i < head; i++) same(i, i);
  for (const [kind, i, j] of middle(x, y)) {
    if (kind === 'same') same(head + i, head + j);
    else if (kind === 'gone') out.push({ kind, text: x[i] ?? '', was: head + i + 1 });
    else out.push({ kind, text: y[j] ?? '', is: head + j + 1 });
  }
  for (let k = tail; k > 0; k--) same(a.length - k, b.length - k);
  return out;
}

function* middle(x: string[], y: string[]): Generator<['same' | 'gone' | 'new', number, number]> {
  if (x.length * y.length > most * most) {
    for (let i = 0; i < x.length; i++) yield ['gone', i, 0];
    for (let j = 0; j < y.length; j++) yield ['new', 0, j];
    return;
  }
  const w = y.length + 1;
  const common = new Uint16Array((x.length + 1) * w);
  for (let i = x.length - 1; i >= 0; i--) {
    for (let j = y.length - 1; j >= 0; j--) common[i * w + j] = x[i] === y[j] ? (common[(i + 1) * w + j + 1] ?? 0) + 1 : Math.max(common[(i + 1) * w + j] ?? 0, common[i * w + j + 1] ?? 0);
  }
  let [i, j] = [0, 0];
  while (i < x.length || j < y.length) {
    if (i < x.length && j < y.length && x[i] === y[j]) { yield ['same', i++, j++]; continue; }
    if (j >= y.length || (i < x.length && (common[(i + 1) * w + j] ?? 0) >= (common[i * w + j + 1] ?? 0))) yield ['gone', i++, j];
    else yield ['new', i, j++];
  }
}

/** Only what differs, with some lines around it; null stands where lines are left out. */
export function hunks(lines: DiffLine[], around = 3): (DiffLine | null)[] {
  const near = lines.map(() => false);
  lines.forEach((l, i) => { if (l.kind !== 'same') for (let k = Math.max(0, i - around); k <= Math.min(lines.length - 1, i + around); k++) near[k] = true; });
  const out: (DiffLine | null)[] = [];
  lines.forEach((l, i) => { if (near[i]) out.push(l); else if (out.length && out.at(-1) !== null) out.push(null); });
  if (out.at(-1) === null) out.pop();
  return out;
}
