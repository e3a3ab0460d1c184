// Signing on with an identity provider: in a window beside the page, which stays as it is.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { issuer } from './issuer.mjs';
import { browse, open, serve } from './world.mjs';

let w, b, corp;
before(async () => {
  b = await browse();
  corp = await issuer({
    alice: { sub: '1', email: 'alice@example.org', email_verified: true, name: 'Alice', groups: ['sre'] },
    mallory: { sub: '2', email: 'mallory@elsewhere.example', email_verified: true, name: 'Mallory', groups: ['sre'] },
    newcomer: { sub: '3', email: 'newcomer@example.org', email_verified: true, name: 'Newcomer' },
  });
  w = await serve({ config: (url) => `url: ${url}
signOn:
  issuers:
    - {name: corp, url: '${corp.url}', clientID: tend, domains: [example.org]}
access:
  - {name: sre, subjects: ['group:sre'], role: operator}
` });
}, { timeout: 120_000 });
after(async () => { await b?.close(); await w?.close(); await corp?.close(); });

/** Presses the button, and says who it is in the window that opens. */
async function say(page, who) {
  const [beside] = await Promise.all([page.waitForEvent('popup'), page.getByRole('dialog', { name: 'Sign on' }).getByRole('button', { name: 'Sign on with corp' }).click()]);
  await beside.getByLabel('Name').fill(who);
  await beside.getByRole('button', { name: 'Go on' }).click();
  return beside;
}
const account = (page, name) => page.getByRole('banner').getByText(name, { exact: true });

test('a person signs on with the identity provider, goes on where they were, and signs off', { timeout: 60_000 }, async () => {
  const page = await open(b, w, { token: null, path: '/incidents?status=resolved' });
  const beside = await say(page, 'alice');
  await page.getByRole('dialog', { name: 'Sign on' }).waitFor({ state: 'detached' });
  await page.getByRole('heading', { name: 'Incidents', level: 1 }).waitFor();
  assert.match(page.url(), /\/incidents\?status=resolved$/);
  if (!beside.isClosed()) await beside.waitForEvent('close');
  await account(page, 'Alice').click();
  await page.getByText('user:alice@example.org').waitFor();
  await page.reload();
  await account(page, 'Alice').click();
  await page.getByRole('button', { name: 'Sign off' }).click();
  await page.getByRole('dialog', { name: 'Sign on' }).waitFor();
  assert.equal(await page.evaluate(() => fetch('/v1/me').then((r) => r.status)), 401);
  await page.goBack();
  await page.getByRole('dialog', { name: 'Sign on' }).waitFor();
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('a session ends while a form is filled in: sign-on is beside it, and what was typed is sent', { timeout: 60_000 }, async () => {
  const page = await open(b, w, { token: null, path: '/incidents' });
  await say(page, 'alice');
  await page.getByRole('button', { name: 'Open an incident' }).click();
  await page.getByLabel('Title: what users notice').fill('Search finds nothing');
  await page.context().clearCookies();
  await w.api('POST', '/v1/incidents', { title: 'Another one', severity: 'minor' }); // the page asks for the list again
  await page.getByRole('dialog', { name: 'Sign on' }).waitFor();
  assert.equal(await page.getByLabel('Title: what users notice').inputValue(), 'Search finds nothing');
  await say(page, 'alice');
  await page.getByRole('button', { name: 'Open the incident' }).click();
  await page.getByRole('heading', { name: 'Search finds nothing', level: 1 }).waitFor();
  const all = (await w.api('GET', '/v1/incidents')).rows;
  assert.equal(all.filter((r) => JSON.stringify(r).includes('Search finds nothing')).length, 1);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('who is not known here is refused in words, by us and by the provider', { timeout: 60_000 }, async () => {
  const page = await open(b, w, { token: null, path: '/runs' });
  let beside = await say(page, 'mallory');
  await beside.getByRole('heading', { name: 'You are not signed on' }).waitFor();
  await beside.getByText('mallory@elsewhere.example is of none of the domains that may sign on').waitFor();
  await beside.close();
  await page.getByRole('alert').getByText('Nobody has signed on with corp yet.').waitFor();
  beside = await say(page, 'eve');
  await beside.getByText('corp says no: nobody of that name works here').waitFor();
  await beside.close();
  assert.equal(await page.evaluate(() => fetch('/v1/me').then((r) => r.status)), 401);
  await page.context().close();
});

test('who has no role yet is told so, and sees nothing', { timeout: 60_000 }, async () => {
  const page = await open(b, w, { token: null, path: '/runs' });
  await say(page, 'newcomer');
  await account(page, 'Newcomer').waitFor();
  await page.getByRole('main').getByText('You may not see this').first().waitFor();
  await page.getByRole('status').getByText('not allowed').waitFor();
  assert.equal(await page.getByText('Not connected.').count(), 0);
  await page.context().close();
});

test('where no window may open, the provider is in the place of the page, and leads back', { timeout: 60_000 }, async () => {
  const page = await open(b, w, { token: null, path: null });
  await page.addInitScript(() => { window.open = () => null; });
  await page.goto('/runs?status=failed');
  await page.getByRole('button', { name: 'Sign on with corp' }).click();
  await page.getByLabel('Name').fill('alice');
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByRole('heading', { name: 'Runs', level: 1 }).waitFor();
  assert.match(page.url(), /\/runs\?status=failed$/);
  await account(page, 'Alice').waitFor();
  await page.context().close();
});
