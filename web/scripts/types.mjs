// Writes src/api/schema.ts from the committed contract: a type for each schema, and for each operation its way, what it
// is asked with and what it answers. `npm run types` after the contract has changed; CI compares.
import { readFileSync, writeFileSync } from 'node:fs';

const contract = JSON.parse(readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8'));
const out = ['// Generated from docs/openapi.json by scripts/types.mjs: do not edit.', ''];
const name = (ref) => ref.slice(ref.lastIndexOf('/') + 1);
const key = (k) => (/^[A-Za-z_$][\w$]*$/.test(k) ? k : JSON.stringify(k));
const doc = (text, indent) => (text ? [`${indent}/** ${text.replace(/\*\//g, '* /')} */`] : []);

function type(s, indent = '') {
  if (!s || s === true) return 'unknown';
  if (s.$ref) return name(s.$ref);
  if (s.enum) return s.enum.map((v) => JSON.stringify(v)).join(' | ');
  const kinds = Array.isArray(s.type) ? s.type : [s.type];
  const one = (t) => {
    switch (t) {
      case 'string': return 'string';
      case 'integer': case 'number': return 'number';
      case 'boolean': return 'boolean';
      case 'null': return 'null';
      case 'array': {
        const of = type(s.items, indent);
        return / [|&] /.test(of) ? `(${of})[]` : `${of}[]`;
      }
      case 'object': {
        if (s.properties) return object(s, indent);
        return `Record<string, ${type(s.additionalProperties, indent)}>`;
      }
      default: return 'unknown';
    }
  };
  return kinds.map(one).join(' | ');
}

function object(s, indent) {
  const need = new Set(s.required ?? []);
  const lines = Object.entries(s.properties ?? {}).flatMap(([k, v]) => [
    ...doc(v.description, indent + '  '),
    `${indent}  ${key(k)}${need.has(k) ? '' : '?'}: ${type(v, indent + '  ')};`,
  ]);
  return `{\n${lines.join('\n')}\n${indent}}`;
}

for (const [n, s] of Object.entries(contract.components.schemas).sort(([a], [b]) => (a < b ? -1 : 1))) {
  out.push(...doc(s.description, ''));
  out.push(s.properties ? `export interface ${n} ${object(s, '')}` : `export type ${n} = ${type(s)};`, '');
}

const ways = [];
const operations = [];
for (const [path, item] of Object.entries(contract.paths)) {
  for (const [method, op] of Object.entries(item)) {
    if (!op.operationId) continue;
    const group = (where) => {
      const list = (op.parameters ?? []).filter((p) => p.in === where);
      if (list.length === 0) return '{}';
      return `{ ${list.map((p) => `${key(p.name)}${p.required ? '' : '?'}: ${type(p.schema)}`).join('; ')} }`;
    };
    const ok = Object.entries(op.responses).find(([code]) => code.startsWith('2'))?.[1];
    const [media, answer] = Object.entries(ok?.content ?? {})[0] ?? [];
    const body = op.requestBody?.content?.['application/json']?.schema;
    operations.push({
      id: op.operationId,
      text: [
        ...doc(op.summary, '  '),
        `  ${op.operationId}: {`,
        `    path: ${group('path')};`,
        `    query: ${group('query')};`,
        `    body: ${body ? type(body) : 'never'};`,
        `    answer: ${media === 'application/json' ? type(answer.schema) : media ? 'string' : 'void'};`,
        '  };',
      ],
    });
    ways.push({ id: op.operationId, text: `  ${op.operationId}: '${method.toUpperCase()} ${path}',` });
  }
}
const byID = (a, b) => (a.id < b.id ? -1 : 1);
out.push('/** What can be asked of the server, by the name of the operation. */', 'export interface Operations {');
out.push(...operations.sort(byID).flatMap((o) => o.text), '}', '');
out.push('/** Where each operation is. */', 'export const ways = {', ...ways.sort(byID).map((w) => w.text), '} as const satisfies Record<keyof Operations, string>;', '');
writeFileSync(new URL('../src/api/schema.ts', import.meta.url), out.join('\n'));
