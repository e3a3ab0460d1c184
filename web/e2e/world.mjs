// The world that the tests of the page live in: a real server from the built binary, in a directory of its own, with an
// admin, a second person who may approve, and one who may only look; and Chromium. `TEND_TEST_BINARY` names the binary,
// else it is built; `TEND_CHROMIUM` the browser, else /usr/bin/chromium.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { chromium } from 'playwright-core';

const root = resolve(import.meta.dirname, '../..');

let binary = process.env.TEND_TEST_BINARY;
function tend() {
  if (!binary) {
    binary = join(mkdtempSync(join(tmpdir(), 'tend-e2e-bin-')), 'tend');
    execFileSync('go', ['build', '-o', binary, './cmd/tend'], { cwd: root, stdio: 'inherit', env: { ...process.env, CGO_ENABLED: '0' } });
    process.on('exit', () => rmSync(resolve(binary, '..'), { recursive: true, force: true }));
  }
  return binary;
}

const freePort = () => new Promise((done, fail) => {
  const s = createServer();
  s.once('error', fail);
  s.listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => done(port)); });
});

/** Waits until check gives something true. Its last error is told when it never does. */
export async function until(check, what = 'it', ms = 20_000) {
  const end = Date.now() + ms;
  let last;
  for (;;) {
    try {
      const v = await check();
      if (v) return v;
    } catch (e) { last = e; }
    if (Date.now() > end) throw new Error(`${what} did not come within ${ms} ms${last ? `: ${last.message}` : ''}`);
    await new Promise((r) => setTimeout(r, 50));
  }
}

/**
 * A server. `playbooks` are documents by file name; `config` is added to its configuration (YAML lines, or
 * what makes them of its address), and
 * `sources` and `repositories` to its lists of them. Steps of `shell` run
 * as the user nobody, where the tests are root (`shell` says so).
 */
export async function serve({ playbooks = {}, config = '', sources = [], repositories = [], mode = 'auto' } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'tend-e2e-'));
  const books = join(dir, 'playbooks');
  mkdirSync(books);
  for (const [name, text] of Object.entries(playbooks)) writeFileSync(join(books, name), text);
  const port = await freePort();
  const shell = process.getuid?.() === 0;
  writeFileSync(join(dir, 'server.yaml'), [
    `dataDir: ${join(dir, 'data')}`, `listen: 127.0.0.1:${port}`, `mode: ${mode}`, 'repositories:', `  - {dir: ${books}, poll: 1s}`, ...repositories,
    ...(shell ? ['localSteps: {user: nobody}'] : []), 'sources:', '  - {name: hook, kind: webhook, keys: [hook], scheme: bearer}', ...sources, 'secrets: {dir: secrets}', typeof config === 'function' ? config(`http://127.0.0.1:${port}`) : config, '',
  ].join('\n'));
  mkdirSync(join(dir, 'secrets'), { mode: 0o700 });
  writeFileSync(join(dir, 'secrets', 'hook'), 'hook-key-for-tests-only', { mode: 0o600 });
  const env = { ...process.env, HOME: dir, XDG_CONFIG_HOME: join(dir, 'config'), TEND_DATA_DIR: join(dir, 'data'), TEND_SERVER: '', TEND_TOKEN: '' };
  const url = `http://127.0.0.1:${port}`;
  const w = { dir, url, shell, said: '', process: null, binary: tend() };

  w.start = async () => {
    const p = spawn(w.binary, ['serve', '--config', join(dir, 'server.yaml')], { env, cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] });
    w.process = p;
    const end = () => p.kill('SIGKILL');
    process.on('exit', end);
    p.once('exit', () => process.off('exit', end));
    let said = '';
    p.stderr.on('data', (b) => { said += b; w.said = said; });
    p.stdout.on('data', (b) => { said += b; w.said = said; });
    await until(async () => {
      if (p.exitCode !== null) throw new Error(`tend serve ended: ${said}`);
      return (await fetch(`${url}/readyz`)).ok;
    }, 'the server');
  };
  w.stop = async (signal = 'SIGTERM') => {
    const p = w.process;
    if (!p || p.exitCode !== null) return;
    const gone = new Promise((done) => { p.once('exit', done); });
    p.kill(signal);
    await gone;
  };
  /** A request as a program makes it. */
  w.api = async (method, path, body, token = w.admin) => {
    const r = await fetch(url + path, { method, headers: { ...(body ? { 'Content-Type': 'application/json' } : {}), ...(token ? { Authorization: `Bearer ${token}` } : {}) }, body: body ? JSON.stringify(body) : undefined });
    const text = await r.text();
    if (!r.ok) throw new Error(`${method} ${path}: ${r.status} ${text}`);
    return text && r.headers.get('Content-Type')?.includes('json') ? JSON.parse(text) : text;
  };
  /** A command of the owner of the directory, over its socket. */
  w.tend = (...args) => execFileSync(tend(), args, { env, cwd: dir, encoding: 'utf8' });
  w.run = async (name, params = {}) => (await w.api('POST', `/v1/playbooks/${name}/runs`, { params })).run;
  w.status = async (run) => (await w.api('GET', `/v1/runs/${run}`)).status;
  w.ended = (run, want = 'succeeded') => until(async () => (await w.status(run)) === want, `${run} ${want}`);
  w.close = async () => {
    await w.stop('SIGKILL');
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  };

  await w.start();
  const setup = await until(() => /one-time token (\S+)/.exec(w.said)?.[1], 'the one-time token');
  w.admin = (await w.api('POST', '/v1/sign-on', { token: setup }, null)).text;
  // A second person: the owner of the directory, who has no right over the network but what is bound.
  w.second = /tend_\w+/.exec(w.tend('tokens', 'new', 'rosa', '--for', '24h'))?.[0];
  const second = await w.api('GET', '/v1/tokens?all=true').then((l) => l.tokens.find((t) => t.name === 'rosa').owner);
  await w.api('PUT', `/v1/bindings/second?why=tests`, { role: 'approver', subjects: [second] });
  w.viewer = (await w.api('POST', '/v1/tokens', { kind: 'personal', name: 'looks', for: '24h', scope: { roles: ['viewer'] } })).text;
  const names = Object.values(playbooks).map((t) => /name:\s*([\w-]+)/.exec(t)?.[1]).filter(Boolean);
  await until(async () => {
    const live = (await w.api('GET', '/v1/playbooks')).playbooks.map((p) => p.name);
    return names.every((n) => live.includes(n));
  }, `the playbooks ${names}: ${w.said.slice(-2000)}`);
  return w;
}

/** Chromium. */
export async function browse() {
  const executablePath = process.env.TEND_CHROMIUM || ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((p) => existsSync(p));
  return chromium.launch({
    executablePath, headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

/**
 * A page on which somebody is signed on by a token. Errors of the page, and everything that its policy refused, fail the
 * test that asks `page.errors`. With `clock` the time of the page can be moved (page.clock); path null: nothing is opened yet.
 */
export async function open(browser, w, { token = w.admin, path = '/', clock = false, ...context } = {}) {
  const c = await browser.newContext({ baseURL: w.url, viewport: { width: 1440, height: 900 }, locale: 'en-GB', timezoneId: 'Europe/Berlin', ...context });
  if (token) {
    const r = await c.request.post('/auth/on', { data: { token } });
    if (!r.ok()) throw new Error(`sign on: ${r.status()} ${await r.text()}`);
  }
  const page = await c.newPage();
  page.errors = [];
  page.on('pageerror', (e) => page.errors.push(String(e)));
  page.on('console', (m) => { if (m.type() === 'error' && !/status of (401|403|404|409|412|503)|ERR_CONNECTION|ERR_INCOMPLETE|ERR_NETWORK/.test(m.text())) page.errors.push(m.text()); });
  if (clock) await page.clock.install();
  if (path !== null) await page.goto(path);
  return page;
}


/** The text in the editor. It shows what is in view and some more: enough for the documents of tests. */
export const textOf = (page) => page.getByLabel('The text of the playbook').evaluate((e) => [...e.querySelectorAll('.cm-line')].map((l) => l.textContent).join('\n'));

/** Puts another text into the editor, as somebody who pastes it over all of it. */
export async function paste(page, text) {
  const area = page.getByLabel('The text of the playbook');
  await area.click();
  await page.keyboard.press('ControlOrMeta+a');
  await area.evaluate((e, t) => {
    const data = new DataTransfer();
    data.setData('text/plain', t);
    e.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  }, text);
}
