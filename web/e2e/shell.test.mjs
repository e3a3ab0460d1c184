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
`, 'asks.yaml': `apiVersion: tend/v1
kind: Playbook
metadata: {name: asks, description: Ask.}
steps:
  - {id: one, uses: log, with: {message: hello}, approval: {message: Do it?, within: 1h}}
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

test('the rail and the title say what waits, as it changes, and nothing moves', { timeout: 60_000 }, async () => {
  const page = await open(b, w, { path: '/runs' });
  await page.getByRole('heading', { name: 'Runs', level: 1 }).waitFor();
  await page.getByText('live', { exact: true }).waitFor();
  const rail = page.getByRole('navigation', { name: 'Pages' });
  const place = () => rail.getByRole('link', { name: /^Incidents/ }).evaluate((e) => JSON.stringify([...e.parentElement.children].map((c) => c.getBoundingClientRect())));
  const was = await place();
  assert.equal(await page.title(), 'Runs · tend');
  const { id } = await w.api('POST', '/v1/incidents', { title: 'It burns', severity: 'major' });
  await rail.getByRole('link', { name: /^Incidents.*1 burning/ }).waitFor();
  const asks = await w.run('asks');
  await rail.getByRole('link', { name: /^Inbox.*1 for you/ }).waitFor();
  await until(async () => (await page.title()) === '(1) Runs · tend', 'the title');
  assert.equal(await place(), was);
  await w.api('POST', `/v1/incidents/${id}/resolve`, { why: 'over' });
  await w.api('POST', `/v1/runs/${asks}/commands`, { verb: 'cancel', why: 'over' });
  await until(async () => (await page.title()) === 'Runs · tend' && (await rail.locator('b:not(:empty)').count()) === 0, 'nothing waits');
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('mode and halt are said on every page, in their own place', { timeout: 60_000 }, async () => {
  for (const viewport of [{ width: 1440, height: 900 }, { width: 390, height: 844 }]) {
    const page = await open(b, w, { path: '/runs', viewport });
    await page.getByRole('heading', { name: 'Runs', level: 1 }).waitFor();
    await page.locator('.standing-mode').getByText('auto').waitFor();
    const place = () => page.locator('#page').evaluate((e) => e.getBoundingClientRect().top);
    const was = await place();
    const halt = await w.api('POST', '/v1/halts', { why: `it makes things worse: ${'x'.repeat(400)}` });
    await page.getByRole('alert').getByText('Halted: everything.').waitFor();
    assert.equal(await place(), was, 'the page stays where it is');
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    await w.api('POST', '/v1/halts/end', { id: halt.id, why: 'over' });
    await page.getByRole('alert').waitFor({ state: 'detached' });
    await w.api('PUT', '/v1/modes', { mode: 'observe' });
    await page.locator('.standing-mode').getByText('observe').waitFor();
    assert.match(await page.locator('.standing-mode').getAttribute('title'), /Mutations are not done/);
    await w.api('PUT', '/v1/modes', { mode: 'auto' });
    await page.locator('.standing-mode').getByText('auto').waitFor();
    assert.deepEqual(page.errors, []);
    await page.context().close();
  }
});

test('the faces come with the page, and what comes before them has their measures', async () => {
  const page = await open(b, w, { path: '/runs' });
  await page.locator('.runrow').first().waitFor();
  const got = await page.evaluate(async () => {
    await document.fonts.ready;
    const wide = (font, text) => { const c = document.createElement('canvas').getContext('2d'); c.font = font; return c.measureText(text).width; };
    const words = 'A person must answer, until the last of them has said what happened';
    return { loaded: document.fonts.check('14px Plex') && document.fonts.check('14px "Plex Mono"'), used: [...document.fonts].filter((f) => f.status === 'loaded').map((f) => f.family),
      ratio: wide('14px Plex', words) / wide('14px "Plex soon"', words), ones: wide('14px Plex', '1111'), eights: wide('14px Plex', '8888'),
      from: performance.getEntriesByType('resource').filter((r) => r.name.endsWith('.woff2')).map((r) => new URL(r.name).origin) };
  });
  assert.ok(got.loaded && got.used.some((f) => /Plex/.test(f)), JSON.stringify(got));
  assert.ok(Math.abs(got.ratio - 1) < 0.03, `the fallback is ${got.ratio} as wide`);
  assert.equal(got.ones, got.eights, 'digits are tabular');
  assert.ok(got.from.length > 0 && got.from.every((o) => o === w.url), `${got.from}`);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});
