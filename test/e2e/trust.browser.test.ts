// Goal: mode, audit and replay can be judged and changed by a person, in a real browser, against the
// real product. Method: one `tensorforge up` with two simulated engines, one Chromium, requests
// through the official client; only a broken trail and a silent server are played by the browser's
// own interception, since the product takes care that neither happens.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import OpenAI from 'openai';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { listen, sidewaysPx, signIn, startBrowser } from '../support/browser.ts';
import { type Product, startProduct } from '../support/product.ts';

const pages = ['/policy', '/replay', '/audit', '/usage'] as const;

let product: Product;
let browser: Browser;
let context: BrowserContext;
let page: Page;
const complaints: string[] = [];

/** Sends one request; returns its id. */
async function ask(): Promise<string> {
  const client = new OpenAI({
    apiKey: product.adminKey,
    baseURL: `${product.url}/v1`,
    maxRetries: 0,
  });
  const { response } = await client.chat.completions
    .create({
      model: 'sim-model',
      messages: [{ role: 'user', content: 'Say hello.' }],
      max_tokens: 8,
    })
    .withResponse();
  return response.headers.get('x-request-id') ?? '';
}

async function open(on: Page, path: string): Promise<void> {
  await on.goto(product.url + path);
  await on.waitForSelector('[data-testid=verdict]');
}

async function violations(on: Page): Promise<readonly string[]> {
  const { violations: found } = await new AxeBuilder({ page: on }).analyze();
  return found.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

/** A signed-in tab of its own, with the rights of this key. */
async function tabOf(key: string): Promise<{ readonly tab: Page; readonly close: () => unknown }> {
  const own = await browser.newContext({ locale: 'en-US' });
  const tab = await own.newPage();
  await tab.goto(`${product.url}/policy`);
  await signIn(tab, key);
  return { tab, close: () => own.close() };
}

async function runReplay(on: Page): Promise<string> {
  await on.click('text=Run replay');
  await on.waitForURL(/[?&]id=/);
  await on.waitForSelector('dt:has-text("Decided again")');
  await on.waitForSelector('tr[data-selected]:has-text("done")');
  // The list and the report are asked for each on its own.
  await on.waitForSelector('[data-testid=verdict]:not(:has-text("Running"))');
  return (await on.textContent('[data-testid=verdict]')) ?? '';
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
  await page.goto(product.url);
  await signIn(page, product.adminKey);
  // From then on the frame of the pages listens, to the keyboard too.
  await page.waitForSelector('[data-testid=freshness]:has-text("Live")');
});

after(async () => {
  await browser?.close();
  await product?.stop();
});

test('g and a letter lead to the three pages, unless the keys are switched off', async () => {
  for (const [key, path] of [
    ['y', '/policy'],
    ['e', '/replay'],
    ['a', '/audit'],
  ] as const) {
    await page.keyboard.press('g');
    await page.keyboard.press(key);
    await page.waitForURL((url) => url.pathname === path);
  }
  await page.click('[aria-label^="Account"]');
  await page.click('[role=menuitemcheckbox]');
  await page.waitForSelector('[role=menu]', { state: 'detached' });
  await page.keyboard.press('g');
  await page.keyboard.press('y');
  assert.equal(new URL(page.url()).pathname, '/audit');
  await page.click('[aria-label^="Account"]');
  await page.click('[role=menuitemcheckbox]');
  await page.waitForSelector('[role=menu]', { state: 'detached' });
});

test('Policy says the mode in the words of the API, with its ladder, burn rates and effects', async () => {
  await open(page, '/policy');
  await page
    .getByTestId('verdict')
    .filter({ hasText: /normal/i })
    .waitFor();
  await page.waitForSelector('li[data-mode=normal][aria-current=step]');
  assert.equal(await page.locator('li[data-mode]').count(), 4);
  await page.waitForSelector('[data-testid=gates-now]:has-text("nothing is held back")');
  await page.waitForSelector('canvas');
  await page.waitForSelector('td:has-text("14.4×")');
  await page.waitForSelector('th:has-text("normal (now)")');
});

test('a pin says what it changes, wants a reason, acts, and is in history and trail', async () => {
  await open(page, '/policy');
  await page.click('text=Pin level…');
  const dialog = page.locator('[role=dialog]');
  await dialog.getByText('watch', { exact: true }).click();
  assert.match((await dialog.getByTestId('mode-change').textContent()) ?? '', /Retries: 3 → 2/);
  const pin = dialog.getByRole('button', { name: 'Pin watch' });
  assert.equal(await pin.getAttribute('aria-disabled'), 'true');
  await dialog.getByLabel('Reason').fill('racks <b>move</b>');
  await pin.click();
  await page.waitForSelector('li[data-mode=watch][aria-current=step]');
  await page.waitForSelector('[role=status]:has-text("racks <b>move</b>")');
  await page.reload();
  const row = page.locator('section:has(h2:text-is("History")) tbody tr').first();
  await row.filter({ hasText: /pinned.*racks <b>move<\/b>/ }).waitFor();
  await row.locator('a').click();
  await page.waitForSelector('aside h2:has-text("mode_pinned")');
});

test('halting wants its word typed, and can be left by Cancel', async () => {
  await open(page, '/policy');
  await page.click('text=Pin level…');
  const dialog = page.locator('[role=dialog]');
  await dialog.locator('button:focus:has-text("Cancel")').waitFor();
  await dialog.getByText('halted', { exact: true }).click();
  await dialog.getByLabel('Reason').fill('fire');
  const pin = dialog.getByRole('button', { name: 'Pin halted' });
  assert.equal(await pin.getAttribute('aria-disabled'), 'true');
  await dialog.getByLabel('Type halted to confirm').fill('halted');
  assert.equal(await pin.getAttribute('aria-disabled'), null);
  assert.deepEqual(await violations(page), []);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.waitForSelector('li[data-mode=watch][aria-current=step]');
});

test('lifting the pin wants a reason and gives the ladder its mode back', async () => {
  await page.click('text=Lift the pin…');
  const dialog = page.locator('[role=dialog]');
  assert.match((await dialog.getByTestId('mode-change').textContent()) ?? '', /Retries: 2 → 3/);
  await dialog.getByLabel('Reason').fill('racks stand');
  await dialog.getByRole('button', { name: 'Lift the pin' }).click();
  await page.waitForSelector('li[data-mode=normal][aria-current=step]');
});

test('without policy:write the pin stays visible and says what is missing', async () => {
  const { body } = await product.json('/api/v1/keys', {
    method: 'POST',
    body: JSON.stringify({ name: 'reader', permissions: ['policy:read'] }),
  });
  const secret = (body as { readonly secret: string }).secret;
  const { tab, close } = await tabOf(secret);
  const button = tab.locator('button[title*="Needs the permission policy:write"]');
  await button.filter({ hasText: 'Pin level…' }).waitFor();
  await button.click({ force: true });
  assert.equal(await tab.locator('[role=dialog]').count(), 0);
  await tab.goto(`${product.url}/audit`);
  await tab.waitForSelector('[role=alert] >> text=permission_denied');
  await close();
});

test('Verify reads the trail and says how far it is whole', async () => {
  await open(page, '/audit');
  assert.match((await page.textContent('[data-testid=verdict]')) ?? '', /^Not verified/);
  await page.getByRole('button', { name: 'Verify' }).click();
  await page.waitForSelector('[data-testid=verdict]:has-text("whole")');
  await page.waitForSelector('summary:has-text("streams")');
});

test('events are filtered in the address and stand still while they are read', async () => {
  const list = page.locator('section[aria-label=Events]');
  const rows = list.locator('tbody tr[data-key]');
  await list.getByLabel('Stream').selectOption('policy');
  await page.waitForURL(/stream=policy/);
  const others = list.locator('tbody tr[data-key]:not([data-key^="policy/"])');
  await others.first().waitFor({ state: 'detached' });
  await rows.first().hover();
  const first = await rows.first().getAttribute('data-key');
  const pin = { mode: 'normal', reason: 'look', expires_in_seconds: 60 };
  await product.json('/api/v1/policy/pin', { method: 'PUT', body: JSON.stringify(pin) });
  await list.locator('button:has-text("1 new")').waitFor();
  assert.equal(await rows.first().getAttribute('data-key'), first);
  await product.json('/api/v1/policy/pin?reason=done', { method: 'DELETE' });
  await page.goto(`${product.url}/audit?range=ever`);
  await page.waitForSelector('text=There is no window “ever”');
});

test('the export is downloaded with the session and ends with its manifest', async () => {
  await open(page, '/audit');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: /^Export/ }).click(),
  ]);
  const lines = (await readFile(await download.path(), 'utf8')).trim().split('\n');
  assert.match(lines.at(-1) ?? '', /"manifest"/);
  assert.ok(lines.some((line) => line.includes('mode_pinned')));
});

test('a broken trail is told with each place, and nothing can be exported', async () => {
  const fault = {
    where: 'events',
    name: 'policy',
    sequence: 12,
    offset: null,
    reason: 'the hash does not continue the event before',
    expected: 'ab'.repeat(32),
    found: 'cd'.repeat(32),
  };
  const report = {
    at: new Date().toISOString(),
    whole: false,
    words: 'Stream policy breaks at sequence 12.',
    streams: [{ stream: 'policy', sequence: 20, hash: 'ab'.repeat(32) }],
    events: 20,
    digests: 1,
    segments: 0,
    records: 0,
    faults: [fault],
  };
  await page.route('**/api/v1/audit/verify', (route) => route.fulfill({ json: report }));
  await page.getByRole('button', { name: 'Verify' }).click();
  await page.waitForSelector('[data-testid=verdict]:has-text("breaks at sequence 12")');
  await page.waitForSelector('th:has-text("stream policy, sequence 12")');
  await page.waitForSelector('button[aria-disabled=true]:has-text("Export")');
  assert.deepEqual(await violations(page), []);
  await page.unroute('**/api/v1/audit/verify');
});

test('a replay of what just ran finds no difference', async () => {
  for (let n = 0; n < 6; n += 1) await ask();
  await open(page, '/replay');
  const words = await runReplay(page);
  assert.match(words, /0 differ/);
  assert.equal(await page.getByText('CERTAIN', { exact: true }).count(), 0);
});

test('a candidate is compared in three kinds of answer that stay apart', async () => {
  await open(page, '/replay');
  await page.getByLabel('Candidate policy').fill('{"routing": {"strategy": "priority_only"}}');
  await runReplay(page);
  for (const word of ['CERTAIN', 'ESTIMATED', 'SIMULATED']) {
    await page.waitForSelector(`section[aria-label=${word}]`);
  }
  await page.waitForSelector('text=Both columns add up');
  const address = page.url();
  await page.goto(`${product.url}/`);
  await page.goto(address);
  await page.waitForSelector('section[aria-label=CERTAIN]');
});

test('a faulty candidate is refused whole, with every fault', async () => {
  await open(page, '/replay');
  await page.getByLabel('Candidate policy').fill('routing: x');
  await page.waitForSelector('text=This is no JSON');
  const candidate = '{"routing": {"strategy": "best", "max_retries": 99}}';
  await page.getByLabel('Candidate policy').fill(candidate);
  await page.click('text=Run replay');
  await page.waitForSelector('[role=alert] >> text=policy_invalid');
  const details = (await page.textContent('[role=alert]')) ?? '';
  assert.match(details, /strategy/);
  assert.match(details, /max_retries/);
});

test('a request tells its record, and deciding it again gives the same', async () => {
  const id = await ask();
  await open(page, `/requests/${id}`);
  await page.waitForSelector('dt:has-text("Snapshot")');
  await page.waitForSelector('dt:has-text("Admission")');
  await page.waitForSelector('text=Made again from its record: the same.');
  await page.getByRole('button', { name: 'Re-decide', exact: true }).click();
  await page.waitForSelector('[data-testid=redecided]:has-text("Same")');
});

test('Usage says who used what, by what the address asks, and that it has no price', async () => {
  await ask();
  await open(page, '/usage?by=backend&range=24h');
  await page.waitForSelector('[data-testid=verdict]:has-text("no budget is set")');
  await page.waitForSelector('th[scope=row]:has-text("sim-")');
  await page.waitForSelector('td:has-text("unpriced")');
  await page.click('nav[aria-label=Rows] >> text=by model');
  await page.waitForURL(/by=model/);
  await page.waitForSelector('th[scope=row]:has-text("sim-model")');
  await page.click('summary');
  await page.waitForSelector('details[open] table');
});

for (const [width, colorScheme] of [
  [360, 'light'],
  [1280, 'dark'],
] as const) {
  test(`at ${width} px in ${colorScheme} no page of trust scrolls sideways or breaks an accessibility rule`, async () => {
    const own = await browser.newContext({ viewport: { width, height: 800 }, colorScheme });
    await listen(own, complaints);
    await own.addCookies(await context.cookies());
    const tab = await own.newPage();
    for (const path of pages) {
      await open(tab, path);
      if (path === '/policy') await tab.waitForSelector('canvas');
      if (path === '/audit' || path === '/usage') await tab.waitForSelector('tbody tr:visible');
      assert.ok((await sidewaysPx(tab)) <= 0, `${path} is wider than its window`);
      assert.deepEqual(await violations(tab), [], path);
    }
    await own.close();
  });
}

test('on a small screen the pages of trust are under More', async () => {
  const own = await browser.newContext({ viewport: { width: 360, height: 800 } });
  await own.addCookies(await context.cookies());
  const tab = await own.newPage();
  await open(tab, '/');
  await tab.click('nav >> text=More');
  await tab.click('[role=menuitem]:has-text("Audit")');
  await tab.waitForURL((url) => url.pathname === '/audit');
  await own.close();
});

test('the browser found nothing to complain about but refusals that were asked for', () => {
  const asked = /status of (403|422|400)/;
  assert.deepEqual(
    complaints.filter((text) => !asked.test(text)),
    [],
  );
});

test('when the server stops answering, the last data of Policy stays with its time', async () => {
  await open(page, '/policy');
  await page.waitForSelector('li[data-mode=normal][aria-current=step]');
  await page.route('**/api/v1/policy', (route) => route.fulfill({ status: 404, json: {} }));
  await page.waitForSelector('text=As of');
  assert.equal(await page.locator('li[data-mode]').count(), 4);
});
