// Text from outside: script tags, marks that turn, hide or pile up text, escapes, addresses that run, words without an end,
// labels of a megabyte. It is text, it stays in its place, and it costs nobody time.
import assert from 'node:assert/strict';
import { cpus, loadavg } from 'node:os';
import { after, before, test } from 'node:test';

import { watch } from './watch.mjs';
import { browse, open, serve, until } from './world.mjs';

const evil = '<script>window.pwned=1</script><img src=x onerror=window.pwned=2><a href="javascript:window.pwned=3">javascript:window.pwned=3</a>';
const turned = 'invoice\u202egpj.exe\u2066 שלום';
const texts = {
  'script tags': evil,
  'marks that turn text': turned,
  'what has no width': 'pay\u200bpal\u2060\u00ad',
  'towers of marks': `Z${'\u0301'.repeat(400)}algo`,
  'escapes': '\u001b]8;;https://evil.example\u0007click\u001b]8;;\u0007\u001b[31mred',
  'a word without an end': 'W'.repeat(5000),
  'a megabyte': `${evil}${'M'.repeat(900_000)}`,
};
const playbook = `apiVersion: tend/v1
kind: Playbook
metadata: {name: echo, description: Say what came., owner: 'javascript:alert(1)'}
parameters: [{name: text, type: string}]
steps:
  - {id: say, name: Say, uses: log, with: {message: '{{ $.params.text }}'}}
  - {id: ask, uses: approve, with: {message: '{{ $.params.text }}'}}
  - {id: end, name: Fail, uses: fail, with: {message: '{{ $.params.text }}'}}
---
apiVersion: tend/v1
kind: Trigger
metadata: {name: outside, description: Takes what comes from outside.}
on: {kind: alert}
playbook: echo
key: '{{ $.event.key }}'
parameters: {text: '{{ $.event.text }}'}
incident: {title: '{{ $.event.title }}', severity: major}
`;
let w, b;
const made = {}; // by what it is: the event, the run, the task, the incident
before(async () => {
  b = await browse();
  w = await serve({ playbooks: { 'echo.yaml': playbook } });
  let n = 0;
  for (const [what, text] of Object.entries(texts)) {
    // What is a megabyte as a label is short elsewhere: a request has a megabyte at most.
    const short = text.slice(0, 20_000);
    const big = text !== short;
    const { receipts: [r] } = await w.api('POST', '/v1/events/reports', { events: [{ key: `k${++n}`, group: text.slice(0, 200), kind: 'alert', status: 'firing', name: text.slice(0, 200), labels: { alertname: short, host: text }, data: { key: `k${n}`, title: short, text: big ? short : text, labels: { [short.slice(0, 200)]: short } } }] });
    made[what] = { event: r.event };
  }
  await until(async () => (await w.api('GET', '/v1/tasks?status=open')).rows.length === n, 'the questions').catch(async (e) => {
    throw new Error(`${e.message}: ${JSON.stringify((await w.api('GET', '/v1/events?cut=200')).rows.map((r) => r.body.decision ?? r.body))}`);
  });
  for (const e of Object.values(made)) {
    const { decision } = (await w.api('GET', '/v1/events?cut=200')).rows.find((r) => r.id === e.event).body;
    e.run = decision.run;
    e.task = (await w.api('GET', `/v1/tasks?parent=${e.run}`)).rows[0].id;
    e.incident = decision.incident ?? (await w.api('GET', '/v1/incidents')).rows.find((r) => JSON.stringify(r.body).includes(e.run)).id;
  }
}, { timeout: 180_000 });
after(async () => { await b?.close(); await w?.close(); });

/** What must hold of a page on which hostile text stands. */
async function holds(page, where) {
  const found = await page.evaluate(() => {
    const bad = [];
    if (window.pwned) bad.push(`a script ran: ${window.pwned}`);
    for (const e of document.querySelectorAll('main script, main img, dialog script, dialog img, a[href^="javascript:" i], a[href^="https://evil"]')) bad.push(e.outerHTML.slice(0, 100));
    const raw = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\u00ad]/;
    for (const text of [document.body.innerText, document.title]) {
      const at = text.search(raw);
      if (at >= 0) bad.push(`a mark stands raw: ${JSON.stringify(text.slice(Math.max(0, at - 20), at + 20))}`);
    }
    for (const e of document.querySelectorAll('[title], [aria-label]')) {
      const text = `${e.getAttribute('title') ?? ''}${e.getAttribute('aria-label') ?? ''}`;
      if (raw.test(text)) bad.push(`a mark stands raw in an attribute: ${JSON.stringify(text.slice(0, 80))}`);
      if (text.length > 3000) bad.push(`an attribute has ${text.length} characters`);
    }
    if (document.documentElement.scrollWidth > innerWidth) bad.push(`it is ${document.documentElement.scrollWidth - innerWidth} px too wide`);
    const main = document.querySelector('main');
    if (main.scrollWidth > main.clientWidth + 1) {
      const wide = [...main.querySelectorAll('*')].filter((e) => e.getBoundingClientRect().right > main.getBoundingClientRect().right + 1).map((e) => `${e.tagName}.${e.className}`).slice(0, 6);
      bad.push(`its main part is ${main.scrollWidth - main.clientWidth} px too wide: ${wide.join(', ')}`);
    }
    return bad;
  });
  assert.deepEqual(found, [], where);
}

test('hostile text is text on every list: home, runs, inbox, incidents, events, audit, search', { timeout: 120_000 }, async () => {
  const page = await open(b, w, { path: '/' });
  for (const width of [1440, 390]) {
    await page.setViewportSize({ width, height: 900 });
    for (const [path, text] of [['/', '⟨202E⟩'], ['/runs', 'echo'], ['/inbox', '⟨202E⟩'], ['/incidents', '⟨202E⟩'], ['/events', '⟨202E⟩'], ['/audit', 'Verify the chain'], ['/insights', 'Insights'], ['/playbooks', 'echo'], ['/integrations', 'hook']]) {
      await page.goto(path);
      await page.getByRole('main').getByText(text).filter({ visible: true }).first().waitFor();
      await holds(page, `${path} at ${width}`);
    }
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  for (const q of ['invoice', 'script', 'WWWW', 'MMMM', 'Z']) {
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Search' }).fill(q);
    if (q !== 'Z') await page.getByRole('option', { name: /event|incident/ }).first().waitFor();
    await holds(page, `the search for ${q}`);
    await page.keyboard.press('Escape');
  }
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

for (const what of Object.keys(texts)) {
  test(`${what}: text on each page of an object, in dialogs and in what is said at the edge`, { timeout: 120_000 }, async () => {
    const { event, run, task, incident } = made[what];
    const page = await open(b, w, { path: `/events/${event}` });
    await page.getByRole('region', { name: 'What came' }).waitFor();
    await holds(page, 'the event');
    await page.goto(`/incidents/${incident}`);
    await page.getByRole('region', { name: 'Timeline' }).waitFor();
    await holds(page, 'the incident');
    await page.goto(`/inbox/${task}`);
    await page.getByRole('region', { name: 'Question' }).waitFor();
    await holds(page, 'the task');
    for (const rest of [`?step=${encodeURIComponent('steps[1]')}`, `?step=${encodeURIComponent('steps[0]')}`, '?view=story', '?view=about']) {
      await page.goto(`/runs/${run}${rest}`);
      await page.getByRole('heading', { name: 'echo', level: 1 }).waitFor();
      await page.getByRole('main').getByText(/Say|said|text/).first().waitFor();
      await holds(page, `the run${rest}`);
    }
    await page.goto(`/runs/${run}?step=${encodeURIComponent('steps[1]')}`);
    await page.getByRole('button', { name: 'Approve', exact: true }).click();
    await w.ended(run, 'failed');
    await page.getByRole('main').getByText('failed').first().waitFor();
    await holds(page, 'the run that failed');
    assert.deepEqual(page.errors, []);
    await page.context().close();
  });
}

test('a label of a megabyte is shown within 200 ms and without a long task; what was cut is said to be', { timeout: 60_000 }, async (t) => {
  const page = await open(b, w, { path: '/events' });
  await page.getByRole('main').getByRole('link').first().waitFor();
  const bytes = await page.evaluate(() => performance.getEntriesByType('resource').filter((e) => e.name.includes('/v1/')).reduce((n, e) => n + e.decodedBodySize, 0));
  assert.ok(bytes < 300_000, `the page asked for ${bytes} bytes to show a list`);
  const end = await watch(page);
  const took = await page.evaluate((id) => new Promise((done) => {
    const link = document.querySelector(`a[href="/events/${id}"]`);
    const from = performance.now();
    new MutationObserver((_, o) => { if (document.querySelector('main h1')?.textContent.includes('<script>')) { o.disconnect(); requestAnimationFrame(() => setTimeout(() => done(performance.now() - from))); } }).observe(document.body, { subtree: true, childList: true, characterData: true });
    link.click();
  }), made['a megabyte'].event);
  t.diagnostic(`shown after ${Math.round(took)} ms; the list took ${bytes} bytes`);
  await page.getByRole('region', { name: 'What came' }).waitFor();
  assert.deepEqual(await end(), []);
  if (loadavg()[0] < cpus().length) assert.ok(took < 200, `it took ${took} ms`);
  await page.getByRole('main').getByText(/M…/).first().waitFor();
  await page.context().close();
});

test('more than a request may have is refused in words, and what came before stays', { timeout: 30_000 }, async () => {
  await assert.rejects(w.api('POST', '/v1/events/reports', { events: [{ key: 'too-much', kind: 'alert', name: 'x', labels: { host: 'M'.repeat(1_100_000) } }] }), /413.*larger than 1048576 bytes/);
});
