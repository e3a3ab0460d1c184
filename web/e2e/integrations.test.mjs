// What the server is connected to, as people see it: what works, what does not and what to do, and nothing that is secret.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { browse, open, serve, until } from './world.mjs';

const playbooks = {
  'look.yaml': `apiVersion: tend/v1
kind: Playbook
metadata: {name: look, description: Looks.}
steps: [{uses: log, with: {message: hello}}]
---
apiVersion: tend/v1
kind: Integration
metadata: {name: chat, description: 'The workspace <script>document.title="owned"</script>'}
type: slack
config: {token: hook, signing: chat_signing}
`,
};
// A port that nobody answers on: the Alertmanager there is away, and so is who is told.
const sources = ['  - {name: mute, kind: alertmanager, keys: [absent]}', "  - {name: pulled, kind: alertmanager-pull, url: 'http://me:pa55word@127.0.0.1:9', every: 1s}"];
const config = `integrations:
  bell: {webhook: {url: 'http://127.0.0.1:9/tell', key: hook}}
channels:
  bell: {integration: bell, tasks: true}
runners:
  far: {ssh: {host: far.example.org, user: deploy, port: 2222}}
onCall:
  storage: {people: [ann@example.org], start: '2026-01-05 09:00'}
`;
let w, browser;

before(async () => {
  w = await serve({ playbooks, sources, config });
  browser = await browse();
});
after(async () => { await browser?.close(); await w?.close(); });

const post = (key) => fetch(`${w.url}/hooks/hook`, { method: 'POST', headers: { Authorization: `Bearer ${key}` }, body: '{"disk":"full"}' });

test('what is connected is told, with what is wrong and the next step', async () => {
  const page = await open(browser, w, { path: '/' });
  await page.getByRole('link', { name: 'Integrations', exact: true }).click();
  await page.getByRole('heading', { name: 'Integrations' }).waitFor();
  const group = (name) => page.getByRole('rowgroup', { name });
  const row = (name, within = 'Sources of events') => group(within).getByRole('row').filter({ has: page.locator('.integrations-name > :first-child', { hasText: new RegExp(`^${name}$`) }) });
  await row('hook').getByText('nothing yet').waitFor();
  await row('hook').getByText(`${w.url}/hooks/hook`).waitFor();
  await row('mute').getByText('does not work').waitFor();
  await row('mute').getByText('its secret is not there, and what it sends is refused: absent').waitFor();
  await row('mute').getByText('tend connect alertmanager --source mute').waitFor();
  await row('pulled').getByText(/it cannot be asked/).waitFor();
  assert.match(await group('Sources of events').getByRole('row').nth(1).innerText(), /does not work/, 'what does not work comes first');
  const none = page.getByLabel('Nothing of these');
  assert.equal(await none.count(), 0, 'there is something of each kind');

  assert.equal((await post('hook-key-for-tests-only')).status, 200);
  await row('hook').getByText('works').waitFor();
  await row('hook').getByRole('link', { name: 'The last event' }).waitFor();
  assert.equal((await post('guessed')).status, 403);
  // Nobody asks again: a message that is refused is no event, and the page learns of it all the same.
  await row('hook').getByText(/the last message was refused/).waitFor();
  await row('hook').getByText('needs a look').waitFor();

  await row('chat', 'Connections').getByText('chat_signing', { exact: true }).waitFor();
  await row('chat', 'Connections').getByText(/as TEND_SECRET_CHAT_SIGNING/).waitFor();
  await row('chat', 'Connections').getByText('Declared by').waitFor();
  await row('bell', 'Connections').getByText('ready').waitFor();
  await row('far', 'Runners').getByText('deploy@far.example.org:2222').waitFor();
  await row('storage', 'On call').getByText('ann@example.org').waitFor();
  await group('Repositories').getByText(/at [0-9a-f]{12}/).waitFor();
  const all = await page.locator('main').innerText();
  for (const secret of ['hook-key-for-tests-only', 'pa55word']) assert.ok(!all.includes(secret), `${secret} is shown`);
  assert.ok(all.includes('<script>'), 'hostile text is shown as text');
  assert.ok(!(await page.title()).includes('owned'));
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('a channel that cannot tell says how many messages wait, and why', async () => {
  await w.api('POST', '/v1/incidents', { title: 'Checkout is slow', severity: 'major' });
  await until(async () => (await w.api('GET', '/v1/integrations')).channels[0].waiting > 0 && (await w.api('GET', '/v1/integrations')).channels[0].trouble, 'a message that waits');
  const page = await open(browser, w, { path: '/integrations' });
  const bell = page.getByRole('rowgroup', { name: 'Channels' }).getByRole('row').filter({ hasText: 'bell' });
  await bell.getByText(/messages? waits?\b/).first().waitFor();
  await bell.getByText('does not work').waitFor();
  await bell.getByText('tend messages list --channel bell').waitFor();
  await page.context().close();
});

test('the hook is copied, and the key leads here', async () => {
  const page = await open(browser, w, { path: '/', permissions: ['clipboard-read', 'clipboard-write'] });
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('n');
  await page.getByRole('button', { name: 'Copy the hook of hook' }).click();
  await page.getByText('Copied.').waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), `${w.url}/hooks/hook`);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('who may only look sees it too, also on a phone; without a role nobody does', async () => {
  const page = await open(browser, w, { path: '/integrations', token: w.viewer, viewport: { width: 390, height: 800 } });
  await page.getByRole('rowgroup', { name: 'Sources of events' }).getByText('mute').first().waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, 'nothing is wider than the page');
  assert.deepEqual(page.errors, []);
  await page.context().close();
  const project = (await w.api('POST', '/v1/tokens', { kind: 'personal', name: 'elsewhere', for: '24h', scope: { roles: ['viewer'], projects: ['elsewhere'] } })).text;
  const seen = await w.api('GET', '/v1/integrations', undefined, project);
  assert.deepEqual([seen.sources.length, seen.repositories.length, seen.integrations.filter((i) => i.repository).length], [0, 0, 0], 'other projects are not told');
});
