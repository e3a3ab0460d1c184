// Text from outside: script tags, marks that turn text, a megabyte, colours and escapes. It is text, and it stays in its place.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { browse, open, serve, until } from './world.mjs';

const rtl = '\u202egnihtemos\u2066 שלום';
const evil = '<script>window.pwned=1</script><img src=x onerror=window.pwned=2>';
let w, b;
before(async () => {
  b = await browse();
  w = await serve({ playbooks: { 'echo.yaml': `apiVersion: tend/v1
kind: Playbook
metadata: {name: echo, description: Say what came.}
parameters: [{name: text, type: string}]
steps:
  - {id: say, name: Say, uses: log, with: {message: '{{ $.params.text }}'}}
  - {id: ask, uses: approve, with: {message: '{{ $.params.text }}'}}
  - {id: end, name: Fail, uses: fail, with: {message: '{{ $.params.text }}'}}
` } });
}, { timeout: 120_000 });
after(async () => { await b?.close(); await w?.close(); });

for (const [what, text] of [['script tags', evil], ['right-to-left marks', rtl], ['a long text', `${evil}${'x'.repeat(200_000)}`], ['escapes', '\u001b]8;;https://evil.example\u0007click\u001b]8;;\u0007\u001b[31mred']]) {
  test(`${what} are shown as text`, { timeout: 60_000 }, async () => {
    const run = await w.run('echo', { text });
    await until(async () => (await w.status(run)) === 'waiting');
    const page = await open(b, w, { path: '/' });
    await page.locator('#needs [role=row] a').first().waitFor();
    await page.goto(`/runs/${run}?step=${encodeURIComponent('steps[1]')}`);
    await page.locator('.answer .asks').waitFor();
    const shown = await page.locator('.answer .asks').innerText();
    if (what === 'script tags') assert.ok(shown.includes('<script>'));
    if (what === 'right-to-left marks') assert.ok(shown.includes('⟨202E⟩') && shown.includes('⟨2066⟩'), shown);
    await page.getByRole('button', { name: 'Approve', exact: true }).click();
    await page.locator('.run-head').getByText('failed').waitFor({ timeout: 20_000 });
    for (const view of ['story', 'about']) {
      await page.goto(`/runs/${run}?view=${view}`);
      await page.locator('.run-head').waitFor();
      await page.waitForTimeout(200);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${view} is ${wide} px too wide`);
    }
    await page.goto('/runs?status=failed');
    await page.locator('.runrow').first().waitFor();
    const row = await page.locator('.runs-line').first().boundingBox();
    assert.ok(row.height < 40, 'a row is a row');
    assert.equal(await page.evaluate(() => window.pwned), undefined);
    assert.equal(await page.locator('main script, main img, main a[href^="https://evil"]').count(), 0);
    assert.deepEqual(page.errors, []);
    await page.context().close();
  });
}
