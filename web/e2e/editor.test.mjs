// The editor: a text and its graph as one document, as people work on it, against a real server.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { browse, open, paste, serve, textOf, until } from './world.mjs';

const text = `apiVersion: tend/v1
kind: Playbook
metadata: {name: tidy, description: Tidies., owner: people}
# Whom it is about.
parameters: [{name: who, type: string, required: false, description: Whom.}]
steps:
  # It looks first.
  - id: measure
    name: Measure
    uses: shell # as in the runbook
    effect: read
    with: {script: echo 1, parse: number}
  - name: List
    uses: shell
    effect: read
    with: {script: ls} # what is there

  # Then it acts.
  - name: Clean
    uses: shell
    effect: idempotent
    target: 'host:web'
    with:
      script: |
        # not a comment
        echo clean
  - name: Look
    uses: shell
    effect: read
    with: {script: echo ok}
  - {name: Tell, uses: log, with: {message: 'done {{ default "" $.params.who }}'}}
`;
const comments = ['# Whom it is about.', '# It looks first.', '# as in the runbook', '# what is there', '# Then it acts.', '# not a comment'];

let w, browser;
before(async () => { w = await serve({ playbooks: { 'tidy.yaml': text } }); browser = await browse(); });
after(async () => { await browser?.close(); await w?.close(); });

/** The editor, freshly opened. */
async function edit(how = {}) {
  const page = await open(browser, w, { path: '/playbooks/tidy/edit', ...how });
  const graph = page.getByRole('group', { name: 'The playbook as a graph' });
  await graph.getByRole('button', { name: /Measure/ }).waitFor();
  const step = (name) => graph.getByRole('button', { name: new RegExp(name) }).first();
  const has = (what, why = 'the text') => until(async () => (typeof what === 'string' ? (await textOf(page)).includes(what) : what.test(await textOf(page))), `${why}: ${what}`);
  const close = async () => {
    const now = await textOf(page);
    for (const c of comments) assert.ok(now.includes(c), `${c} is lost:\n${now}`);
    assert.deepEqual(page.errors, []);
    await page.context().close();
  };
  return { page, graph, step, has, close };
}

/** Takes what stands at one place, and carries it over another one; it is let go by `drop`. */
async function carry(page, from, to, { at = 'middle' } = {}) {
  const form = page.getByRole('button', { name: 'Close the form' });
  if (at === 'middle' && await form.count()) await form.click();
  // The graph is drawn anew a moment after the text: a step is taken when the boxes stand still.
  let stood = '', since = 0;
  if (at === 'middle') {
    await until(async () => {
      const now = JSON.stringify([await from.boundingBox(), await to.boundingBox()]);
      if (now !== stood) [stood, since] = [now, Date.now()];
      return Date.now() - since > 500;
    }, 'boxes that stand still');
  }
  const a = await from.boundingBox();
  await page.mouse.move(a.x + 20, a.y + 10);
  await page.mouse.down();
  await page.mouse.move(a.x + 36, a.y + 14, { steps: 3 });
  const b = await to.boundingBox();
  const y = at === 'middle' ? b.y + Math.min(12, b.height / 2) : b.y + b.height / 2;
  await page.mouse.move(b.x + Math.min(24, b.width / 2), y, { steps: 5 });
}

const card = (page) => page.getByRole('list', { name: 'What comes of it' });

/** Over what is said, and let go there. */
async function dropOn(page, words) {
  const row = card(page).getByText(words, { exact: true });
  const b = await row.boundingBox();
  await page.mouse.move(b.x + 20, b.y + b.height / 2, { steps: 4 });
  await until(async () => (await row.getAttribute('data-on')) !== null, words);
  await page.mouse.up();
}

test('a step is dragged to run after, beside, as verify and as undo of another one; each is one change, and is taken back', async () => {
  const { page, step, has, close } = await edit();
  const was = await textOf(page);
  // After: letting go over the step itself.
  await carry(page, step('Tell'), step('Measure'));
  await page.getByRole('status').getByText('runs after Measure').waitFor();
  await page.mouse.up();
  await has(/Measure[\s\S]*name: Tell[\s\S]*name: List/);
  await page.getByRole('button', { name: 'Undo', exact: true }).click();
  await until(async () => (await textOf(page)) === was, 'the way back');

  // Beside: a parallel block is made.
  await carry(page, step('Look'), step('List'));
  await dropOn(page, 'runs beside List');
  await has(/- parallel:\n {6}- name: List[\s\S]*?- name: Look/);
  assert.match(await textOf(page), /with: \{script: ls\} # what is there/);
  await page.getByRole('button', { name: 'Undo', exact: true }).click();
  await until(async () => (await textOf(page)) === was, 'the way back');
  await page.getByRole('button', { name: 'Redo', exact: true }).click();
  await has('- parallel:');
  await page.getByRole('button', { name: 'Undo', exact: true }).click();

  // Its verify: what it waits for is there to be filled in.
  await carry(page, step('Look'), step('Clean'));
  await dropOn(page, 'verifies Clean');
  await has(/verify:\n {6}name: Look\n[\s\S]*until: result/);
  await page.getByRole('region', { name: 'Step', exact: true }).getByText('verify of Clean').waitFor();
  // And a step of its own again.
  await page.getByRole('button', { name: 'Make it a step of its own' }).click();
  await until(async () => !(await textOf(page)).includes('verify:'), 'no verify');
  await has(/ {2}- name: Look\n {4}uses: shell/);
  await page.keyboard.press('Escape');

  await carry(page, step('Tell'), step('Clean'));
  await dropOn(page, 'undoes Clean');
  await has(/undo: \{name: Tell/);
  await close();
});

test('what cannot be is refused with its reason, and Escape lets go of it', async () => {
  const { page, graph, step, close } = await edit();
  const was = await textOf(page);
  // A step with an approval or a condition of its own cannot be a check.
  await paste(page, was.replace('  - name: Look\n', "  - name: Look\n    when: params.who != ''\n"));
  await until(async () => (await graph.getByText(/when params.who/).count()) > 0, 'the graph');
  const now = await textOf(page);
  await carry(page, step('Look'), step('Clean'));
  await card(page).getByText('a verify has no when').waitFor();
  const row = card(page).getByText('verifies Clean');
  const b = await row.boundingBox();
  await page.mouse.move(b.x + 10, b.y + 6, { steps: 3 });
  await page.getByRole('status').getByText('cannot: a verify has no when').waitFor();
  await page.mouse.up();
  assert.equal(await textOf(page), now);
  await carry(page, step('Look'), step('Clean'));
  await page.keyboard.press('Escape');
  await page.mouse.up();
  assert.equal(await card(page).count(), 0);
  assert.equal(await textOf(page), now);
  await close();
});

test('by keyboard the same: connect, move up, into catch, add, take out', async () => {
  const { page, step, has, close } = await edit();
  await step('Look').focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('c');
  const find = page.getByRole('combobox', { name: 'Find among places' });
  await find.fill('beside list');
  await page.keyboard.press('Enter');
  await has(/- parallel:\n {6}- name: List[\s\S]*?- name: Look/);
  // Out of the block again, and the block dissolved.
  const form = page.getByRole('region', { name: 'Step', exact: true });
  await form.getByRole('button', { name: 'Take it out' }).click();
  await has(/ {2}- name: Look\n {4}uses: shell/);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: /parallel/ }).click();
  await form.getByRole('button', { name: 'Dissolve the block' }).click();
  await until(async () => !(await textOf(page)).includes('parallel:'), 'no block');

  await page.keyboard.press('Escape');
  await step('Tell').focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Alt+ArrowUp');
  await has(/name: Tell[\s\S]*name: (Look|Clean|List)/);
  await page.keyboard.press('c');
  await find.fill('playbook failed');
  await page.keyboard.press('Enter');
  await has(/catch:\n {2}- \{name: Tell/);

  // An action of the list, and its place.
  await page.keyboard.press('Escape');
  await page.keyboard.press('a');
  await page.getByLabel('Find an action').fill('approve');
  await page.keyboard.press('Enter');
  await find.fill('before clean');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await has(/uses: approve[\s\S]*name: Clean/);
  await close();
});

test('an action is dragged onto a line between two steps', async () => {
  const { page, graph, has, step, close } = await edit();
  await page.getByRole('button', { name: 'Add a step' }).click();
  await page.getByLabel('Find an action').fill('http');
  const option = page.getByRole('option', { name: /^http/ }).first();
  const a = await option.boundingBox();
  await page.mouse.move(a.x + 30, a.y + 10);
  await page.mouse.down();
  await page.mouse.move(a.x + 50, a.y + 30, { steps: 3 });
  const gap = page.locator('[data-line="steps[0]>steps[1]"]');
  await gap.waitFor();
  const b = await gap.boundingBox();
  await page.mouse.move(b.x + b.width / 2, b.y + b.height / 2, { steps: 5 });
  await page.getByRole('status').getByText('runs between Measure and List').waitFor();
  await page.mouse.up();
  await has(/Measure[\s\S]*uses: http[\s\S]*name: List/);
  await graph.getByRole('button', { name: /http/ }).waitFor();
  await step('List').waitFor();
  await close();
});

test('a form is filled in: inputs, conditions, maps, lists, references from a list; errors stand at their field', async () => {
  const { page, graph, step, has, close } = await edit();
  await step('Tell').click();
  const form = page.getByRole('region', { name: 'Step', exact: true });
  await form.getByLabel(/^message \*/).fill('good morning');
  await form.getByLabel(/^message \*/).blur();
  await has('good morning');
  // A reference, chosen from what is in reach; a step without an id gets one with the same change.
  await form.getByRole('button', { name: 'Refer to something in message' }).click();
  await page.getByRole('combobox', { name: 'Find among what is in reach' }).fill('list.exitCode');
  await page.getByRole('listbox', { name: 'What is in reach' }).getByRole('option').first().waitFor();
  await page.keyboard.press('Enter');
  await has(/\{\{ \$\.steps\.list\.exitCode \}\}/);
  await has('id: list');
  await page.getByRole('button', { name: 'Undo', exact: true }).click();
  await until(async () => !(await textOf(page)).includes('id: list') && (await textOf(page)).includes('good morning'), 'one change back');
  await step('Tell').click();
  // Conditions, durations and numbers are checked before they are written.
  await form.getByText(/^when, /).click();
  await form.getByLabel(/^when/).fill('steps.measure.value > 3');
  await form.getByLabel(/^when/).press('Enter');
  await has('when: steps.measure.value > 3');
  await step('Clean').click();
  await form.getByText(/timeout, retry/).click();
  await form.getByLabel(/^timeout/).fill('soon');
  await form.getByLabel(/^timeout/).blur();
  await form.getByText('A duration such as').waitFor();
  await form.getByLabel(/^timeout/).fill('30s');
  await form.getByLabel(/^timeout/).blur();
  await has('timeout: 30s');
  await form.getByText(/^retry/).first().click();
  await form.getByLabel(/^attempts/).fill('3');
  await form.getByLabel(/^attempts/).blur();
  await has(/retry:\n\s+attempts: 3|retry: \{attempts: 3\}/);
  // What lint says stands at its field.
  await form.getByLabel(/^target/).fill('{{ $.steps.nowhere.value }}');
  await form.getByLabel(/^target/).blur();
  await until(async () => (await form.getByRole('alert').count()) > 0, 'the error at the field');
  await until(async () => (await graph.locator('[data-wrong]').count()) > 0, 'the mark on the graph');
  await form.getByLabel(/^target/).fill('host:web');
  await form.getByLabel(/^target/).blur();
  await until(async () => (await form.getByRole('alert').count()) === 0, 'no error');
  await close();
});

test('both views are of one document: what is typed is drawn, what is wrong is said, the text has completion and find', async () => {
  const { page, graph, close } = await edit();
  const was = await textOf(page);
  await paste(page, was.replace('name: Look', 'name: Peek'));
  await graph.getByRole('button', { name: /Peek/ }).waitFor();
  await paste(page, was.replace('uses: log', 'uses: logg'));
  const findings = page.getByRole('region', { name: 'Findings' });
  await findings.getByText('1 error').waitFor();
  await findings.getByRole('button', { name: /1 error/ }).click();
  await findings.getByRole('listitem').getByText(/log/).first().click();
  await until(async () => page.evaluate(() => document.querySelector('.writing')?.shadowRoot?.activeElement?.classList.contains('cm-content')), 'the cursor at the line');
  await until(async () => (await graph.locator('[data-wrong]').count()) === 1, 'the mark');
  await page.keyboard.press('ControlOrMeta+z');
  await page.keyboard.press('ControlOrMeta+z');
  await until(async () => (await textOf(page)) === was, 'the way back');
  await page.keyboard.press('ControlOrMeta+End');
  await page.keyboard.type('  - uses: appr');
  await page.locator('.cm-tooltip-autocomplete').getByText('approve').first().click();
  await until(async () => (await textOf(page)).includes('  - uses: approve'), 'what was completed');
  await page.keyboard.press('ControlOrMeta+f');
  await page.locator('.cm-search input').first().waitFor();
  await page.keyboard.press('Escape');
  await close();
});

test('nothing is lost by a reload, nothing is live by a save: a patch, with what changes shown before', async () => {
  const { page, step, has } = await edit();
  await step('Measure').click();
  await page.getByRole('region', { name: 'Step', exact: true }).getByRole('button', { name: 'Rename' }).click();
  await page.getByLabel('Its id').fill('used');
  await page.getByRole('button', { name: 'Rename it' }).click();
  await has('id: used');
  await until(() => page.evaluate(() => Object.keys(localStorage).some((k) => k.startsWith('tend.draft.tidy'))), 'the draft');
  await page.reload();
  await has('id: used', 'the draft');
  await page.getByRole('button', { name: 'Make a patch' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.locator('[data-diff="new"]', { hasText: 'id: used' }).waitFor();
  await dialog.getByText('A patch to download.').waitFor();
  await dialog.getByText(/By .*<.*>/).waitFor();
  await page.getByLabel('What it does, in a line').fill('Say what is used');
  await page.getByRole('button', { name: 'Make the patch' }).click();
  await page.getByText('Here is the patch').waitFor();
  assert.ok((await page.getByRole('dialog').innerText()).includes('+  - id: used'));
  await page.getByRole('button', { name: 'Go on' }).click();
  const books = join(w.dir, 'playbooks');
  assert.deepEqual(readdirSync(books), ['tidy.yaml']);
  assert.equal(readFileSync(join(books, 'tidy.yaml'), 'utf8'), text);

  // A newer revision comes underneath: it is said, shown, and brought in.
  await page.getByRole('button', { name: 'As it is live' }).click();
  await paste(page, text.replace('message: \'done', 'message: \'all done'));
  writeFileSync(join(books, 'tidy.yaml'), text.replace('echo ok', 'echo fine'));
  await page.getByText('A newer revision is live').waitFor();
  await page.getByText('The two do not touch.').waitFor();
  await page.getByRole('button', { name: 'Show the difference' }).click();
  await page.getByRole('dialog').locator('[data-diff="new"]', { hasText: 'echo fine' }).waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Go on' }).click();
  await page.getByRole('button', { name: 'Bring it into mine' }).click();
  await has('echo fine');
  await has('all done');
  writeFileSync(join(books, 'tidy.yaml'), text);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('on a phone it is the text with what is wrong; who may only look is told so', async () => {
  const page = await open(browser, w, { path: '/playbooks/tidy/edit', viewport: { width: 390, height: 844 } });
  await page.getByLabel('The text of the playbook').waitFor();
  await page.getByRole('region', { name: 'Findings' }).getByText('Nothing to say').waitFor();
  assert.equal(await page.getByRole('region', { name: 'Graph' }).isVisible(), false);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
  assert.deepEqual(page.errors, []);
  await page.context().close();
  const looks = await open(browser, w, { path: '/playbooks/tidy', token: w.viewer });
  await looks.getByRole('group', { name: 'The playbook as a graph' }).getByRole('button', { name: /Measure/ }).waitFor();
  assert.equal(await looks.getByRole('link', { name: 'Edit' }).count(), 0);
  await looks.context().close();
});

test('a session that ends while something is written asks to sign on, and nothing typed is lost', async () => {
  const { page, has } = await edit();
  await paste(page, text.replace('message: \'done', 'message: \'all done'));
  await has('all done');
  await page.context().clearCookies();
  await paste(page, text.replace('message: \'done', 'message: \'really done'));
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel(/token/i).first().waitFor();
  await has('really done', 'what was typed');
  await page.context().request.post('/auth/on', { data: { token: w.admin } });
  await page.reload();
  await has('really done', 'the draft');
  await page.getByRole('region', { name: 'Findings' }).getByText('Nothing to say').waitFor();
  assert.deepEqual(page.errors, []);
  await page.context().close();
});
