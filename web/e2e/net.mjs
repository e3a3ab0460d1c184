// What lies between a page and its server, and goes wrong: a network that swallows what is sent, and a server that is
// another version than the page.
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { basename, join, resolve } from 'node:path';

/**
 * A TCP proxy before a server. After `hole()` what is sent on the connections that there are goes nowhere, and nobody is
 * told (no FIN, no RST), as when a laptop slept through a change of its network; `hole({all: true})` swallows what comes on new
 * ones too, until `heal()`: the old ones stay dead.
 */
export async function between(w) {
  const pairs = new Set();
  let all = false;
  const s = createServer((a) => {
    const b = connect({ host: '127.0.0.1', port: Number(new URL(w.url).port) });
    const pair = { dead: all, a, b };
    pairs.add(pair);
    const over = () => { if (!pair.dead) { a.destroy(); b.destroy(); pairs.delete(pair); } };
    for (const [from, to] of [[a, b], [b, a]]) {
      from.setNoDelay(true);
      from.on('data', (bytes) => { if (!pair.dead) to.write(bytes); });
      from.on('error', over);
      from.on('close', over);
    }
  });
  await new Promise((ok) => { s.listen(0, '127.0.0.1', ok); });
  return {
    url: `http://127.0.0.1:${s.address().port}`,
    hole(how = {}) {
      for (const p of pairs) p.dead = true;
      all = how.all ?? false;
    },
    heal() { all = false; },
    close() {
      for (const p of pairs) { p.a.destroy(); p.b.destroy(); }
      return new Promise((ok) => { s.close(ok); });
    },
  };
}

/**
 * Makes another version of a server out of a binary: one whose page has other assets, as after an upgrade. The page is
 * embedded as it is, so it is enough to give its files other names of the same length.
 */
export function upgraded(binary, to) {
  const assets = resolve(import.meta.dirname, '../../internal/web/dist/assets');
  const bytes = readFileSync(binary);
  for (const file of readdirSync(assets)) {
    const stem = basename(file).replace(/\.\w+$/, '');
    const was = Buffer.from(stem);
    const now = Buffer.from(stem.slice(0, -1) + (stem.endsWith('x') ? 'y' : 'x'));
    for (let at = bytes.indexOf(was); at >= 0; at = bytes.indexOf(was, at + 1)) now.copy(bytes, at);
  }
  const path = join(to, 'tend-next');
  writeFileSync(path, bytes);
  chmodSync(path, 0o755);
  return path;
}
