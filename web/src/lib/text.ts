// Text from outside is hostile: it may be a megabyte long, turn the direction of what stands around it, or hide itself.

const marks: Record<string, string> = { '\u007f': '␡' };

// Control characters, marks that turn text, and letters that have no width: what is there is shown. Two of the latter, which
// join letters of some scripts and parts of pictures, are only suspicious beside Latin letters.
// eslint-disable-next-line no-control-regex -- it is about those
const unseen = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e007f}]|(?<=[!-~])[\u200c\u200d]|[\u200c\u200d](?=[!-~])/gu;
// More marks on a letter than any script has: they would be drawn over the lines above and below.
const tower = /(\p{M}{6})\p{M}+/gu;

/** The visible picture of what cannot be seen: control characters, and those that turn, hide or pile up text. */
export function visible(text: string): string {
  return text.replace(tower, '$1⟨…⟩').replace(unseen, (c) => {
    const code = c.codePointAt(0) ?? 0;
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    return marks[c] ?? `⟨${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
  });
}

/** At most max characters, the rest said to be missing. It never cuts a character in two. */
export function clip(text: string, max: number): string {
  if (text.length <= max) return text;
  let end = max;
  const code = text.charCodeAt(end - 1);
  if (code >= 0xd800 && code <= 0xdbff) end--;
  return `${text.slice(0, end)}…`;
}

/** One line for a label: clipped first, so that a megabyte costs nothing. */
export function label(text: string, max = 200): string {
  return visible(clip(text, max).replace(/[\s\u2028\u2029]+/gu, ' ').trim());
}

/** A number of bytes for people. */
export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let i = 0;
  while (n >= 1024 && i < units.length - 1) { n /= 1024; i++; }
  return `${i === 0 ? n : n.toFixed(n < 10 ? 1 : 0)} ${units[i]}`;
}

/** "3 runs", "1 run". */
export const count = (n: number, one: string, many = `${one}s`) => `${n.toLocaleString('en')} ${n === 1 ? one : many}`;

/** "1st", "2nd", "3rd", "11th". */
export function nth(n: number): string {
  const tens = n % 100;
  return `${n}${tens > 10 && tens < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th')}`;
}

/** What somebody is called, without what kind of principal it is. */
export function person(id: string): string { return id.replace(/^(user|token|os|workload):/, ''); }
