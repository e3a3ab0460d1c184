// Inbox, tasks and requests: as people use them, against a real server.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { browse, open, serve, until } from './world.mjs';

const playbooks = {
  'two.yaml': `apiVersion: tend/v1
kind: Playbook
metadata: {name: drain, description: Drains a host.}
parameters: [{name: host, type: string, description: Which one.}]
steps:
  - id: sure
    uses: approve
    with: {message: 'Drain {{ $.params.host }}?', count: 2, within: 1h}
  - {uses: log, with: {message: drained}}
`,
  'form.yaml': `apiVersion: tend/v1
kind: Playbook
metadata: {name: plan, description: Asks how many.}
steps:
  - id: how
    uses: ask
    with:
      message: How large shall it be?
      within: 1h
      form:
        - {name: nodes, type: number, required: true, description: How many nodes.}
        - {name: zone, type: string, required: true, enum: [north, south]}
  - {uses: log, with: {message: 'nodes {{ $.steps.how.nodes }}'}}
`,
  'queue.yaml': `apiVersion: tend/v1
kind: Playbook
metadata: {name: new-queue, description: Makes a queue.}
offer: {to: ['*'], title: A message queue, outputs: [address]}
parameters: [{name: service, type: string, required: true, pattern: '^[a-z]+$', description: Whose it is.}]
steps:
  - {id: made, uses: log, with: {message: 'a queue for {{ $.params.service }}'}}
outputs: {address: 'amqp://{{ $.params.service }}'}
`,
};

let w, browser;
before(async () => { w = await serve({ playbooks }); browser = await browse(); });
after(async () => { await browser?.close(); await w?.close(); });

const task = (run) => until(async () => (await w.api('GET', '/v1/tasks?status=open')).rows.find((r) => r.parent === run)?.id, 'the task');

test('two people approve at once, and each counts once', async () => {
  const run = await w.run('drain', { host: '<b>web-1</b>' });
  const id = await task(run);
  const [a, b] = [await open(browser, w, { path: '/inbox' }), await open(browser, w, { path: `/inbox/${id}`, token: w.second })];
  await a.getByRole('region', { name: 'Asked of you' }).getByText('<b>web-1</b>').first().click();
  await a.getByText('2 different people must approve; 0 did').waitFor();
  await b.getByRole('button', { name: 'Approve', exact: true }).waitFor();
  await Promise.all([a.getByRole('button', { name: 'Approve', exact: true }).click(), b.getByRole('button', { name: 'Approve', exact: true }).click()]);
  await w.ended(run);
  const votes = (await w.api('GET', `/v1/tasks/${id}`)).body.votes;
  assert.equal(votes.length, 2);
  assert.notEqual(votes[0].by.id, votes[1].by.id);
  await a.getByRole('heading', { level: 1 }).waitFor();
  assert.deepEqual([...a.errors, ...b.errors], []);
  await a.context().close();
  await b.context().close();
});

test('a form says what is wrong, and keeps what was typed while the session ends', async () => {
  const run = await w.run('plan');
  const id = await task(run);
  const page = await open(browser, w, { path: `/inbox/${id}`, viewport: { width: 390, height: 844 } });
  await page.getByLabel('nodes').fill('many');
  await page.getByRole('button', { name: 'Send the answer' }).click();
  await page.getByText('A number.').waitFor();
  await page.getByText('It is needed.').waitFor();
  await page.getByLabel('nodes').fill('3');
  await page.getByLabel('zone').selectOption('north');
  await page.getByLabel('Why (it is recorded)').fill('three are enough');
  // The session ends while the form is filled in.
  await page.context().clearCookies();
  await page.getByRole('button', { name: 'Send the answer' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  await dialog.getByRole('textbox').first().fill(w.admin);
  await dialog.getByRole('button', { name: /sign on/i }).click();
  await w.ended(run);
  const vote = (await w.api('GET', `/v1/tasks/${id}`)).body.votes[0];
  assert.deepEqual(vote.output, { nodes: 3, zone: 'north' });
  assert.equal(vote.why, 'three are enough');
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing is wider than a phone');
  await page.context().close();
});

test('a task is claimed, spoken about, and handed on', async () => {
  const run = await w.run('drain', { host: 'web-2' });
  const id = await task(run);
  const page = await open(browser, w, { path: `/inbox/${id}` });
  await page.getByRole('button', { name: 'I see to it' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'I see to it' }).click();
  await page.getByText('It is yours to see to.').waitFor();
  await page.getByPlaceholder('Say something about it').fill('I look at the load first. <img src=x onerror=alert(1)>');
  await page.getByRole('button', { name: 'Say it' }).click();
  await page.getByRole('region', { name: 'Said' }).getByText('<img src=x').waitFor();
  await page.getByRole('button', { name: 'Delegate' }).click();
  await page.getByLabel('To people or groups').fill('group:sre');
  await page.getByRole('button', { name: 'Delegate it' }).click();
  await page.getByText('They may answer in your place.').waitFor();
  await page.getByText('sre').first().waitFor();
  await page.getByRole('button', { name: 'Break the glass' }).click();
  assert.equal(await page.getByRole('button', { name: 'Approve it alone' }).isDisabled(), true);
  await page.getByLabel(/^Reason/).fill('nobody answers, and it burns');
  await page.getByRole('button', { name: 'Approve it alone' }).click();
  await w.ended(run);
  await until(async () => (await w.api('GET', '/v1/tasks?status=open')).rows.some((r) => r.body.type === 'review'), 'a review');
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('something is asked for by its form, and its result is shown', async () => {
  const page = await open(browser, w, { path: '/requests' });
  await page.getByRole('link', { name: /A message queue/ }).click();
  await page.getByLabel('service').fill('SHOP');
  await page.getByRole('button', { name: 'Ask for it' }).click();
  await page.getByText('It does not match').waitFor();
  await page.getByLabel('service').fill('shop');
  await page.getByRole('button', { name: 'Ask for it' }).click();
  await page.getByRole('region', { name: 'Result' }).getByText('amqp://shop').waitFor();
  await page.goto('/requests');
  await page.getByRole('region', { name: 'My requests' }).getByRole('link', { name: 'A message queue' }).waitFor();
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('who may only look cannot answer', async () => {
  const run = await w.run('drain', { host: 'web-3' });
  const id = await task(run);
  const page = await open(browser, w, { path: `/inbox/${id}`, token: w.viewer });
  await page.getByRole('region', { name: 'Question' }).waitFor();
  for (const name of ['Approve', 'Reject', 'Delegate', 'Break the glass', 'Say it']) assert.equal(await page.getByRole('button', { name, exact: true }).count(), 0, name);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});
