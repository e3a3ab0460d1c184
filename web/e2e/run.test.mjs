// A run: the live graph, the time line, a step in full, its log, answering, commands, and who may only look.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { playbooks } from './stage.mjs';
import { browse, open, serve, until } from './world.mjs';

let w, b;
before(async () => {
  b = await browse();
  w = await serve({ playbooks });
}, { timeout: 120_000 });
after(async () => { await b?.close(); await w?.close(); });

const needShell = (t) => { if (!w.shell) { t.skip('steps of shell run as another user, which needs root'); return true; } return false; };

test('a run is followed live, asked about, approved, and verified', { timeout: 90_000 }, async (t) => {
  if (needShell(t)) return;
  const run = await w.run('reclaim-disk');
  const page = await open(b, w, { path: `/runs/${run}` });
  const ask = page.getByRole('button', { name: /Move it out of the way waiting/ });
  await ask.waitFor({ timeout: 30_000 });
  // Shape and colour in the graph, counts of loops, lanes side by side.
  await page.getByRole('button', { name: 'Measure succeeded' }).waitFor();
  assert.match(await page.locator('.gblock-foreach').innerText(), /4\/4/);
  const lanes = await page.locator('.gblock-lane').all();
  const [x, y] = await Promise.all(lanes.slice(0, 2).map((l) => l.boundingBox()));
  assert.ok(Math.abs(x.y - y.y) < 2 && x.x + x.width < y.x, 'lanes stand side by side');
  for (const what of ['.gblock-catch', '.gblock-finally', '.gstep-undo', '.gstep-verify']) assert.equal(await page.locator(what).count(), 1, what);
  assert.match(await page.locator('.run-why').innerText(), /waits for a person to answer/);
  assert.match(await page.locator('.gantt').innerText(), /Open files/);
  await ask.click();
  assert.match(page.url(), /step=/);
  const step = page.getByRole('region', { name: /Step Move it out of the way/ });
  await step.getByText('Move 21 MiB of rotated logs').waitFor();
  await step.getByLabel('Why').fill('it is full');
  await step.getByRole('button', { name: 'Approve' }).click();
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
  assert.equal(await step.locator('mark').innerText(), 'log.7');
  // What it is, and what changed since the last time.
  await page.getByRole('tab', { name: 'About' }).click();
  await page.getByText('It is the first run of this playbook.').waitFor();
  await page.getByText('"reclaimed"').waitFor();
  await page.getByRole('tab', { name: 'Story' }).click();
  await page.getByText(/approved by local admin/).waitFor();
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Share' }).click()]);
  const html = readFileSync(await file.path(), 'utf8');
  assert.ok(html.includes('reclaim-disk') && !html.includes('<script'));
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

test('at the width of a phone the run is whole', async (t) => {
  if (needShell(t)) return;
  const run = await w.run('reclaim-disk');
  const page = await open(b, w, { path: `/runs/${run}`, viewport: { width: 390, height: 844 }, hasTouch: true });
  await page.getByRole('tab', { name: 'Time line' }).click();
  await page.getByRole('option', { name: /Measure/ }).click();
  await page.getByRole('region', { name: /Step Measure/ }).waitFor();
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(over <= 0, `it is ${over} px too wide`);
  await page.context().close();
});
