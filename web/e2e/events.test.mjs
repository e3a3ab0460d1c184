// Events: what arrived, what was decided and why, against a real server. The filters are the server's: they hold over pages.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { browse, open, serve, until } from './world.mjs';

const playbooks = {
  'take.yaml': `apiVersion: tend/v1
kind: Playbook
metadata: {name: take-stock, description: Takes stock., owner: storage}
parameters: [{name: host, type: string, required: true}]
steps: [{uses: log, with: {message: 'looks at {{ $.params.host }}'}}]
---
apiVersion: tend/v1
kind: Trigger
metadata: {name: disk-full}
on: {kind: alert, labels: {alertname: DiskFull}}
playbook: take-stock
parameters: {host: '{{ $.event.labels.host }}'}
`,
};
const hostile = '<script>document.title="owned"</script>\u202Egnp.exe';
let w, browser;

const report = (...events) => w.api('POST', '/v1/events/reports', { events: events.map((e) => ({ kind: 'alert', status: 'firing', labels: {}, data: {}, ...e })) });

before(async () => {
  w = await serve({ playbooks });
  browser = await browse();
  // Two that came by the hook, below more than a page of others.
  for (const disk of ['first', 'second']) await fetch(`${w.url}/hooks/hook`, { method: 'POST', headers: { Authorization: 'Bearer hook-key-for-tests-only', 'Content-Type': 'application/json' }, body: JSON.stringify({ disk }) });
  await until(async () => (await w.api('GET', '/v1/events?source=hook')).rows.length === 2, 'what was posted');
  for (let i = 0; i < 3; i++) await report(...Array.from({ length: 50 }, (_, k) => ({ key: `n/${i}/${k}`, name: `Noise ${i}-${k}` })));
  await report({ key: 'web-1/1', group: 'web-1', name: 'DiskFull on web-1', labels: { alertname: 'DiskFull', host: 'web-1', note: hostile }, data: { labels: { host: 'web-1' }, text: 'one\ntwo' } });
});
after(async () => { await browser?.close(); await w?.close(); });

test('the source is filtered by the server: what stands behind a page of others is found', async () => {
  const page = await open(browser, w, { path: '/events' });
  const list = page.getByRole('table', { name: 'Events' });
  await list.getByRole('row').nth(100).waitFor();
  assert.equal(await list.getByText('hook', { exact: true }).count(), 0, 'they are not on the first page');
  await page.getByLabel('Source').fill('hook');
  await page.getByLabel('Source').press('Enter');
  await page.waitForURL(/source=hook/);
  await until(async () => (await list.locator('a.whole').count()) === 2, 'the two of the hook');
  await page.reload();
  await until(async () => (await list.locator('a.whole').count()) === 2, 'the same by its address');
  // And over several pages.
  await page.getByRole('button', { name: 'Clear' }).click();
  await page.getByLabel('Source').fill('api');
  await page.getByLabel('Source').press('Enter');
  await page.getByRole('button', { name: 'Show older ones' }).click();
  await until(async () => (await list.locator('a.whole').count()) === 151, 'all of that source');
  assert.equal(await list.getByText('hook', { exact: true }).count(), 0);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('what was decided narrows the list, and so do the group and the time', async () => {
  const page = await open(browser, w, { path: '/events' });
  const list = page.getByRole('table', { name: 'Events' });
  await page.getByRole('group', { name: 'Decision' }).getByRole('button', { name: 'Acted on' }).click();
  await until(async () => (await list.locator('a.whole').count()) === 1, 'the one that started something');
  await list.getByText('started a run').waitFor();
  await list.getByRole('link', { name: 'take-stock' }).waitFor();
  await page.getByRole('group', { name: 'Decision' }).getByRole('button', { name: 'Turned away' }).click();
  await page.getByText('No event is like that').waitFor();
  await page.getByRole('button', { name: 'Clear' }).click();
  await page.getByLabel('Group').fill('web-1');
  await page.getByLabel('Group').press('Enter');
  await until(async () => (await list.locator('a.whole').count()) === 1, 'the one of the group');
  await page.getByLabel('Arrived').selectOption('1h');
  await page.waitForURL(/within=1h/);
  await until(async () => (await list.locator('a.whole').count()) === 1, 'it came lately');
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('an event says first what was decided, and shows what came as text', async () => {
  const page = await open(browser, w, { path: '/events?decision=acted' });
  await page.getByRole('link', { name: 'DiskFull on web-1' }).click();
  const decision = page.getByRole('region', { name: 'Decision' });
  await decision.getByText('A run was started').waitFor();
  await decision.getByText(/by trigger disk-full/).waitFor();
  await decision.getByRole('link', { name: 'take-stock', exact: true }).waitFor();
  assert.ok((await page.getByRole('region', { name: 'What came' }).innerText()).includes('<script>'));
  assert.ok(!(await page.title()).includes('owned'));
  assert.equal(await page.getByRole('button', { name: 'Decide again' }).count(), 0, 'it has started a run');
  await decision.getByRole('link', { name: /the run of take-stock/ }).click();
  await page.waitForURL(/\/runs\/run_/);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('one is decided on again; a playbook is made from it; who may only look is offered neither', async () => {
  const event = (await w.api('GET', '/v1/events?status=unmatched&limit=1')).rows[0].id;
  const page = await open(browser, w, { path: `/events/${event}` });
  await page.getByRole('button', { name: 'Decide again' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Decide again' }).click();
  await page.getByRole('dialog').getByRole('status').getByText('No trigger took it').waitFor();
  await page.getByRole('button', { name: 'Leave it' }).click();
  await page.getByText('It was decided again for').waitFor();
  await page.getByRole('link', { name: 'Make a playbook from this' }).click();
  await page.getByRole('form', { name: 'The new playbook' }).waitFor();
  assert.deepEqual(page.errors, []);
  await page.context().close();
  const viewer = await open(browser, w, { path: `/events/${event}`, token: w.viewer, viewport: { width: 390, height: 800 } });
  await viewer.getByRole('region', { name: 'Decision' }).getByText('No trigger took it').waitFor();
  assert.equal(await viewer.getByRole('button', { name: 'Decide again' }).count(), 0);
  assert.equal(await viewer.getByRole('link', { name: 'Make a playbook from this' }).count(), 0);
  assert.equal(await viewer.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, 'nothing is wider than the page');
  await viewer.context().close();
});
