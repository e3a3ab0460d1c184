// Playbooks and the editor: as people use them, against a real server.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { browse, open, serve, until } from './world.mjs';

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

let w, browser;
before(async () => { w = await serve({ playbooks: { 'greet.yaml': text } }); browser = await browse(); });
after(async () => { await browser?.close(); await w?.close(); });

test('a playbook is found, looked at, planned and started', async () => {
  const page = await open(browser, w, { path: '/playbooks' });
  await page.getByLabel('Find').fill('gre');
  await page.getByRole('region', { name: 'people' }).getByRole('link', { name: /greet/ }).first().click();
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

test('a step is added, filled in, renamed and moved; the text keeps its comments; it is saved as a patch', async () => {
  const page = await open(browser, w, { path: '/playbooks/greet/edit' });
  const graph = page.getByRole('group', { name: 'The playbook as a graph' });
  await graph.getByRole('button', { name: /hello/ }).click();
  const form = page.getByRole('region', { name: 'Step', exact: true });
  await form.getByLabel(/^message/).fill('good morning');
  await form.getByLabel(/^message/).blur();
  const area = page.getByLabel('The text of the playbook');
  await until(async () => (await area.inputValue()).includes('good morning'), 'the text');
  await form.getByRole('button', { name: 'Rename' }).click();
  await page.getByLabel('Its id').fill('morning');
  await page.getByRole('button', { name: 'Rename it' }).click();
  await until(async () => (await area.inputValue()).includes('id: morning'), 'the new id');
  await page.getByRole('button', { name: 'Add a step' }).click();
  await page.getByLabel('Find an action').fill('approve');
  await page.getByRole('option', { name: /^approve/ }).first().click();
  await page.getByRole('button', { name: 'Add approve' }).click();
  await until(async () => (await area.inputValue()).includes('uses: approve'), 'the new step');
  const now = await area.inputValue();
  assert.ok(now.includes('# Whom it greets.') && now.includes('# a friendly word'), now);
  await page.getByRole('button', { name: 'Undo' }).click();
  await until(async () => !(await area.inputValue()).includes('uses: approve'), 'the way back');

  // What is wrong is said while it is written, and shown on the graph.
  await area.fill((await area.inputValue()).replace("params.who != 'nobody'", 'params.whom == 1'));
  await page.getByRole('region', { name: 'Findings' }).getByText('error').first().waitFor();
  await until(async () => (await graph.locator('[data-wrong]').count()) === 1, 'the mark');
  await page.getByRole('button', { name: 'Undo' }).click();

  // Nothing is lost by a reload, and nothing is live by a save.
  await page.reload();
  await until(async () => (await area.inputValue()).includes('id: morning'), 'the draft');
  await page.getByRole('button', { name: 'Make a patch' }).click();
  await page.getByLabel('What it does, in a line').fill('Greet in the morning');
  await page.getByRole('button', { name: 'Make the patch' }).click();
  await page.getByText('Here is the patch').waitFor();
  assert.ok((await page.getByRole('dialog').innerText()).includes('+  - id: morning'));
  const books = join(w.dir, 'playbooks');
  assert.deepEqual(readdirSync(books), ['greet.yaml']);
  assert.equal(readFileSync(join(books, 'greet.yaml'), 'utf8'), text);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('versions show what changed', async () => {
  writeFileSync(join(w.dir, 'playbooks', 'greet.yaml'), text.replace('message: bye', 'message: farewell'));
  const page = await open(browser, w, { path: '/playbooks/greet?view=versions' });
  await page.locator('[data-diff="new"]', { hasText: 'farewell' }).waitFor();
  await page.locator('[data-diff="gone"]', { hasText: 'bye' }).waitFor();
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('who may only look can read it, and neither start nor edit it', async () => {
  const page = await open(browser, w, { path: '/playbooks/greet', token: w.viewer });
  await page.getByRole('group', { name: 'The playbook as a graph' }).getByRole('button', { name: /hello/ }).waitFor();
  assert.equal(await page.getByRole('region', { name: 'Start it' }).count(), 0);
  assert.equal(await page.getByRole('link', { name: 'Edit' }).count(), 0);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});
