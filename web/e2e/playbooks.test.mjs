// Playbooks and the editor: as people use them, against a real server.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
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
