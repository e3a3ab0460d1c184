// What is large stays quick: a run of a thousand steps that is followed live, a log of a hundred thousand lines, a list of
// thousands of runs.
import assert from 'node:assert/strict';
import { cpus, loadavg } from 'node:os';
import { after, before, test } from 'node:test';

import { watch } from './watch.mjs';
import { browse, open, serve, until } from './world.mjs';

const steps = Array.from({ length: 1000 }, (_, i) => `  - {name: Step ${i + 1}, uses: log, with: {message: 'step ${i + 1}'}}`).join('\n');
let w, b;
before(async () => {
  b = await browse();
  w = await serve({ playbooks: {
    'wide.yaml': `apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: thousand, description: A thousand steps.}\nsteps:\n  - {id: go, uses: approve, with: {message: Begin?}}\n${steps}\n`,
    'log.yaml': `apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: chatty, description: Print much.}\nsteps:\n  - {id: say, name: Print, uses: shell, effect: read, with: {script: 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); printf "line %s of a log that is rather long\\n" $i; done'}}\n`,
    'hello.yaml': `apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: hello, description: Say hello.}\nsteps:\n  - {id: one, name: Say hello, uses: log, with: {message: hello}}\n`,
  } });
}, { timeout: 120_000 });
after(async () => { await b?.close(); await w?.close(); });

/** Milliseconds from a key to the frame after it was handled. */
const answered = (page, key) => page.evaluate((k) => new Promise((done) => {
  const from = performance.now();
  document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: k, bubbles: true, cancelable: true }));
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - from)));
}), key);

// How long a key takes to be answered is by the clock, so other work counts: it is held to its bound where there is little.
const quiet = loadavg()[0] < 2 * cpus().length;

test('a run of a thousand steps opens and is followed without a long task', { timeout: 180_000 }, async (t) => {
  const run = await w.run('thousand');
  const page = await open(b, w, { path: '/runs' });
  await page.locator('.runrow').first().waitFor();
  let end = await watch(page);
  const from = Date.now();
  await page.locator('.runrow').first().click();
  await page.getByRole('button', { name: 'Step 3 not begun' }).waitFor();
  t.diagnostic(`opened in ${Date.now() - from} ms`);
  const opened = await end();
  const task = (await w.api('GET', '/v1/tasks?status=open')).rows[0].id;
  end = await watch(page);
  await w.api('POST', `/v1/tasks/${task}/answers`, { choice: 'approve' });
  const keys = [];
  while (!['succeeded', 'failed'].includes(await w.status(run))) {
    keys.push(await answered(page, 'j'));
    await page.waitForTimeout(100);
  }
  await page.locator('.run-head').getByText('succeeded').waitFor({ timeout: 30_000 });
  const tasks = await end();
  t.diagnostic(`followed live: ${keys.length} keys, the slowest answered in ${Math.round(Math.max(...keys))} ms; long tasks: ${opened.length} opening, ${tasks.length} following`);
  assert.deepEqual([opened, tasks], [[], []]);
  if (quiet) assert.ok(Math.max(...keys) < 200, `a key took ${Math.max(...keys)} ms`);
  assert.ok((await page.locator('.gstep').count()) < 150, 'only what is in view is in the document');
  await page.context().close();
});

test('a log of a hundred thousand lines is read and searched', { timeout: 120_000 }, async (t) => {
  if (!w.shell) { t.skip('needs root'); return; }
  const run = await w.run('chatty');
  await w.ended(run);
  const page = await open(b, w, { path: '/' });
  await page.goto(`/runs/${run}?step=${encodeURIComponent('steps[0]')}`);
  const end = await watch(page);
  const from = Date.now();
  await page.getByRole('tab', { name: 'Log' }).click();
  await page.getByText('100,000 lines').waitFor({ timeout: 30_000 });
  t.diagnostic(`shown in ${Date.now() - from} ms`);
  await page.getByRole('searchbox').fill('99999');
  await page.getByText('1 of 1').waitFor();
  await page.getByText('line 99999 of').waitFor();
  assert.deepEqual(await end(), []);
  await page.locator('.log-box').evaluate((e) => { e.scrollTop = e.scrollHeight / 2; });
  await page.getByText('line 50000 of').waitFor();
  assert.ok((await page.locator('.log-line').count()) < 150);
  await page.context().close();
});

test('a list of thousands of runs scrolls', { timeout: 300_000 }, async (t) => {
  const n = Number(process.env.TEND_E2E_RUNS || 5000);
  let left = n;
  await Promise.all(Array.from({ length: 24 }, async () => { while (left-- > 0) await w.run('hello'); }));
  const page = await open(b, w, { path: '/runs' });
  await page.goto('/runs?name=hello');
  await page.locator('.runrow').first().waitFor();
  const end = await watch(page);
  const box = page.locator('.runs-box');
  await until(async () => {
    await box.evaluate((e) => e.scrollBy(0, 4000));
    await page.waitForTimeout(30);
    return (await page.locator('.runs-foot').innerText()) === `${n.toLocaleString('en')} runs`;
  }, 'the end of the list', 60_000);
  assert.ok((await page.locator('.runrow').count()) < 120);
  assert.deepEqual(await end(), []);
  await page.context().close();
});
