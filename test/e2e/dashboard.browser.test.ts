// Goal: the dashboard works for a person, in a real browser, against the real product. Method: one
// `tensorforge up` with two simulated engines, one Chromium, requests through the official client;
// what the browser complains about anywhere is collected and fails the last check.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import OpenAI from 'openai';
import type { Browser, BrowserContext, Page, WebSocketRoute } from 'playwright-core';
import type { LiveUpdate } from '../../src/protocol/control/schemas.ts';
import { listen, sidewaysPx, signIn, startBrowser } from '../support/browser.ts';
import { until } from '../support/inference.ts';
import { type Product, startProduct } from '../support/product.ts';

const pages = ['/', '/fleet', '/requests', '/access/keys'] as const;
const hostileName = '<img src=x onerror="globalThis.hit=1"><script>globalThis.hit=1</script>';

let product: Product;
let browser: Browser;
let context: BrowserContext;
let page: Page;
const complaints: string[] = [];

function client(): OpenAI {
  return new OpenAI({ apiKey: product.adminKey, baseURL: `${product.url}/v1`, maxRetries: 0 });
}

/** Sends one request; returns its id and the backend that served it. */
async function ask(): Promise<{ readonly id: string; readonly backend: string }> {
  const { response } = await client()
    .chat.completions.create({
      model: 'sim-model',
      messages: [{ role: 'user', content: 'Say hello.' }],
      max_tokens: 8,
    })
    .withResponse();
  return {
    id: response.headers.get('x-request-id') ?? '',
    backend: response.headers.get('x-tensorforge-backend') ?? '',
  };
}

async function open(on: Page, path: string): Promise<void> {
  await on.goto(product.url + path);
  await on.waitForSelector('[data-testid=verdict]');
}

/** Opens it and waits until it is told of whatever ends. */
async function openLive(on: Page, path: string): Promise<void> {
  await open(on, path);
  await on.waitForSelector('[data-testid=freshness]:has-text("Live")');
}

/** Before a page opens: the live socket of its product goes on, and the test can speak for it. */
async function speakFor(tab: Page): Promise<(update: LiveUpdate) => void> {
  let route: WebSocketRoute | undefined;
  await tab.routeWebSocket(/\/ws$/, (opened) => {
    opened.connectToServer();
    route = opened;
  });
  return (update) => {
    assert.ok(route !== undefined, 'the page has no live socket');
    route.send(JSON.stringify(update));
  };
}

before(async () => {
  product = await startProduct({ sims: [{ name: 'sim-a' }, { name: 'sim-b' }] });
  browser = await startBrowser();
  context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    locale: 'en-US',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  await listen(context, complaints);
  page = await context.newPage();
});

after(async () => {
  await browser?.close();
  await product?.stop();
});

test('without a session every page leads to the sign-in, and a wrong key is refused in words', async () => {
  await page.goto(`${product.url}/fleet`);
  await page.waitForSelector('input[name=key]');
  assert.match(page.url(), /\/login\?next=%2Ffleet$/);
  await page.fill('input[name=key]', 'tfk_wrong');
  await page.click('button[type=submit]');
  await page.waitForSelector('[role=alert]');
  assert.match((await page.textContent('[role=alert]')) ?? '', /invalid_api_key/);
});

test('the admin key signs in and is kept nowhere that a script can read', async () => {
  await signIn(page, product.adminKey);
  assert.equal(new URL(page.url()).pathname, '/fleet');
  const readable = await page.evaluate<string>(
    'JSON.stringify([localStorage, sessionStorage, document.cookie])',
  );
  assert.equal(readable, '[{},{},""]');
  const [cookie] = await context.cookies();
  assert.equal(cookie?.httpOnly, true);
  assert.equal(cookie?.sameSite, 'Strict');
});

test('Fleet shows the engines with state, type and models', async () => {
  for (const { id } of product.sims) {
    const row = page.locator(`tr[data-key="${id}"]:has-text("Healthy")`);
    await row.waitFor();
    const text = (await row.textContent()) ?? '';
    assert.match(text, /vllm/);
    assert.match(text, /sim-model/);
  }
  await page.waitForSelector('[data-testid=verdict]:has-text("2 of 2")');
});

test('the numbers of Overview follow real requests without a reload', async () => {
  await openLive(page, '/');
  await page.waitForSelector('canvas');
  await Promise.all(Array.from({ length: 6 }, ask));
  await page.waitForSelector('figure >> text=/: 6 requests finished, 0 of them failed/');
  await page.waitForSelector('dl >> text=/6 requests in/');
});

test('a finished request appears by itself, and its record says why this backend and why not another', async () => {
  await page.click('nav >> text=Requests');
  await page.waitForURL(/\/requests$/);
  await page.waitForSelector('h1:has-text("Requests")');
  await page.waitForSelector('tbody tr');
  const { id, backend } = await ask();
  const row = page.locator(`tr[data-key^="${id}"]`);
  await row.waitFor();
  await row.locator('a').click();
  await page.waitForSelector('h2:has-text("Why this")');
  assert.match((await page.textContent('h1')) ?? '', new RegExp(id));
  assert.match((await page.textContent('[data-testid=verdict]')) ?? '', new RegExp(backend));
  const reasons = (await page.locator('table').first().textContent()) ?? '';
  for (const sim of product.sims) assert.match(reasons, new RegExp(sim.id));
  await page.reload();
  await page.waitForSelector('h2:has-text("Why this")');
});

test('rows stay where they are while the pointer is on them, and what is new is counted', async () => {
  const own = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  await listen(own, complaints);
  await own.addCookies(await context.cookies());
  const tab = await own.newPage();
  const say = await speakFor(tab);
  await openLive(tab, '/requests');
  const first = tab.locator('tbody tr').first();
  const topIs = (id: string) => tab.waitForSelector(`tbody tr:first-child[data-key^="${id}"]`);
  await first.hover();
  const before = await first.getAttribute('data-key');
  const { id } = await ask();
  await tab.waitForSelector('button:has-text("1 new")');
  assert.equal(await first.getAttribute('data-key'), before);
  const reread = tab.waitForResponse(/\/api\/v1\/decisions\?/);
  say({ update_type: 'Resync', data: {} });
  await (await reread).finished();
  const { id: next } = await ask();
  await tab.waitForSelector('button:has-text("2 new")');
  assert.equal(await first.getAttribute('data-key'), before, 'a list that is read again stays too');
  await tab.hover('h1');
  await topIs(next);
  assert.equal(await tab.locator(`tr[data-key^="${id}"]`).count(), 1);
  await tab.click('button:text-is("Pause")');
  const { id: last } = await ask();
  await tab.click('button:has-text("1 new")');
  await topIs(last);
  await own.close();
});

test('draining asks first with numbers, then moves the traffic, and can be undone', async () => {
  await open(page, '/fleet?peek=sim-a');
  await page.click('button:has-text("Drain…")');
  const dialog = page.locator('[role=alertdialog]');
  await dialog.locator('text=on other backends too').waitFor();
  await dialog.locator('button:focus:has-text("Cancel")').waitFor();
  await dialog.locator('button:has-text("Drain sim-a")').click();
  // It closes when every gateway thread knows.
  await dialog.waitFor({ state: 'detached' });
  await page.waitForSelector('tr[data-key="sim-a"]:has-text("Draining")');
  for (let i = 0; i < 3; i += 1) assert.equal((await ask()).backend, 'sim-b');
  await page.click('button:has-text("Resume")');
  await page.waitForSelector('tr[data-key="sim-a"]:has-text("Healthy")');
});

test('a new key shows its secret once, works, and a hostile name stays text', async () => {
  await open(page, '/access/keys');
  await page.click('text=Create key…');
  await page.fill('input[name=name]', hostileName);
  await page.click('button[type=submit]');
  await page.waitForSelector('text=is shown only now');
  const secret = (await page.textContent('section code')) ?? '';
  assert.match(secret, /^tfk_/);
  const models = await fetch(`${product.url}/v1/models`, {
    headers: { authorization: `Bearer ${secret}` },
  });
  assert.equal(models.status, 200);
  await models.arrayBuffer();
  await page.click('text=I have kept it');
  await page.waitForSelector('text=is shown only now', { state: 'detached' });
  await page.waitForSelector(`th:has-text("<img src=x")`);
  assert.equal((await page.content()).includes(secret), false);
  assert.equal(await page.evaluate<unknown>('globalThis.hit ?? null'), null);
});

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [360, 1280]) {
    // The rules look at colours and at names: each theme and each width once is all that they can see.
    const isAudited = (width === 360) === (colorScheme === 'light');
    const what = isAudited ? ' or breaks an accessibility rule' : '';
    test(`at ${width} px in ${colorScheme} no page scrolls sideways${what}`, async () => {
      const cookies = await context.cookies();
      const own = await browser.newContext({ viewport: { width, height: 800 }, colorScheme });
      await listen(own, complaints);
      await own.addCookies(cookies);
      const tab = await own.newPage();
      for (const path of [...pages, '/fleet?peek=sim-a']) {
        await openLive(tab, path);
        assert.ok((await sidewaysPx(tab)) <= 0, `${path} is wider than its window`);
        if (!isAudited) continue;
        const { violations } = await new AxeBuilder({ page: tab }).analyze();
        const found = violations.map(({ id, nodes }) => `${path} ${id}: ${nodes[0]?.html}`);
        assert.deepEqual(found, []);
      }
      await own.close();
    });
  }
}

test('dark follows the system, and a choice of the person outlives a reload', async () => {
  await open(page, '/');
  const backgroundIs = (color: string) =>
    until(`the background is ${color}`, async () => {
      const script = 'getComputedStyle(document.documentElement).backgroundColor';
      return (await page.evaluate<string>(script)) === color;
    });
  await page.emulateMedia({ colorScheme: 'dark' });
  await backgroundIs('rgb(15, 18, 22)');
  await page.click('[aria-label^="Account"]');
  await page.click('[role=menuitemradio]:has-text("Light")');
  await backgroundIs('rgb(255, 255, 255)');
  await page.reload();
  await page.waitForSelector('[data-testid=verdict]');
  await backgroundIs('rgb(255, 255, 255)');
  await page.emulateMedia({ colorScheme: 'light' });
});

test('a browser whose language is no language tag still shows the charts', async () => {
  const own = await browser.newContext();
  await listen(own, complaints);
  await own.addCookies(await context.cookies());
  await own.addInitScript(
    "Object.defineProperty(Navigator.prototype, 'language', { get: () => 'en-US@posix', configurable: true })",
  );
  const tab = await own.newPage();
  await open(tab, '/');
  await tab.waitForSelector('canvas');
  await own.close();
});

test('signing out ends the session for this page and for the way back', async () => {
  await page.click('[aria-label^="Account"]');
  await page.click('[role=menuitem]:has-text("Sign out")');
  await page.waitForSelector('input[name=key]');
  await page.goto(`${product.url}/fleet`);
  await page.waitForSelector('input[name=key]');
  await signIn(page, product.adminKey);
});

test('the browser found nothing to complain about, the content security policy included', () => {
  assert.deepEqual(complaints, []);
});

test('when the control plane dies, the last data stays with its age', async () => {
  await openLive(page, '/fleet');
  await page.waitForSelector('tr[data-key="sim-a"]');
  await product.kill();
  await page.waitForSelector('[data-testid=freshness]:has-text("Reconnecting, data of")');
  assert.equal(await page.locator('tr[data-key="sim-a"]').count(), 1);
});
