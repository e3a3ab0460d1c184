// The script of the first load, gzip, against its bound. `npm run size` after a build.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const dist = new URL('../../internal/web/dist/', import.meta.url);
const html = readFileSync(new URL('index.html', dist), 'utf8');
const first = new Set([...html.matchAll(/(?:src|href)="\/([^"]+\.js)"/g)].map((m) => m[1]));
for (const name of first) {
  for (const m of readFileSync(new URL(name, dist), 'utf8').matchAll(/(?:from|import)\s*["']\.\/([^"']+\.js)["']/g)) first.add(`assets/${m[1]}`);
}
let total = 0;
for (const name of first) {
  const n = gzipSync(readFileSync(new URL(name, dist)), { level: 9 }).length;
  total += n;
  console.log(`${(n / 1000).toFixed(1).padStart(7)} kB  ${name}`);
}
console.log(`${(total / 1000).toFixed(1).padStart(7)} kB  first load, of 200 kB`);
process.exit(total > 200_000 ? 1 : 0);
