// A run: the live graph, the time line, a step in full, its log, answering, commands, and who may only look.
import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { playbooks } from './stage.mjs';
import { browse, open, serve, until } from './world.mjs';

let w, b;
before(async () => {
  b = await browse();
  w = await serve({ playbooks });
}, { timeout: 120_000 });
after(async () => { await b?.close(); await w?.close(); });

const needShell = (t) => { if (!w.shell) { t.skip('steps of shell run as another user, which needs root'); return true; } return false; };

/** Whether somebody sees all of it, and not only that it is in the document. */
const inView = (of) => of.evaluate((e) => {
  const [r, v] = [e.getBoundingClientRect(), e.closest('.graph-box').getBoundingClientRect()];
  return r.left >= v.left - 1 && r.right <= v.right + 1 && r.top >= v.top - 1 && r.bottom <= v.bottom + 1;
});

/** The sizes of the texts of the graph, as they are on the screen. */
const sizes = (page) => page.locator('.graph-in').evaluate((g) => {
  const scale = g.getBoundingClientRect().width / g.offsetWidth;
  return [...g.querySelectorAll('bdi, .says, .count')].map((e) => parseFloat(getComputedStyle(e).fontSize) * scale);
});

test('a run is followed live, asked about, approved, and verified', { timeout: 90_000 }, async (t) => {
  if (needShell(t)) return;
  const run = await w.run('reclaim-disk');
  const page = await open(b, w, { path: `/runs/${run}` });
  const ask = page.getByRole('button', { name: /Move it out of the way waiting/ });
  await ask.waitFor({ timeout: 30_000 });
  assert.ok(await inView(ask), 'it opens at what waits');
  assert.ok((await sizes(page)).every((px) => px >= 12), 'no text of the graph is smaller than 12 px');
  await page.getByText('target path:/var/log/shop', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Fit' }).click();
  // Shape and colour in the graph, counts of loops, lanes side by side.
  await page.getByRole('button', { name: 'Measure succeeded' }).waitFor();
  assert.match(await page.locator('.gblock-foreach').innerText(), /4\/4/);
  const lanes = await page.locator('.gblock-lane').all();
  const [x, y] = await Promise.all(lanes.slice(0, 2).map((l) => l.boundingBox()));
  assert.ok(Math.abs(x.y - y.y) < 2 && x.x + x.width < y.x, 'lanes stand side by side');
  for (const what of ['.gblock-catch', '.gblock-finally', '.gstep-undo', '.gstep-verify']) assert.equal(await page.locator(what).count(), 1, what);
  assert.match(await page.locator('.run-why').innerText(), /waits for a person to answer/);
  assert.doesNotMatch(await page.locator('.run-why').innerText(), /tend /, 'a page names no command');
  // What asks for attention is open; the question stands above all else.
  const step = page.getByRole('region', { name: /Step Move it out of the way/ });
  await step.getByText('path:/var/log/shop', { exact: true }).waitFor();
  assert.match(await step.locator('.data-text').innerText(), /^1\s+printf[^]*2\s+for i in/, 'a script is shown as its lines');
  await step.getByRole('button', { name: 'Close the step' }).click();
  await page.locator('.gantt').getByText('Open files').waitFor();
  assert.equal(await page.getByRole('option', { name: /Compress/ }).count(), 4, 'an iteration of one step is one row');
  assert.equal(await page.getByRole('option', { name: /^\S*\s*\[0\]/ }).count(), 0);
  await page.locator('.run-why').getByRole('button', { name: /Move it out of the way/ }).click();
  assert.match(page.url(), /step=/);
  const question = page.getByRole('region', { name: 'A question' });
  await question.getByText('Move 21 MiB of rotated logs').waitFor();
  await question.getByLabel('Why').fill('it is full');
  await question.getByRole('button', { name: 'Approve' }).click();
  await page.locator('.run-head').getByText('succeeded').waitFor({ timeout: 30_000 });
  await step.getByText('path:/var/log/shop', { exact: true }).waitFor();
  await step.getByText('mutate', { exact: true }).waitFor();
  assert.match(await step.innerText(), /approved by local admin: it is full/);
  assert.match(await step.innerText(), /idempotency key/);
  // Its log, with colours as data.
  await step.getByRole('tab', { name: 'Log' }).click();
  await step.getByText('app.log.12.gz').waitFor();
  assert.equal(await step.locator('.ansi-b').first().innerText(), 'moving');
  assert.equal(await step.locator('.log-line[data-stream=stderr] .ansi-1').innerText(), 'skipped');
  await step.getByRole('searchbox').fill('LOG.7');
  await step.getByText('1 of 1').waitFor();
  await step.getByRole('searchbox').fill('app.log');
  await step.getByText('1 of 13').waitFor();
  await step.getByRole('button', { name: 'The next occurrence' }).click();
  await step.getByText('2 of 13').waitFor();
  await step.getByRole('button', { name: 'The occurrence before' }).click();
  await step.getByText('1 of 13').waitFor();
  await step.getByRole('searchbox').fill('LOG.7');
  await step.getByText('1 of 1', { exact: true }).waitFor();
  assert.equal(await step.locator('mark').innerText(), 'log.7');
  // What it is, and what changed since the last time.
  await page.getByRole('tab', { name: 'About' }).click();
  await page.getByText('It is the first run of this playbook.').waitFor();
  await page.getByRole('region', { name: 'About the run' }).getByText('reclaimed').waitFor();
  await page.getByRole('tab', { name: 'Story' }).click();
  await page.getByText(/approved by local admin/).waitFor();
  // The shared file is whole without a server: nothing is asked for, and the graph is in it.
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Share' }).click()]);
  const alone = await b.newContext({ offline: true });
  const read = await alone.newPage();
  const asked = [];
  read.on('request', (r) => { if (!r.url().startsWith('file:')) asked.push(r.url()); });
  const html = `${await file.path()}.html`;
  copyFileSync(await file.path(), html);
  await read.goto(pathToFileURL(html).href);
  const box = read.locator('svg.tend-graph [data-path="steps[3]"]');
  await box.waitFor();
  assert.equal(await box.getAttribute('data-status'), 'succeeded');
  assert.match(await box.textContent(), /target path:\/var\/log\/shop/);
  assert.ok((await read.locator('svg.tend-graph').boundingBox()).height > 400);
  assert.equal(await read.locator('script').count(), 0);
  assert.deepEqual(asked, []);
  await alone.close();
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('two people look, one of them approves, the other sees it at once', { timeout: 60_000 }, async (t) => {
  if (needShell(t)) return;
  const run = await w.run('reclaim-disk', { path: '/var/log/two' }); // a target that nobody changed a moment ago
  const [one, two] = await Promise.all([open(b, w, { path: `/runs/${run}` }), open(b, w, { path: `/runs/${run}`, token: w.second })]);
  for (const p of [one, two]) await p.getByRole('button', { name: /Move it out of the way waiting/ }).click();
  await Promise.all([one.getByRole('button', { name: 'Reject' }).waitFor(), two.getByRole('button', { name: 'Approve' }).waitFor()]);
  const results = await Promise.allSettled([one.getByRole('button', { name: 'Reject' }).click({ timeout: 3000 }), two.getByRole('button', { name: 'Approve' }).click({ timeout: 3000 })]);
  assert.ok(results.some((r) => r.status === 'fulfilled'));
  for (const p of [one, two]) await p.locator('.run-head').getByText(/succeeded|failed/).waitFor({ timeout: 30_000 });
  assert.equal(await one.locator('.run-head .status').innerText(), await two.locator('.run-head .status').innerText());
  for (const p of [one, two]) await p.context().close();
});

test('a failure is retried from there as another run; a running one is cancelled with a reason', { timeout: 90_000 }, async (t) => {
  if (needShell(t)) return;
  const run = await w.run('restart-when-stuck');
  await w.ended(run, 'failed');
  const page = await open(b, w, { path: `/runs/${run}` });
  await page.getByRole('button', { name: 'Restart failed' }).click();
  await page.getByText('attempts', { exact: false }).first().waitFor();
  await page.getByRole('button', { name: 'Retry from here' }).click();
  await page.getByRole('dialog').getByLabel(/Why/).fill('it is up now');
  await page.getByRole('button', { name: 'Start the new run' }).click();
  await page.waitForURL((u) => u.pathname.startsWith('/runs/') && !u.pathname.endsWith(run));
  await page.getByText('goes on from').waitFor();
  const slow = await w.run('drain-node');
  await page.goto(`/runs/${slow}`);
  await page.getByRole('button', { name: /Evict running/ }).click();
  await page.getByRole('tab', { name: 'Log' }).click();
  await page.getByText('evicting pod-3', { exact: true }).waitFor();
  const lines = () => page.locator('.log-bar [role=status]').innerText().then((t) => parseInt(t, 10));
  const had = await lines();
  await until(async () => (await lines()) > had, 'more lines');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel the run' }).click();
  await page.locator('.run-head').getByText(/cancelled|in doubt/).waitFor({ timeout: 30_000 });
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('who may only look is offered nothing else', { timeout: 60_000 }, async (t) => {
  if (needShell(t)) return;
  const run = await w.run('reclaim-disk');
  const page = await open(b, w, { path: `/runs/${run}`, token: w.viewer });
  await page.getByRole('button', { name: /Move it out of the way waiting/ }).click();
  await page.getByText('It is asked of others.').waitFor();
  for (const name of ['Pause', 'Cancel', 'Approve', 'Reject', 'Skip the step']) assert.equal(await page.getByRole('button', { name, exact: true }).count(), 0, name);
  const refused = await page.evaluate(async (id) => (await fetch(`/v1/runs/${id}/commands`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"verb":"cancel"}' })).status, run);
  assert.equal(refused, 403);
  await page.context().close();
});

test('in doubt: the page says so and a person settles it', { timeout: 60_000 }, async (t) => {
  if (needShell(t)) return;
  const run = await w.run('fail-over-database');
  const page = await open(b, w, { path: '/' });
  await page.locator('#doubt').getByText('fail-over-database').waitFor({ timeout: 20_000 });
  await page.locator('#doubt').getByText('fail-over-database').click();
  await page.getByRole('button', { name: /Promote the replica in doubt/ }).click();
  await page.getByRole('button', { name: 'It happened', exact: true }).click();
  await page.locator('.run-head').getByText('succeeded').waitFor({ timeout: 20_000 });
  await w.ended(run);
  await page.context().close();
});

test('a run that is not there, and one that is elsewhere', async () => {
  const page = await open(b, w, { path: '/runs/run_00000000000000000000' });
  await page.getByText('There is no such run here').waitFor();
  await page.context().close();
});

test('at the width of a phone the question comes first, then the steps; the graph is at the step, and is pinched', { timeout: 60_000 }, async (t) => {
  if (needShell(t)) return;
  const run = await w.run('reclaim-disk', { path: '/var/log/phone' });
  const page = await open(b, w, { path: `/runs/${run}`, viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  const question = page.getByRole('region', { name: 'A question' });
  await question.getByRole('button', { name: 'Approve' }).waitFor({ timeout: 30_000 });
  assert.ok((await question.boundingBox()).y < (await page.getByRole('tablist', { name: 'Views' }).boundingBox()).y);
  await page.getByRole('option', { name: /Measure/ }).click();
  await page.getByRole('region', { name: /Step Measure/ }).waitFor();
  await page.getByRole('button', { name: 'Close the step' }).click();
  await page.getByRole('tab', { name: 'Graph' }).click();
  const step = page.getByRole('button', { name: /Move it out of the way waiting/ });
  await step.waitFor();
  const [r, v] = await Promise.all([step.boundingBox(), page.locator('.graph-box').boundingBox()]);
  assert.ok(r.x >= v.x - 1 && r.x + r.width <= v.x + v.width + 1 && r.y > v.y && r.y < v.y + v.height, `it is centred on the step: ${JSON.stringify([r, v])}`);
  assert.ok((await sizes(page)).every((px) => px >= 12));
  const cdp = await page.context().newCDPSession(page);
  await page.locator('.graph-box').scrollIntoViewIfNeeded();
  const g = await page.locator('.graph-box').boundingBox();
  const [x, y] = [g.x + g.width / 2, g.y + g.height / 2];
  const fingers = (apart) => [{ x: x - apart, y, id: 1 }, { x: x + apart, y, id: 2 }];
  await cdp.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: fingers(80) });
  for (const apart of [70, 60, 50, 40]) await cdp.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: fingers(apart) });
  await cdp.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  await page.getByRole('group', { name: 'Zoom' }).getByText(/^(4|5|6)\d%$/).waitFor();
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(over <= 0, `it is ${over} px too wide`);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});
