// The security catalogue, cases 161 to 199: bodies, fields and paths of the data plane, through the
// front door. Each is refused with its exact status, code and member, nothing reaches an engine,
// and the figures count exactly what was refused.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { engineControlFields } from '../../src/protocol/openai/engine-fields.ts';
import {
  type Answer,
  type Ask,
  ask,
  chat,
  errorOf,
  jsonAnswer,
  type ModelScript,
  metricsOf,
  plainAnswer,
  startModelScript,
  sumOf,
  until,
} from '../support/inference.ts';
import { type Product, startProduct } from '../support/product.ts';

let product: Product;
let engine: ModelScript;
/** Refusals that are counted, by the code of the catalogue. */
const expected = new Map<string, number>();

before(async () => {
  engine = await startModelScript(['echo'], ({ socket }) =>
    socket.write(jsonAnswer(200, plainAnswer)),
  );
  product = await startProduct({
    backends: [{ name: 'engine', url: engine.url, type: 'generic' }],
  });
});

after(async () => {
  await product?.stop();
  await engine?.close();
});

function dispatched(): number {
  return (product.sims[0]?.stats().requests_total ?? -1) + engine.asked.length;
}

type Wanted = {
  readonly status: number;
  readonly code: string;
  readonly param?: string;
  /** The code of the catalogue where the face prints another. */
  readonly counted?: string | 'not counted';
};

async function refusal(body: string | Buffer, wanted: Wanted, how: Ask = {}): Promise<Answer> {
  const before = dispatched();
  const answer = await ask(product, body, how);
  const error = errorOf(answer.text);
  assert.deepEqual(
    { status: answer.status, code: error.code, param: error.param },
    { status: wanted.status, code: wanted.code, param: wanted.param ?? null },
    error.message,
  );
  assert.equal(answer.headers['x-should-retry'], 'false');
  assert.equal(answer.headers['content-type'], 'application/json');
  assert.equal(dispatched(), before, 'something reached an engine');
  const counted = wanted.counted ?? wanted.code;
  if (counted !== 'not counted') expected.set(counted, (expected.get(counted) ?? 0) + 1);
  return answer;
}

async function refused(body: string | Buffer, wanted: Wanted, how: Ask = {}): Promise<void> {
  await refusal(body, wanted, how);
}

const invalidJson: Wanted = { status: 400, code: 'invalid_json' };
const tooComplex: Wanted = { status: 400, code: 'json_too_complex' };

function badParam(param: string): Wanted {
  return { status: 400, code: 'invalid_request_error', param, counted: 'invalid_request' };
}

const good = chat('sim-model', { max_tokens: 1 });

function withMember(member: string): string {
  return `${good.slice(0, -1)},${member}}`;
}

function repeated(count: number, piece: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => piece(index)).join(',');
}

describe('a body that is not one JSON object', () => {
  const bodies: readonly (readonly [string, string | Buffer])[] = [
    ['161: nothing', ''],
    ['162: {', '{'],
    ['163: []', '[]'],
    ['163: "x"', '"x"'],
    ['163: null', 'null'],
    ['164: trailing bytes', `${good} x`],
    ['165: a byte order mark', `\ufeff${good}`],
    ['166: bad UTF-8', Buffer.from(withMember('"user":"\u00ff"'), 'latin1')],
    ['167: NaN', withMember('"temperature":NaN')],
    ['167: 1e999', withMember('"temperature":1e999')],
  ];
  for (const [name, body] of bodies) {
    it(`case ${name} is 400 invalid_json`, () => refused(body, invalidJson));
  }

  it('case 168: a lone surrogate in model is 400 with param model', () =>
    refused('{"model":"\\ud800","messages":[]}', badParam('model')));

  for (const [name, body] of [
    ['169: model twice', '{"model":"sim-model","model":"echo","messages":[]}'],
    ['170: model twice, once escaped', '{"model":"sim-model","mod\\u0065l":"echo"}'],
  ] as const) {
    it(`case ${name} is 400 duplicate_field`, async () => {
      const answer = await ask(product, body);
      const { code } = errorOf(answer.text);
      assert.equal(answer.status, 400);
      assert.equal(code, 'duplicate_field');
      expected.set(code, (expected.get(code) ?? 0) + 1);
    });
  }
});

describe('a body that costs too much to parse', () => {
  it('case 171: depth 65 is 400, depth 64 is served', async () => {
    const nested = (depth: number): string =>
      withMember(`"x":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}`);
    await refused(nested(65), tooComplex);
    assert.equal((await ask(product, nested(64))).status, 200);
  });

  it('case 172: 100 001 containers are 400', () =>
    refused(withMember(`"x":[${repeated(100_001, () => '{}')}]`), tooComplex));

  it('case 173: 200 001 members are 400', () =>
    refused(withMember(`"x":{${repeated(200_001, (index) => `"${index}":1`)}}`), tooComplex));

  it('case 174: ten megabytes of [ are 400 and hold the loop for less than 20 ms', async () => {
    const body = Buffer.alloc(10 * 1024 * 1024, '[');
    const heldMs: number[] = [];
    // The least of some, since this machine may be busy with something else.
    for (let turn = 0; turn < 12 && !(Math.min(...heldMs) < 20); turn++) {
      const answer = await refusal(body, tooComplex);
      heldMs.push(Number(answer.headers['x-tensorforge-overhead-ms']));
    }
    assert.ok(Math.min(...heldMs) < 20, `held for ${heldMs.join(', ')} ms`);
  });

  it('case 175: __proto__ and constructor are plain data', async () => {
    const body = withMember('"__proto__":{"polluted":1},"constructor":{"prototype":{"bad":1}}');
    const answer = await ask(product, body);
    assert.equal(answer.status, 200);
    const after = await ask(product, '{}');
    assert.equal(errorOf(after.text).param, 'model');
    assert.doesNotMatch(after.text, /polluted|bad"/);
    expected.set('invalid_request', (expected.get('invalid_request') ?? 0) + 1);
  });
});

describe('a body of the wrong size or kind', () => {
  it('case 176: 11 MB announced are 413', () =>
    refused(Buffer.alloc(11_000_000, ' '), {
      status: 413,
      code: 'payload_too_large',
      counted: 'not counted',
    }));

  it('case 176: 11 MB in chunks are 413', () =>
    refused(
      Buffer.alloc(11_000_000, ' '),
      { status: 413, code: 'payload_too_large' },
      { headers: { 'content-length': undefined, 'transfer-encoding': 'chunked' } },
    ));

  for (const coding of ['gzip', 'br', 'deflate', 'gzip, identity']) {
    it(`case 177: content-encoding ${coding} is 415`, () =>
      refused(
        good,
        { status: 415, code: 'unsupported_content_encoding', counted: 'not counted' },
        { headers: { 'content-encoding': coding } },
      ));
  }

  it('case 177: identity is served', async () => {
    const answer = await ask(product, good, { headers: { 'content-encoding': 'identity' } });
    assert.equal(answer.status, 200);
  });

  const types: readonly (readonly [string, string | string[] | undefined])[] = [
    ['178: text/plain', 'text/plain'],
    ['178: none', undefined],
    ['178: two', ['application/json', 'application/json']],
    ['178: utf-16', 'application/json; charset=utf-16'],
    ['178: a tab inside', 'application/json;\tcharset=utf-8'],
    ['179: multipart', 'multipart/form-data; boundary=x'],
  ];
  for (const [name, type] of types) {
    it(`case ${name} is 415`, () =>
      refused(
        good,
        { status: 415, code: 'unsupported_media_type', counted: 'not counted' },
        { headers: { 'content-type': type } },
      ));
  }
});

describe('members of a request', () => {
  const models: readonly (readonly [string, unknown])[] = [
    ['absent', undefined],
    ['blank', '  '],
    ['a number', 7],
    ['with a control character', 'a\u0001b'],
    ['of 1001 characters', 'm'.repeat(1001)],
  ];
  for (const [name, model] of models) {
    it(`case 180: model ${name} is 400 with param model`, () =>
      refused(JSON.stringify({ model, messages: [] }), badParam('model')));
  }

  it('case 183: no messages are 400', () =>
    refused(chat('sim-model', { messages: [] }), badParam('messages')));

  it('case 184: 4097 messages are 400', () => {
    const messages = Array.from({ length: 4097 }, () => ({ role: 'user', content: 'a' }));
    return refused(chat('sim-model', { messages }), badParam('messages'));
  });

  for (const max_tokens of [-1, 0, 1.5, '5', 2 ** 31]) {
    it(`case 185: max_tokens ${JSON.stringify(max_tokens)} is 400`, () =>
      refused(chat('sim-model', { max_tokens }), badParam('max_tokens')));
  }

  it('case 186: n 129 is 400', () => refused(chat('sim-model', { n: 129 }), badParam('n')));

  it('case 187: stream as text is 400', () =>
    refused(chat('sim-model', { stream: 'true' }), badParam('stream')));

  const inputs: readonly (readonly [string, unknown, string])[] = [
    ['none', [], 'input'],
    ['2049', Array.from({ length: 2049 }, () => 'a'), 'input'],
    ['nested', [[['a']]], 'input[0]'],
    ['negative ids', [-1], 'input'],
  ];
  for (const [name, input, param] of inputs) {
    it(`case 188: embeddings of ${name} are 400`, () =>
      refused(JSON.stringify({ model: 'sim-model', input }), badParam(param), {
        path: '/v1/embeddings',
      }));
  }

  for (const url of [
    'http://example.com/a.png',
    'https://example.com/a.png',
    'file:///etc/passwd',
    'http://169.254.169.254/latest/meta-data/',
  ]) {
    it(`case 189: an image at ${url} is 400 for a self-hosted engine`, () => {
      const content = [{ type: 'image_url', image_url: { url } }];
      const body = chat('sim-model', { messages: [{ role: 'user', content }] });
      return refused(body, { status: 400, code: 'remote_media_refused', param: 'messages' });
    });
  }

  for (const field of engineControlFields) {
    it(`case 190: ${field} is 400 field_not_allowed`, () =>
      refused(withMember(`"${field}":1`), {
        status: 400,
        code: 'field_not_allowed',
        param: field,
      }));
  }

  it('case 190: a grammar above 16 KiB is 400 field_not_allowed', () =>
    refused(chat('sim-model', { grammar: 'g'.repeat(16 * 1024 + 1) }), {
      status: 400,
      code: 'field_not_allowed',
      param: 'grammar',
    }));
});

describe('headers beside a body', () => {
  /** The lines that the engine got for one request with these headers. */
  async function linesAtEngine(headers: Ask['headers'] & object): Promise<readonly string[]> {
    const at = engine.asked.length;
    const answer = await ask(product, chat('echo'), { headers });
    assert.equal(answer.status, 200);
    const { head } = engine.asked[at] ?? { head: '' };
    return head.split('\r\n').slice(1);
  }

  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

  it('case 191: a request id of 65 characters is replaced by ours, a good one echoed beside it', async () => {
    for (const [sent, echoed] of [
      ['r'.repeat(65), undefined],
      ['r'.repeat(64), 'r'.repeat(64)],
      ['two words', undefined],
    ] as const) {
      const answer = await ask(product, chat('echo'), { headers: { 'x-request-id': sent } });
      assert.match(String(answer.headers['x-request-id']), uuid);
      assert.equal(answer.headers['x-client-request-id'], echoed);
      const { head } = engine.asked.at(-1) ?? { head: '' };
      assert.ok(head.includes(`x-request-id: ${answer.headers['x-request-id']}`), head);
    }
  });

  it('case 192: a priority without the right to it is served in the normal lane', async () => {
    for (const priority of ['critical', '5', 'nonsense']) {
      const headers = { 'x-tensorforge-priority': priority };
      assert.equal((await ask(product, chat('echo'), { headers })).status, 200);
    }
  });

  it('case 193: the engine sees our own lines and nothing of the client', async () => {
    const lines = await linesAtEngine({
      traceparent: '00-zz-bad-01',
      baggage: 'secret=1',
      cookie: 'a=b',
      'x-forwarded-for': '10.0.0.1',
      'x-api-key': undefined,
      'x-request-id': 'mine',
      forwarded: 'for=10.0.0.1',
      te: 'trailers',
    });
    const names = lines.map((line) => line.slice(0, line.indexOf(':'))).sort();
    assert.deepEqual(names, [
      'accept',
      'content-length',
      'content-type',
      'host',
      'user-agent',
      'x-request-id',
    ]);
    assert.match(lines.find((line) => line.startsWith('user-agent')) ?? '', /: tensorforge\//);
    assert.ok(!lines.join('\n').includes('mine'));
  });
});

describe('paths', () => {
  for (const path of [
    '/v1/../api',
    '/v1/%2e%2e/api',
    '/v1/..%2fapi',
    '/v1/models%00',
    '/v1/%zz',
    '/v1/%c0%af',
    '/v1/a%5cb',
  ]) {
    it(`cases 194 to 197: ${path} is 400 invalid_path`, () =>
      refused(good, { status: 400, code: 'invalid_path', counted: 'not counted' }, { path }));
  }

  /** What the product asks the engine by itself, at any time. */
  const probes = new Set(['GET /v1/models HTTP/1.1', 'GET /metrics HTTP/1.1']);
  const unknown = [
    ['198', '/V1/models'],
    ['198', '/v1//models'],
    ['198', '/v1/models;x'],
    ['199', '/invocations'],
    ['199', '/tokenize'],
    ['199', '/collective_rpc'],
    ['199', '/v1/load_lora_adapter'],
    ['199', '/api/create'],
    ['199', '/api/pull'],
    ['199', '/slots'],
  ] as const;
  for (const [number, path] of unknown) {
    for (const method of ['GET', 'POST']) {
      it(`case ${number}: ${method} ${path} is 404 and no engine sees it`, async () => {
        const before = engine.received.length;
        const answer = await ask(product, good, { path, method });
        assert.equal(answer.status, 404, answer.text);
        assert.match(answer.text, /"code":"not_found"/);
        const seen = engine.received.slice(before).map(({ text }) => text.split('\r\n')[0]);
        assert.ok(
          seen.every((line) => probes.has(line ?? '')),
          `the engine saw ${seen}`,
        );
      });
    }
  }

  it('case 199: /metrics is ours and not the engine’s', async () => {
    const answer = await ask(product, '', { path: '/metrics', method: 'GET' });
    assert.equal(answer.status, 200);
    assert.match(answer.text, /tensorforge_requests_total/);
    assert.doesNotMatch(answer.text, /vllm:/);
  });
});

it('what was refused is counted by its code, once each, and holds no lease', async () => {
  const counts = async (): Promise<Map<string, number>> => {
    const metrics = await metricsOf(product);
    return new Map(
      [...expected.keys()].map((code) => [
        code,
        sumOf(metrics, 'tensorforge_errors_total', { error_type: code }),
      ]),
    );
  };
  const isEqual = async () => {
    const found = await counts();
    return [...expected].every(([code, count]) => found.get(code) === count);
  };
  await until('the counters', isEqual, 20_000).catch(() => undefined);
  assert.deepEqual(await counts(), expected);
  const metrics = await metricsOf(product);
  assert.equal(sumOf(metrics, 'tensorforge_pending_requests'), 0);
  assert.equal(sumOf(metrics, 'tensorforge_attempt_failures_total'), 0);
});
