// Incidents: the board, and everything that a person does with one, against a real server.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { browse, open, serve, until } from './world.mjs';

const playbooks = {
  'relieve.yaml': `apiVersion: tend/v1
kind: Playbook
metadata: {name: relieve, description: Asks before it helps., owner: shop}
parameters: [{name: host, type: string, description: Which one.}]
steps:
  - {id: sure, uses: approve, with: {message: 'Relieve {{ $.params.host }}?', within: 1h}}
  - {uses: log, with: {message: relieved}}
---
apiVersion: tend/v1
kind: Trigger
metadata: {name: slow, description: Takes what is slow., owner: shop}
on: {kind: alert, labels: {alertname: Slow}}
playbook: relieve
key: '{{ $.event.labels.host }}'
parameters: {host: '{{ $.event.labels.host }}'}
incident: {title: '{{ $.event.labels.host }} is slow', severity: major}
`,
};

let w, browser;
const alert = (host, status = 'firing') => w.api('POST', '/v1/events/reports', { events: [{ key: `${host}/${status}`, group: host, kind: 'alert', status, name: `Slow on ${host}`, labels: { alertname: 'Slow', host }, data: { labels: { alertname: 'Slow', host } } }] });
const make = async (title, severity = 'major') => (await w.api('POST', '/v1/incidents', { title, severity })).id;
const show = (id) => w.api('GET', `/v1/incidents/${id}`);
const card = (page, column, title) => page.getByRole('region', { name: column, exact: true }).getByRole('listitem').filter({ hasText: title });
const timeline = (page) => page.getByRole('region', { name: 'Timeline' });

before(async () => { w = await serve({ playbooks }); browser = await browse(); });
after(async () => { await browser?.close(); await w?.close(); });

test('a card is moved by its menu, by dragging and by keys, each with a reason', async () => {
  const [a, b, c] = [await make('Menu moves it'), await make('Dragging moves it'), await make('A key moves it', 'critical')];
  const page = await open(browser, w, { path: '/incidents' });
  await card(page, 'Open', 'Menu moves it').locator('summary').click();
  await page.getByRole('button', { name: 'Acknowledge it' }).click();
  await page.getByRole('dialog').getByLabel(/^Reason/).fill('I look at it');
  await page.getByRole('dialog').getByRole('button', { name: 'Acknowledge it' }).click();
  await card(page, 'Acknowledged', 'Menu moves it').waitFor();
  assert.equal((await show(a)).timeline.at(-1).detail.why, 'I look at it');

  await card(page, 'Open', 'Dragging moves it').dragTo(page.getByRole('region', { name: 'Mitigated', exact: true }));
  await page.getByRole('dialog').getByRole('button', { name: 'Say it is mitigated' }).click();
  await card(page, 'Mitigated', 'Dragging moves it').waitFor();
  assert.equal((await show(b)).status, 'mitigated');
  await card(page, 'Mitigated', 'Dragging moves it').dragTo(page.getByRole('region', { name: 'Over', exact: true }));
  await page.getByRole('dialog').getByRole('button', { name: 'Resolve it' }).click();
  await page.getByRole('region', { name: 'Over', exact: true }).getByRole('link', { name: 'Dragging moves it' }).waitFor();

  await page.locator('h1').click();
  await page.keyboard.press('j');
  await page.getByRole('link', { name: 'A key moves it' }).and(page.locator(':focus')).waitFor();
  await page.keyboard.press('>');
  await page.getByRole('dialog').getByText('A key moves it').waitFor();
  await page.keyboard.press('Escape');
  assert.equal((await show(c)).status, 'open', 'nothing is done without the button');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'A key moves it' }).waitFor();
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('a double click opens one incident, and notes one thing to do', async () => {
  const page = await open(browser, w, { path: '/incidents' });
  await page.getByRole('button', { name: 'Open an incident' }).dblclick();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel(/^Title/).fill('Twice clicked');
  await dialog.getByRole('button', { name: 'Open the incident' }).dblclick();
  await page.getByRole('heading', { name: 'Twice clicked' }).waitFor();
  assert.equal((await w.api('GET', '/v1/incidents')).rows.filter((r) => r.name === 'Twice clicked').length, 1);
  const items = page.getByRole('region', { name: 'Action items' });
  await items.getByPlaceholder('What is to be done').fill('Write it down');
  await items.getByRole('button', { name: 'Add' }).dblclick();
  await items.getByText('1 open').waitFor();
  assert.equal((await show(page.url().split('/').pop())).items.length, 1);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('the board finds by text and severity, and what is over too', async () => {
  await w.api('POST', `/v1/incidents/${await make('Mail queue grew', 'minor')}/resolve`, { why: 'it shrank' });
  await make('Search answers nothing', 'info');
  const page = await open(browser, w, { path: '/incidents' });
  await page.getByLabel('Find').fill('queue');
  await page.getByRole('region', { name: 'Over', exact: true }).getByRole('link', { name: 'Mail queue grew' }).waitFor();
  await until(async () => (await page.getByRole('link', { name: 'Search answers nothing' }).count()) === 0, 'the others to go');
  await page.getByRole('button', { name: 'Clear' }).click();
  await page.getByLabel('Severity').selectOption('info');
  await page.getByRole('link', { name: 'Search answers nothing' }).waitFor();
  assert.match(page.url(), /severity=info/);
  assert.equal(await page.getByRole('link', { name: 'Menu moves it' }).count(), 0);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('a next step that is overdue is loud on the board and on the page, until somebody says how it stands', async () => {
  const id = await make('Payments fail', 'critical');
  await w.api('PATCH', `/v1/incidents/${id}`, { commander: 'bob', next: 'Call the bank', nextBy: new Date(Date.now() - 120_000).toISOString() });
  const page = await open(browser, w, { path: '/incidents' });
  await card(page, 'Open', 'Payments fail').getByText('overdue by 2 min').waitFor();
  await page.getByRole('link', { name: 'Payments fail' }).click();
  const head = page.getByRole('region', { name: 'How it stands' });
  await head.getByText('overdue by 2 min', { exact: true }).waitFor();
  await head.getByRole('listitem').filter({ hasText: 'The next step is overdue' }).getByRole('button', { name: 'Say it now' }).click();
  await page.getByLabel('Next step').fill('Wait for the bank');
  await page.getByLabel('Expected in, minutes').fill('30');
  await page.getByRole('button', { name: 'Tell everybody' }).click();
  await head.getByText('Wait for the bank').waitFor();
  await head.getByText('overdue', { exact: false }).first().waitFor({ state: 'detached' });
  await timeline(page).getByText('named the next step, due').first().waitFor();
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('roles: command is taken and given, responders and stakeholders come and go, and the timeline says so in sentences', async () => {
  const id = await make('Search is slow');
  const page = await open(browser, w, { path: `/incidents/${id}` });
  await page.getByRole('button', { name: 'Take command' }).first().click();
  await page.getByText('You command it.').waitFor();
  await timeline(page).getByText('took command').waitFor();
  await page.getByRole('region', { name: 'People' }).getByRole('button', { name: 'Change' }).click();
  await page.getByLabel('Commander').fill('bob');
  await page.getByLabel('Responders').fill('carol, dave');
  await page.getByLabel('Stakeholders').fill('leads@example.org');
  await page.getByLabel(/^Reason/).fill('my shift ends');
  await page.getByRole('button', { name: 'Change it' }).click();
  const line = timeline(page).getByRole('listitem').filter({ hasText: 'gave command to bob' });
  await line.getByText('added carol and dave as responders').waitFor();
  await line.getByText('my shift ends').waitFor();
  await page.getByRole('region', { name: 'People' }).getByText('leads@example.org').waitFor();
  const d = await show(id);
  assert.deepEqual([d.commander, d.responders, d.stakeholders], ['bob', ['carol', 'dave'], ['leads@example.org']]);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('its alerts, runs and questions stand in one timeline, which shows people or the machine alone', async () => {
  await alert('web-1');
  await alert('web-2');
  const id = await until(async () => (await w.api('GET', '/v1/incidents')).rows.find((r) => r.name === 'web-1 is slow')?.id, 'the incident');
  const page = await open(browser, w, { path: `/incidents/${id}` });
  const needed = page.getByRole('list', { name: 'Needed now' });
  await needed.getByRole('link', { name: 'Relieve web-1?' }).waitFor();
  await needed.getByText('Nobody has taken it.').waitFor();
  assert.equal(await needed.evaluate((e) => e.getBoundingClientRect().bottom < innerHeight), true, 'without scrolling');
  await timeline(page).getByText('People are asked').waitFor();
  await timeline(page).getByRole('link', { name: 'Slow on web-1' }).waitFor();
  await page.getByPlaceholder('What you saw or did').fill('I looked at the load.\nIt is high.');
  await page.getByRole('button', { name: 'Add to the timeline' }).click();
  await timeline(page).getByText('I looked at the load.').waitFor();
  await timeline(page).getByRole('button', { name: /^People/ }).click();
  await timeline(page).getByRole('link', { name: 'Slow on web-1' }).waitFor({ state: 'detached' });
  await timeline(page).getByText('I looked at the load.').waitFor();
  await timeline(page).getByRole('button', { name: /^Machine/ }).click();
  await timeline(page).getByText('I looked at the load.').waitFor({ state: 'detached' });
  const task = (await w.api('GET', '/v1/tasks?status=open')).rows.find((r) => r.body.message === 'Relieve web-1?').id;
  await w.api('POST', `/v1/tasks/${task}/answers`, { choice: 'approve' });
  await timeline(page).getByText('it is approved').waitFor();
  await timeline(page).getByText(/relieve succeeded/).waitFor();
  await page.getByRole('region', { name: 'Runs' }).getByText('succeeded').waitFor();
  assert.equal((await page.getByRole('region', { name: 'Timeline' }).innerText()).includes('Z;'), false, 'no raw times');
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('it is merged, resolved and opened again, with what is to do afterwards, and exported', async () => {
  const [id, other] = [await make('Checkout is slow'), await make('Carts are empty', 'critical')];
  const page = await open(browser, w, { path: `/incidents/${other}` });
  await page.locator('summary', { hasText: 'More' }).click();
  await page.getByRole('button', { name: 'Merge into another one' }).click();
  await page.getByLabel('Into', { exact: true }).selectOption(id);
  await page.getByLabel(/^Reason/).fill('the same cause');
  await page.getByRole('button', { name: 'Merge it' }).click();
  await page.getByRole('heading', { name: 'Checkout is slow' }).waitFor();
  await timeline(page).getByText('the same cause').waitFor();
  await page.getByLabel('What is to be done').fill('Rotate the logs');
  await page.getByLabel('By whom').fill('carol');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('checkbox', { name: 'Rotate the logs' }).click();
  await until(async () => (await show(id)).items?.[0]?.done, 'the item');
  await page.locator('summary', { hasText: 'More' }).click();
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export as Markdown' }).click()]);
  assert.match(readFileSync(await file.path(), 'utf8'), /^# Checkout is slow/);
  await page.getByRole('button', { name: 'Resolve', exact: true }).click();
  await page.getByLabel(/^Reason/).fill('the logs are gone');
  await page.getByRole('button', { name: 'Resolve it' }).click();
  await timeline(page).getByText('resolved it: the logs are gone').waitFor();
  await page.getByRole('button', { name: 'Reopen' }).click();
  await page.getByLabel(/^Reason/).fill('they are back');
  await page.getByRole('button', { name: 'Reopen it' }).click();
  await timeline(page).getByText('reopened it: they are back').waitFor();
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('links and labels: an address that runs is refused, others are followed', async () => {
  const id = await make('Links');
  const page = await open(browser, w, { path: `/incidents/${id}` });
  await page.getByRole('button', { name: 'Links and labels' }).click();
  await page.getByLabel(/^Links, one/).fill('javascript:alert(1) Click');
  await page.getByText('is no address').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Change them' }).isDisabled(), true);
  await page.getByLabel(/^Links, one/).fill('https://grafana.example.org/d/1 Dashboard');
  await page.getByLabel(/^Labels, one/).fill('service=checkout');
  await page.getByRole('button', { name: 'Change them' }).click();
  await page.getByRole('link', { name: 'Dashboard' }).waitFor();
  assert.deepEqual((await show(id)).labels, { service: 'checkout' });
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('who may only look moves nothing, and the server refuses it as well', async () => {
  const id = await make('Only to look at');
  const page = await open(browser, w, { path: '/incidents', token: w.viewer });
  await page.getByRole('link', { name: 'Only to look at' }).waitFor();
  assert.equal(await page.locator('summary[aria-label="Move it"]').count(), 0);
  assert.equal(await card(page, 'Open', 'Only to look at').getAttribute('draggable'), 'false');
  await page.goto(`/incidents/${id}`);
  await page.getByRole('heading', { name: 'Only to look at' }).waitFor();
  for (const name of ['Take it', 'Take command', 'Resolve', 'Say how it stands', 'Change', 'Links and labels']) assert.equal(await page.getByRole('button', { name, exact: true }).count(), 0, name);
  await assert.rejects(w.api('PATCH', `/v1/incidents/${id}`, { status: 'mitigated' }, w.viewer), /403/);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});
