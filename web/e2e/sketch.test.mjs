// "Make a playbook from this": from an event to a new file that is proposed, as people do it, against a real server.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { browse, open, paste, serve, textOf, until } from './world.mjs';

const hostile = '</textarea><script>document.title="owned"</script>{{ $.secrets }}';
let w, browser, event;
before(async () => {
  w = await serve({ playbooks: { 'look.yaml': 'apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: look, description: Looks.}\nsteps: [{uses: log, with: {message: hello}}]\n' } });
  browser = await browse();
  await w.api('POST', '/v1/events/reports', { events: [{ key: 'db-1/1', group: 'db-1', kind: 'alert', status: 'firing', name: 'ReplicaLags', labels: { alertname: 'ReplicaLags', host: 'db-1', note: hostile }, data: {} }] });
  event = (await w.api('GET', '/v1/events')).rows[0].id;
});
after(async () => { await browser?.close(); await w?.close(); });

test('an event becomes a new file: a repository, a name, a draft that is written on, and a patch', async () => {
  const page = await open(browser, w, { path: `/events/${event}` });
  await page.getByRole('link', { name: 'Make a playbook from this' }).click();
  const form = page.getByRole('form', { name: 'The new playbook' });
  assert.equal(await form.getByLabel('Name').inputValue(), 'replicalags');
  await form.getByLabel('Name').fill('../etc');
  assert.equal(await form.getByRole('button', { name: 'Write it' }).isDisabled(), true);
  await form.getByLabel('Name').fill('replica-lags');
  await form.getByRole('button', { name: 'Write it' }).click();
  await until(async () => (await textOf(page)).includes('name: replica-lags'), 'the draft');
  assert.match(await textOf(page), /kind: Trigger/);
  await page.getByText('a new file in playbooks').waitFor();
  const graph = page.getByRole('group', { name: 'The playbook as a graph' });
  await graph.getByRole('button').first().waitFor();

  // It is written on, and outlives the page.
  await paste(page, (await textOf(page)).replace('CHANGE-ME', 'storage'));
  await until(async () => page.evaluate(() => Object.keys(localStorage).some((k) => k.startsWith('tend.draft.replica-lags'))), 'what is kept');
  await page.reload();
  await until(async () => (await textOf(page)).includes('owner: storage'), 'what was written');
  await page.getByRole('region', { name: 'Findings' }).getByText('Nothing to say').waitFor();

  await page.getByRole('button', { name: 'Make a patch' }).click();
  await page.getByText('this server has nothing to push with for you here', { exact: false }).waitFor();
  await page.getByLabel('What it does, in a line').fill('Look at replicas that lag');
  await page.getByRole('button', { name: 'Make the patch' }).click();
  const patch = await page.getByRole('dialog', { name: 'Here is the patch' }).locator('pre').innerText();
  assert.match(patch, /new file mode/);
  assert.match(patch, /\+  owner: storage/);
  assert.match(patch, /replica-lags\/playbook\.yaml/);
  assert.deepEqual(readdirSync(join(w.dir, 'playbooks')), ['look.yaml'], 'nothing is written into what is live');
  assert.equal(existsSync(join(w.dir, 'playbooks', 'playbooks')), false);
  assert.ok(!(await page.title()).includes('owned'));
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('who may only look is not offered it', async () => {
  const page = await open(browser, w, { path: `/events/${event}`, token: w.viewer });
  await page.getByRole('region', { name: 'Decision' }).waitFor();
  assert.equal(await page.getByRole('link', { name: 'Make a playbook from this' }).count(), 0);
  await page.goto(`/events/${event}/playbook`);
  await page.getByText('There is no repository that you could write for').waitFor();
  await page.goto('/events/evt_nothing/playbook');
  await page.getByText('There is no such event here').waitFor();
  assert.deepEqual(page.errors, []);
  await page.context().close();
});
