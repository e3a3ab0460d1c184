// WCAG 2.2 AA by axe, each page in light and dark. A new page is a line in the list.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';

import { playbooks } from './stage.mjs';
import { browse, open, serve, until } from './world.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
let w, b, run;
before(async () => {
  b = await browse();
  w = await serve({ playbooks });
  const hello = await w.run('hello');
  await w.ended(hello);
  run = w.shell ? await w.run('reclaim-disk') : hello;
  if (w.shell) await until(async () => (await w.status(run)) === 'waiting');
}, { timeout: 120_000 });
after(async () => { await b?.close(); await w?.close(); });

const pages = [
  ['Home', () => '/', '.readings'],
  ['Runs', () => '/runs', '.runrow'],
  ['Run', () => `/runs/${run}?step=${encodeURIComponent('steps[0]')}`, '.step-in .facts'],
  ['Run, its log', () => `/runs/${run}?step=${encodeURIComponent('steps[0]')}&tab=log`, '.panel.step'],
  ['Run, its story', () => `/runs/${run}?view=story`, '.run-story li'],
  ['Run, about it', () => `/runs/${run}?view=about`, '.run-about'],
];

for (const colorScheme of ['light', 'dark']) {
  test(`axe finds nothing in ${colorScheme}`, { timeout: 180_000 }, async (t) => {
    // axe is put in from outside, which the policy of the page rightly refuses.
    const page = await open(b, w, { colorScheme, bypassCSP: true, reducedMotion: 'reduce' });
    for (const [name, path, ready] of pages) {
      await t.test(name, async () => {
        await page.goto(path());
        await page.locator(ready).first().waitFor();
        await page.evaluate(axe);
        const found = await page.evaluate(async () => {
          const r = await window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] });
          return r.violations.map((v) => `${v.id}: ${v.help}\n  ${v.nodes.slice(0, 4).map((n) => `${n.target.join(' ')} ${n.any[0]?.message ?? ''}`).join('\n  ')}`);
        });
        assert.deepEqual(found, []);
      });
    }
    await page.context().close();
  });
}
