// Incidents, events, guards and halt, revisions, audit, insights: as people use them, against a real server.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { browse, open, serve, until } from './world.mjs';

const playbooks = {
  'stock.yaml': `apiVersion: tend/v1
kind: Playbook
metadata: {name: take-stock, description: Takes stock., owner: storage}
parameters: [{name: host, type: string, description: Where.}]
steps:
  - {uses: log, with: {message: 'looks at {{ $.params.host }}'}}
---
apiVersion: tend/v1
kind: Trigger
metadata: {name: disk-full, description: Takes what is full., owner: storage}
on: {kind: alert, labels: {alertname: DiskFull}}
playbook: take-stock
key: '{{ $.event.labels.host }}'
parameters: {host: '{{ $.event.labels.host }}'}
incident: {title: '{{ $.event.labels.host }} is full', severity: '{{ $.event.labels.severity }}', resolve: true}
`,
};

const hostile = '<script>document.title="owned"</script>\u202Egnp.exe';
let w, browser;

const alert = (host, more = {}) => w.api('POST', '/v1/events/reports', { events: [{ key: `${host}/1`, group: host, kind: 'alert', status: 'firing', name: `DiskFull on ${host}`, labels: { alertname: 'DiskFull', host, severity: 'critical', ...more }, data: { labels: { host, severity: 'critical', note: hostile } } }] });

before(async () => {
  w = await serve({ playbooks });
  browser = await browse();
  await alert('web-1');
  await alert('web-2', { note: hostile });
  await until(async () => (await w.api('GET', '/v1/incidents')).rows.length === 2, 'two incidents');
});
after(async () => { await browser?.close(); await w?.close(); });

test('the board shows what burns; one is taken, told of, and resolved', async () => {
  const page = await open(browser, w, { path: '/incidents' });
  await page.getByRole('region', { name: 'Open', exact: true }).getByText('web-1 is full').click();
  await page.getByRole('heading', { name: 'web-1 is full' }).waitFor();
  await page.getByRole('button', { name: 'Take it' }).click();
  await page.getByText('It is yours.').waitFor();
  await page.getByRole('button', { name: 'Say how it stands' }).click();
  await page.getByLabel('Summary: what is known').fill(`Logs fill the disk ${hostile}`);
  await page.getByLabel('Next step').fill('move the logs');
  await page.getByLabel('Expected in, minutes').fill('soon');
  await page.getByText('A number of minutes, as 20.').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Tell everybody' }).isDisabled(), true);
  await page.getByLabel('Expected in, minutes').fill('20');
  await page.getByRole('button', { name: 'Tell everybody' }).click();
  await page.getByRole('region', { name: 'How it stands' }).getByText('move the logs').waitFor();
  await page.getByPlaceholder('What you saw or did').fill('I looked at it.');
  await page.getByRole('button', { name: 'Add to the timeline' }).click();
  await page.getByRole('region', { name: 'Timeline' }).getByText('I looked at it.').waitFor();
  await page.getByRole('button', { name: 'Resolve', exact: true }).click();
  await page.getByText('One alert still fires.').waitFor();
  await page.getByRole('button', { name: 'Resolve it' }).click();
  await page.getByText('The incident is resolved.').waitFor();
  await page.getByRole('button', { name: 'Reopen' }).waitFor();
  assert.equal(await page.title().then((t) => t.includes('owned')), false);
  assert.ok((await page.getByRole('region', { name: 'How it stands' }).innerText()).includes('<script>'), 'hostile text is shown as text');
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('an incident is opened by a person, and another one is merged into it', async () => {
  const page = await open(browser, w, { path: '/incidents' });
  await page.getByRole('button', { name: 'Open an incident' }).click();
  await page.getByLabel('Title: what users notice').fill('Checkout is slow');
  await page.getByRole('button', { name: 'Open the incident' }).click();
  await page.getByRole('heading', { name: 'Checkout is slow' }).waitFor();
  const into = page.url().split('/').at(-1);
  await page.goto('/incidents');
  await page.getByText('web-2 is full').click();
  await page.locator('summary', { hasText: 'More' }).click();
  await page.getByRole('button', { name: 'Merge into another one' }).click();
  await page.getByLabel('Into', { exact: true }).selectOption(into);
  await page.getByRole('button', { name: 'Merge it' }).click();
  await page.getByRole('heading', { name: 'Checkout is slow' }).waitFor();
  await page.getByRole('region', { name: 'Alerts' }).getByText('1 of 1 fire').waitFor();
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('events say what was decided, and one is decided on again', async () => {
  const page = await open(browser, w, { path: '/events?outcome=started' });
  await page.getByRole('link', { name: 'DiskFull on web-1' }).click();
  await page.getByRole('region', { name: 'Decision' }).getByText('by trigger disk-full').waitFor();
  assert.ok((await page.getByRole('region', { name: 'Payload' }).innerText()).includes('<script>'));
  assert.equal(await page.getByRole('button', { name: 'Decide again' }).count(), 0, 'it has started a run');
  await w.api('POST', '/v1/events/reports', { events: [{ key: 'x/1', kind: 'note', name: 'Nobody takes this', labels: {}, data: {} }] });
  await page.goto('/events?outcome=unmatched');
  await page.getByRole('link', { name: 'Nobody takes this' }).click();
  await page.getByRole('button', { name: 'Decide again' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Decide again' }).click();
  await page.getByRole('dialog').getByRole('status').getByText('no trigger').waitFor();
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('everything is halted and let go on; a guard is loosened for a while', async () => {
  const page = await open(browser, w, { path: '/guards' });
  await page.getByRole('button', { name: 'Halt', exact: true }).click();
  await page.getByLabel('Playbook').fill('take-*');
  await page.getByLabel(/^Reason/).fill('it makes things worse');
  await page.getByRole('button', { name: 'Halt playbook take-*' }).click();
  await page.getByRole('alert').getByText('playbook take-*').waitFor();
  assert.equal((await w.api('GET', '/v1/rules')).halts.length, 1);
  await page.getByRole('button', { name: 'Let it go on' }).click();
  await page.getByLabel(/^Reason/).fill('it was something else');
  await page.getByRole('button', { name: 'End this halt' }).click();
  await page.getByText('Nothing is halted.').waitFor();
  await page.getByRole('row', { name: /default-rate/ }).getByRole('button', { name: 'Loosen' }).click();
  assert.equal(await page.getByRole('button', { name: 'Loosen it' }).isDisabled(), true, 'a reason is wanted');
  await page.getByLabel(/^Reason/).fill('we move a rack');
  await page.getByRole('button', { name: 'Loosen it' }).click();
  await page.getByRole('region', { name: 'Loosened guards' }).getByText('we move a rack').waitFor();
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('revisions, audit and insights tell what there is', async () => {
  const page = await open(browser, w, { path: '/revisions' });
  await page.getByRole('region', { name: 'History' }).getByText('1 playbooks, 1 triggers, 0 guards').waitFor();
  await page.goto('/audit?what=halted');
  await page.locator('.audit-one summary').filter({ hasText: 'halted' }).first().click();
  await page.getByText('it makes things worse').first().waitFor();
  await page.getByRole('button', { name: 'Verify the chain' }).click();
  await page.getByText(/The chain holds: \d+ entries/).waitFor();
  await page.goto('/insights');
  await page.getByRole('region', { name: 'Teams' }).getByRole('cell', { name: 'storage' }).waitFor();
  await page.locator('.insights-plot canvas').first().waitFor();
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('who may only look is offered nothing to do', async () => {
  const page = await open(browser, w, { path: '/guards', token: w.viewer });
  await page.getByRole('region', { name: 'Guards', exact: true }).getByText('default-cooldown').waitFor();
  for (const name of ['Halt', 'Change a mode', 'Loosen']) assert.equal(await page.getByRole('button', { name, exact: true }).count(), 0, name);
  await page.goto('/incidents');
  await page.getByText('Checkout is slow').click();
  await page.getByRole('heading', { name: 'Checkout is slow' }).waitFor();
  for (const name of ['Take it', 'Resolve', 'Say how it stands', 'Add to the timeline']) assert.equal(await page.getByRole('button', { name, exact: true }).count(), 0, name);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});
