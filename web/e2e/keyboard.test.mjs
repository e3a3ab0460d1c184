// By the keyboard alone, and for eyes that want it otherwise: everything is reached, what has the focus is seen, Escape closes
// and the focus returns; nothing moves for who does not want it; forced colours leave shapes and borders.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { settled, tour } from './tour.mjs';
import { browse, open } from './world.mjs';

let w, b, id, pages;
before(async () => {
  b = await browse();
  ({ w, id, pages } = await tour());
}, { timeout: 120_000 });
after(async () => { await b?.close(); await w?.close(); });

test('the tab key reaches every action of every page, and shows where it is', { timeout: 240_000 }, async () => {
  const page = await open(b, w, { path: null, reducedMotion: 'reduce' });
  const wrong = [];
  for (const [name, path, title] of pages) {
    const was = wrong.length;
    if (await once(page, name, path, title, wrong)) continue;
    // Something was drawn anew while we went: the second time counts.
    wrong.length = was;
    await once(page, name, path, title, wrong);
  }
  assert.deepEqual([...new Set(wrong)], []);
  await page.context().close();
});

/** Goes through a page by the tab key, and tells whether all is well. */
async function once(page, name, path, title, wrong) {
  const was = wrong.length;
  await page.goto(path);
  await settled(page, title);
  const n = await page.evaluate(() => {
    // What can be tabbed to and is seen. One of a group that goes on by arrows (tabindex -1 for the others) is enough.
    const all = [...document.querySelectorAll('main :is(a[href], button, input, select, textarea, summary, [tabindex])')].filter((e) => e.tabIndex >= 0 && !e.disabled && e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length > 0 && !(e.type === 'radio' && !e.checked));
    window.wanted = new Set(all);
    document.querySelector('main').focus();
    return all.length;
  });
  for (let i = 0; i < n + 30; i++) {
    // Where text is written the tab key indents; Escape lets it leave.
    if (await page.evaluate(() => !!document.activeElement?.shadowRoot)) await page.keyboard.press('Escape');
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const e = document.activeElement;
      if (!e || e === document.body) return { over: true };
      window.wanted.delete(e);
      const shown = (x, part) => { const c = getComputedStyle(x, part); return c.outlineStyle !== 'none' && parseFloat(c.outlineWidth) >= 1 || c.boxShadow !== 'none'; };
      const near = e.closest('li, tr, label, summary, .field, div') ?? e;
      const r = e.getBoundingClientRect();
      return { in: !!e.closest('main'), seen: [e, near, e.nextElementSibling, e.parentElement, e.parentElement?.parentElement, ...(e.shadowRoot?.querySelectorAll('[class*="focused"]') ?? [])].some((x) => x && [null, '::after'].some((part) => shown(x, part))), away: r.bottom < 0 || r.top > innerHeight || r.right < 0 || r.left > innerWidth, what: `${e.tagName} ${JSON.stringify((e.getAttribute('aria-label') ?? e.textContent).slice(0, 30))}` };
    });
    if (at.over) break;
    if (at.in && !at.seen) wrong.push(`${name}: the focus on ${at.what} is not seen`);
    if (at.in && at.away) wrong.push(`${name}: the focus on ${at.what} is out of sight`);
  }
  const missed = await page.evaluate(() => [...window.wanted].filter((e) => e.isConnected).map((e) => `${e.tagName}.${e.className} ${JSON.stringify(e.textContent.slice(0, 30))}`).slice(0, 5));
  if (missed.length) wrong.push(`${name}: the tab key does not reach ${missed.join('; ')}`);
  return wrong.length === was;
}

test('Escape closes what is open, and the focus returns to where it was', { timeout: 120_000 }, async () => {
  const page = await open(b, w, { path: null });
  const dialogs = [
    ['/incidents', 'Open an incident'], ['/guards', 'Halt'], ['/guards', 'Change a mode'], [`/runs/${id.run}`, 'Cancel'], [`/inbox/${id.task}`, 'Delegate'],
    [`/inbox/${id.task}`, 'I see to it'], [`/incidents/${id.incident}`, 'Say how it stands'], ['/', 'What the keys do'], ['/', /^Search/],
  ];
  for (const [path, name] of dialogs) {
    await page.goto(path);
    await settled(page);
    const button = page.getByRole('button', { name, exact: typeof name === 'string' }).first();
    await button.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    assert.ok(await page.evaluate(() => document.querySelector('dialog[open]').contains(document.activeElement)), `${name}: the focus is in the dialog`);
    for (let i = 0; i < 12; i++) {
      await page.keyboard.press('Tab');
      assert.ok(await page.evaluate(() => document.activeElement === document.body || document.querySelector('dialog[open]').contains(document.activeElement)), `${name}: the focus stays in it`);
    }
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.ok(await button.evaluate((e) => e === document.activeElement), `${name}: the focus returns`);
  }
  await page.context().close();
});

test('a question is answered by the keyboard alone, from Home', { timeout: 60_000 }, async () => {
  const run = await w.run('ask-first');
  const page = await open(b, w, { path: '/' });
  await settled(page);
  await page.keyboard.press('g');
  await page.keyboard.press('i');
  await settled(page, /Inbox/);
  const task = (await w.api('GET', `/v1/tasks?status=open&parent=${run}`)).rows[0].id;
  const tabTo = async (locator) => {
    await locator.waitFor();
    for (let i = 0; i < 80; i++) {
      if (await locator.evaluate((e) => e === document.activeElement)) return;
      await page.keyboard.press('Tab');
    }
    assert.fail('the tab key does not reach it');
  };
  await tabTo(page.locator(`a[href="/inbox/${task}"]`).first());
  await page.keyboard.press('Enter');
  await page.waitForURL(`**/inbox/${task}`);
  await tabTo(page.getByRole('button', { name: 'Approve', exact: true }));
  await page.keyboard.press('Enter');
  await w.ended(run);
  await page.context().close();
});

test('what is looked for is a link away: the first tab leads to the page itself', { timeout: 30_000 }, async () => {
  const page = await open(b, w, { path: '/runs' });
  await settled(page);
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the page');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  assert.ok(await page.evaluate(() => document.activeElement.closest('main') !== null));
  await page.context().close();
});

test('nothing is animated for who does not want it', { timeout: 60_000 }, async () => {
  const page = await open(b, w, { path: null, reducedMotion: 'reduce' });
  for (const [name, path, title] of pages.filter((p) => ['home', 'run', 'inbox', 'incidents'].includes(p[0]))) {
    await page.goto(path);
    await settled(page, title);
    const lasts = await page.evaluate(() => document.getAnimations().filter((a) => a.playState === 'running' && (a.effect.getComputedTiming().duration > 1 || a.effect.getComputedTiming().iterations === Infinity)).length);
    assert.equal(lasts, 0, name);
  }
  await page.context().close();
});

test('with forced colours states keep their shapes, and the focus and buttons their borders', { timeout: 60_000 }, async () => {
  const page = await open(b, w, { path: null, forcedColors: 'active' });
  for (const [name, path, title] of pages.filter((p) => ['home', 'run', 'inbox', 'runs'].includes(p[0]))) {
    await page.goto(path);
    await settled(page, title);
    const bad = await page.evaluate(() => {
      const ground = getComputedStyle(document.body).backgroundColor;
      const out = [];
      for (const svg of document.querySelectorAll('main svg[role=img], main [role=img] svg')) {
        const drawn = [...svg.querySelectorAll('*')].some((e) => { const s = getComputedStyle(e); return (s.fill !== 'none' && s.fill !== ground) || (s.stroke !== 'none' && s.stroke !== ground); });
        if (!drawn && svg.getClientRects().length) out.push(`a state is not drawn: ${svg.outerHTML.slice(0, 120)}`);
      }
      for (const e of document.querySelectorAll('main .button:not(.plain)')) if (parseFloat(getComputedStyle(e).borderTopWidth) < 1) out.push(`no border: ${e.textContent}`);
      return out;
    });
    assert.deepEqual(bad, [], name);
    await page.keyboard.press('Tab');
    assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), 'none');
  }
  await page.context().close();
});
