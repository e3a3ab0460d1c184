// `make screenshots`: each page in light and dark, into docs/screenshots. Look at them.
import { mkdirSync } from 'node:fs';

import { playbooks } from './stage.mjs';
import { browse, open, serve, until } from './world.mjs';

const out = new URL('../../docs/screenshots/', import.meta.url).pathname;
mkdirSync(out, { recursive: true });
const w = await serve({ playbooks });
const b = await browse();
try {
  await w.ended(await w.run('hello'));
  await w.ended(await w.run('restart-when-stuck'), 'failed');
  const run = await w.run('reclaim-disk');
  const slow = await w.run('drain-node');
  const doubt = await w.run('fail-over-database');
  await until(async () => (await w.status(run)) === 'waiting' && (await w.status(doubt)) === 'in-doubt', 'the runs');
  const task = (await w.api('GET', `/v1/tasks?status=open&parent=${run}`)).rows[0].id;
  const incident = (await w.api('POST', '/v1/incidents', { title: 'Checkout answers slowly', severity: 'critical', summary: 'Logs of the checkout fill the disk since 02:10.' })).id;
  await w.api('POST', '/v1/incidents', { title: 'Replica db-2 lags', severity: 'minor' });
  await w.api('POST', `/v1/incidents/${incident}/take`);
  await w.api('PATCH', `/v1/incidents/${incident}`, { next: 'Move the oldest logs to the archive', nextBy: new Date(Date.now() + 15 * 60_000).toISOString(), responders: ['ann', 'bob'] });
  await w.api('POST', `/v1/incidents/${incident}/comments`, { text: 'I looked: 31 GiB of access logs.' });
  for (const [name, host] of [['DiskFull', 'web-1'], ['TargetDown', 'db-2'], ['CertificateExpires', 'edge']]) {
    await w.api('POST', '/v1/events/reports', { events: [{ key: `${name}/${host}`, kind: 'alert', status: 'firing', name: `${name} on ${host}`, labels: { alertname: name, host }, data: { labels: { alertname: name, host } } }] });
  }
  /** Further pages: a name, an address, and what to wait for. */
  const pages = [
    ['home', '/', '.home-list .list-row'],
    ['runs', '/runs', '.runrow'],
    ['run', `/runs/${run}?step=${encodeURIComponent('steps[3]')}`, '.answer'],
    ['task', `/inbox/${task}`, '.task-answer'],
    ['incidents', '/incidents', '.incidents-card'],
    ['incident', `/incidents/${incident}`, '.incident-timeline li'],
    ['playbooks', '/playbooks', '.playbooks-line'],
    ['playbook', '/playbooks/reclaim-disk', '.gstep'],
    ['editor', '/playbooks/reclaim-disk/edit', '.gstep'],
    ['events', '/events', '.events tbody tr'],
    ['guards', '/guards', '.guards tbody tr'],
    ['integrations', '/integrations', '.integrations-row'],
    ['insights', '/insights', '.insights-plot canvas'],
    ['integrations', '/integrations', 'section.panel'],
    ['run-log', `/runs/${slow}?step=${encodeURIComponent('steps[1]')}&tab=log`, '.log-line'],
  ];
  for (const colorScheme of ['light', 'dark']) {
    const page = await open(b, w, { colorScheme, reducedMotion: 'reduce' });
    for (const [name, path, ready] of pages) {
      await page.goto(path);
      await page.locator(ready).first().waitFor();
      await page.waitForTimeout(400);
      await page.screenshot({ path: `${out}${name}-${colorScheme}.png` });
    }
    await page.context().close();
  }
  const phone = await open(b, w, { viewport: { width: 390, height: 844 }, path: `/runs/${run}`, reducedMotion: 'reduce' });
  await phone.locator('.gstep').first().waitFor();
  await phone.waitForTimeout(400);
  await phone.screenshot({ path: `${out}run-phone.png` });
} finally {
  await b.close();
  await w.close();
}
