// The shell: sign-on, who may what, search, keys, theme, zone, a server that goes away and comes back.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { browse, open, serve, until } from './world.mjs';

let w, b;
before(async () => {
  b = await browse();
  w = await serve({ playbooks: { 'hello.yaml': `apiVersion: tend/v1
kind: Playbook
metadata: {name: hello, description: Say hello.}
steps:
  - {id: one, uses: log, with: {message: hello}}
` } });
  const run = await w.run('hello');
  await w.ended(run);
}, { timeout: 120_000 });
after(async () => { await b?.close(); await w?.close(); });

test('nobody sees anything before they sign on, and goes on where they were', async () => {
  const page = await open(b, w, { token: null, path: '/runs?status=failed' });
  const dialog = page.getByRole('dialog', { name: 'Sign on' });
  await dialog.waitFor();
  await page.keyboard.press('Escape');
  assert.ok(await dialog.isVisible());
  await dialog.getByLabel('Token').fill('tend_wrong');
  await dialog.getByRole('button', { name: 'Sign on' }).click();
  await dialog.getByText('not known here').waitFor();
  await dialog.getByLabel('Token').fill(w.viewer);
  await dialog.getByRole('button', { name: 'Sign on' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('heading', { name: 'Runs', level: 1 }).waitFor();
  assert.match(page.url(), /\/runs\?status=failed$/);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('a session that ended asks again, and the page stays as it is', async () => {
  const page = await open(b, w, { path: '/runs' });
  await page.getByRole('heading', { name: 'Runs', level: 1 }).waitFor();
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Search' }).fill('hel');
  await page.context().clearCookies();
  await page.keyboard.type('lo');
  await page.getByRole('dialog', { name: 'Sign on' }).waitFor();
  assert.equal(await page.locator('.palette .query').inputValue(), 'hello');
  await page.getByLabel('Token').fill(w.admin);
  await page.getByLabel('Token').press('Enter');
  await page.getByRole('option', { name: /playbook.*hello/ }).waitFor();
  await page.context().close();
});

test('search and keys lead everywhere', async () => {
  const page = await open(b, w, { path: '/' });
  await page.getByText('live', { exact: true }).waitFor();
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Search' }).fill('hello succeeded');
  await page.getByRole('option', { name: /run.*hello/ }).waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/runs\/run_/);
  await page.goBack();
  await page.keyboard.press('g');
  await page.keyboard.press('r');
  await page.waitForURL(/\/runs$/);
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).getByText('go to Runs').waitFor();
  await page.context().close();
});

test('dark and UTC are kept', async () => {
  const page = await open(b, w);
  await page.getByRole('button', { name: /^Theme: system/ }).click();
  await page.getByRole('button', { name: /^UTC\+/ }).click();
  await page.reload();
  await page.getByRole('button', { name: /^Theme: dark/ }).waitFor();
  await page.getByRole('button', { name: 'UTC', exact: true }).waitFor();
  assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme), 'dark');
  await page.context().close();
});

test('a server that goes away is said to be away, and comes back by itself', { timeout: 60_000 }, async () => {
  const page = await open(b, w, { path: '/runs' });
  await page.getByText('live', { exact: true }).waitFor();
  await w.stop('SIGKILL');
  await page.getByText('Not connected.').waitFor();
  assert.match(await page.locator('.pulse').innerText(), /as of/);
  await page.getByRole('heading', { name: 'Runs', level: 1 }).waitFor();
  await w.start();
  await page.getByText('live', { exact: true }).waitFor({ timeout: 30_000 });
  await until(async () => !(await page.getByText('Not connected.').isVisible()), 'the banner goes');
  await page.context().close();
});
