// `make screenshots`: each page in light and dark, into docs/screenshots, of a team that has four weeks behind it. Look at them.
// Names of pages as arguments make only these.
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { clock, movable } from './past.mjs';
import { playbooks } from './stage.mjs';

const out = new URL('../../docs/screenshots/', import.meta.url).pathname;
mkdirSync(out, { recursive: true });
const only = process.argv.slice(2);
const past = join(tmpdir(), 'tend-past'); // kept: its first build takes minutes
process.env.TEND_TEST_BINARY = movable(past);
const time = clock(join(past, 'clock'));
process.env.TEND_TEST_CLOCK = time.file;
// After the binary is named:
const { browse, open, serve, until } = await import('./world.mjs');
const { live, stories, town } = await import('./history.mjs');

time.set(-29 * 86_400);
const t = await town();
const w = await serve({ playbooks: { ...playbooks, ...stories(t.url) } });
const b = await browse();
try {
  await live(w, t, time.set);
  await w.ended(await w.run('hello'));
  await w.ended(await w.run('restart-when-stuck'), 'failed');
  await w.api('POST', '/v1/offers/new-queue/requests', { params: { service: 'checkout', size: 'large' } });
  const run = await w.run('reclaim-disk');
  const slow = await w.run('drain-node');
  const doubt = await w.run('fail-over-database');
  await until(async () => (await w.status(run)) === 'waiting' && (await w.status(doubt)) === 'in-doubt', 'the runs');
  const task = (await w.api('GET', `/v1/tasks?status=open&parent=${run}`)).rows[0].id;
  const [burning] = (await w.api('GET', '/v1/incidents?limit=5')).rows.filter((r) => r.status === 'open');
  const incident = burning.id;
  await w.api('POST', '/v1/incidents', { title: 'Replica db-2 lags', severity: 'minor' });
  await w.api('POST', `/v1/incidents/${incident}/take`);
  await w.api('PATCH', `/v1/incidents/${incident}`, { summary: 'Two of three instances hang on a lock of the price cache; a restart did not help.', next: 'Fail over to the second region', nextBy: new Date(Date.now() + 15 * 60_000).toISOString(), responders: ['ann', 'bob'], stakeholders: ['shop-leads'] });
  await w.api('POST', `/v1/incidents/${incident}/comments`, { text: 'I looked: every worker waits for prices-cache-2.' });
  for (const [name, host] of [['DiskFull', 'web-1'], ['TargetDown', 'db-2'], ['CertificateExpires', 'edge']]) {
    await w.api('POST', '/v1/events/reports', { events: [{ key: `${name}/${host}`, kind: 'alert', status: 'firing', name: `${name} on ${host}`, labels: { alertname: name, host }, data: { labels: { alertname: name, host } } }] });
  }
  const pages = {
    home: '/', runs: '/runs', run: `/runs/${run}?step=${encodeURIComponent('steps[3]')}`, 'run-log': `/runs/${slow}?step=${encodeURIComponent('steps[1]')}&tab=log`,
    inbox: '/inbox', task: `/inbox/${task}`, requests: '/requests', incidents: '/incidents', incident: `/incidents/${incident}`,
    playbooks: '/playbooks', playbook: '/playbooks/reclaim-disk', editor: '/playbooks/reclaim-disk/edit', events: '/events',
    guards: '/guards', insights: '/insights', integrations: '/integrations', revisions: '/revisions', audit: '/audit',
  };
  const asked = Object.entries(pages).filter(([name]) => only.length === 0 || only.includes(name));
  /** When nothing loads any more: what is drawn from an answer is there. */
  const shoot = async (page, path, name) => {
    await page.goto(path);
    await page.locator('main h1').first().waitFor();
    await page.waitForFunction(() => !document.querySelector('main .skeleton'));
    await page.waitForTimeout(400);
    await page.screenshot({ path: `${out}${name}.png` });
  };
  for (const colorScheme of ['light', 'dark']) {
    const page = await open(b, w, { colorScheme, reducedMotion: 'reduce' });
    for (const [name, path] of asked) await shoot(page, path, `${name}-${colorScheme}`);
    await page.context().close();
  }
  const phone = await open(b, w, { viewport: { width: 390, height: 844 }, reducedMotion: 'reduce' });
  for (const name of ['home', 'inbox', 'run']) if (only.length === 0 || only.includes(name)) await shoot(phone, name === 'run' ? `/runs/${run}` : pages[name], `${name}-phone`);
} finally {
  await b.close();
  await w.close();
  t.close();
}
