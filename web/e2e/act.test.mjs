// What a person does to a run: skip a step, roll back, pause and go on, retry; and what the page says came of it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { browse, open, serve, until } from './world.mjs';

const playbooks = {
  'move.yaml': `apiVersion: tend/v1
kind: Playbook
metadata: {name: move-traffic, description: Move the traffic away.}
parameters: [{name: zone, type: string, default: north}]
steps:
  - {id: look, name: Look, uses: log, with: {message: 'zone {{ $.params.zone }}'}}
  - id: sure
    name: Are you sure
    uses: approve
    with: {message: 'Move the traffic out of {{ $.params.zone }}?', within: 1h}
  - {name: Tell, uses: log, with: {message: moved}}
`,
  'set.yaml': `apiVersion: tend/v1
kind: Playbook
metadata: {name: set-flag, description: Set a flag.}
parameters: [{name: flag, type: string, default: a}]
steps:
  - name: Set the flag
    uses: shell
    effect: idempotent
    with: {script: 'echo on'}
    target: 'flag:{{ $.params.flag }}'
    undo: {name: Take the flag back, uses: shell, effect: idempotent, with: {script: 'echo off again'}}
  - {name: Say so, uses: log, with: {message: set}}
`,
  'purge.yaml': `apiVersion: tend/v1
kind: Playbook
metadata: {name: purge-history, description: Purge what is old.}
parameters: [{name: host, type: string}, {name: days, type: number, default: 90}]
steps:
  - name: Purge
    uses: shell
    effect: mutate
    irreversible: true
    env: {OLDER: '{{ $.params.days }} days on {{ $.params.host }}'}
    with: {script: 'echo "purge what is older than $OLDER"'}
    target: ['host:{{ $.params.host }}', 'queue:{{ $.params.host }}-jobs']
    approval: {message: 'Purge the history of {{ $.params.host }}?', within: 1h}
    undo: {none: What was purged is gone.}
`,
  'wait.yaml': `apiVersion: tend/v1
kind: Playbook
metadata: {name: wait-a-little, description: Wait twice.}
steps:
  - {name: First wait, uses: wait, with: {for: 1h}}
  - {name: After it, uses: log, with: {message: after}}
`,
};

playbooks['keep.yaml'] = `apiVersion: tend/v1
kind: Playbook
metadata: {name: keep-report, description: Keep what was seen.}
steps:
  - {name: Look, uses: shell, effect: read, with: {script: 'mkdir -p "$TEND_WORK/out"; echo "seen: 3 disks" > "$TEND_WORK/out/report.txt"'}, artifacts: ['out/*.txt']}
  - name: Both
    parallel:
      - {name: Left, steps: [{name: L, uses: log, with: {message: l}, verify: {uses: log, with: {message: ok}, until: 'true', within: 5s}}]}
      - {name: Right, steps: [{name: R1, uses: log, with: {message: r}}, {name: R2, uses: log, with: {message: r}}]}
catch:
  - {name: Say it, uses: log, with: {message: failed}}
`;

const git = (dir, ...args) => execFileSync('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', ...args], { cwd: dir, encoding: 'utf8' }).trim();
const hello = (text) => `apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: greet, description: Greet.}\nparameters: [{name: who, type: string, default: all}]\nsteps:\n  - {name: Greet, uses: log, with: {message: '${text} {{ $.params.who }}'}}\n`;

let w, b, repo;
before(async () => {
  repo = mkdtempSync(join(tmpdir(), 'tend-e2e-git-'));
  mkdirSync(join(repo, 'books'));
  git(join(repo, 'books'), 'init', '-q', '-b', 'main');
  writeFileSync(join(repo, 'books', 'greet.yaml'), hello('hello'));
  git(join(repo, 'books'), 'add', '.');
  git(join(repo, 'books'), 'commit', '-qm', 'greet');
  b = await browse();
  w = await serve({ playbooks, repositories: [`  - {name: books, url: 'file://${join(repo, 'books')}', branch: main, poll: 1s}`] });
}, { timeout: 120_000 });
after(async () => { await b?.close(); await w?.close(); if (repo) rmSync(repo, { recursive: true, force: true }); });

const head = (page, says) => page.locator('.run-head .status').getByText(says, { exact: true }).waitFor({ timeout: 30_000 });

test('a step is skipped, with what will happen said before and the result on the page after', { timeout: 60_000 }, async () => {
  const run = await w.run('wait-a-little');
  const page = await open(b, w, { path: `/runs/${run}` });
  await page.getByRole('button', { name: /First wait waiting/ }).click();
  await page.getByRole('button', { name: 'Skip the step' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText(/is left out, and the run goes on as if its condition did not hold/).waitFor();
  await dialog.getByLabel(/Why/).fill('nothing to wait for');
  await dialog.getByRole('button', { name: 'Skip the step' }).click();
  await head(page, 'succeeded');
  await page.getByRole('button', { name: 'First wait skipped' }).waitFor();
  await page.getByRole('button', { name: 'After it succeeded' }).waitFor();
  const step = page.getByRole('region', { name: /Step First wait/ });
  await step.getByText('skipped by local admin').waitFor();
  assert.equal(await step.getByRole('button', { name: 'Skip the step' }).count(), 0);
  await page.getByRole('tab', { name: 'Story' }).click();
  await page.getByText(/is to be skipped, says local admin: nothing to wait for/).waitFor();
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('a run is rolled back by another run, which is gone to', { timeout: 90_000 }, async (t) => {
  if (!w.shell) { t.skip('steps of shell run as another user, which needs root'); return; }
  const run = await w.run('set-flag');
  await w.ended(run);
  const page = await open(b, w, { path: `/runs/${run}` });
  await page.getByRole('button', { name: 'Roll back' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText(/undoes what this one changed, newest first/).waitFor();
  await dialog.getByLabel(/Why/).fill('the flag was wrong');
  await dialog.getByRole('button', { name: 'Start the rollback' }).click();
  await page.waitForURL((u) => u.pathname.startsWith('/runs/') && !u.pathname.endsWith(run));
  await head(page, 'succeeded');
  await page.locator('.run-facts').getByText('undoes').waitFor();
  await page.getByRole('button', { name: /^undo .* succeeded/ }).waitFor();
  await page.getByRole('tab', { name: 'Story' }).click();
  await page.getByText(/created by local admin .*the flag was wrong/).waitFor();
  // What was rolled back is linked, and stays as it was.
  await page.locator('.run-facts').getByRole('link', { name: run }).click();
  await page.waitForURL((u) => u.pathname.endsWith(run));
  await head(page, 'succeeded');
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('a run is paused and let go on, and each says what will happen', { timeout: 60_000 }, async () => {
  const run = await w.run('move-traffic');
  const page = await open(b, w, { path: `/runs/${run}` });
  await page.getByRole('region', { name: 'A question' }).getByRole('button', { name: 'Approve' }).waitFor();
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('dialog').getByText(/no other step begins until somebody lets it go on/).waitFor();
  await page.getByRole('dialog').getByLabel(/Why/).fill('we look first');
  await page.getByRole('dialog').getByRole('button', { name: 'Pause the run' }).click();
  await head(page, 'paused');
  await page.locator('.run-why').getByText(/paused by local admin: we look first/).waitFor();
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByRole('dialog').getByText(/where it was paused/).waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Go on' }).click();
  await head(page, 'waiting');
  await page.getByRole('region', { name: 'A question' }).getByRole('button', { name: 'Reject' }).click();
  await head(page, 'failed');
  // From there another run begins, and this one is said to be where it comes from.
  await page.getByRole('button', { name: 'Retry from here' }).click();
  await page.getByRole('dialog').getByText(/keeps what succeeded and goes on at the step that did not/).waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Start the new run' }).click();
  await page.waitForURL((u) => u.pathname.startsWith('/runs/') && !u.pathname.endsWith(run));
  await page.locator('.run-facts').getByRole('link', { name: run }).waitFor();
  await page.getByRole('button', { name: 'Look carried over' }).waitFor();
  await page.getByRole('region', { name: 'A question' }).getByRole('button', { name: 'Approve' }).click();
  await head(page, 'succeeded');
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('a run names the exact commit, and what is other than the last time', { timeout: 90_000 }, async () => {
  const dir = join(repo, 'books');
  const live = (commit) => until(async () => (await w.api('GET', '/v1/playbooks')).playbooks.find((p) => p.name === 'greet')?.commit === commit, `greet at ${commit}: ${w.said.slice(-800)}`, 30_000);
  const first = git(dir, 'rev-parse', 'HEAD');
  await live(first);
  await w.ended(await w.run('greet', { who: 'ann' }));
  writeFileSync(join(dir, 'greet.yaml'), hello('good morning'));
  git(dir, 'commit', '-qam', 'be polite');
  const second = git(dir, 'rev-parse', 'HEAD');
  await live(second);
  const run = await w.run('greet', { who: 'bob' });
  await w.ended(run);
  const page = await open(b, w, { path: `/runs/${run}` });
  await page.locator('.run-facts').getByRole('link', { name: second.slice(0, 12) }).waitFor();
  await page.getByRole('tab', { name: 'About' }).click();
  const about = page.getByRole('region', { name: 'About the run' });
  await about.getByText(second, { exact: true }).waitFor();
  await about.getByText(`${first.slice(0, 10)}`).waitFor();
  assert.match(await about.innerText(), new RegExp(`another one: ${first.slice(0, 10)} → ${second.slice(0, 10)} by Ada`));
  assert.match(await about.innerText(), /who: ann → bob/);
  await about.getByRole('link', { name: 'What changed in it' }).click();
  await page.getByText('good morning').first().waitFor();
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('the graph is moved and zoomed by wheel, keys and buttons, and its overview goes along', { timeout: 60_000 }, async () => {
  const run = await w.run('move-traffic', { zone: 'south' });
  const page = await open(b, w, { path: `/runs/${run}`, viewport: { width: 1100, height: 620 } });
  await page.getByRole('button', { name: /Are you sure waiting/ }).waitFor();
  const says = page.getByRole('group', { name: 'Zoom' }).getByRole('button').nth(1);
  assert.equal(await says.innerText(), '100%');
  const box = page.locator('.graph-box');
  const r = await box.boundingBox();
  const step = page.getByRole('button', { name: /Are you sure waiting/ });
  const was = await step.boundingBox();
  const [x, y] = [was.x + 20, was.y + 10];
  await page.mouse.move(x, y);
  await page.keyboard.down('Control');
  await page.mouse.wheel(0, -60);
  await page.keyboard.up('Control');
  await until(async () => parseInt(await says.innerText(), 10) > 120, 'a larger graph');
  const is = await step.boundingBox();
  assert.ok(Math.abs(is.y + 10 * (is.width / was.width) - y) < 4, 'what is under the pointer stays under it');
  await page.locator('.graph-map').waitFor();
  await box.focus();
  await page.keyboard.press('1');
  await until(async () => (await says.innerText()) === '100%', '100 %');
  await page.keyboard.press('-');
  await until(async () => (await says.innerText()) === '85%', '85 %');
  await page.keyboard.press('0');
  await until(async () => box.evaluate((e) => e.scrollHeight <= e.clientHeight + 1 || e.scrollWidth <= e.clientWidth + 1), 'all of it in view');
  await page.keyboard.press('1');
  const top = () => box.evaluate((e) => e.scrollTop);
  await box.evaluate((e) => e.scrollTo(0, 0));
  await page.keyboard.press('ArrowDown');
  await until(async () => (await top()) > 0, 'the graph moved by a key');
  await box.evaluate((e) => e.scrollTo(0, 0));
  await page.mouse.move(r.x + 12, r.y + r.height - 12);
  await page.mouse.down();
  await page.mouse.move(r.x + 12, r.y + r.height - 112, { steps: 4 });
  await page.mouse.up();
  await until(async () => (await top()) > 60, 'the graph moved by the pointer');
  const map = await page.locator('.graph-map').boundingBox();
  await page.mouse.click(map.x + map.width / 2, map.y + 2);
  await until(async () => (await top()) === 0, 'the overview leads there');
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('a question shows what is needed to decide, and the answer stays in reach', { timeout: 60_000 }, async (t) => {
  if (!w.shell) { t.skip('steps of shell run as another user, which needs root'); return; }
  const page = await open(b, w, { path: '/' });
  const run = await w.run('move-traffic', { zone: '<b>east</b>' });
  const id = await until(async () => (await w.api('GET', `/v1/tasks?status=open&parent=${run}`)).rows[0]?.id, 'the task');
  await page.setViewportSize({ width: 1100, height: 500 });
  await page.goto(`/inbox/${id}`);
  await page.getByText('Move the traffic out of <b>east</b>?').first().waitFor();
  const approve = page.getByRole('button', { name: 'Approve', exact: true });
  const reach = async () => { const r = await approve.boundingBox(); return r.y > 0 && r.y + r.height <= 500; };
  assert.ok(await reach(), 'the answer is in reach before anything is read');
  await page.getByText('Since the last time').waitFor();
  await page.locator('#page').evaluate((e) => e.scrollTo(0, 200));
  assert.ok(await reach(), 'and while it is read');
  await page.getByRole('button', { name: /Are you sure waiting/ }).waitFor();
  await page.getByLabel('Why (it is recorded)').fill('the north is well');
  await approve.click();
  await w.ended(run);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('what a step kept is named with its size, and taken along', { timeout: 60_000 }, async () => {
  const run = await w.run('keep-report');
  await w.ended(run);
  const page = await open(b, w, { path: `/runs/${run}?step=${encodeURIComponent('steps[0]')}` });
  const link = page.getByRole('link', { name: 'out/report.txt' });
  await page.getByText('14 B', { exact: true }).waitFor();
  const [file] = await Promise.all([page.waitForEvent('download'), link.click()]);
  assert.equal(file.suggestedFilename(), 'report.txt');
  assert.equal(readFileSync(await file.path(), 'utf8'), 'seen: 3 disks\n');
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('the boxes stand as tend graph draws them', { timeout: 60_000 }, async () => {
  const svg = w.tend('graph', join(w.dir, 'playbooks', 'keep.yaml'), '-o', 'svg');
  const drawn = Object.fromEntries([...svg.matchAll(/data-path="([^"]+)" data-kind="[^"]+"><rect x="(-?\d+)" y="(-?\d+)" width="(\d+)" height="(\d+)"/g)].map(([, path, ...n]) => [path, n.map(Number)]));
  const page = await open(b, w, { path: '/playbooks/keep-report' });
  await page.locator('[data-path="steps[0]"]').waitFor();
  const shown = await page.evaluate(() => Object.fromEntries([...document.querySelectorAll('.gstep[data-path]')].map((e) => [e.dataset.path, ['left', 'top', 'width', 'height'].map((k) => parseFloat(e.style[k]))])));
  const paths = Object.keys(shown).filter((p) => drawn[p]);
  assert.ok(paths.length >= 5, `only ${paths} are in both`);
  // The same cells, of other sizes: places are in one proportion across, and in one down.
  for (const [i, size, what] of [[0, 2, 'across'], [1, 3, 'down']]) {
    const of = (all, p) => all[p][i] + all[p][size] / 2;
    const far = paths.toSorted((x, y) => of(drawn, x) - of(drawn, y));
    const [first, last] = [far[0], far.at(-1)];
    const k = (of(shown, last) - of(shown, first)) / (of(drawn, last) - of(drawn, first));
    assert.ok(k > 0, what);
    for (const p of paths) assert.ok(Math.abs(of(shown, p) - of(shown, first) - k * (of(drawn, p) - of(drawn, first))) < 2, `${p} ${what}: ${shown[p]} beside ${drawn[p]}`);
  }
  await page.context().close();
});

test('an approval has the plan in view: inputs as rendered, targets, effect, guards, what is irreversible, what changed', { timeout: 60_000 }, async (t) => {
  if (!w.shell) { t.skip('steps of shell run as another user, which needs root'); return; }
  const asked = (run) => until(async () => (await w.api('GET', `/v1/tasks?status=open&parent=${run}`)).rows[0]?.id, 'the task');
  const first = await w.run('purge-history', { host: 'old-1', days: 90 });
  await w.api('POST', `/v1/tasks/${await asked(first)}/answers`, { choice: 'reject', why: 'not today' });
  await w.ended(first, 'failed');
  const id = await asked(await w.run('purge-history', { host: 'new-2', days: 30 }));
  const page = await open(b, w, { path: `/inbox/${id}` });
  await page.getByRole('region', { name: 'Question' }).getByText('Purge the history of new-2?').waitFor();
  const plan = page.getByRole('region', { name: 'What would be done' });
  // Rendered: the values, and no template is left.
  await plan.getByText('30 days on new-2').waitFor();
  await plan.getByText('purge what is older than $OLDER').waitFor();
  assert.equal((await plan.innerText()).includes('{{'), false);
  // Exact targets: these, and no others.
  assert.deepEqual(await plan.getByRole('listitem').filter({ hasText: /^(host|queue):/ }).allInnerTexts(), ['host:new-2', 'queue:new-2-jobs']);
  // The effect, by its name and in a sentence.
  await plan.getByText('mutate', { exact: true }).waitFor();
  await plan.getByText(/It changes something, and is not repeated by itself/).waitFor();
  await plan.getByText('cannot be undone', { exact: true }).waitFor();
  await plan.getByText('It cannot be undone.').waitFor();
  const guards = page.getByRole('region', { name: 'Guards' });
  for (const name of ['default-cooldown', 'default-spread', 'default-irreversible']) await guards.getByRole('listitem').filter({ hasText: name }).waitFor();
  assert.match(await guards.getByRole('listitem').filter({ hasText: 'default-spread' }).innerText(), /10[\s\S]*else it waits/);
  // What is other than the last time, with both values.
  const around = page.getByRole('region', { name: 'Run' });
  await around.getByText('Since the last time').waitFor();
  await around.getByText(/host: old-1 → new-2/).waitFor();
  await around.getByText(/days: 90 → 30/).waitFor();
  assert.deepEqual(page.errors, []);
  await page.context().close();
});
