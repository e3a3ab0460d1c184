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
  'byhand.yaml': `apiVersion: tend/v1
kind: Playbook
metadata: {name: unplug, description: Work by hand.}
steps:
  - {uses: manual, with: {title: Unplug the north feed, instructions: Wait for the red light., within: 1h}}
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
  'every.yaml': `apiVersion: tend/v1
kind: Playbook
metadata: {name: every-kind, description: Takes every kind of field.}
offer: {to: ['*'], title: Everything at once}
parameters:
  - {name: word, type: string, pattern: '^[a-z]+$'}
  - {name: count, type: number}
  - {name: sure, type: boolean}
  - {name: colour, type: string, enum: [red, green]}
  - {name: names, type: list}
  - {name: tags, type: map}
  - {name: key, type: string, sensitive: true}
steps:
  - {id: sure, uses: approve, with: {message: 'Really?', from: ['group:data'], within: 1h}}
`,
};

playbooks['password.yaml'] = `apiVersion: tend/v1
kind: Playbook
metadata: {name: password, description: Gives a password.}
offer: {to: ['*'], title: A password}
steps:
  - {uses: handover, with: {to: '{{ $.run.for }}', title: Your password, value: s3cret-word}}
`;

let w, browser;
before(async () => { w = await serve({ playbooks }); browser = await browse(); });
after(async () => { await browser?.close(); await w?.close(); });

const task = (run) => until(async () => (await w.api('GET', '/v1/tasks?status=open')).rows.find((r) => r.parent === run)?.id, 'the task');

test('two people approve at once, and each counts once', async () => {
  const run = await w.run('drain', { host: '<b>web-1</b>' });
  const id = await task(run);
  const [a, b] = [await open(browser, w, { path: '/inbox' }), await open(browser, w, { path: `/inbox/${id}`, token: w.second })];
  await a.getByRole('rowgroup', { name: 'For you' }).getByText('<b>web-1</b>').first().click();
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

test('work by hand is named by its title wherever it waits, and how it is done stands beside it', async () => {
  const run = await w.run('unplug');
  const id = await task(run);
  const page = await open(browser, w, { path: '/' });
  for (const path of ['/', '/inbox']) {
    await page.goto(path);
    await page.getByRole('link', { name: 'Unplug the north feed' }).first().waitFor();
    assert.equal(await page.getByText('Wait for the red light.').count(), 0);
  }
  for (const [path, region] of [[`/inbox/${id}`, 'Question'], [`/runs/${run}`, 'A question']]) {
    await page.goto(path);
    const asked = page.getByRole('region', { name: region });
    await asked.getByText('Unplug the north feed').waitFor();
    await asked.getByText('Wait for the red light.').waitFor();
  }
  await page.getByRole('button', { name: 'It is done' }).click();
  await w.ended(run);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('the fields of a question stand under it, in view with the answer', async () => {
  const id = await task(await w.run('plan'));
  const page = await open(browser, w, { path: `/inbox/${id}` });
  const field = page.getByLabel('zone');
  await field.waitFor();
  await page.getByRole('complementary', { name: 'Facts' }).getByText('It is the first run').or(page.getByText('Since the last time')).first().waitFor();
  const [f, bar, q] = [await field.boundingBox(), await page.getByRole('button', { name: 'Send the answer' }).boundingBox(), await page.getByRole('region', { name: 'Question' }).boundingBox()];
  assert.ok(f.y - (q.y + q.height) < 200, `the field is ${f.y - q.y - q.height} px below its question`);
  assert.ok(f.y + f.height <= bar.y, 'nothing lies over it');
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
  await page.getByRole('list', { name: 'How far it is' }).getByText('done').and(page.locator('[aria-current] *')).waitFor();
  await page.goto('/requests');
  await page.getByRole('region', { name: 'My requests' }).getByRole('link', { name: 'A message queue' }).waitFor();
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('the list: what waits for me first, claimed and delegated there, and gone through by keys', async () => {
  const [one, two] = [await w.run('drain', { host: 'list-1' }), await w.run('drain', { host: 'list-2' })];
  const [id] = [await task(one), await task(two)];
  const page = await open(browser, w, { path: '/inbox' });
  const row = (host) => page.getByRole('rowgroup', { name: 'For you' }).getByRole('row').filter({ hasText: host });
  await row('list-1').getByRole('link', { name: 'drain', exact: true }).waitFor();
  await row('list-1').getByText('0 of 2 said yes').waitFor();
  await row('list-1').getByRole('button', { name: 'I see to it' }).click();
  await row('list-1').getByText('you see to it').waitFor();
  assert.ok((await w.api('GET', `/v1/tasks/${id}`)).body.assignee);
  await row('list-2').getByRole('button', { name: 'Delegate' }).click();
  await page.getByRole('dialog').getByLabel('To people or groups').fill('group:sre');
  await page.getByRole('button', { name: 'Delegate it' }).click();
  await page.getByText('They may answer in your place.').waitFor();
  await page.getByLabel('Find').fill('list-');
  await until(async () => (await page.getByRole('row').filter({ hasText: /^(?!.*list-)/ }).filter({ hasText: 'approval' }).count()) === 0, 'the filter');
  await page.locator('h1').click();
  await page.keyboard.press('j');
  const focus = () => page.evaluate(() => document.activeElement?.id ?? '');
  const first = await focus();
  await page.keyboard.press('j');
  assert.notEqual(await focus(), first);
  await page.keyboard.press('k');
  assert.equal(await focus(), first);
  await page.keyboard.press('Enter');
  await page.getByRole('region', { name: 'Question' }).waitFor();
  assert.ok(page.url().endsWith(first.replace('task-', '')));
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('what was answered stands apart, with who answered; on a phone nothing is wider than it', async () => {
  const run = await w.run('plan');
  const id = await task(run);
  await w.api('POST', `/v1/tasks/${id}/answers`, { choice: 'answer', output: { nodes: 2, zone: 'south' } });
  const page = await open(browser, w, { path: '/inbox?state=over', viewport: { width: 390, height: 844 } });
  await page.getByRole('rowgroup', { name: 'Answered' }).getByText('How large shall it be?').first().waitFor();
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing is wider than a phone');
  await page.getByRole('button', { name: 'Open', exact: false }).first().click();
  await w.run('drain', { host: 'phone-1' });
  await page.getByText('Drain phone-1?').waitFor();
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing is wider than a phone');
  await page.context().close();
});

test('a form of every kind of field: each says what is wrong with it, and nothing typed is lost', async () => {
  const page = await open(browser, w, { path: '/requests' });
  const offer = page.getByRole('table', { name: 'Offers' }).getByRole('row').filter({ hasText: 'Everything at once' });
  await offer.getByText('group:data').waitFor();
  await offer.getByRole('link').click();
  await page.getByText('it is approved by group:data').waitFor();
  await page.getByLabel('count').fill('many');
  await page.getByLabel('word').focus();
  await page.getByText('A number.').waitFor();
  await page.getByLabel('word').fill('NO');
  await page.getByLabel('tags').fill('[1');
  await page.getByLabel('names').fill('[1');
  await page.getByRole('button', { name: 'Ask for it' }).click();
  for (const wrong of ['A number.', 'It does not match', 'A list: one line for each', 'A JSON object', 'It is needed.']) await page.getByText(wrong).first().waitFor();
  await page.getByText(/fields need another look/).waitFor();
  await page.getByLabel('count').fill('3');
  await page.getByLabel('word').fill('yes');
  await page.getByLabel('names').fill('ada\nbob');
  await page.getByLabel('tags').fill('{"a": 1}');
  await page.getByLabel('sure').selectOption('true');
  await page.getByLabel('colour').selectOption('green');
  await page.getByLabel('key', { exact: true }).fill('hush');
  assert.equal(await page.getByLabel('key', { exact: true }).getAttribute('type'), 'password');
  await page.getByLabel('What it is for').fill('to see');
  // Looking elsewhere and coming back: it stands there still, but what is secret.
  await page.getByRole('link', { name: 'Requests', exact: true }).click();
  await page.getByRole('table', { name: 'Offers' }).getByRole('link', { name: 'Everything at once' }).click();
  assert.equal(await page.getByLabel('names').inputValue(), 'ada\nbob');
  assert.equal(await page.getByLabel('What it is for').inputValue(), 'to see');
  assert.equal(await page.getByLabel('key', { exact: true }).inputValue(), '');
  await page.getByLabel('key', { exact: true }).fill('hush');
  await page.getByRole('button', { name: 'Ask for it' }).click();
  await page.getByRole('list', { name: 'How far it is' }).getByText('a person decides').waitFor();
  const asked = page.getByRole('region', { name: 'Asked' });
  await asked.getByText('ada, bob').waitFor();
  assert.equal((await asked.innerText()).includes('hush'), false);
  await page.goto('/requests');
  await page.getByRole('table', { name: 'My requests' }).getByRole('row').filter({ hasText: 'Everything at once' }).getByText('a person decides').waitFor();
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('what is handed over is taken once, and shown that once', async () => {
  const page = await open(browser, w, { path: '/requests' });
  await page.getByRole('table', { name: 'Offers' }).getByRole('link', { name: 'A password' }).click();
  await page.getByRole('button', { name: 'Ask for it' }).click();
  await page.getByRole('list', { name: 'How far it is' }).getByText('done', { exact: true }).waitFor();
  await page.goto('/requests');
  const handed = page.getByRole('region', { name: 'Handed over to you' });
  await handed.getByText('Your password').waitFor();
  await handed.getByRole('button', { name: 'Take it' }).click();
  await page.getByRole('button', { name: 'Take it now' }).click();
  await page.getByRole('dialog').getByText('s3cret-word').waitFor();
  await page.getByRole('button', { name: 'I have it' }).click();
  await handed.waitFor({ state: 'detached' });
  assert.equal((await page.getByRole('main').innerText()).includes('s3cret-word'), false);
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

test('what one handed on is seen and taken back, on the page of the task and in the list', async () => {
  const id = await task(await w.run('drain', { host: 'back-1' }));
  const page = await open(browser, w, { path: `/inbox/${id}` });
  const hand = async () => {
    await page.getByRole('button', { name: 'Delegate' }).click();
    await page.getByLabel('To people or groups').fill('group:nights');
    await page.getByRole('button', { name: 'Delegate it' }).click();
  };
  const delegated = async () => (await w.api('GET', `/v1/tasks/${id}`)).body.delegated ?? [];
  const approve = page.getByRole('button', { name: 'Approve', exact: true });
  await approve.waitFor();
  await hand();
  const question = page.getByRole('region', { name: 'Question' });
  await question.getByText(/You handed your answer to .*nights/).waitFor();
  assert.equal(await approve.count(), 0, 'who handed it on is not offered the answer');
  assert.equal(await page.getByRole('button', { name: 'Delegate' }).count(), 0);
  // It is the delegation of who gave it: somebody else is not offered to take it back.
  const other = await open(browser, w, { path: `/inbox/${id}`, token: w.second });
  await other.getByRole('button', { name: 'Approve', exact: true }).waitFor();
  assert.equal(await other.getByRole('button', { name: 'Take it back' }).count(), 0);
  await page.getByRole('button', { name: 'Take it back' }).click();
  await page.getByRole('dialog').getByText(/nights can no longer answer in your place/).waitFor();
  await page.getByRole('dialog').getByLabel(/^Reason/).fill('I am back');
  await page.getByRole('dialog').getByRole('button', { name: 'Take it back' }).click();
  await approve.waitFor();
  assert.deepEqual(await delegated(), []);
  await hand();
  await page.getByRole('button', { name: 'Take it back' }).waitFor();
  await page.goto('/inbox');
  const row = page.getByRole('rowgroup', { name: 'For others' }).getByRole('row').filter({ hasText: 'back-1' });
  await row.getByText(/you handed it to .*nights/).waitFor();
  await row.getByRole('button', { name: 'Take it back' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Take it back' }).click();
  await page.getByRole('rowgroup', { name: 'For you' }).getByRole('row').filter({ hasText: 'back-1' }).waitFor();
  assert.deepEqual(await delegated(), []);
  assert.deepEqual([...page.errors, ...other.errors], []);
  await page.context().close();
  await other.context().close();
});

test('a link is put beside a task by who may; what is no address is not sent', async () => {
  const id = await task(await w.run('drain', { host: 'link-1' }));
  const page = await open(browser, w, { path: `/inbox/${id}` });
  await page.getByRole('button', { name: 'Add a link' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Address').fill('javascript:alert(1)');
  await dialog.getByText('An address with https:// or http://.').waitFor();
  assert.equal(await dialog.getByRole('button', { name: 'Add it' }).isDisabled(), true);
  await dialog.getByLabel('Address').fill('https://wiki.example.org/drain');
  await dialog.getByLabel('What it is called').fill('<b>run book</b>');
  await dialog.getByRole('button', { name: 'Add it' }).click();
  const link = page.getByRole('region', { name: 'Who' }).getByRole('link', { name: '<b>run book</b>' });
  await link.waitFor();
  assert.equal(await link.getAttribute('href'), 'https://wiki.example.org/drain');
  assert.deepEqual((await w.api('GET', `/v1/tasks/${id}`)).body.links, [{ name: '<b>run book</b>', url: 'https://wiki.example.org/drain' }]);
  const looks = await open(browser, w, { path: `/inbox/${id}`, token: w.viewer });
  await looks.getByRole('region', { name: 'Who' }).getByRole('link', { name: '<b>run book</b>' }).waitFor();
  assert.equal(await looks.getByRole('button', { name: 'Add a link' }).count(), 0);
  await assert.rejects(w.api('POST', `/v1/tasks/${id}/links`, { url: 'https://example.org/' }, w.viewer), /403/);
  assert.deepEqual([...page.errors, ...looks.errors], []);
  await page.context().close();
  await looks.context().close();
});
