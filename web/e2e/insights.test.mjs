// Insights: figures, plots and tables, asked for at once, against a real server.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { browse, open, serve } from './world.mjs';

const playbooks = {
  'fails.yaml': `apiVersion: tend/v1
kind: Playbook
metadata: {name: fails, description: Fails., owner: shop}
steps: [{uses: fail, with: {message: no}}]
`,
  'works.yaml': `apiVersion: tend/v1
kind: Playbook
metadata: {name: works, description: Works., owner: storage, labels: {saves: 15m}}
steps: [{uses: log, with: {message: hello}}]
`,
};
let w, browser;
before(async () => { w = await serve({ playbooks }); browser = await browse(); });
after(async () => { await browser?.close(); await w?.close(); });

test('nothing yet is a sentence', async () => {
  const page = await open(browser, w, { path: '/insights' });
  await page.getByText('Nothing ran in the last 28 days').waitFor();
  assert.equal(await page.locator('canvas').count(), 0);
  await page.context().close();
});

test('all of it is one answer: figures, bars by day, teams, playbooks and alerts', async () => {
  await w.ended(await w.run('works'));
  await w.ended(await w.run('works'));
  await w.ended(await w.run('fails'), 'failed');
  await w.api('POST', '/v1/events/reports', { events: Array.from({ length: 3 }, (_, i) => ({ key: `a/${i}`, kind: 'alert', status: 'firing', name: '<b>Noisy</b>', labels: {}, data: {} })) });
  const page = await open(browser, w, { path: '/' });
  const asked = [];
  page.on('request', (r) => { if (r.url().includes('/v1/insights')) asked.push(new URL(r.url())); });
  await page.goto('/insights');
  const plot = page.getByRole('figure').filter({ has: page.getByRole('heading', { name: 'Runs', exact: true }) });
  await plot.locator('canvas').waitFor();
  assert.equal(asked.length, 1, 'one question, not one for each part');
  assert.deepEqual([asked[0].searchParams.get('every'), asked[0].searchParams.get('zone'), asked[0].searchParams.get('compare')], ['day', 'Europe/Berlin', 'true']);
  await plot.getByText('succeeded').first().waitFor();
  const figure = (name) => page.locator('.insights-figures > div').filter({ has: page.locator('dt', { hasText: new RegExp(`^${name}$`) }) });
  await figure('Runs').getByText('3', { exact: true }).waitFor();
  await figure('Runs').getByText('2 succeeded, 1 failed').waitFor();
  await figure('Verified').getByText('–', { exact: true }).waitFor();
  await figure('Verified').getByText('no run had anything to verify').waitFor();
  await figure('To resolve').getByText('there was no incident').waitFor();
  assert.equal(await page.locator('.insights-plot canvas').count(), 1, 'a plot of nothing is a sentence');
  await page.getByText('No incident was acknowledged or resolved yet.').waitFor();
  await page.getByRole('region', { name: 'Failed most' }).getByRole('link', { name: 'fails' }).waitFor();
  await page.getByRole('region', { name: 'Helped most' }).getByText('No run proved yet that it helped').waitFor();
  await page.getByRole('region', { name: 'Noisiest alerts' }).getByText('<b>Noisy</b>').waitFor();
  await page.getByRole('region', { name: 'Guards that held' }).getByText('No guard held anything back.').waitFor();
  const teams = page.getByRole('region', { name: 'Teams' });
  assert.match(await teams.getByRole('row').nth(1).innerText(), /^shop/, 'who has failures stands first');
  // The bar under the pointer is said in words.
  const box = await plot.locator('.u-over').boundingBox();
  await page.mouse.move(box.x + box.width - 4, box.y + box.height / 2);
  await plot.locator('figcaption').getByText(/^\d+ [A-Z][a-z]{2}$/).waitFor();
  assert.match(await plot.locator('.insights-legend').innerText(), /failed\s+1/);

  await page.getByRole('group', { name: 'The last' }).getByRole('button', { name: '24 hours' }).click();
  await page.waitForURL(/range=1/);
  await plot.getByText('by hour').waitFor();
  await teams.getByRole('link', { name: 'storage' }).click();
  await page.waitForURL(/\/playbooks\?team=storage/);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('it is read on a phone too, in UTC', async () => {
  const page = await open(browser, w, { path: '/insights', token: w.viewer, viewport: { width: 390, height: 800 }, timezoneId: 'UTC' });
  await page.locator('.insights-figures').waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, 'nothing is wider than the page');
  assert.deepEqual(page.errors, []);
  await page.context().close();
});
