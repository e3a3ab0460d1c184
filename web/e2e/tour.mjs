// A world with something on every page, and all pages of it. A new page is a line in the list.
import { playbooks } from './stage.mjs';
import { serve, until } from './world.mjs';

const offer = `apiVersion: tend/v1
kind: Playbook
metadata: {name: new-queue, description: Makes a queue., owner: storage}
offer: {to: ['*'], title: A message queue}
parameters: [{name: service, type: string, required: true, description: Whose it is.}]
steps:
  - {uses: log, with: {message: 'a queue for {{ $.params.service }}'}}
`;
const asks = `apiVersion: tend/v1
kind: Playbook
metadata: {name: ask-first, description: Asks before it goes on., owner: storage}
steps:
  - {id: sure, name: Sure, uses: approve, with: {message: 'Drain web-1?', within: 2h}}
  - {uses: log, with: {message: drained}}
---
apiVersion: tend/v1
kind: Trigger
metadata: {name: drain-when-hot, description: Asks when a host is hot.}
on: {kind: alert, labels: {alertname: Hot}}
playbook: ask-first
key: '{{ $.event.host }}'
---
apiVersion: tend/v1
kind: Guard
metadata: {name: calm-storage, description: Not too often.}
rate: {limit: 50, within: 1h}
`;

/** Starts it, and makes what stands on the pages. `id` are the objects, `pages` name, address, and a title to wait for. */
export async function tour() {
  const w = await serve({ playbooks: { ...playbooks, 'offer.yaml': offer, 'asks.yaml': asks } });
  const id = {};
  id.hello = await w.run('hello');
  await w.ended(id.hello);
  id.run = await w.run('ask-first');
  id.task = await until(async () => (await w.api('GET', '/v1/tasks?status=open')).rows.find((r) => r.parent === id.run)?.id, 'the question');
  id.incident = (await w.api('POST', '/v1/incidents', { title: 'Checkout is slow', severity: 'major', summary: 'Since 02:10.' })).id;
  id.other = (await w.api('POST', '/v1/incidents', { title: 'A replica lags', severity: 'minor' })).id;
  await w.api('POST', `/v1/incidents/${id.incident}/comments`, { text: 'I looked at it.' });
  id.event = (await w.api('POST', '/v1/events/reports', { events: [{ key: 'a', kind: 'note', name: 'Something happened', labels: { host: 'web-1' }, data: { a: 1 } }] })).receipts[0].event;
  await w.api('POST', '/v1/overrides', { guard: 'default-rate', minutes: 30, why: 'we move a rack' });
  id.request = (await w.api('POST', '/v1/requests', { offer: 'new-queue', params: { service: 'shop' } }).catch(() => null))?.id;
  const pages = [
    ['home', '/', /Home/],
    ['inbox', '/inbox', /Inbox/],
    ['task', `/inbox/${id.task}`, /./],
    ['requests', '/requests', /Requests/],
    ['runs', '/runs', /Runs/],
    ['run', `/runs/${id.run}?step=${encodeURIComponent('steps[0]')}`, /ask-first/],
    ['run, its story', `/runs/${id.run}?view=story`, /ask-first/],
    ['run, about it', `/runs/${id.run}?view=about`, /ask-first/],
    ['incidents', '/incidents', /Incidents/],
    ['incident', `/incidents/${id.incident}`, /Checkout is slow/],
    ['playbooks', '/playbooks', /Playbooks/],
    ['playbook', '/playbooks/ask-first', /ask-first/],
    ['playbook, its source', '/playbooks/ask-first?view=source', /ask-first/],
    ['playbook, its versions', '/playbooks/ask-first?view=versions', /ask-first/],
    ['playbook, what is around it', '/playbooks/ask-first?view=around', /ask-first/],
    ['editor', '/playbooks/ask-first/edit', /ask-first/],
    ['events', '/events', /Events/],
    ['event', `/events/${id.event}`, /Something happened/],
    ['guards', '/guards', /Guards/],
    ['integrations', '/integrations', /Integrations/],
    ['revisions', '/revisions', /Revisions/],
    ['audit', '/audit', /Audit/],
    ['insights', '/insights', /Insights/],
  ];
  return { w, id, pages };
}

/** Waits until a page shows what it is for, and nothing of it is still asked for. */
export async function settled(page, title = /./) {
  await page.getByRole('heading', { level: 1, name: title }).first().waitFor({ state: 'attached' });
  await page.waitForFunction(() => !document.querySelector('[role="status"][aria-label^="Loading"]') && [...document.querySelectorAll('[role="status"]')].some((e) => e.textContent === 'live'));
  await page.evaluate(() => new Promise((ok) => { requestAnimationFrame(() => requestAnimationFrame(ok)); }));
}
