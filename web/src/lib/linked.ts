// A sentence in which some words lead somewhere. Pure.

export interface Target { text: string; to: string }
export type Piece = { text: string; to?: string };

/** The sentence cut at the first occurrence of each target; longer ones first, so that "Move it" does not take a piece of "Move it away". */
export function linked(sentence: string, targets: readonly Target[]): Piece[] {
  let pieces: Piece[] = [{ text: sentence }];
  for (const t of [...targets].filter((x) => x.text.length > 1).sort((a, b) => b.text.length - a.text.length)) {
    const at = pieces.findIndex((p) => !p.to && p.text.includes(t.text));
    const p = pieces[at];
    if (!p) continue;
    const i = p.text.indexOf(t.text);
    pieces = [...pieces.slice(0, at), { text: p.text.slice(0, i) }, { text: t.text, to: t.to }, { text: p.text.slice(i + t.text.length) }, ...pieces.slice(at + 1)];
  }
  return pieces.filter((p) => p.text !== '');
}
