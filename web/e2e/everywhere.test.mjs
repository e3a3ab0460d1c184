// What holds on every page: nothing moves, it fits, it has an address, it says which zone its times are in, and it is found.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { settled, tour } from './tour.mjs';
import { still } from './watch.mjs';
import { browse, open, until } from './world.mjs';

let w, b, id, pages;
before(async () => {
  b = await browse();
  ({ w, id, pages } = await tour());
}, { timeout: 120_000 });
after(async () => { await b?.close(); await w?.close(); });

for (const width of [1440, 390]) {
  test(`nothing moves while a page opens, and when something changes, at ${width} px`, { timeout: 180_000 }, async (t) => {
    const page = await open(b, w, { path: null, viewport: { width, height: 900 } });
    const moved = await still(page);
    for (const [name, path, title] of pages) {
      await t.test(name, async () => {
        await page.goto(path);
        await settled(page, title);
        // Something changes elsewhere, and the page asks again.
        const again = page.waitForResponse((r) => new URL(r.url()).pathname.startsWith('/v1/') && !r.url().endsWith('/live'));
        await w.api('POST', `/v1/incidents/${id.other}/comments`, { text: 'and now' });
        await again;
        await settled(page, title);
        const { score, what } = await moved();
        assert.ok(score <= 0.02, `what moves adds up to ${score.toFixed(3)}:\n${what.join('\n')}`);
      });
    }
    await page.context().close();
  });
}

test('every page fits 320 px and twice its size without scrolling sideways', { timeout: 180_000 }, async () => {
  const wrong = [];
  for (const width of [320, 640]) {
    const page = await open(b, w, { path: null, viewport: { width, height: 800 } });
    // A table of data may need both directions (WCAG 2.2, 1.4.10): that of guards does at 320 px.
    for (const [name, path, title] of pages) {
      await page.goto(path);
      await settled(page, title);
      const over = await page.evaluate(() => {
        const main = document.querySelector('main');
        const by = Math.max(document.documentElement.scrollWidth - innerWidth, main.scrollWidth - main.clientWidth);
        return by > 0 ? `${by} px: ${[...main.querySelectorAll('*')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).map((e) => `${e.tagName}.${e.className}`).slice(0, 3)}` : null;
      });
      if (over && !(name === 'guards' && width === 320)) wrong.push(`${name} at ${width}: ${over}`);
    }
    await page.context().close();
  }
  assert.deepEqual(wrong, []);
});

test('every address leads to the same page after a reload', { timeout: 120_000 }, async () => {
  const page = await open(b, w, { path: null });
  for (const [name, path, title] of pages) {
    await page.goto(path);
    await settled(page, title);
    const was = [page.url(), await page.getByRole('heading', { level: 1 }).first().innerText(), await page.title()];
    await page.reload();
    await settled(page, title);
    assert.deepEqual([page.url(), await page.getByRole('heading', { level: 1 }).first().innerText(), await page.title()], was, name);
    assert.ok(page.url().endsWith(path), `${name} is at ${page.url()}`);
  }
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('every address of an object survives a sign-on', { timeout: 120_000 }, async () => {
  for (const name of ['task', 'run', 'incident', 'playbook', 'event', 'audit']) {
    const [, path, title] = pages.find((p) => p[0] === name);
    const page = await open(b, w, { token: null, path });
    const dialog = page.getByRole('dialog', { name: 'Sign on' });
    await dialog.getByLabel('Token').fill(w.admin);
    await dialog.getByRole('button', { name: 'Sign on', exact: true }).click();
    await settled(page, title);
    assert.ok(page.url().endsWith(path), page.url());
    await page.context().close();
  }
});

test('search finds everything: playbooks, runs, incidents, tasks, events, triggers, guards, actions, revisions', { timeout: 120_000 }, async () => {
  const page = await open(b, w, { path: '/' });
  await settled(page);
  const { live: revision } = (await w.api('GET', '/v1/integrations')).repositories[0];
  for (const [q, option, there] of [
    ['ask-first', /^playbook.*ask-first/, /\/playbooks\/ask-first$/],
    [id.run, /^run/, new RegExp(`/runs/${id.run}`)],
    ['checkout', /^incident.*Checkout is slow/, new RegExp(`/incidents/${id.incident}`)],
    [id.task, /^task/, new RegExp(`/inbox/${id.task}`)],
    ['something happened', /^event.*Something happened/, new RegExp(`/events/${id.event}`)],
    ['drain-when-hot', /^trigger.*drain-when-hot/, /\/playbooks\/ask-first/],
    ['calm-storage', /^guard.*calm-storage/, /\/guards/],
    ['approve', /^action.*approve/, /\/playbooks/],
    [revision.slice(0, 12), /^revision/, /\/revisions/],
    ['insi', /^go to.*Insights/, /\/insights$/],
  ]) {
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Search' }).fill(q);
    await page.getByRole('option', { name: option }).first().click();
    await page.waitForURL(there);
    await page.getByRole('heading', { level: 1 }).first().waitFor({ state: 'attached' });
  }
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('times say which zone they are in, wherever the person is, and in UTC on demand', { timeout: 60_000 }, async () => {
  for (const [zone, says] of [['America/New_York', 'UTC−05:00'], ['Asia/Kolkata', 'UTC+05:30'], ['UTC', 'UTC']]) {
    const page = await open(b, w, { path: `/runs/${id.run}?view=about`, timezoneId: zone });
    await settled(page);
    await page.getByRole('banner').getByRole('button', { name: says, exact: true }).waitFor();
    const time = page.getByRole('main').getByRole('time').first();
    const at = await time.getAttribute('datetime');
    const clock = (timeZone) => new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }).format(new Date(at));
    await until(async () => (await time.getAttribute('title')).includes(`${clock(zone)} ${says}`), `the time in ${zone}`);
    if (zone !== 'UTC') await page.getByRole('banner').getByRole('button', { name: says, exact: true }).click();
    await page.getByRole('banner').getByRole('button', { name: 'UTC', exact: true }).waitFor();
    await until(async () => (await time.getAttribute('title')).endsWith(`${clock('UTC')} UTC`), 'the time in UTC');
    await page.context().close();
  }
});

test('the first load is at most 200 kB of script; nothing is asked of another host, and nothing runs that is not ours', { timeout: 60_000 }, async () => {
  const page = await open(b, w, { path: null });
  const hosts = new Set();
  page.on('request', (r) => hosts.add(new URL(r.url()).origin));
  await page.goto('/');
  await settled(page);
  const bytes = await page.evaluate(() => performance.getEntriesByType('resource').filter((e) => /\.js$/.test(e.name)).reduce((n, e) => n + e.encodedBodySize, 0));
  assert.ok(bytes > 10_000 && bytes <= 200_000, `${bytes} bytes of script`);
  for (const path of ['/runs', '/insights', '/playbooks/ask-first/edit']) { await page.goto(path); await settled(page); }
  assert.deepEqual([...hosts], [w.url]);
  const refused = await page.evaluate(() => new Promise((done) => {
    document.addEventListener('securitypolicyviolation', (e) => done(e.violatedDirective));
    const s = document.createElement('div');
    try { s.innerHTML = '<b>x</b>'; } catch (e) { done(String(e)); }
    const i = document.createElement('img');
    i.src = 'https://example.org/x.png';
    document.body.append(i);
  }));
  assert.match(refused, /TrustedHTML|trusted-types|require-trusted-types-for|img-src/);
  await page.context().close();
});
