// Who may only look: on every page nothing is offered that the server would refuse, and it refuses all that it is told.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { settled, tour } from './tour.mjs';
import { browse, open } from './world.mjs';

const src = join(import.meta.dirname, '../src');
let w, b, id, pages;
before(async () => {
  b = await browse();
  ({ w, id, pages } = await tour());
}, { timeout: 120_000 });
after(async () => { await b?.close(); await w?.close(); });

// They tell nobody anything: they ask, with a body.
const looks = { planDraft: 'what a draft would do', lookAtDraft: 'what is wrong with a draft', formatDraft: 'the text of a draft, tidied', editDraft: 'the text of a draft, edited', planIncident: 'what would be done', planPlaybook: 'what would be done', proposeChange: 'a patch, which is text: a branch is pushed for who may publish only', takeHandover: 'what is handed over is for one person, whatever the role: nobody else finds it', submitRequest: 'an offer is for whomever it is offered to, and asks for its own approvals' };

test('every button of every page can be pressed, and nothing that acts is asked of the server', { timeout: 180_000 }, async () => {
  const page = await open(b, w, { token: w.viewer, path: null });
  const sent = [];
  page.on('request', (r) => { if (r.method() !== 'GET' && new URL(r.url()).pathname.startsWith('/v1/')) sent.push(`${r.method()} ${new URL(r.url()).pathname}`); });
  const offered = [];
  for (const [name, path, title] of pages) {
    if (name === 'audit' || name === 'editor') continue; // they are not for a viewer, as the next test says
    await page.goto(path);
    await settled(page, title);
    const acts = await page.evaluate(async () => {
      const found = [];
      window.open = () => null;
      const before = location.href;
      for (const e of [...document.querySelectorAll('main button, main summary')]) {
        if (!e.isConnected || e.disabled || /^(Share|Export)/.test(e.textContent)) continue; // files of what they see
        e.click();
        await new Promise((ok) => { setTimeout(ok, 20); });
        const dialog = document.querySelector('dialog[open]');
        const submit = document.querySelector('dialog[open] button[type=submit], main form button[type=submit]');
        if (dialog || submit) found.push(`${e.textContent}: ${(dialog ?? submit).textContent.slice(0, 60)}`);
        if (dialog) dialog.dispatchEvent(new Event('cancel', { cancelable: true }));
        if (location.pathname !== new URL(before).pathname) { history.back(); await new Promise((ok) => { setTimeout(ok, 100); }); }
      }
      return found;
    });
    offered.push(...acts.map((a) => `${name}: ${a}`));
  }
  assert.deepEqual(offered, []);
  assert.deepEqual(sent.filter((s) => !/drafts|plan/.test(s)), []);
  await page.context().close();
});

test('what is not for a viewer is not in the rail, and says so at its address', { timeout: 60_000 }, async () => {
  const page = await open(b, w, { token: w.viewer, path: '/' });
  await settled(page);
  assert.equal(await page.getByRole('navigation').getByRole('link', { name: /^Audit/ }).count(), 0);
  await page.goto('/audit');
  await page.getByRole('main').getByText('You may not see this').first().waitFor();
  await page.goto('/playbooks/ask-first');
  await settled(page, /ask-first/);
  for (const name of ['Edit', 'Start', 'Start it']) assert.equal(await page.getByRole('main').getByText(name, { exact: true }).count(), 0, name);
  await page.context().close();
});

test('the server refuses each thing that the page can tell it, to who may only look', { timeout: 60_000 }, async (t) => {
  const files = readdirSync(src, { recursive: true }).filter((f) => /\.tsx?$/.test(f) && !/schema\.ts|\.test\./.test(f));
  const known = new Set(files.flatMap((f) => [...readFileSync(join(src, f), 'utf8').matchAll(/(?:useTell|call|useAsk)\('(\w+)'/g)].map((m) => m[1])));
  const ways = Object.fromEntries([...readFileSync(join(src, 'api/schema.ts'), 'utf8').matchAll(/^ {2}(\w+): '((?:POST|PUT|PATCH|DELETE) [^']+)'/gm)].map((m) => [m[1], m[2]]));
  const acts = [...known].filter((op) => ways[op] && !looks[op]);
  assert.ok(acts.length > 20, `only ${acts.length} operations that act were found`);
  const parts = { run: id.run, task: id.task, incident: id.incident, event: id.event, playbook: 'ask-first', name: 'ask-first', guard: 'calm-storage', repository: 'playbooks', override: 'x', halt: 'x', offer: 'new-queue' };
  const exact = { startPlaybook: { params: {} } };
  const wrong = [];
  for (const op of acts) {
    const [method, pattern] = ways[op].split(' ');
    const url = pattern.replace(/\{(\w+)\}/g, (_, name) => parts[name] ?? 'x');
    const body = { verb: 'cancel', choice: 'approve', answer: 'approve', text: 'x', title: 'x', why: 'x', to: ['x'], params: {}, guard: 'default-rate', minutes: 5, mode: 'observe', severity: 'major', into: id.other, revision: 'a'.repeat(40), offer: 'new-queue' };
    const r = await fetch(w.url + url, { method, headers: { Authorization: `Bearer ${w.viewer}`, 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() }, body: JSON.stringify(exact[op] ?? body) });
    if (r.status !== 403) wrong.push(`${op}: ${method} ${url} answers ${r.status} ${(await r.text()).slice(0, 160)}`);
  }
  t.diagnostic(`${acts.length} operations are refused: ${acts.sort().join(', ')}`);
  assert.deepEqual(wrong, []);
});
