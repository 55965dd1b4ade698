// The control API through the front door: what each route asks of its caller, what its errors look
// like, its OpenAPI document, keys, sessions and what a page of another site cannot do. Numbers are
// those of the security catalogue.

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import { serviceCatalog } from '../../src/core/topology/service-catalog.ts';
import { faceOfPath } from '../../src/errors/faces.ts';
import { gatewayHealthSchema } from '../../src/protocol/control/schemas.ts';
import { matchDataPlane } from '../../src/services/gateway/http-routes.ts';
import { startSim } from '../../src/services/sim/sim-server.ts';
import { eventually, temporaryFolder } from '../support/postgres.ts';
import { type Product, startProduct } from '../support/product.ts';
import { ask, errorCodeOf, type RawAnswer } from '../support/raw-client.ts';

const home = temporaryFolder();
const controlBodyBytes = 65_536;
let product: Product;
let addresses = 0;

before(async () => {
  product = await startProduct({
    dataDirectory: home,
    arguments: ['--threads', '2', '--behind-tls-proxy'],
    config: { server: { control_body_bytes: controlBodyBytes } },
  });
});
after(async () => {
  await product.stop();
  rmSync(home, { recursive: true, force: true });
});

type Asked = {
  readonly key?: string;
  readonly cookie?: string;
  readonly origin?: string;
  readonly lines?: readonly string[];
  /** Text of a JSON body, or any with `type`. */
  readonly body?: string;
  readonly type?: string;
  readonly address?: string;
};

/** One request from an address of its own, since rejected credentials are counted by address. */
function request(method: string, target: string, asked: Asked = {}): Promise<RawAnswer> {
  addresses++;
  const { body, type = 'application/json' } = asked;
  const address = asked.address ?? `10.0.${addresses >> 8}.${addresses & 255}`;
  const lines = [
    `${method} ${target} HTTP/1.1`,
    'Host: 127.0.0.1',
    // The proxy in front of the product, which is what the test plays here, says who asks.
    `X-Forwarded-For: ${address}`,
    ...(asked.key === undefined ? [] : [`Authorization: Bearer ${asked.key}`]),
    ...(asked.cookie === undefined ? [] : [`Cookie: ${asked.cookie}`]),
    ...(asked.origin === undefined ? [] : [`Origin: ${asked.origin}`]),
    ...(body === undefined || type === '' ? [] : [`Content-Type: ${type}`]),
    ...(body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
    ...(asked.lines ?? []),
  ];
  return ask(product.port, `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`);
}

function asAdmin(method: string, target: string, body?: unknown): Promise<RawAnswer> {
  const text = body === undefined ? {} : { body: JSON.stringify(body) };
  return request(method, target, { key: product.adminKey, ...text });
}

function assertRefused(answer: RawAnswer, status: number, code: string, what = ''): void {
  const found = { status: answer.status, ...errorCodeOf(answer) };
  assert.deepEqual(found, { status, face: 'control', code }, `${what} ${answer.body}`);
}

function parsed<T>(schema: z.ZodType<T>, answer: RawAnswer): T {
  return schema.parse(JSON.parse(answer.body));
}

const messageOf = (answer: RawAnswer): string => parsed(z.object({ msg: z.string() }), answer).msg;

const operationSchema = z.looseObject({
  operationId: z.string(),
  summary: z.string(),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  parameters: z.array(z.looseObject({ name: z.string(), in: z.string() })).optional(),
  responses: z.record(z.string(), z.looseObject({})),
});
const documentSchema = z.looseObject({
  openapi: z.string(),
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
});

async function operations() {
  const answer = await asAdmin('GET', '/api/docs/openapi.json');
  assert.equal(answer.status, 200);
  const document = parsed(documentSchema, answer);
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      path,
      method: method.toUpperCase(),
      operation,
    })),
  );
}

describe('the OpenAPI document', () => {
  it('is OpenAPI 3.1, and every reference in it resolves', async () => {
    const answer = await asAdmin('GET', '/api/docs/openapi.json');
    const document: unknown = JSON.parse(answer.body);
    assert.equal(documentSchema.parse(document).openapi, '3.1.0');
    const references = [...answer.body.matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1]);
    assert.ok(references.length > 0);
    for (const reference of new Set(references)) {
      assert.ok(reference !== undefined);
      const [root, ...steps] = reference.split('/');
      assert.equal(root, '#');
      let at: unknown = document;
      for (const step of steps) at = z.record(z.string(), z.unknown()).parse(at)[step];
      assert.ok(at !== undefined, reference);
    }
  });

  it('describes each operation: a unique id, its path parameters, success and failure', async () => {
    const all = await operations();
    const ids = all.map(({ operation }) => operation.operationId);
    assert.equal(new Set(ids).size, ids.length);
    for (const { path, method, operation } of all) {
      const what = `${method} ${path}`;
      assert.ok(operation.summary.length > 5, what);
      assert.ok(operation.responses['default'] !== undefined, what);
      const success = Object.entries(operation.responses).filter(([status]) => status[0] === '2');
      assert.equal(success.length, 1, what);
      const [[status, described] = ['', {}]] = success;
      assert.equal('content' in described, status !== '204', what);
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
      assert.deepEqual(
        declared.map(({ name }) => name),
        inPath,
        what,
      );
    }
  });

  it('holds the routes of the product, and what it says of the data plane is served', async () => {
    const all = (await operations()).map(({ path, method }) => `${method} ${path}`);
    const expected = [
      'GET /health',
      'GET /health/live',
      'GET /health/ready',
      'GET /api/{service}/health',
      'GET /metrics',
      'GET /api/docs',
      'GET /api/v1/overview',
      'GET /api/v1/decisions/{id}',
      'POST /api/v1/backends',
      'DELETE /api/v1/backends/{id}',
      'POST /api/v1/backends/{id}/drain',
      'POST /api/v1/session',
      'GET /api/v1/keys',
      'DELETE /api/v1/keys/{id}',
      'POST /api/v1/config/reload',
      'POST /v1/chat/completions',
      'POST /v1/completions',
      'POST /v1/embeddings',
      'POST /v1/responses',
      'GET /v1/models',
      'GET /v1/models/{model}',
      'GET /v1/stats',
      'GET /v1/history',
    ];
    for (const one of expected) assert.ok(all.includes(one), one);
    for (const one of all) {
      const [method = '', path = ''] = one.split(' ');
      if (!path.startsWith('/v1/')) continue;
      assert.equal(matchDataPlane(method, path.replace(/\{\w+\}/, 'x')).kind, 'found', one);
    }
  });
});

describe('who is let in', () => {
  it('every declared route but the public ones answers 401 without a credential', async () => {
    const open: string[] = [];
    for (const { path, method, operation } of await operations()) {
      const target = path.replace(/\{\w+\}/g, 'x');
      const isPublic = operation.security.length === 0;
      const answer = await request(method, target);
      if (isPublic) {
        assert.notEqual(answer.status, 403, `${method} ${path}`);
        open.push(`${method} ${path}`);
      } else {
        assert.equal(answer.status, 401, `${method} ${path}`);
        assert.equal(answer.headers.get('www-authenticate'), 'Bearer');
        assert.equal(errorCodeOf(answer).face, faceOfPath(path));
      }
    }
    assert.deepEqual(open.sort(), [
      'GET /api/v1/health',
      'GET /api/{service}/health',
      'GET /health',
      'GET /health/live',
      'GET /health/ready',
      'POST /api/v1/session',
    ]);
  });

  it('an unknown path is 401 without a key and 404 with one; a wrong method is 405 with Allow', async () => {
    assertRefused(await request('GET', '/api/v1/nothing'), 401, 'invalid_api_key');
    assertRefused(await asAdmin('GET', '/api/v1/nothing'), 404, 'not_found');
    const wrong = await asAdmin('PUT', '/api/v1/backends', {});
    assertRefused(wrong, 405, 'method_not_allowed');
    assert.equal(wrong.headers.get('allow'), 'GET, POST');
    const health = await asAdmin('DELETE', '/api/routing/health');
    assertRefused(health, 405, 'method_not_allowed');
    assert.equal(health.headers.get('allow'), 'GET');
  });

  it('rejections on one kind of path do not use up the attempts of another', async () => {
    const address = '10.9.0.1';
    const statuses = async (target: string, times: number) => {
      const found: number[] = [];
      for (let i = 0; i < times; i++) {
        found.push((await request('GET', target, { key: 'tfk_wrong', address })).status);
      }
      return found;
    };
    const control = await statuses('/api/v1/me', 6);
    assert.deepEqual(control.slice(-1), [429]);
    assert.deepEqual(await statuses('/v1/models', 1), [401]);
    const body = JSON.stringify({ api_key: 'tfk_wrong' });
    assert.equal((await request('POST', '/api/v1/session', { body, address })).status, 401);
    assert.equal(
      (await request('GET', '/api/v1/me', { key: product.adminKey, address })).status,
      200,
    );
  });

  it('behind TLS every answer and page says so to the browser', async () => {
    for (const target of ['/api/v1/me', '/health', '/', '/api/v1/nothing']) {
      const answer = await request('GET', target);
      assert.equal(answer.headers.get('strict-transport-security'), 'max-age=31536000', target);
    }
  });
});

describe('bodies and queries', () => {
  const drain = '/api/v1/backends/sim-a/drain';
  const resume = '/api/v1/backends/sim-a/resume';

  it('241: any other content type than JSON is 415, also where no body is taken', async () => {
    const key = product.adminKey;
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml', '']) {
      for (const [method, target] of [
        ['POST', drain],
        ['POST', '/api/v1/keys'],
        ['PUT', '/api/v1/backends/sim-a'],
        ['DELETE', '/api/v1/keys/key_x'],
      ] as const) {
        const answer = await request(method, target, { key, type, body: '{}' });
        assertRefused(answer, 415, 'unsupported_media_type', `${method} ${target} ${type}`);
      }
    }
  });

  it('an empty body is fine, whatever its type', async () => {
    const key = product.adminKey;
    for (const type of ['application/json', 'text/plain', 'nonsense']) {
      for (const target of [drain, resume]) {
        const answer = await request('POST', target, { key, type, body: '' });
        assert.equal(answer.status, 200, `${target} ${type} ${answer.body}`);
      }
      const gone = await request('DELETE', '/api/v1/keys/key_x', { key, type, body: '' });
      assertRefused(gone, 404, 'key_not_found', type);
    }
    assert.equal((await request('POST', resume, { key, body: '{}' })).status, 200);
  });

  it('227, 230: unknown members of bodies and queries are 400 and named', async () => {
    const cases = [
      ['POST', drain, { force: true }, 'force'],
      ['POST', '/api/v1/keys', { name: 'x', admin: true }, 'admin'],
      ['GET', '/api/v1/me?who=1', undefined, 'who'],
      ['GET', '/api/v1/backends?limits=1', undefined, 'limits'],
      ['GET', '/api/v1/keys?limit=1&limit=2', undefined, 'limit'],
      ['POST', `${drain}?dry_run=true`, undefined, 'dry_run'],
    ] as const;
    for (const [method, target, body, name] of cases) {
      const answer = await asAdmin(method, target, body);
      assertRefused(answer, 400, 'invalid_request', target);
      assert.match(messageOf(answer), new RegExp(`\\b${name}\\b`), target);
    }
    const key = product.adminKey;
    const polluting = '{"name":"x","__proto__":{"admin":true}}';
    const answer = await request('POST', '/api/v1/keys', { key, body: polluting });
    assertRefused(answer, 400, 'invalid_request');
    assert.match(messageOf(answer), /__proto__/);
    assertRefused(await request('POST', drain, { key, body: '{' }), 400, 'invalid_json');
  });

  it('a fault is told in plain words with its member', async () => {
    const words = async (body: unknown) =>
      messageOf(await asAdmin('POST', '/api/v1/backends', body));
    assert.equal(await words({}), 'url is missing.');
    assert.equal(await words([1]), 'The body must be a JSON object.');
    assert.equal(await words({ url: '' }), 'url must not be empty.');
    assert.equal(await words({ url: 'u', tier: 9 }), 'tier must be at most 5.');
    assert.equal(await words({ url: 'u', tier: '5' }), 'tier must be a number.');
    assert.equal(await words({ url: 'u', zone: 'x' }), 'zone must be one of restricted, open.');
  });

  it('231, 232: lists are cut by limit and offset, and the count is that of all', async () => {
    const page = async (target: string) => {
      const answer = await asAdmin('GET', target);
      assert.equal(answer.status, 200, answer.body);
      const list = parsed(z.looseObject({ count: z.number() }), answer);
      const entries = z.array(z.unknown()).parse(list['backends'] ?? list['keys']);
      return { count: list.count, entries: entries.length };
    };
    const whole = await page('/api/v1/backends');
    assert.deepEqual(whole, { count: 1, entries: 1 });
    assert.deepEqual(await page('/api/v1/backends?offset=1'), { count: 1, entries: 0 });
    assert.deepEqual(await page('/api/v1/backends?limit=1000'), { count: 1, entries: 1 });
    await asAdmin('POST', '/api/v1/keys', { name: 'one more' });
    const keys = await page('/api/v1/keys?limit=1');
    assert.ok(keys.count >= 2 && keys.entries === 1);
    for (const bad of ['limit=0', 'limit=-1', 'limit=x', 'limit=', 'offset=-1', 'offset=1.5']) {
      for (const noun of ['backends', 'keys']) {
        const answer = await asAdmin('GET', `/api/v1/${noun}?${bad}`);
        assertRefused(answer, 400, 'invalid_request', bad);
        assert.match(messageOf(answer), new RegExp(`^${bad.split('=')[0]}`));
      }
    }
  });

  it('a body over the limit is 413, every time and however it is sent', async () => {
    const key = product.adminKey;
    const pad = 'x'.repeat(controlBodyBytes * 15);
    for (let i = 0; i < 10; i++) {
      const body = JSON.stringify({ name: pad });
      const sized = await request('POST', '/api/v1/keys', { key, body });
      assertRefused(sized, 413, 'payload_too_large', `try ${i}`);
      const chunk = `${(controlBodyBytes * 15).toString(16)}\r\n${pad}\r\n0\r\n\r\n`;
      const head = `POST /api/v1/keys HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
      const chunked = await ask(product.port, head + chunk);
      assertRefused(chunked, 413, 'payload_too_large', `chunked, try ${i}`);
    }
  });
});

describe('sessions and pages of other sites', () => {
  const own = 'https://127.0.0.1';
  const proof = ['X-TensorForge-CSRF: 1'];

  async function signIn(): Promise<string> {
    const body = JSON.stringify({ api_key: product.adminKey });
    const answer = await request('POST', '/api/v1/session', { body, origin: own });
    assert.equal(answer.status, 201, answer.body);
    const cookie = answer.headers.get('set-cookie') ?? '';
    assert.match(
      cookie,
      /^__Host-tf=[^;]+; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
    );
    return cookie.split(';')[0] ?? '';
  }

  it('237 to 239: a cookie needs our own origin and our own header for whatever changes something', async () => {
    const cookie = await signIn();
    const target = '/api/v1/backends/sim-a';
    const refused: readonly (readonly [string, string, Asked])[] = [
      ['POST', `${target}/drain`, { cookie, origin: 'https://evil.example', lines: proof }],
      ['PUT', target, { cookie, origin: 'https://evil.example', lines: proof }],
      ['PATCH', target, { cookie, origin: 'https://evil.example', lines: proof }],
      ['DELETE', target, { cookie, origin: 'https://evil.example', lines: proof }],
      ['DELETE', target, { cookie, origin: 'null', lines: proof }],
      ['POST', `${target}/drain`, { cookie, lines: [...proof, 'Sec-Fetch-Site: cross-site'] }],
      ['POST', `${target}/drain`, { cookie, lines: proof }],
      ['POST', `${target}/drain`, { cookie, origin: own }],
    ];
    for (const [method, path, asked] of refused) {
      const answer = await request(method, path, asked);
      assertRefused(answer, 403, 'cross_origin', `${method} ${JSON.stringify(asked)}`);
      assert.equal(answer.headers.get('access-control-allow-origin'), undefined);
    }
    assert.equal((await asAdmin('GET', target)).status, 200);
    for (const verb of ['drain', 'resume']) {
      const asked = { cookie, origin: own, lines: proof };
      assert.equal((await request('POST', `${target}/${verb}`, asked)).status, 200);
    }
    assert.equal((await request('GET', '/api/v1/me', { cookie })).status, 200);
  });

  it('240: a foreign preflight is 403 without CORS headers, and is no rejected credential', async () => {
    const address = '10.9.0.2';
    for (let i = 0; i < 12; i++) {
      const lines = ['Access-Control-Request-Method: DELETE'];
      const origin = 'https://evil.example';
      const answer = await request('OPTIONS', '/api/v1/keys', { origin, lines, address });
      assertRefused(answer, 403, 'cross_origin');
      const cors = [...answer.headers.keys()].filter((name) => name.startsWith('access-control'));
      assert.deepEqual(cors, []);
    }
    const other = await request('GET', '/api/v1/keys', { address });
    assertRefused(other, 401, 'invalid_api_key');
  });

  it('128: a cookie and a bearer together are 400', async () => {
    const cookie = await signIn();
    const answer = await request('GET', '/api/v1/me', { cookie, key: product.adminKey });
    assertRefused(answer, 400, 'ambiguous_credentials');
  });

  it('a session ends with its sign-out, and a dead cookie is cleared with the 401', async () => {
    const cookie = await signIn();
    const asked = { cookie, origin: own, lines: proof };
    const ended = await request('DELETE', '/api/v1/session', asked);
    assert.equal(ended.status, 204);
    assert.match(ended.headers.get('set-cookie') ?? '', /^__Host-tf=; Max-Age=0;/);
    for (const method of ['GET', 'DELETE']) {
      const target = method === 'GET' ? '/api/v1/me' : '/api/v1/session';
      const after = await request(method, target, asked);
      assertRefused(after, 401, 'invalid_api_key');
      assert.match(after.headers.get('set-cookie') ?? '', /^__Host-tf=; Max-Age=0;/);
    }
    const wrongKey = await request('GET', '/api/v1/me', { key: 'tfk_wrong' });
    assert.equal(wrongKey.headers.get('set-cookie'), undefined);
  });
});

describe('health and configuration', () => {
  it('tells the health of each of the thirteen, and 404 for another', async () => {
    for (const { id } of serviceCatalog()) {
      const answer = await request('GET', `/api/${id}/health`);
      assert.equal(answer.status, 200, id);
      const { service, state } = parsed(
        z.looseObject({ service: z.string(), state: z.string() }),
        answer,
      );
      assert.deepEqual({ service, state }, { service: id, state: 'active' });
    }
    assertRefused(await request('GET', '/api/nobody/health'), 404, 'not_found');
    const health = parsed(gatewayHealthSchema, await request('GET', '/health'));
    assert.equal(Object.keys(health.services).length, 13);
    assert.equal(health.quorum, true);
    const status = async (target: string) =>
      parsed(z.object({ status: z.string() }), await request('GET', target)).status;
    assert.equal(await status('/health/live'), 'live');
    assert.equal(await status('/health/ready?probe=1'), 'ready');
    assert.equal(await status('/api/v1/health'), 'ok');
  });

  it('checks a configuration text and reads the file again', async () => {
    const good = await asAdmin('POST', '/api/v1/config/check', { yaml: 'server:\n  port: 8120\n' });
    assert.equal(parsed(z.looseObject({ valid: z.boolean() }), good).valid, true);
    const bad = await asAdmin('POST', '/api/v1/config/check', { yaml: 'server:\n  port: x\n' });
    const checked = parsed(
      z.looseObject({ valid: z.boolean(), faults: z.array(z.unknown()) }),
      bad,
    );
    assert.equal(checked.valid, false);
    assert.equal(checked.faults.length, 1);
    const reloaded = await asAdmin('POST', '/api/v1/config/reload');
    const { applied, needs_restart } = parsed(
      z.looseObject({ applied: z.array(z.string()), needs_restart: z.array(z.string()) }),
      reloaded,
    );
    assert.deepEqual({ applied, needs_restart }, { applied: [], needs_restart: [] });
  });
});

describe('keys', () => {
  const keySchema = z.looseObject({
    id: z.string(),
    expires_at: z.string().nullable(),
    revoked: z.boolean(),
    last_used_at: z.string().nullable(),
  });
  const madeSchema = keySchema.extend({ secret: z.string() });

  it('are made, used, seen as used and revoked', async () => {
    const body = { name: 'life', permissions: ['telemetry:read'], expires_in_days: null };
    const answer = await asAdmin('POST', '/api/v1/keys', body);
    assert.equal(answer.status, 201, answer.body);
    const made = parsed(madeSchema, answer);
    assert.equal(made.expires_at, null);
    const shown = await asAdmin('GET', `/api/v1/keys/${made.id}`);
    assert.ok(!shown.body.includes(made.secret));
    assert.equal((await request('GET', '/api/v1/me', { key: made.secret })).status, 200);
    assertRefused(
      await request('GET', '/api/v1/keys', { key: made.secret }),
      403,
      'permission_denied',
    );
    const isSeen = async () => {
      const now = await asAdmin('GET', `/api/v1/keys/${made.id}`);
      return parsed(keySchema, now).last_used_at !== null;
    };
    await eventually('the use on the control API', isSeen, 12_000);
    const revoked = await asAdmin('DELETE', `/api/v1/keys/${made.id}`);
    assert.equal(parsed(keySchema, revoked).revoked, true);
    assertRefused(await request('GET', '/api/v1/me', { key: made.secret }), 401, 'invalid_api_key');
    assertRefused(await asAdmin('GET', '/api/v1/keys/key_x'), 404, 'key_not_found');
  });

  it('and backends may be used at once, whichever thread a connection meets', async () => {
    const engine = await startSim({
      as: 'vllm',
      port: 0,
      models: ['just-added'],
      profile: 'h100-7b',
      speed: 50,
      seed: 1,
    });
    try {
      const made = await request('POST', '/api/v1/keys', {
        key: product.adminKey,
        body: '{"name":"at once"}',
      });
      const added = await request('POST', '/api/v1/backends', {
        key: product.adminKey,
        body: JSON.stringify({ url: engine.url, name: 'just-added', type: 'vllm' }),
      });
      assert.deepEqual([made.status, added.status], [201, 201]);
      const { secret } = JSON.parse(made.body.toString()) as { readonly secret: string };
      const body =
        '{"model":"just-added","max_tokens":1,"messages":[{"role":"user","content":"x"}]}';
      const answers = await Promise.all(
        Array.from({ length: 12 }, () =>
          request('POST', '/v1/chat/completions', { key: secret, body }),
        ),
      );
      assert.deepEqual(
        answers.map((answer) => answer.status),
        answers.map(() => 200),
      );
    } finally {
      await request('DELETE', '/api/v1/backends/just-added', { key: product.adminKey });
      await engine.stop();
    }
  });

  it('live for 90 days unless told otherwise, and 0 days is refused', async () => {
    const made = parsed(madeSchema, await asAdmin('POST', '/api/v1/keys', { name: 'ninety' }));
    const days = (Date.parse(made.expires_at ?? '') - Date.now()) / 86_400_000;
    assert.ok(days > 89.9 && days <= 90, String(days));
    const zero = await asAdmin('POST', '/api/v1/keys', { name: 'zero', expires_in_days: 0 });
    assertRefused(zero, 400, 'invalid_request');
    assert.equal(messageOf(zero), 'expires_in_days must be at least 1.');
  });

  it('the last one that can manage keys cannot be revoked', async () => {
    const list = parsed(
      z.looseObject({ keys: z.array(z.looseObject({ id: z.string(), name: z.string() })) }),
      await asAdmin('GET', '/api/v1/keys'),
    );
    const first = list.keys.find(({ name }) => name === 'first admin key');
    assert.ok(first);
    const refused = await asAdmin('DELETE', `/api/v1/keys/${first.id}`);
    assertRefused(refused, 400, 'bad_state');
    assert.match(messageOf(refused), /last active key .* users:admin/);
    assert.equal((await asAdmin('GET', '/api/v1/me')).status, 200);
    const body = { name: 'second admin', permissions: ['users:admin'] };
    const second = parsed(madeSchema, await asAdmin('POST', '/api/v1/keys', body));
    const gone = await request('DELETE', `/api/v1/keys/${second.id}`, { key: product.adminKey });
    assert.equal(gone.status, 200);
  });
});
