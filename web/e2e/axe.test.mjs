// WCAG 2.2 AA by axe, each page in light and dark. A new page is a line in the list.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';

import { playbooks } from './stage.mjs';
import { browse, open, serve, until } from './world.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
let w, b, run, task, incident, event;
before(async () => {
  b = await browse();
  w = await serve({ playbooks });
  const hello = await w.run('hello');
  await w.ended(hello);
  run = w.shell ? await w.run('reclaim-disk') : hello;
  if (w.shell) await until(async () => (await w.status(run)) === 'waiting');
  task = (await w.api('GET', '/v1/tasks?status=open')).rows[0]?.id;
  incident = (await w.api('POST', '/v1/incidents', { title: 'Checkout is slow', severity: 'major', summary: 'Since 02:10.' })).id;
  await w.api('POST', `/v1/incidents/${incident}/comments`, { text: 'I looked at it.' });
  event = (await w.api('POST', '/v1/events/reports', { events: [{ key: 'a', kind: 'note', name: 'Something happened', labels: { host: 'web-1' }, data: { a: 1 } }] })).receipts[0].event;
  await w.api('POST', '/v1/overrides', { guard: 'default-rate', minutes: 30, why: 'we move a rack' });
}, { timeout: 120_000 });
after(async () => { await b?.close(); await w?.close(); });

const pages = [
  ['Home', () => '/', '.readings'],
  ['Runs', () => '/runs', '.runrow'],
  ['Run', () => `/runs/${run}?step=${encodeURIComponent('steps[0]')}`, '.step-in .facts'],
  ['Run, its log', () => `/runs/${run}?step=${encodeURIComponent('steps[0]')}&tab=log`, '.panel.step'],
  ['Run, its story', () => `/runs/${run}?view=story`, '.run-story li'],
  ['Run, about it', () => `/runs/${run}?view=about`, '.run-about'],
  ['Inbox', () => '/inbox', () => (task ? '.inbox .list-row' : 'h1')],
  ['Task', () => (task ? `/inbox/${task}` : '/inbox'), () => (task ? '.answer-bar' : '.state')],
  ['Requests', () => '/requests', 'h2'],
  ['Incidents', () => '/incidents', '.incidents-card'],
  ['Incident', () => `/incidents/${incident}`, '.incident-timeline li'],
  ['Events', () => '/events', '.events-list a.whole'],
  ['Event', () => `/events/${event}`, '.data'],
  ['Guards', () => '/guards', '.guards .list-row'],
  ['Revisions', () => '/revisions', '.revisions-past'],
  ['Integrations', () => '/integrations', '.integrations-list .list-row'],
  ['Audit', () => '/audit', '.audit-one'],
  ['Insights', () => '/insights', '.insights-plot canvas'],
  ['Playbooks', () => '/playbooks', '.playbooks-list a.whole'],
  ['Playbook', () => '/playbooks/reclaim-disk', '.gstep'],
  ['Playbook, its source', () => '/playbooks/reclaim-disk?view=source', '.code-line'],
  ['Playbook, its versions', () => '/playbooks/reclaim-disk?view=versions', '.code-line'],
  ['Playbook, what is around it', () => '/playbooks/reclaim-disk?view=around', '.playbook-around'],
  ['Editor', () => '/playbooks/reclaim-disk/edit', '.gstep'],
];

for (const colorScheme of ['light', 'dark']) {
  test(`axe finds nothing in ${colorScheme}`, { timeout: 300_000 }, async (t) => {
    // axe is put in from outside, which the policy of the page rightly refuses.
    const page = await open(b, w, { colorScheme, bypassCSP: true, reducedMotion: 'reduce' });
    for (const [name, path, ready] of pages) {
      await t.test(name, async () => {
        await page.goto(path());
        await page.locator(typeof ready === 'function' ? ready() : ready).first().waitFor();
        await page.evaluate(axe);
        const found = await page.evaluate(async () => {
          const r = await window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] });
          // What a box of a graph does, the text and the time line beside it do too (2.5.8 exempts it): it may be small when it is far.
          const small = (v, n) => v.id === 'target-size' && document.querySelector(n.target.join(' '))?.closest('.graph-in');
          return r.violations.map((v) => ({ ...v, nodes: v.nodes.filter((n) => !small(v, n)) })).filter((v) => v.nodes.length).map((v) => `${v.id}: ${v.help}\n  ${v.nodes.slice(0, 4).map((n) => `${n.target.join(' ')} ${n.any[0]?.message ?? ''}`).join('\n  ')}`);
        });
        assert.deepEqual(found, []);
      });
    }
    await page.context().close();
  });
}
