// Where a graph is looked at: zooming around a point, what is seen, and the size of its overview. Pure.

/** Pixels of a unit of the layout's grid, at zoom 1: a character is as wide as a unit, and a line two units high. */
export const ux = 7;
export const uy = 8;

export const nearest = 0.2;
export const largest = 2.5;
export const clampZoom = (z: number) => Math.max(nearest, Math.min(largest, z));

/** The next zoom up or down. At 1 a text is as large as anywhere on the page. */
export function stepZoom(zoom: number, by: 1 | -1): number {
  const steps = [0.2, 0.3, 0.4, 0.55, 0.7, 0.85, 1, 1.25, 1.5, 2, 2.5];
  return (by > 0 ? steps.find((z) => z > zoom + 0.01) : steps.findLast((z) => z < zoom - 0.01)) ?? zoom;
}

/** The zoom at which all of it is seen; of what is far too long, its width. Never larger than it is. */
export function fitZoom(view: { w: number; h: number }, all: { w: number; h: number }): number {
  const wide = view.w / all.w;
  const whole = Math.min(wide, view.h / all.h);
  return clampZoom(Math.min(1, whole >= nearest ? whole : wide));
}

/** What is narrower than its view stands in the middle of it. */
const aside = (view: number, all: number) => Math.max(0, (view - all) / 2);

/** Where to scroll to in one direction, so that the point under the pointer stays there when the zoom changes. */
export function anchored(o: { scroll: number; point: number; view: number; all: number; from: number; to: number; centred?: boolean }): number {
  const off = (z: number) => (o.centred ? aside(o.view, o.all * z) : 0);
  const at = (o.scroll + o.point - off(o.from)) / o.from;
  return Math.max(0, at * o.to + off(o.to) - o.point);
}

/** Where to scroll to in one direction, so that a piece is in the middle; one that is longer than the view begins at its edge. */
export function middle(at: number, size: number, view: number): number {
  return Math.max(0, size > view - 8 ? at - 4 : at + size / 2 - view / 2);
}

/** Whether something is so much larger than its view that an overview helps. */
export const isLarge = (view: { w: number; h: number }, all: { w: number; h: number }) => all.h > view.h * 1.25 || all.w > view.w * 1.25;

/** The size of the overview: in proportion, but never a thread. */
export function mapSize(all: { w: number; h: number }, most: { w: number; h: number }): { w: number; h: number } {
  const s = Math.min(most.w / all.w, most.h / all.h, 0.16);
  return { w: Math.max(Math.min(most.w, 34), Math.round(all.w * s)), h: Math.max(24, Math.round(all.h * s)) };
}

/** The lines of a box: targets that the run knows stand in the place of what the playbook writes. */
export function linesFor(lines: readonly string[], target: string | undefined, targets: number): string[] {
  if (!target) return [...lines];
  const out: string[] = [];
  let told = false;
  for (const l of lines) {
    if (!l.startsWith('target ')) { out.push(l); continue; }
    if (!told) out.push(`target ${target}${targets > 1 ? ` and ${targets - 1} more` : ''}`);
    told = true;
  }
  return out;
}
