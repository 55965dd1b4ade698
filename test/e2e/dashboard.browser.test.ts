// Goal: the dashboard works for a person, in a real browser, against the real product. Method: one
// `tensorforge up` with two simulated engines, one Chromium, requests through the official client;
// what the browser complains about anywhere is collected and fails the last check.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import OpenAI from 'openai';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { listen, sidewaysPx, signIn, startBrowser } from '../support/browser.ts';
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
    const row = page.locator(`tr[data-key="${id}"]`);
    await row.waitFor();
    const text = (await row.textContent()) ?? '';
    assert.match(text, /Healthy/);
    assert.match(text, /vllm/);
    assert.match(text, /sim-model/);
  }
  assert.match((await page.textContent('[data-testid=verdict]')) ?? '', /2 of 2/);
});

test('the numbers of Overview follow real requests without a reload', async () => {
  await open(page, '/');
  await page.waitForSelector('[data-testid=freshness]:has-text("Live")');
  await page.waitForSelector('canvas');
  await Promise.all(Array.from({ length: 6 }, ask));
  await page.waitForSelector('figure >> text=/: 6 requests finished, 0 of them failed/');
  await page.waitForSelector('dl >> text=/6 requests in/');
});

test('a finished request appears by itself, and its record says why this backend and why not another', async () => {
  await page.click('nav >> text=Requests');
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
  await open(page, '/requests');
  await page.waitForSelector('tbody tr');
  await page.hover('tbody tr >> nth=0');
  const before = await page.getAttribute('tbody tr >> nth=0', 'data-key');
  await ask();
  await page.waitForSelector('button:has-text("1 new")');
  assert.equal(await page.getAttribute('tbody tr >> nth=0', 'data-key'), before);
  await page.click('button:has-text("1 new")');
  assert.notEqual(await page.getAttribute('tbody tr >> nth=0', 'data-key'), before);
});

test('draining asks first with numbers, then moves the traffic, and can be undone', async () => {
  await open(page, '/fleet?peek=sim-a');
  await page.click('button:has-text("Drain…")');
  const dialog = page.locator('[role=alertdialog]');
  await dialog.waitFor();
  assert.match((await dialog.textContent()) ?? '', /on other backends too/);
  assert.equal(await page.evaluate<string>('document.activeElement.textContent'), 'Cancel');
  await dialog.locator('button:has-text("Drain sim-a")').click();
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
  await page.waitForSelector(`th:has-text("<img src=x")`);
  assert.equal((await page.content()).includes(secret), false);
  assert.equal(await page.evaluate<unknown>('globalThis.hit ?? null'), null);
});

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [360, 1280]) {
    test(`at ${width} px in ${colorScheme} no page scrolls sideways or breaks an accessibility rule`, async () => {
      const cookies = await context.cookies();
      const own = await browser.newContext({ viewport: { width, height: 800 }, colorScheme });
      await listen(own, complaints);
      await own.addCookies(cookies);
      const tab = await own.newPage();
      for (const path of [...pages, '/fleet?peek=sim-a']) {
        await open(tab, path);
        await tab.waitForSelector('[data-testid=freshness]:has-text("Live")');
        assert.ok((await sidewaysPx(tab)) <= 0, `${path} is wider than its window`);
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
  const background = () =>
    page.evaluate<string>('getComputedStyle(document.documentElement).backgroundColor');
  await page.emulateMedia({ colorScheme: 'dark' });
  assert.equal(await background(), 'rgb(15, 18, 22)');
  await page.click('[aria-label^="Account"]');
  await page.click('[role=menuitemradio]:has-text("Light")');
  assert.equal(await background(), 'rgb(255, 255, 255)');
  await page.reload();
  await page.waitForSelector('[data-testid=verdict]');
  assert.equal(await background(), 'rgb(255, 255, 255)');
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
  await open(page, '/fleet');
  await page.waitForSelector('tr[data-key="sim-a"]');
  await page.waitForSelector('[data-testid=freshness]:has-text("Live")');
  await product.kill();
  await page.waitForSelector('[data-testid=freshness]:has-text("Reconnecting, data of")');
  assert.equal(await page.locator('tr[data-key="sim-a"]').count(), 1);
});
