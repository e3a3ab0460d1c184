// Incidents, events, guards and halt, revisions, audit, insights: as people use them, against a real server.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
  'tidy.yaml': `apiVersion: tend/v1
kind: Playbook
metadata: {name: tidy, description: It tidies it., owner: storage}
parameters: [{name: host, type: string, description: Where.}]
steps:
  - {uses: shell, effect: mutate, with: {script: 'echo tidied'}, target: 'host:{{ $.params.host }}', undo: {none: It is tidy.}}
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
  const page = await open(browser, w, { path: '/events?decision=acted' });
  await page.getByRole('link', { name: 'DiskFull on web-1' }).click();
  await page.getByRole('region', { name: 'Decision' }).getByText(/by trigger disk-full/).waitFor();
  assert.ok((await page.getByRole('region', { name: 'What came' }).innerText()).includes('<script>'));
  assert.equal(await page.getByRole('button', { name: 'Decide again' }).count(), 0, 'it has started a run');
  await w.api('POST', '/v1/events/reports', { events: [{ key: 'x/1', kind: 'note', name: 'Nobody takes this', labels: {}, data: {} }] });
  await page.goto('/events?decision=unmatched');
  await page.getByRole('link', { name: 'Nobody takes this' }).click();
  await page.getByRole('button', { name: 'Decide again' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Decide again' }).click();
  await page.getByRole('dialog').getByRole('status').getByText('No trigger took it').waitFor();
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
  const loosened = page.getByRole('row').filter({ hasText: 'we move a rack' });
  await loosened.getByRole('button', { name: 'End it' }).click();
  await page.getByRole('button', { name: 'Let the guard hold again' }).click();
  await loosened.waitFor({ state: 'detached' });
  assert.deepEqual((await w.api('GET', '/v1/rules')).overrides, []);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('revisions, audit and insights tell what there is', async () => {
  const page = await open(browser, w, { path: '/revisions' });
  await page.getByRole('list', { name: 'History' }).getByText('2 playbooks, 1 trigger, 0 guards').waitFor();
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

test('what a guard holds back stands first, with until when, and goes when the guard is loosened', async () => {
  const [first, second] = [await w.run('tidy', { host: 'web-7' }), await w.run('tidy', { host: 'web-7' })];
  await until(async () => [await w.status(first), await w.status(second)].includes('waiting'), 'one to be held');
  const page = await open(browser, w, { path: '/guards' });
  const held = page.getByRole('table', { name: 'What holds now' }).getByRole('row').filter({ hasText: 'tidy' });
  await held.getByText('default-cooldown', { exact: true }).waitFor();
  await held.getByText(/until \d\d:\d\d/).first().waitFor();
  const rule = page.getByRole('table', { name: 'Guards', exact: true }).getByRole('row', { name: /default-cooldown/ });
  assert.match(await rule.innerText(), /Each target rests for 5m/);
  assert.match(await rule.innerText(), /\b1\b/, 'it says how much it holds');
  await rule.getByRole('button', { name: 'Loosen' }).click();
  await page.getByLabel('Only on the targets').fill('host:web-7');
  await page.getByLabel(/^Reason/).fill('we know what we do');
  await page.getByRole('button', { name: 'Loosen it' }).click();
  await held.waitFor({ state: 'detached' });
  await w.ended(first);
  await w.ended(second);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('a mode is changed and said on every page, and changed back; a change is approved and ended', async () => {
  const page = await open(browser, w, { path: '/guards' });
  const set = async (mode) => {
    await page.getByRole('button', { name: 'Change a mode' }).click();
    await page.getByRole('dialog').getByLabel('Mode', { exact: true }).selectOption(mode);
    await page.getByLabel('Playbook').fill('take-stock');
    await page.getByLabel(/^Reason/).fill('we look first');
    await page.getByRole('button', { name: `Set ${mode} for playbook take-stock` }).click();
    await page.getByRole('region', { name: 'Modes' }).getByText('playbook take-stock').waitFor();
    await until(async () => (await w.api('GET', '/v1/rules')).modes.some((m) => m.playbook === 'take-stock' && m.mode === mode), mode);
  };
  await set('observe');
  await page.goto('/runs');
  await page.getByText('observe for playbook take-stock').first().waitFor();
  await page.goto('/guards');
  await set('auto');
  await page.getByRole('button', { name: 'Approve a change' }).click();
  await page.getByLabel('What it is called').fill('CHG-1042');
  await page.getByLabel('Targets').fill('host:web-*');
  await page.getByRole('button', { name: 'Approve it' }).click();
  const change = page.getByRole('row').filter({ hasText: 'CHG-1042' });
  await change.getByText('host:web-*').waitFor();
  await change.getByRole('button', { name: 'End it' }).click();
  await page.getByRole('button', { name: 'End the change' }).click();
  await change.waitFor({ state: 'detached' });
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('a revision says what it changed, line by line; the one before is pinned by going back, and let go', async () => {
  writeFileSync(join(w.dir, 'playbooks', 'tidy.yaml'), playbooks['tidy.yaml'].replace('tidies it', 'tidies it up'));
  const all = () => w.api('GET', '/v1/repositories/playbooks/revisions').then((d) => d.revisions);
  const [live, old] = await until(async () => { const l = await all(); return l.length > 1 && l[0].status === 'live' && l; }, 'another revision');
  const page = await open(browser, w, { path: '/revisions' });
  const history = page.getByRole('list', { name: 'History' });
  await history.getByRole('button', { name: 'What it changed' }).first().click();
  await history.getByText('tidy.yaml').first().waitFor();
  assert.match(await history.locator('[data-diff="new"]').first().innerText(), /tidies it up/);
  assert.match(await history.locator('[data-diff="gone"]').first().innerText(), /tidies/);
  assert.match(page.url(), new RegExp(`show=${live.id}`));
  await page.getByRole('button', { name: 'Roll back' }).click();
  assert.equal(await page.getByRole('button', { name: 'Go back to the revision before' }).isDisabled(), true, 'a reason is wanted');
  await page.getByLabel(/^Reason/).fill('it tidies too much');
  await page.getByRole('button', { name: 'Go back to the revision before' }).click();
  await page.getByText('it tidies too much').waitFor();
  await page.getByRole('region', { name: 'In production' }).getByText(old.id.slice(0, 10)).waitFor();
  await page.getByRole('button', { name: 'Unpin' }).click();
  await page.getByRole('button', { name: 'Follow the newest good revision' }).click();
  await page.getByRole('region', { name: 'In production' }).getByText(live.id.slice(0, 10)).waitFor();
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('the audit trail is searched by who, what, object and time, in sentences, and exported', async () => {
  await assert.rejects(w.api('POST', '/v1/halts', { playbook: 'take-*' }, w.viewer), /403/);
  const page = await open(browser, w, { path: '/audit' });
  const records = page.getByRole('list', { name: 'Records' });
  await records.getByText('made the token').first().waitFor();
  assert.equal(await records.getByText('was let').count(), 0, 'rights that were looked at are not what was done');
  await page.getByRole('button', { name: 'Refused' }).click();
  await records.getByText('was not let halt').first().waitFor();
  await page.getByRole('button', { name: 'Done' }).click();
  await page.getByLabel('What', { exact: true }).fill('guard-overridden');
  await page.getByLabel('What', { exact: true }).press('Enter');
  await records.getByText(/loosened the guard\s+default-rate/).first().waitFor();
  await until(async () => (await records.getByText('made the token').count()) === 0, 'only what was searched for');
  const one = records.getByRole('listitem').filter({ hasText: 'default-rate' }).first();
  await one.locator('summary').click();
  await one.getByText('hash', { exact: true }).waitFor();
  await one.getByRole('button', { name: 'only about it' }).click();
  assert.match(page.url(), /object=default-rate/);
  await page.getByLabel('From', { exact: true }).fill('2000-01-01');
  await page.getByLabel('To', { exact: true }).fill('2000-01-02');
  await page.getByText('Nothing is recorded like that.').waitFor();
  await page.getByRole('button', { name: 'Clear' }).click();
  await page.getByLabel('Who', { exact: true }).fill('nobody at all');
  await page.getByText('Nothing is recorded like that.').waitFor();
  await page.getByRole('button', { name: 'Clear' }).click();
  await page.getByLabel('What', { exact: true }).fill('halted');
  await page.getByLabel('What', { exact: true }).press('Enter');
  await records.getByText(/halted\s+playbook take-\*/).first().waitFor();
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Export what is found' }).click()]);
  assert.match(readFileSync(await file.path(), 'utf8'), /"what":"halted"/);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('who may only look is offered nothing to do', async () => {
  const page = await open(browser, w, { path: '/guards', token: w.viewer });
  await page.getByRole('table', { name: 'Guards', exact: true }).getByText('default-cooldown').waitFor();
  for (const name of ['Halt', 'Change a mode', 'Approve a change', 'Loosen']) assert.equal(await page.getByRole('button', { name, exact: true }).count(), 0, name);
  await page.goto('/incidents');
  await page.getByText('Checkout is slow').click();
  await page.getByRole('heading', { name: 'Checkout is slow' }).waitFor();
  for (const name of ['Take it', 'Resolve', 'Say how it stands', 'Add to the timeline']) assert.equal(await page.getByRole('button', { name, exact: true }).count(), 0, name);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});
