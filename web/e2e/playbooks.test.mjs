// Playbooks and the editor: as people use them, against a real server.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { browse, open, serve, textOf, until } from './world.mjs';

const text = `apiVersion: tend/v1
kind: Playbook
metadata: {name: greet, description: Says hello., owner: people}
# Whom it greets.
parameters: [{name: who, type: string, required: true, description: Whom.}]
steps:
  - id: hello
    uses: log # a friendly word
    with: {message: 'hello {{ $.params.who }}'}
  - id: later
    when: params.who != 'nobody'
    uses: log
    with: {message: bye}
`;

// What changes something, with what belongs to it.
const mend = `apiVersion: tend/v1
kind: Playbook
metadata: {name: mend, description: Mends a host., owner: core, labels: {tier: gold}}
parameters: [{name: host, type: string, required: true, pattern: '^[a-z0-9-]+$'}]
steps:
  - id: fix
    uses: http
    effect: mutate
    with: {method: PUT, url: 'http://127.0.0.1:9/{{ $.params.host }}'}
    target: 'host:{{ $.params.host }}'
    verify: {uses: http, with: {url: 'http://127.0.0.1:9/'}, until: result.status == 200, within: 1s}
---
apiVersion: tend/v1
kind: Trigger
metadata: {name: host-down}
on: {kind: alert, labels: {alertname: HostDown}}
playbook: mend
parameters: {host: '{{ $.event.labels.host }}'}
---
apiVersion: tend/v1
kind: Guard
metadata: {name: calm, description: Leave a host alone for a while.}
select: {targets: ['host:*']}
cooldown: {every: 30m, per: target}
then: hold
`;

// What proves that it helped.
const proves = `apiVersion: tend/v1
kind: Playbook
metadata: {name: proves, description: Does what can be proved.}
steps:
  - {id: act, uses: log, with: {message: done}, verify: {uses: log, with: {message: ok}, until: 'true', within: 5s}}
`;

let w, browser;
before(async () => {
  w = await serve({ playbooks: { 'greet.yaml': text, 'mend.yaml': mend, 'proves.yaml': proves, 'greets.txtar': '# it greets\ntend run greet.yaml -p who=all\nstdout hello\n' } });
  browser = await browse();
});
after(async () => { await browser?.close(); await w?.close(); });

test('a playbook is found, looked at, planned and started', async () => {
  const page = await open(browser, w, { path: '/playbooks' });
  await page.getByLabel('Find').fill('gre');
  const list = page.getByRole('table', { name: 'Playbooks' });
  await page.waitForURL(/find=gre/);
  assert.equal(await list.getByRole('link', { name: 'mend' }).count(), 0, 'the other one is not found');
  await list.getByRole('rowgroup', { name: 'people' }).getByRole('link', { name: 'greet' }).click();
  await page.getByRole('group', { name: 'The playbook as a graph' }).getByRole('button', { name: /hello/ }).waitFor();
  await page.getByRole('tab', { name: 'Source' }).click();
  await page.getByText('# a friendly word').waitFor();
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await page.getByText('It is needed.').waitFor();
  await page.getByLabel('who').fill('<b>ann</b>');
  await page.getByRole('button', { name: 'Show what it would do' }).click();
  await page.locator('.playbook-plan').getByText('hello').first().waitFor();
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await page.getByRole('button', { name: 'Start it', exact: true }).click();
  await page.waitForURL(/\/runs\/run_/);
  await w.ended(page.url().split('/').at(-1));
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('one table by team: what it does, what starts it, how it fared; a label narrows it', async () => {
  const page = await open(browser, w, { path: '/playbooks' });
  const row = (name) => page.getByRole('table', { name: 'Playbooks' }).getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) });
  await row('mend').getByText('changes things').waitFor();
  await row('mend').getByText('host-down').waitFor();
  await row('mend').getByText('it has not run yet').waitFor({ state: 'attached' });
  await row('greet').getByText('only looks').waitFor();
  await row('greet').getByText('it has nothing to verify').waitFor({ state: 'attached' });
  await row('greet').getByRole('link', { name: 'run succeeded' }).first().waitFor();
  assert.equal(await page.getByText('0 %').count(), 0, 'nothing is said where nothing was to verify');
  await w.ended(await w.run('proves'));
  await row('proves').getByText('100 %').waitFor();
  await row('proves').getByRole('link', { name: 'run succeeded' }).waitFor();
  await page.getByLabel('Label').selectOption('tier=gold');
  await row('greet').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Clear' }).click();
  await row('greet').getByRole('link', { name: 'run succeeded' }).first().click();
  await page.waitForURL(/\/runs\/run_/);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('what belongs to a playbook is said in words, and what changes things is started with its plan in view', async () => {
  const page = await open(browser, w, { path: '/playbooks/mend?view=around' });
  await page.getByRole('region', { name: 'What starts it' }).getByText('labels.alertname').waitFor();
  await page.getByRole('region', { name: 'What starts it' }).getByText('HostDown').waitFor();
  await page.getByRole('region', { name: 'What can hold it back' }).getByText(/rests for 30m/).first().waitFor();
  const tests = page.getByRole('region', { name: 'Tests' });
  await tests.getByText('greets.txtar').click();
  await tests.getByText('tend run greet.yaml -p who=all').waitFor();
  const start = page.getByRole('region', { name: 'Start it' });
  await start.getByLabel('host').fill('not a host!');
  await start.getByRole('button', { name: 'Start', exact: true }).click();
  await start.getByRole('alert').first().waitFor();
  assert.equal(await page.getByRole('dialog').count(), 0, 'what is wrong is not started');
  await start.getByLabel('host').fill('web-1');
  await start.getByRole('button', { name: 'Start', exact: true }).click();
  const plan = page.getByRole('dialog').getByRole('region', { name: 'What it would do' });
  await plan.getByText('host:web-1').first().waitFor();
  await page.getByRole('button', { name: 'Leave it' }).click();
  assert.equal((await w.api('GET', '/v1/runs?name=mend')).rows.length, 0, 'a look starts nothing');
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('a new playbook begins with a name and a repository', async () => {
  const page = await open(browser, w, { path: '/playbooks' });
  await page.getByRole('link', { name: 'New playbook' }).click();
  const form = page.getByRole('form', { name: 'The new playbook' });
  await form.getByLabel('Name').fill('tidy-up');
  await form.getByRole('button', { name: 'Write it' }).click();
  await until(async () => (await textOf(page)).includes('name: tidy-up'), 'the draft');
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('versions show what changed', async () => {
  writeFileSync(join(w.dir, 'playbooks', 'greet.yaml'), text.replace('message: bye', 'message: farewell'));
  const page = await open(browser, w, { path: '/playbooks/greet?view=versions' });
  await page.locator('[data-diff="new"]', { hasText: 'farewell' }).waitFor();
  await page.locator('[data-diff="gone"]', { hasText: 'bye' }).waitFor();
  const versions = page.getByRole('list', { name: 'Versions' }).getByRole('button');
  assert.equal(await versions.count(), 2);
  await versions.nth(1).click();
  await page.waitForURL(/version=/);
  await page.getByText(/The first one/).waitFor();
  await page.getByText('That is all of them.').waitFor();
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('who may only look can read it, and neither start nor edit it', async () => {
  const page = await open(browser, w, { path: '/playbooks/greet', token: w.viewer });
  await page.getByRole('group', { name: 'The playbook as a graph' }).getByRole('button', { name: /hello/ }).waitFor();
  assert.equal(await page.getByRole('region', { name: 'Start it' }).count(), 0);
  assert.equal(await page.getByRole('link', { name: 'Edit' }).count(), 0);
  await page.goto('/playbooks');
  await page.getByRole('link', { name: 'greet' }).waitFor();
  assert.equal(await page.getByRole('link', { name: 'New playbook' }).count(), 0);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});
