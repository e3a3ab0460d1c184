// Forms made of declared fields: what is typed is text, what is sent has the declared type, and what is wrong is said beside
// the field, all at once. The server checks again.

export interface FormField {
  name: string;
  type: string;
  required?: boolean;
  default?: unknown;
  description?: string;
  enum?: unknown[];
  pattern?: string;
  sensitive?: boolean;
  label?: string;
}

export type Typed = Record<string, string>;

/** What stands in the fields before anybody typed. */
export function first(fields: FormField[]): Typed {
  return Object.fromEntries(fields.map((f) => [f.name, shown(f.default)]));
}

/** A default as it is typed: lists of texts are lines. */
function shown(v: unknown): string {
  if (v === undefined || v === null) return '';
  if (typeof v === 'string') return v;
  return Array.isArray(v) && v.length > 0 && v.every((x) => typeof x === 'string' && !/^\s*\[|\n|^\s*$/.test(x)) ? v.join('\n') : JSON.stringify(v);
}

const says = (v: unknown) => (typeof v === 'string' ? v : JSON.stringify(v));

/** The values of the declared types, and what is wrong by the name of the field. What is empty and not required is left out. */
export function read(fields: FormField[], typed: Typed): { values: Record<string, unknown>; wrong: Record<string, string> } {
  const values: Record<string, unknown> = {};
  const wrong: Record<string, string> = {};
  for (const f of fields) {
    const text = typed[f.name] ?? '';
    if (text.trim() === '') {
      if (f.required && f.default === undefined) wrong[f.name] = 'It is needed.';
      continue;
    }
    const got = value(f, text);
    if ('wrong' in got) { wrong[f.name] = got.wrong; continue; }
    if (f.enum?.length && !f.enum.some((e) => says(e) === says(got.value))) { wrong[f.name] = `One of: ${f.enum.map(says).join(', ')}.`; continue; }
    if (f.pattern && typeof got.value === 'string') {
      const fits = matches(f.pattern, got.value);
      if (fits === false) { wrong[f.name] = `It does not match ${f.pattern}.`; continue; }
    }
    values[f.name] = got.value;
  }
  return { values, wrong };
}

function value(f: FormField, text: string): { value: unknown } | { wrong: string } {
  switch (f.type) {
    case 'number': {
      const n = Number(text.trim());
      return Number.isFinite(n) ? { value: n } : { wrong: 'A number.' };
    }
    case 'boolean':
      return text === 'true' || text === 'false' ? { value: text === 'true' } : { wrong: 'true or false.' };
    case 'list': {
      if (!text.trim().startsWith('[')) return { value: text.split('\n').map((l) => l.trim()).filter(Boolean) };
      const v = json(text);
      return Array.isArray(v) ? { value: v } : { wrong: 'A list: one line for each, or JSON.' };
    }
    case 'map': {
      const v = json(text);
      return v !== null && typeof v === 'object' && !Array.isArray(v) ? { value: v } : { wrong: 'A JSON object, as {"a": 1}.' };
    }
    case 'any': {
      const v = json(text);
      return { value: v === undefined ? text : v };
    }
    default:
      return { value: text };
  }
}

function json(text: string): unknown {
  try { return JSON.parse(text); } catch { return undefined; }
}

/** The server's patterns are RE2; one that the browser does not know is left to the server. */
function matches(pattern: string, text: string): boolean | undefined {
  try { return new RegExp(pattern, 'u').test(text); } catch { return undefined; }
}
