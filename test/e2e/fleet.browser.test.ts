// Goal: a person finds out which backend takes no requests and why, and changes it, in a real browser,
// against the real product. Method: one `tensorforge up` with two simulated engines and one Chromium;
// what takes a day or a hostile network to come about (outages, found backends, readings that are too
// old, operations that fail) is told by the browser's own interception, in the server's wire shapes.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import OpenAI from 'openai';
import type { Browser, BrowserContext, Page, Request } from 'playwright-core';
import type { BackendExplainWire, BackendViewWire } from '../../src/protocol/control/schemas.ts';
import { listen, sidewaysPx, signIn, startBrowser } from '../support/browser.ts';
import { type Product, startProduct } from '../support/product.ts';

const hostile = `<img src=x onerror="globalThis.hit=1">\u202e${'x'.repeat(900)}`;

let product: Product;
let browser: Browser;
let context: BrowserContext;
let page: Page;
const complaints: string[] = [];

async function open(on: Page, path: string): Promise<void> {
  await on.goto(product.url + path);
  await on.waitForSelector('[data-testid=verdict]');
}

async function read<Answer>(path: string): Promise<Answer> {
  const { status, body } = await product.json(path);
  assert.equal(status, 200, path);
  return body as Answer;
}

async function violations(on: Page): Promise<readonly string[]> {
  const { violations: found } = await new AxeBuilder({ page: on }).analyze();
  return found.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

const focused = (on: Page) => on.evaluate<string>('document.activeElement.textContent');
const agoAt = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString();

type Story = {
  readonly backends: readonly BackendViewWire[];
  readonly explain?: Partial<BackendExplainWire>;
  readonly operations?: readonly unknown[];
  readonly recommendations?: Readonly<Record<string, unknown>>;
};

/** A tab that is told this story of the fleet; what it asks the server to do is written down. */
async function tabOf(story: Story, viewport = { width: 1280, height: 900 }) {
  const own = await browser.newContext({ locale: 'en-US', viewport });
  await listen(own, complaints);
  await own.addCookies(await context.cookies());
  const asked: Request[] = [];
  const tab = await own.newPage();
  tab.setDefaultTimeout(60_000);
  const { backends } = story;
  await tab.routeWebSocket('**/ws', () => undefined);
  await tab.route('**/api/v1/**', (route) => {
    const request = route.request();
    const { pathname } = new URL(request.url());
    if (request.method() !== 'GET') {
      asked.push(request);
      return route.fulfill({ json: { status: 'completed' } });
    }
    const explained = /^\/api\/v1\/backends\/(.+)\/explain$/.exec(pathname)?.[1];
    const backend = backends.find(({ id }) => id === explained);
    if (backend !== undefined) return route.fulfill({ json: explanation(backend, story.explain) });
    if (pathname === '/api/v1/backends') {
      const summary = `${backends.filter(({ routable }) => routable).length} of ${backends.length}`;
      return route.fulfill({ json: { count: backends.length, summary, backends } });
    }
    if (pathname === '/api/v1/operations') {
      const operations = story.operations ?? [];
      return route.fulfill({ json: { count: operations.length, operations } });
    }
    if (pathname === '/api/v1/recommendations') {
      const none = { recommendations: [], fleet_enabled: false, generated_at: agoAt(1) };
      return route.fulfill({ json: story.recommendations ?? none });
    }
    return route.continue();
  });
  return { tab, asked, close: () => own.close() };
}

function explanation(
  backend: BackendViewWire,
  more: Partial<BackendExplainWire> = {},
): BackendExplainWire {
  return {
    backend,
    verdict: backend.status_words,
    gates: [],
    next_probe_at: agoAt(-41),
    probe_words: '9 failed in a row, next probe in 41 s',
    failures_in_row: 9,
    successes_in_row: 0,
    recovery_needed: 2,
    probes: [],
    history: [],
    models: [],
    last_load: null,
    load_max_age_ms: 15_000,
    ...more,
  };
}

/** The first engine as the product tells it, with other facts. */
async function told(more: Partial<BackendViewWire>): Promise<BackendViewWire> {
  const backend = await read<BackendViewWire>('/api/v1/backends/sim-a');
  return { ...backend, ...more };
}

function modelsOf(ids: readonly string[]): BackendViewWire['models'] {
  return ids.map((id) => ({
    id,
    name: id,
    context_length: 32_768,
    supports_vision: false,
    supports_tools: true,
    supports_json_mode: false,
    max_output_tokens: null,
  }));
}

const out = {
  id: 'box-2',
  name: 'box-2',
  status: 'unhealthy',
  routable: false,
  status_words: 'Takes no requests for 4 m: connection refused.',
  last_error: 'connection refused',
  simulated: false,
} as const;

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
  page.setDefaultTimeout(60_000);
  await page.goto(product.url);
  await signIn(page, product.adminKey);
});

after(async () => {
  await browser?.close();
  await product?.stop();
});

test('keys lead to Fleet, into its filter, along its rows, beside them and into one', async () => {
  await page.keyboard.press('g');
  await page.keyboard.press('f');
  await page.waitForURL((url) => url.pathname === '/fleet');
  await page.waitForSelector('tr[data-key="sim-b"]');
  await page.keyboard.press('/');
  await page.keyboard.type('type:vllm -name:sim-b');
  await page.waitForURL(/text=type/);
  await page.waitForSelector('tr[data-key="sim-b"]', { state: 'detached' });
  await page.keyboard.press('Escape');
  await page.goto(`${product.url}/fleet`);
  await page.waitForSelector('tr[data-key="sim-b"]');
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  assert.equal(await focused(page), 'sim-b');
  await page.keyboard.press('k');
  await page.keyboard.press(' ');
  await page.waitForURL(/peek=sim-a/);
  await page.waitForSelector('aside[aria-label="Backend sim-a"]');
  assert.equal(await focused(page), 'sim-a');
  await page.keyboard.press('Escape');
  await page.waitForSelector('aside', { state: 'detached' });
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.pathname === '/fleet/sim-a');
});

test('filters are in the address, and one that hides everything says so and clears', async () => {
  await open(page, '/fleet?state=!ok&text=sim');
  await page.waitForSelector('text=No backend matches “takes none” and “sim”. 2 backends');
  assert.equal(await page.inputValue('input[type=search]'), 'sim');
  await page.click('text=Clear filter');
  await page.waitForSelector('tr[data-key="sim-a"]');
  await open(page, '/fleet?state=purple');
  await page.waitForSelector('text=There is no filter “purple”');
});

test('the second view shows each model on each backend with its context', async () => {
  await open(page, '/fleet');
  await page.click('nav[aria-label=View] >> text=Models');
  await page.waitForURL(/view=models/);
  const row = page.locator('tr[data-key="sim-model"]');
  assert.match((await row.textContent()) ?? '', /2 of 2/);
  assert.equal(await row.locator('svg').count(), 2);
  await page.click('thead >> text=sim-b');
  await page.waitForURL((url) => url.pathname === '/fleet/sim-b');
});

test('the page of a backend says what the API says: verdict, gates, day, probes, models', async () => {
  const { verdict, gates } = await read<BackendExplainWire>('/api/v1/backends/sim-a/explain');
  await open(page, '/fleet/sim-a');
  const said = (await page.textContent('[data-testid=verdict]')) ?? '';
  const timeless = (words: string) => words.replaceAll(/\d+ \w+/g, 'n');
  assert.equal(timeless(said), timeless(verdict));
  assert.match(await page.title(), /^● sim-a · Fleet · TensorForge$/);
  const names = await page.locator('section[aria-label=Gates] tbody th').allTextContents();
  assert.deepEqual(
    names,
    gates.map(({ name }) => name),
  );
  await page.waitForSelector('[data-testid=ribbon-words]:has-text("Healthy")');
  await page.click('text=Show as table');
  await page.waitForSelector('section[aria-label^="States of the last 24 h"] tbody tr');
  await page.waitForSelector('section[aria-label=Probes] td:has-text("Good")');
  await page.waitForSelector('section[aria-label=Models] th:has-text("sim-model")');
});

test('its last requests are one step away, and only its own', async () => {
  const client = new OpenAI({ apiKey: product.adminKey, baseURL: `${product.url}/v1` });
  const messages = [{ role: 'user' as const, content: 'Say hello.' }];
  for (let n = 0; n < 6; n += 1) {
    await client.chat.completions.create({ model: 'sim-model', messages, max_tokens: 4 });
  }
  await open(page, '/fleet/sim-b');
  await page.click('text=Its last requests');
  await page.waitForURL(/\/requests\?backend=sim-b/);
  await page.waitForSelector('text=only sim-b');
  const other = page.locator('tbody tr:has-text("sim-a")');
  assert.equal(await other.count(), 0);
});

test('draining on the page asks with numbers, changes the verdict and the day, and is undone', async () => {
  await open(page, '/fleet/sim-a');
  await page.click('button:has-text("Drain…")');
  const dialog = page.locator('[role=alertdialog]');
  assert.match((await dialog.textContent()) ?? '', /on other backends too/);
  await dialog.getByRole('button', { name: 'Drain sim-a' }).click();
  await page.waitForSelector('[data-testid=verdict]:has-text("Draining")');
  await page.waitForSelector('[data-testid=ribbon-words]:has-text("Draining")');
  await page.click('button:has-text("Resume")');
  await page.waitForSelector('[data-testid=verdict]:has-text("Takes requests")');
});

test('an operation that the engine cannot do is refused in the dialog, and nothing changed', async () => {
  await open(page, '/fleet/sim-a');
  await page.click('button:has-text("Load a model…")');
  const dialog = page.locator('[role=dialog]');
  const load = dialog.getByRole('button', { name: /^Load/ });
  assert.equal(await load.getAttribute('aria-disabled'), 'true');
  await dialog.getByLabel('Model').fill('llama3:8b');
  await dialog
    .locator('[data-testid=effect]:has-text("No other backend serves llama3:8b")')
    .waitFor();
  await load.click();
  await dialog.locator('[role=alert] summary:has-text("not_implemented")').waitFor();
  assert.deepEqual(await violations(page), []);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
});

test('a backend that is gone is named as gone', async () => {
  await page.goto(`${product.url}/fleet/no-such`);
  await page.waitForSelector('[role=alert] >> text=backend_not_found');
  await page.goto(`${product.url}/fleet?peek=no-such`);
  await page.waitForSelector('text=There is no backend “no-such”');
});

test('without backends:write the actions stay visible and say what is missing', async () => {
  const { body } = await product.json('/api/v1/keys', {
    method: 'POST',
    body: JSON.stringify({ name: 'reader', permissions: ['backends:read'] }),
  });
  const own = await browser.newContext({ locale: 'en-US' });
  const tab = await own.newPage();
  await tab.goto(`${product.url}/fleet/sim-a`);
  await signIn(tab, (body as { readonly secret: string }).secret);
  for (const [name, permission] of [
    ['Drain…', 'backends:write'],
    ['Load a model…', 'models:operate'],
  ] as const) {
    const button = tab.getByRole('button', { name, exact: true });
    assert.match((await button.getAttribute('title')) ?? '', new RegExp(permission));
    await button.click({ force: true });
  }
  assert.equal(await tab.locator('[role=dialog], [role=alertdialog]').count(), 0);
  await own.close();
});

test('found backends stand on top with where they were found, and approving acts at once', async () => {
  const found = await Promise.all(
    ['a', 'b', 'c', 'd', 'e'].map((id) =>
      told({
        id: `den-${id}`,
        name: `den-${id}`,
        approved: false,
        routable: false,
        status: 'unknown',
        status_reason: 'pending_approval',
        discovery_source: 'mdns',
        metadata: { mdns_instance: hostile },
      }),
    ),
  );
  const { tab, asked, close } = await tabOf({ backends: [...found, await told({})] });
  await open(tab, '/fleet');
  const group = tab.locator('section[aria-label="Wait for approval"]');
  assert.match((await group.textContent()) ?? '', /5 found backends wait.*Announced itself/s);
  assert.equal(await group.locator('li').count(), 3);
  await group.getByRole('button', { name: 'Show 2 more' }).click();
  assert.equal(await group.locator('li').count(), 5);
  assert.equal(await tab.locator('table tr[data-key^="den-"]').count(), 0);
  await group.getByRole('button', { name: 'Approve den-a' }).click();
  await tab.waitForSelector('[role=status]:has-text("den-a is approved")');
  assert.match(asked[0]?.url() ?? '', /backends\/den-a\/approve$/);
  assert.equal(await tab.evaluate<unknown>('globalThis.hit ?? null'), null);
  assert.ok((await sidewaysPx(tab)) <= 0);
  await close();
});

test('a backend that is out says why, what it means, and strikes out what is too old', async () => {
  const models = modelsOf(['llama3:70b', 'sim-model']);
  // The server no longer counts what this engine told five minutes ago.
  const box = await told({ ...out, load: null, models });
  const reading = { running: 2, waiting: 1, kv_use: 0.5, read_at: agoAt(300) };
  const explain = {
    last_load: reading,
    history: [
      { from: agoAt(7200), to: agoAt(240), status: 'healthy', reason: null, words: '' },
      { from: agoAt(240), to: null, status: 'unhealthy', reason: null, words: 'refused <b>' },
    ],
    gates: [
      {
        name: 'health',
        state: 'closed',
        words: 'connection refused',
        since: agoAt(240),
        remedy: 'tensorforge backends probe box-2',
      },
    ],
  } satisfies Partial<BackendExplainWire>;
  const { tab, close } = await tabOf({ backends: [box, await told({})], explain });
  await open(tab, '/fleet?state=!ok&peek=box-2');
  await tab.waitForSelector('[data-testid=probe-words]:has-text("9 failed in a row, next probe")');
  await tab.waitForSelector('[data-testid=effect-words]:has-text("llama3:70b is nowhere else")');
  await tab.waitForSelector('aside li:has-text("health closed")');
  await tab.click('aside >> text=Open page');
  await tab.waitForSelector('s:has-text("50")');
  assert.match(
    (await tab.textContent('section[aria-label=Figures]')) ?? '',
    /5.m [^,]*old, at most 15/,
  );
  await tab.waitForSelector('section[aria-label=Gates] code:has-text("backends probe box-2")');
  await tab.locator('[role=slider]').focus();
  await tab.keyboard.press('Home');
  await tab.waitForSelector('[data-testid=ribbon-words]:has-text("Healthy")');
  await tab.keyboard.press('ArrowRight');
  await tab.waitForSelector('[data-testid=ribbon-words]:has-text("Unhealthy, refused <b>")');
  await close();
});

test('operations on models tell their progress and their failure, and send what they say', async () => {
  const operation = {
    operation_id: 'op-1',
    operation_type: 'load',
    model_id: 'llama3:8b',
    source_backend_id: null,
    target_backend_id: 'sim-a',
    status: 'in_progress',
    progress_percent: 40,
    eta_ms: 12_000,
    initiated_at: agoAt(20),
    completed_at: null,
    error_details: null,
  } satisfies NonNullable<BackendViewWire['current_operation']>;
  const failed = {
    ...operation,
    operation_id: 'op-0',
    status: 'failed',
    completed_at: agoAt(1),
    error_details: 'not loaded within 300 s',
  };
  const a = await told({
    models: modelsOf(['chat', 'llama3:8b']),
    loaded_models: ['chat'],
    closed_models: [{ id: 'llama3:8b', reason: 'loading' }],
    current_operation: operation,
  });
  const b = await told({ id: 'sim-b', name: 'sim-b' });
  const { tab, asked, close } = await tabOf({ backends: [a, b], operations: [operation, failed] });
  await open(tab, '/fleet/sim-a');
  await tab.waitForSelector('[data-testid=operation]:has-text("40")');
  await tab.waitForSelector('section[aria-label=Operations] >> text=not loaded within 300 s');
  await tab.click('button:text-is("Migrate…")');
  const dialog = tab.locator('[role=dialog]');
  await dialog.getByLabel('Model').selectOption('chat');
  await dialog.getByLabel('To').selectOption('sim-b');
  await dialog.locator('[data-testid=effect]:has-text("until sim-b has it in memory")').waitFor();
  await dialog.getByRole('button', { name: 'Migrate chat' }).click();
  await tab.waitForSelector('[role=status]:has-text("chat is being migrated")');
  await tab.click('button:text-is("Unload…")');
  await dialog.getByLabel('Model').selectOption('chat');
  await dialog.getByRole('button', { name: 'Unload chat' }).click();
  await tab.waitForSelector('[role=status]:has-text("chat is unloaded")');
  assert.deepEqual(asked[0]?.postDataJSON(), {
    operation_type: 'migrate',
    model_id: 'chat',
    source_backend_id: 'sim-a',
    target_backend_id: 'sim-b',
  });
  assert.deepEqual(asked[1]?.postDataJSON(), {
    operation_type: 'unload',
    model_id: 'chat',
    backend_id: 'sim-a',
    drain: true,
  });
  await close();
});

test('advice names model, reason and numbers, and loads only after a question', async () => {
  const advice = {
    recommendation_id: 'rec-1',
    model_id: 'llama3:8b',
    target_backend_ids: ['sim-a'],
    confidence_score: 0.82,
    reasoning: 'is asked 4.1 times as often at 09:00 UTC.',
    vram_required_bytes: 2 ** 32,
    generated_at: agoAt(60),
    expires_at: agoAt(-3000),
  };
  const recommendations = {
    recommendations: [advice],
    fleet_enabled: true,
    generated_at: agoAt(60),
  };
  const { tab, asked, close } = await tabOf({ backends: [await told({})], recommendations });
  await open(tab, '/fleet');
  const panel = tab.locator('section[aria-label=Recommendations]');
  assert.match((await panel.textContent()) ?? '', /llama3:8b.*4\.1 times.*82.%.*4.GiB/s);
  await panel.getByRole('button', { name: 'Load on sim-a…' }).click();
  assert.equal(asked.length, 0);
  await tab.getByRole('button', { name: 'Load llama3:8b' }).click();
  await tab.waitForSelector('[role=status]:has-text("llama3:8b is being loaded")');
  assert.equal(asked[0]?.postDataJSON().backend_id, 'sim-a');
  await close();
});

test('names of a thousand characters and markup stay text, and nothing is wider than its window', async () => {
  const evil = await told({
    name: hostile,
    models: modelsOf([hostile]),
    zone: 'open',
    status_words: hostile,
    last_error: hostile,
  });
  const size = { width: 360, height: 800 };
  const { tab, close } = await tabOf({ backends: [evil] }, size);
  for (const path of ['/fleet', '/fleet?peek=sim-a', '/fleet?view=models', '/fleet/sim-a']) {
    await open(tab, path);
    assert.ok((await sidewaysPx(tab)) <= 0, `${path} is wider than its window`);
  }
  assert.equal(await tab.evaluate<unknown>('globalThis.hit ?? null'), null);
  await close();
});

test('when the server stops telling why, the last data stays with its time', async () => {
  const { tab, close } = await tabOf({ backends: [await told({})] });
  await open(tab, '/fleet/sim-a');
  await tab.route('**/explain', (route) =>
    route.fulfill({ status: 500, json: { msg: 'No.', code: 'internal_error' } }),
  );
  await tab.waitForSelector('[role=alert] >> text=internal_error');
  await tab.waitForSelector('text=/^As of /');
  assert.equal(await tab.locator('[data-testid=verdict]').count(), 1);
  await close();
});

for (const [width, colorScheme, paths] of [
  [360, 'dark', ['/fleet/sim-a']],
  [1280, 'light', ['/fleet?view=models', '/fleet/sim-a']],
] as const) {
  test(`at ${width} px in ${colorScheme} the pages of the fleet break no accessibility rule`, async () => {
    const own = await browser.newContext({ viewport: { width, height: 800 }, colorScheme });
    await listen(own, complaints);
    await own.addCookies(await context.cookies());
    const tab = await own.newPage();
    for (const path of paths) {
      await open(tab, path);
      await tab.waitForSelector('[data-testid=freshness]:has-text("Live")');
      assert.ok((await sidewaysPx(tab)) <= 0, `${path} is wider than its window`);
      assert.deepEqual(await violations(tab), [], path);
    }
    await own.close();
  });
}

test('the browser found nothing to complain about but refusals that were asked for', () => {
  const asked = /status of (403|404|500|501)/;
  assert.deepEqual(
    complaints.filter((text) => !asked.test(text)),
    [],
  );
});
