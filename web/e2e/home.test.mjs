// Home, the wall: quiet, then everything at once; and the list of runs.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { browse, open, serve, until } from './world.mjs';

const step = (id, code, more = '') => `  - {id: ${id}, name: Do ${id}, uses: shell, effect: mutate, with: {script: 'exit ${code}'}, undo: {none: it stays}, target: 'host:${id}'${more}}`;
const book = (name, steps) => `apiVersion: tend/v1
kind: Playbook
metadata: {name: ${name}, description: Of the tests.}
steps:
${steps}
`;

let w, b;
before(async () => {
  b = await browse();
  w = await serve({
    playbooks: {
      'hello.yaml': book('hello', '  - {id: one, uses: log, with: {message: hello}}'),
      'breaks.yaml': book('breaks', "  - {id: one, uses: shell, effect: read, with: {script: 'echo no such unit >&2; exit 5'}}"),
      'asks.yaml': book('asks', '  - {id: one, uses: log, with: {message: hello}, approval: {message: Move the old logs away?, within: 2h}}'),
      'hangs.yaml': book('hangs', "  - {id: one, name: Promote, uses: shell, effect: mutate, with: {script: 'sleep 60'}, target: 'host:db', timeout: 1s, undo: {none: it stays}}"),
      'watched.yaml': book('watched', step('watched', 0)),
      'rests.yaml': book('rests', step('rests', 0)),
      'goes.yaml': book('goes', '  - {id: one, uses: wait, with: {duration: 1h}}'),
    },
  });
}, { timeout: 120_000 });
after(async () => { await b?.close(); await w?.close(); });

const group = (page, name) => page.getByRole('rowgroup', { name });

test('a quiet home says so, and since when', { timeout: 60_000 }, async () => {
  const page = await open(b, w);
  await page.getByText('Quiet', { exact: true }).waitFor();
  await page.getByText('no trouble is known').waitFor();
  await page.getByText('nothing ran').waitFor();
  const { id } = await w.api('POST', '/v1/incidents', { title: 'It was nothing', severity: 'minor' });
  await group(page, 'Burning').getByText('It was nothing').waitFor();
  assert.equal(await page.getByText('Quiet', { exact: true }).count(), 0);
  await w.api('POST', `/v1/incidents/${id}/resolve`, { why: 'it was nothing' });
  await page.getByText(/^since .*the last trouble ended/).waitFor();
  const span = page.getByRole('region', { name: 'The last 24 hours' }).getByRole('link', { name: /minor: It was nothing, \d\d:\d\d to \d\d:\d\d/ });
  await span.waitFor();
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('home says what needs me, burns, is in doubt, held back, goes on, failed, and would have been done, the worst first', { timeout: 90_000 }, async () => {
  await w.api('PUT', '/v1/modes', { mode: 'observe', playbook: 'watched' });
  await w.ended(await w.run('hello'));
  await w.ended(await w.run('watched'));
  for (let i = 0; i < 2; i++) await w.ended(await w.run('breaks'), 'failed');
  await w.ended(await w.run('rests'));
  const held = await w.run('rests');
  const doubt = await w.run('hangs');
  await w.run('goes');
  const asks = await w.run('asks');
  const open_ = async (title, severity) => (await w.api('POST', '/v1/incidents', { title, severity })).id;
  await open_('A small one', 'minor');
  const taken = await open_('Somebody has this one', 'critical');
  await w.api('POST', `/v1/incidents/${taken}/take`);
  await open_('Nobody has this one', 'critical');
  const calm = await open_('Users do not notice', 'critical');
  await w.api('PATCH', `/v1/incidents/${calm}`, { status: 'mitigated' });
  await until(async () => (await w.status(asks)) === 'waiting' && (await w.status(doubt)) === 'in-doubt' && (await w.status(held)) === 'waiting', 'the runs');

  const page = await open(b, w);
  await group(page, 'Needs you').getByRole('link', { name: 'Move the old logs away?' }).waitFor();
  const burning = await group(page, 'Burning').getByRole('link').allInnerTexts();
  assert.deepEqual(burning.filter((t) => t.includes('one')), ['Nobody has this one', 'Somebody has this one', 'A small one']);
  // What is mitigated does not burn, is not over, and is counted so in the rail as well.
  await group(page, 'Mitigated, not over').getByRole('link', { name: 'Users do not notice' }).waitFor();
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: /^Incidents.*3 burning/ }).waitFor();
  await group(page, 'In doubt').getByRole('link', { name: 'hangs' }).waitFor();
  const row = group(page, 'Held back by guards').getByRole('row', { name: /rests/ });
  await row.getByText(/^guard default-cooldown leaves host:rests alone/).waitFor();
  assert.match(await row.innerText(), /until \d\d:\d\d:\d\d/);
  await group(page, 'Going on').getByRole('link', { name: 'goes' }).waitFor();
  const failed = group(page, 'Failed in the last 24 hours').getByRole('row', { name: /breaks/ });
  assert.match(await failed.innerText(), /breaks 2 times[\s\S]*exit code 5: no such unit/, 'what failed alike is one line');
  await group(page, /^Would have been done/).getByText('would have done: Do watched').waitFor();
  assert.match(await page.locator('.standing-mode').innerText(), /auto[\s\S]*observe for playbook watched/);

  // Each number leads somewhere.
  const readings = page.getByRole('list', { name: 'At a glance' });
  for (const [name, where] of [[/2 need you/, /\/inbox$/], [/3 burning/, /\/incidents$/], [/1 in doubt/, /status=in-doubt$/], [/going on/, /status=going$/], [/2 failed in 24 h/, /status=failed&since=24h$/]]) {
    await readings.getByRole('link', { name }).click();
    await page.waitForURL(where);
    await page.goBack();
    await readings.waitFor();
  }
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('the day is gone through with the keyboard, and is a list to who does not see it', { timeout: 60_000 }, async () => {
  const page = await open(b, w);
  const strip = page.getByRole('region', { name: 'The last 24 hours' });
  await strip.getByRole('list', { name: 'breaks: 2 runs, 2 failed' }).getByRole('link', { name: /2 failed/ }).waitFor();
  assert.ok(await strip.getByRole('list', { name: 'Incidents', exact: true }).getByRole('link').count() > 0);
  assert.equal(await strip.locator('.strip-mark:not([tabindex="-1"])').count(), 0, 'marks are one place of the tab order');
  await strip.getByRole('link', { name: 'hangs', exact: true }).focus();
  await page.keyboard.press('ArrowRight');
  assert.match(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), /^\d\d:\d\d: in doubt$/);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  assert.match(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), /in doubt/);
  await page.keyboard.press('ArrowLeft');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'hangs', 'before the first mark stands the name');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/runs\/run_/);
  await page.getByRole('heading', { name: 'hangs', level: 1 }).waitFor();
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

/** Sums what moved without anybody's doing. */
const watch = (page) => page.addInitScript(() => {
  window.shifted = 0;
  new PerformanceObserver((l) => { for (const e of l.getEntries()) if (!e.hadRecentInput) window.shifted += e.value; }).observe({ type: 'layout-shift', buffered: true });
});

for (const [what, path, ready, viewport] of [['home', '/', '.readings'], ['home on a phone', '/', '.readings', { width: 390, height: 844 }], ['runs', '/runs', '.runrow']]) {
  test(`nothing moves on ${what}, from the load through the first change`, { timeout: 60_000 }, async () => {
    const page = await open(b, w, { path: '/insights', ...(viewport ? { viewport } : {}) });
    await watch(page);
    await page.goto(path);
    await page.locator(ready).first().waitFor();
    await page.getByText('live', { exact: true }).waitFor({ state: 'attached' });
    const first = page.locator(what === 'runs' ? '.runs-foot' : '.strip > header');
    const was = await first.innerText();
    await w.ended(await w.run('hello'));
    if (what !== 'runs') {
      const { id } = await w.api('POST', '/v1/incidents', { title: `One more on ${what}`, severity: 'major' });
      await group(page, 'Burning').getByText(`One more on ${what}`).waitFor();
      await w.api('POST', `/v1/incidents/${id}/resolve`, { why: 'over' });
      await group(page, 'Burning').getByText(`One more on ${what}`).waitFor({ state: 'detached' });
    }
    await until(async () => (await first.innerText()) !== was, 'the change is shown');
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    const moved = await page.evaluate(() => window.shifted);
    console.log(`# ${what}: layout shift ${moved.toFixed(4)}`);
    assert.ok(moved <= 0.02, `${what}: ${moved}`);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing is too wide');
    assert.deepEqual(page.errors, []);
    await page.context().close();
  });
}

test('who may only look sees the same wall, and is asked nothing', { timeout: 60_000 }, async () => {
  const page = await open(b, w, { token: w.viewer });
  await group(page, 'Burning').getByText('A small one').waitFor();
  assert.equal(await group(page, 'Needs you').count(), 0);
  await page.getByText('2 tasks asked of others.').waitFor();
  assert.match(await page.title(), /^Home · tend$/);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('runs: the worst first, of a time, of a playbook, in the address', { timeout: 60_000 }, async () => {
  const page = await open(b, w, { path: '/runs' });
  await page.getByRole('group', { name: 'Order' }).getByRole('button', { name: 'Worst first' }).click();
  await page.waitForURL(/order=worst$/);
  await page.getByRole('heading', { name: 'Succeeded' }).waitFor();
  assert.deepEqual(await page.locator('.runs-day').allInnerTexts(), ['In doubt', 'Waiting', 'Failed', 'Succeeded']);
  assert.match(await page.locator('.runrow').first().innerText(), /hangs/);
  await page.keyboard.press('j');
  await page.locator('.runs-line[data-chosen]').getByText('hangs').waitFor();
  await page.getByRole('group', { name: 'State' }).getByRole('button', { name: 'Failed' }).click();
  await until(async () => (await page.locator('.runs-day').allInnerTexts()).join() === 'Failed', 'only what failed');
  await page.getByLabel('Time').selectOption('1h');
  await page.waitForURL(/since=1h/);
  await page.locator('.runs-foot').getByText('2 runs').waitFor();
  await page.getByLabel('Playbook').fill('hello');
  await page.getByLabel('Playbook').press('Enter');
  await page.getByText('No run is like that').waitFor();
  await page.reload();
  await page.getByText('No run is like that').waitFor();
  await page.getByRole('button', { name: 'Clear' }).click();
  await page.locator('.runrow').first().waitFor();
  assert.match(page.url(), /\/runs\?order=worst$/);
  // What is older than the time is not there, though the server sent it.
  await page.route(/\/v1\/runs\?/, async (route) => {
    const answer = await route.fetch();
    const d = await answer.json();
    for (const r of d.rows) if (r.name === 'breaks') r.at = new Date(Date.now() - 2 * 3_600_000).toISOString();
    await route.fulfill({ response: answer, json: d });
  });
  await page.goto('/runs?status=failed&since=1h');
  await page.getByText('No run is like that').waitFor();
  assert.deepEqual(page.errors, []);
  await page.context().close();
});
