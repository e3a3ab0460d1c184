// The log of a step in full, the time line where nothing happens, a failure in the head, and the runs beside a run.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { browse, open, serve, until } from './world.mjs';

let w, b;
before(async () => {
  b = await browse();
  w = await serve({ playbooks: {
    'prints.yaml': `apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: prints, description: Print and fail.}\nsteps:\n  - {id: say, name: Print, uses: shell, effect: read, with: {script: 'i=0; while [ $i -lt 500 ]; do i=$((i+1)); echo "line $i of it ${'long '.repeat(40)}"; done; echo "first trouble" >&2; echo "disk is full" >&2; exit 7'}}\n`,
    'waits.yaml': `apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: waits, description: Wait for a person.}\nsteps:\n  - {id: look, name: Look, uses: log, with: {message: hello}}\n  - {id: ok, name: Is it well, uses: approve, with: {message: Is it well?, within: 1h}}\n  - {id: end, name: Tell, uses: log, with: {message: hello}}\n`,
  } });
}, { timeout: 120_000 });
after(async () => { await b?.close(); await w?.close(); });

test('a failure stands in the head in full; its log is read, narrowed, wrapped, saved, linked to and made large', { timeout: 120_000 }, async (t) => {
  if (!w.shell) { t.skip('steps of shell run as another user, which needs root'); return; }
  const run = await w.run('prints');
  await w.ended(run, 'failed');
  const page = await open(b, w, { path: `/runs/${run}` });
  assert.match(await page.getByRole('group', { name: 'The error' }).innerText(), /exit code 7[^]*disk is full/);
  assert.match(await page.getByRole('tab', { name: /Story/ }).innerText(), /Story \d+/);
  await page.getByRole('link', { name: 'Open the log at its end' }).click();
  const step = page.getByRole('region', { name: 'Step Print' });
  const last = step.getByText('disk is full', { exact: true });
  await last.waitFor();
  assert.match(page.url(), /tab=log&line=end/);
  // What is of stderr is told apart by a mark, and by a filter.
  const err = step.locator('.log-line[data-stream=stderr]');
  assert.equal(await err.first().locator('.mark').getAttribute('title'), 'stderr');
  await step.getByRole('button', { name: 'To the beginning' }).click();
  await step.getByText(/^line 1 of it/).waitFor();
  await step.getByRole('button', { name: /Only stderr 2/ }).click();
  await step.getByText('2 lines', { exact: true }).waitFor();
  assert.equal(await step.locator('.log-line').count(), 2);
  assert.equal(await err.last().locator('.no').innerText(), '502', 'a line keeps its number');
  await step.getByRole('button', { name: /Only stderr/ }).click();
  await step.getByRole('button', { name: 'To the end' }).click();
  await last.waitFor();
  // Wrapped, a long line has several rows, and none is beside the log.
  await step.getByRole('button', { name: 'To the beginning' }).click();
  await step.getByRole('button', { name: 'Wrap' }).click();
  const first = step.locator('.log-line').first();
  await until(async () => (await first.boundingBox()).height > 30, 'wrapped');
  assert.ok(await step.locator('.log-box').evaluate((e) => e.scrollWidth <= e.clientWidth + 1));
  await until(async () => { const boxes = await step.locator('.log-line').evaluateAll((list) => list.slice(0, 6).map((e) => { const r = e.getBoundingClientRect(); return [r.top, r.bottom]; }).sort((x, y) => x[0] - y[0])); return boxes.every(([top], i) => i === 0 || top >= boxes[i - 1][1] - 1); }, 'lines below each other');
  await step.getByRole('button', { name: 'Wrap' }).click();
  // A hit is linked to, and the link opens there.
  const field = step.getByRole('searchbox');
  await field.fill('line 25');
  await step.getByText('1 of 11', { exact: true }).waitFor();
  await field.press('Enter');
  await step.getByText('2 of 11', { exact: true }).waitFor();
  await field.press('Shift+Enter');
  await step.getByText('1 of 11', { exact: true }).waitFor();
  await field.press('Shift+Enter');
  await step.getByText('11 of 11', { exact: true }).waitFor();
  await step.getByRole('button', { name: 'Link', exact: true }).click();
  await page.waitForURL(/line=259/);
  await page.reload();
  await step.locator('.log-line[data-here]').getByText(/^line 259 of it/).waitFor();
  // As large as the page, by key and by button.
  const before = (await step.boundingBox()).width;
  await step.locator('.log-box').focus();
  await page.keyboard.press('f');
  await page.locator('.run-graph').waitFor({ state: 'detached' });
  assert.ok((await step.boundingBox()).width > before * 1.5);
  await step.getByRole('button', { name: 'Large' }).click();
  await page.locator('.run-graph').waitFor();
  await page.keyboard.press('/');
  await until(() => field.evaluate((e) => e === document.activeElement), 'the search has the focus');
  const [file] = await Promise.all([page.waitForEvent('download'), step.getByRole('button', { name: 'Save' }).click()]);
  const text = readFileSync(await file.path(), 'utf8');
  assert.equal(text.split('\n').length, 503);
  assert.match(text, /^line 1 of it[^]*disk is full\n$/);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('where nothing happens the time line is cut, and says how long it was', { timeout: 90_000 }, async () => {
  const run = await w.run('waits');
  await until(async () => (await w.status(run)) === 'waiting', 'it waits');
  const page = await open(b, w, { path: `/runs/${run}?view=time` });
  const cut = page.locator('.gantt-axis b');
  await cut.getByText(/^Nothing happened for \d+ s$/).waitFor({ timeout: 20_000 });
  await page.locator('.gantt-cuts svg').waitFor();
  const bar = page.getByRole('option', { name: /Look/ }).locator('.bar');
  assert.ok((await bar.boundingBox()).width >= 3);
  const task = (await w.api('GET', `/v1/tasks?status=open&parent=${run}`)).rows[0].id;
  await w.api('POST', `/v1/tasks/${task}/answers`, { choice: 'approve', why: 'it is' });
  await page.locator('.run-head').getByText('succeeded').waitFor({ timeout: 30_000 });
  await cut.getByText(/^Nothing happened for \d+ s$/).waitFor();
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('the next run of a list is opened by a key, and the list is one step away', { timeout: 60_000 }, async () => {
  const ids = [await w.run('waits'), await w.run('waits'), await w.run('waits')];
  const page = await open(b, w, { path: '/runs?status=waiting&name=waits' });
  await page.locator('.runrow').nth(2).waitFor();
  await page.locator(`.runrow[href="/runs/${ids[2]}"]`).click();
  await page.getByRole('navigation', { name: 'Runs of the list' }).getByText('1 of 3').waitFor();
  await page.keyboard.press(']');
  await page.waitForURL(`**/runs/${ids[1]}`);
  await page.getByText('2 of 3', { exact: true }).waitFor();
  await page.keyboard.press('[');
  await page.waitForURL(`**/runs/${ids[2]}`);
  await page.getByRole('link', { name: 'The next run of the list' }).click();
  await page.waitForURL(`**/runs/${ids[1]}`);
  await page.getByText('2 of 3', { exact: true }).click();
  await page.waitForURL(/\/runs\?status=waiting&name=waits/);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});
