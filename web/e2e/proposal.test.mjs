// A change that is proposed on a branch: where the server has something to push with. A real repository, and nothing live moves.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { browse, open, paste, serve, textOf, until } from './world.mjs';

const text = `apiVersion: tend/v1
kind: Playbook
metadata: {name: shop-greet, description: Says hello.}
steps:
  # It says it.
  - {name: Greet, uses: log, with: {message: hello}}
`;
const dir = mkdtempSync(join(tmpdir(), 'tend-e2e-git-'));
const repo = join(dir, 'shop');
const git = (...args) => execFileSync('git', args, { cwd: repo, encoding: 'utf8', env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', GIT_AUTHOR_NAME: 'Ada', GIT_AUTHOR_EMAIL: 'ada@example.org', GIT_COMMITTER_NAME: 'Ada', GIT_COMMITTER_EMAIL: 'ada@example.org' } }).trim();

let w, browser, event;
before(async () => {
  mkdirSync(join(repo, 'playbooks'), { recursive: true });
  writeFileSync(join(repo, 'playbooks', 'greet.yaml'), text);
  git('init', '-q', '-b', 'main');
  git('add', '-A');
  git('commit', '-q', '-m', 'Begin');
  w = await serve({ repositories: [`  - {name: shop, url: 'file://${repo}/.git', branch: main, path: playbooks, poll: 1s, push: {}}`] });
  browser = await browse();
  await until(async () => (await w.api('GET', '/v1/playbooks')).playbooks.some((p) => p.name === 'shop-greet'), 'the playbook');
  await w.api('POST', '/v1/events/reports', { events: [{ key: 'db-1/1', group: 'db-1', kind: 'alert', status: 'firing', name: 'ReplicaLags', labels: { alertname: 'ReplicaLags', host: 'db-1' }, data: {} }] });
  event = (await w.api('GET', '/v1/events')).rows[0].id;
});
after(async () => { await browser?.close(); await w?.close(); rmSync(dir, { recursive: true, force: true }); });

test('a change becomes a commit on a branch: who, where and what are said before, branch and message are edited', async () => {
  const main = git('rev-parse', 'main');
  const page = await open(browser, w, { path: '/playbooks/shop-greet/edit' });
  await until(async () => (await textOf(page)).includes('message: hello'), 'the text');
  await paste(page, (await textOf(page)).replace('message: hello', 'message: good morning'));
  await page.getByRole('button', { name: 'Propose on a branch' }).click();
  const dialog = page.getByRole('dialog', { name: 'Propose on a branch' });
  await dialog.getByText('One commit on the new branch').waitFor();
  await dialog.getByText('What is live does not change.').waitFor();
  await dialog.locator('[data-diff="new"]', { hasText: 'good morning' }).waitFor();
  await dialog.getByLabel('What it does, in a line').fill('Greet in the morning');
  assert.equal(await dialog.getByLabel(/^Branch/).inputValue(), 'greet-in-the-morning');
  await dialog.getByLabel(/^Branch/).fill('Not good');
  await dialog.getByText('Small letters, digits').waitFor();
  assert.equal(await dialog.getByRole('button', { name: 'Push the branch' }).isDisabled(), true);
  await dialog.getByLabel(/^Branch/).fill('morning');
  await dialog.getByLabel(/^Reason/).fill('It is early.');
  await dialog.getByRole('button', { name: 'Push the branch' }).click();
  await page.getByRole('dialog', { name: 'It is proposed' }).getByText('tend/morning').waitFor();
  assert.match(git('log', '-1', '--format=%cn|%s|%b', 'tend/morning'), /^tend\|Greet in the morning\|It is early\./);
  assert.match(git('show', 'tend/morning:playbooks/greet.yaml'), /# It says it\.\n {2}- \{name: Greet, uses: log, with: \{message: good morning\}\}/);
  assert.equal(git('rev-parse', 'main'), main, 'what is live did not move');
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('a new file is proposed on a branch too, or as a patch instead', async () => {
  const page = await open(browser, w, { path: `/events/${event}/playbook` });
  const form = page.getByRole('form', { name: 'The new playbook' });
  await form.getByLabel('Repository').selectOption('shop');
  await form.getByLabel('Name').fill('lags');
  await form.getByRole('button', { name: 'Write it' }).click();
  await until(async () => (await textOf(page)).includes('name: lags'), 'the draft');
  await page.getByRole('button', { name: 'Propose on a branch' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('(a new file)').waitFor();
  await dialog.getByLabel('What it does, in a line').fill('Look at lag');
  await dialog.getByLabel('as a patch instead, without a push').check();
  await dialog.getByText('A patch to download. Nothing is pushed.').waitFor();
  await dialog.getByLabel('as a patch instead, without a push').uncheck();
  await dialog.getByRole('button', { name: 'Push the branch' }).click();
  await page.getByRole('dialog', { name: 'It is proposed' }).waitFor();
  const branch = git('branch', '--list', 'tend/look-at-lag-*', '--format=%(refname:short)');
  assert.match(git('show', `${branch}:playbooks/lags/playbook.yaml`), /name: lags/);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});
