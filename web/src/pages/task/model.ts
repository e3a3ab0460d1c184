// What a playbook says of a step, read from its drawing. Pure.
interface Drawn { boxes: { path: string; role?: string; title: string; lines?: string[] | null; parent?: string }[] }

/** Where a step stands in the graph: its path without the keys of iterations, as package graph writes it. */
export function placeOf(path: string): string {
  return path.replace(/foreach\["(?:[^"\\]|\\.)*"\]/g, 'foreach').replace(/foreach\[\d+\]/g, 'foreach');
}

export interface After { verify?: string; within?: string; undo?: string; undoNone?: string }

/** What follows a step: what verifies it, and how it is undone. */
export function after(l: Drawn, place: string): After {
  const at = new Map(l.boxes.map((b) => [b.path, b]));
  const out: After = {};
  const verify = at.get(`${place}.verify`);
  if (verify) {
    out.verify = verify.title;
    const within = verify.lines?.find((x) => x.startsWith('within '));
    if (within) out.within = within.slice('within '.length);
  }
  const undo = at.get(`${place}.undo`);
  if (undo) out.undo = undo.title;
  const none = at.get(place)?.lines?.find((x) => x.startsWith('undo none: '));
  if (none) out.undoNone = none.slice('undo none: '.length);
  return out;
}
