// The live connection: a laptop that sleeps, a network that swallows, a server that restarts or is upgraded. What is shown is
// said to be old while it is, and nothing is missing afterwards.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { between, upgraded } from './net.mjs';
import { playbooks } from './stage.mjs';
import { browse, open, serve, until } from './world.mjs';

const steady = `apiVersion: tend/v1
kind: Playbook
metadata: {name: steady, description: Goes on for a while.}
steps:
${Array.from({ length: 12 }, (_, i) => `  - {name: Pause ${i + 1}, uses: shell, effect: read, with: {script: sleep 0.6}}`).join('\n')}
  - {name: The end, uses: log, with: {message: done}}
`;
let w, b, net;
before(async () => {
  b = await browse();
  w = await serve({ playbooks: { ...playbooks, 'steady.yaml': steady } });
  net = await between(w);
}, { timeout: 120_000 });
beforeEach(() => net.heal());
after(async () => { await b?.close(); await net?.close(); await w?.close(); });

/** The server, seen through what lies between. The clock of the page can be moved. */
const through = (how = {}) => open(b, { ...w, url: net.url }, { ...how, path: null, clock: true });
const alive = (page) => page.getByRole('status').getByText('live', { exact: true });
const old = (page) => page.getByRole('status').getByText(/^as of\s*\d\d:\d\d/);

/** The numbers of the lines of a log that are shown. */
async function lines(page) {
  const text = await page.getByRole('region', { name: /^Step Evict/ }).innerText();
  return [...text.matchAll(/evicting pod-(\d+)/g)].map((m) => Number(m[1]));
}

test('a laptop sleeps while a run is followed: it wakes, says how old it is, and misses nothing', { timeout: 90_000 }, async (t) => {
  if (!w.shell) { t.skip('steps of shell run as another user, which needs root'); return; }
  const run = await w.run('drain-node');
  const page = await through();
  await page.goto(`/runs/${run}`);
  await alive(page).waitFor();
  await page.getByRole('button', { name: /^Evict running/ }).click();
  await page.getByRole('tab', { name: 'Log' }).click();
  await page.getByText('evicting pod-3', { exact: true }).waitFor();

  // The lid is closed: nothing in the tab runs, and the network forgets its connections.
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Page.setWebLifecycleState', { state: 'frozen' });
  net.hole();
  const had = Number((await w.api('GET', `/v1/runs/${run}`)).seq ?? 0);
  const other = await w.run('hello');
  await w.ended(other);
  await new Promise((ok) => { setTimeout(ok, 1500); }); // asleep
  await cdp.send('Page.setWebLifecycleState', { state: 'active' });
  const woke = Date.now();
  await page.clock.fastForward('02:00:00');
  await alive(page).waitFor({ timeout: 5000 });
  t.diagnostic(`live ${Date.now() - woke} ms after it woke; entry ${had}`);
  const last = Math.max(...(await lines(page)));
  await until(async () => Math.max(...(await lines(page))) > last + 2, 'further lines');
  const now = await lines(page);
  assert.deepEqual(now, Array.from({ length: now.length }, (_, i) => now[0] + i), 'no line is missing');
  await until(async () => {
    const all = Number(/([\d,]+) lines/.exec(await page.getByRole('region', { name: /^Step Evict/ }).innerText())?.[1].replace(',', ''));
    return all === Math.max(...(await lines(page)));
  }, 'as many lines as the last one says');
  await page.getByRole('link', { name: /^Runs/ }).click();
  await page.getByRole('link', { name: /hello/ }).first().waitFor();
  await w.api('POST', `/v1/runs/${run}/commands`, { verb: 'cancel' });
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('a connection that is dead without a word is noticed; what was sent into it is sent again, once', { timeout: 90_000 }, async () => {
  const page = await through();
  await page.goto('/incidents');
  await alive(page).waitFor();
  await page.getByRole('button', { name: 'Open an incident' }).click();
  await page.getByLabel('Title: what users notice').fill('Checkout is slow');
  net.hole({ all: true });
  await page.getByRole('button', { name: 'Open the incident' }).click();
  // The server speaks every 15 seconds: it is missed after 25.
  for (let i = 0; i < 10; i++) await page.clock.runFor(3000);
  await old(page).waitFor();
  await page.getByText('Not connected.').waitFor();
  assert.match(await page.getByRole('alert').filter({ hasText: 'Not connected.' }).innerText(), /as of\s*\d\d:\d\d/);
  assert.equal(await page.getByLabel('Title: what users notice').inputValue(), 'Checkout is slow', 'nothing typed is lost');
  net.heal();
  await page.clock.fastForward(10_000); // it waits so long between two attempts at most
  await alive(page).waitFor({ timeout: 20_000 });
  await page.getByRole('heading', { name: 'Checkout is slow', level: 1 }).waitFor();
  assert.equal((await w.api('GET', '/v1/incidents')).rows.length, 1, 'once');
  await until(async () => !(await page.getByText('Not connected.').isVisible()), 'the banner goes');
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('what is opened while nobody answers is shown as soon as somebody does', { timeout: 60_000 }, async () => {
  for (const title of ['The first of two', 'The second of two']) await w.api('POST', '/v1/incidents', { title, severity: 'minor' });
  const page = await through();
  await page.goto('/incidents');
  await page.getByRole('main').getByText('The first of two').first().click();
  await page.getByRole('heading', { name: 'The first of two', level: 1 }).waitFor();
  await page.goBack();
  await page.getByRole('main').getByText('The second of two').first().waitFor();
  net.hole({ all: true });
  await page.getByRole('main').getByText('The second of two').first().click();
  await page.getByRole('status', { name: /^Loading/ }).first().waitFor();
  for (let i = 0; i < 10; i++) await page.clock.runFor(3000);
  await old(page).waitFor();
  net.heal();
  await page.clock.fastForward(10_000);
  await alive(page).waitFor({ timeout: 20_000 });
  await page.getByRole('heading', { name: 'The second of two', level: 1 }).waitFor();
  await page.context().close();
});

test('the server restarts while a run is followed', { timeout: 90_000 }, async (t) => {
  if (!w.shell) { t.skip('steps of shell run as another user, which needs root'); return; }
  const run = await w.run('steady');
  const page = await open(b, w, { path: `/runs/${run}` });
  await page.getByRole('button', { name: /^Pause \d+ succeeded/ }).first().waitFor();
  await w.stop('SIGKILL');
  await old(page).waitFor();
  await page.getByText('Not connected.').waitFor();
  await w.start();
  await alive(page).waitFor({ timeout: 30_000 });
  await page.getByRole('button', { name: /^The end succeeded/ }).waitFor({ timeout: 30_000 });
  for (let i = 1; i <= 12; i++) assert.equal(await page.getByRole('option', { name: new RegExp(`succeeded Pause ${i}\\b`) }).count(), 1, `Pause ${i}`);
  assert.equal(await w.status(run), 'succeeded');
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('a tab that nobody sees lets go, and is as new when somebody looks again', { timeout: 60_000 }, async () => {
  const page = await through();
  await page.goto('/runs');
  await alive(page).waitFor();
  const sees = (v) => page.evaluate((state) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state });
    document.dispatchEvent(new Event('visibilitychange'));
  }, v);
  await sees('hidden');
  await page.clock.fastForward(31_000);
  await old(page).waitFor();
  assert.equal(await page.getByText('Not connected.').count(), 0, 'it is so on purpose');
  await w.ended(await w.run('hello'));
  const n = (await w.api('GET', '/v1/runs?name=hello')).rows.length;
  await sees('visible');
  await alive(page).waitFor({ timeout: 5000 });
  await until(async () => (await page.getByRole('link', { name: /hello/ }).count()) === n, 'the new run');
  await page.context().close();
});

test('the server is upgraded while somebody looks: the page says that it must be loaded again, and does not break', { timeout: 90_000 }, async () => {
  const page = await open(b, w, { path: '/incidents' });
  await alive(page).waitFor();
  await page.getByRole('button', { name: 'Open an incident' }).click();
  await page.getByLabel('Title: what users notice').fill('half typed');
  const was = w.binary;
  await w.stop();
  w.binary = upgraded(was, w.dir);
  await w.start();
  await page.getByText('The server has a newer page.').waitFor({ timeout: 30_000 });
  assert.equal(await page.getByLabel('Title: what users notice').inputValue(), 'half typed');
  await page.keyboard.press('Escape');
  // A part of the page that was never loaded is not there any more.
  await page.getByRole('link', { name: 'Insights', exact: true }).click();
  await page.getByRole('main').getByText('The server has a newer page').waitFor();
  await page.getByRole('link', { name: /^Incidents/ }).click();
  await page.getByRole('heading', { name: 'Incidents', level: 1 }).waitFor();
  await page.getByRole('link', { name: 'Insights', exact: true }).click();
  await page.getByRole('main').getByRole('button', { name: 'Load the page again' }).click();
  await page.getByRole('heading', { name: 'Insights', level: 1 }).waitFor();
  assert.equal(await page.getByText('The server has a newer page').count(), 0);
  await page.context().close();
  w.binary = was;
});
