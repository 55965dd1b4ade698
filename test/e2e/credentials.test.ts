// The security catalogue, cases 108 to 134, on the data plane and on the control API: which
// credentials are taken, how every other one is refused, and what is left of it in the audit and in
// the output. Each case comes from an address of its own, because rejected credentials are limited
// per address, and that limit is one of the cases.

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { openDataDirectory } from '../../src/io/files/data-directory.ts';
import { readEvents, type StoredEvent } from '../../src/io/postgres/control-events.ts';
import { openDatabase } from '../../src/io/postgres/database.ts';
import { formatApiKey, parseApiKey } from '../../src/protocol/credentials/api-key.ts';
import { chatBody, goodRequest } from '../support/front-door.ts';
import { eventually, temporaryFolder, testBinaries } from '../support/postgres.ts';
import { type Product, startProduct } from '../support/product.ts';
import { ask, errorCodeOf, type RawAnswer, RawClient } from '../support/raw-client.ts';

const home = temporaryFolder();
/** By which a test tells how long a restart may take on this machine today. */
let firstStartMs = 0;

let product: Product;
let earlierOutput = '';
let addresses = 0;
/** Every key that was made here, to be searched for in the output. */
const secrets: string[] = [];

before(async () => {
  const began = performance.now();
  product = await startProduct({
    arguments: ['--threads', '2'],
    dataDirectory: home,
    sims: [{ name: 'sim-a' }, { name: 'sim-slow', models: ['slow-model'], speed: 1 }],
    config: { server: { drain_seconds: 0 } },
  });
  firstStartMs = performance.now() - began;
});
after(async () => {
  await product.stop();
  rmSync(home, { recursive: true, force: true });
});

/** An address of this machine that no other case comes from. */
function freshAddress(): string {
  addresses++;
  return `127.0.108.${addresses}`;
}

type MadeKey = { readonly id: string; readonly secret: string };

async function makeKey(options: Readonly<Record<string, unknown>> = {}): Promise<MadeKey> {
  const answer = await product.json('/api/v1/keys', {
    method: 'POST',
    body: JSON.stringify({ name: 'credentials', ...options }),
  });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  const key = answer.body as MadeKey;
  secrets.push(key.secret);
  return key;
}

type Plane = { readonly name: string; readonly target: string; readonly face: string };

const planes: readonly Plane[] = [
  { name: 'the data plane', target: '/v1/models', face: 'openai' },
  { name: 'the control API', target: '/api/v1/me', face: 'control' },
];

/** A GET with these header lines, `KEY` standing for the good key. */
function get(
  target: string,
  lines: readonly string[],
  localAddress = freshAddress(),
): Promise<RawAnswer> {
  const head = [`GET ${target} HTTP/1.1`, 'Host: 127.0.0.1', ...lines].join('\r\n');
  const text = `${head.replaceAll('KEY', product.adminKey)}\r\n\r\n`;
  return ask(product.port, text, { localAddress });
}

/** The id and check of the good key around another secret: well-formed, and wrong. */
function withWrongSecret(): string {
  const id = product.adminKey.slice(4, 16);
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
  const idBytes = Uint8Array.from(id, (character) => alphabet.indexOf(character));
  const text = formatApiKey(idBytes, new Uint8Array(32).fill(7));
  assert.equal(parseApiKey(text)?.keyId, `key_${id}`);
  return text;
}

function unknownKey(): string {
  return formatApiKey(new Uint8Array(12).fill(3), new Uint8Array(32).fill(9));
}

function swappedCase(text: string): string {
  const swap = (c: string) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase());
  return text.slice(0, 17) + text.slice(17).replace(/[a-z]/i, swap);
}

type Rejected = readonly [
  name: string,
  lines: (key: string) => readonly string[],
  on?: 'both planes' | 'data plane only',
  query?: string,
];

const bearer = (token: string) => [`Authorization: Bearer ${token}`];

const rejected: readonly Rejected[] = [
  ['108: no credential', () => []],
  ['109: Bearer alone', () => ['Authorization: Bearer']],
  ['110: Bearer and blanks', () => ['Authorization: Bearer   ']],
  ['111: another scheme', () => ['Authorization: Basic x']],
  ['112: a key without its scheme', (key) => [`Authorization: ${key}`]],
  ['113: two tokens in a list', (key) => [`Authorization: Bearer ${key}, Bearer ${key}`]],
  ['114: two tokens', (key) => [`Authorization: Bearer ${key} b`]],
  ['115: no-break spaces around the key', (key) => [`Authorization: Bearer \u00a0${key}\u00a0`]],
  ['115: a tab between scheme and key', (key) => [`Authorization: Bearer\t${key}`]],
  ['116: a wrong secret', () => bearer(withWrongSecret())],
  ['117: an unknown id', () => bearer(unknownKey())],
  ['118: the first character missing', (key) => bearer(key.slice(1))],
  ['118: the last character missing', (key) => bearer(key.slice(0, -1))],
  ['119: one letter in the other case', (key) => bearer(swappedCase(key))],
  ['119: all in upper case', (key) => bearer(key.toUpperCase())],
  ['122: the key in the query', () => [], 'both planes', '?api_key=KEY&key=KEY&access_token=KEY'],
  ['123: a cookie alone', (key) => [`Cookie: tf=${key}; __Host-tf=${key}`], 'data plane only'],
  ['124: a user token', () => bearer('eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl')],
  ['125: SQL', () => bearer("'OR'1'='1")],
  ['125: SQL with blanks', () => bearer("' OR '1'='1")],
  ['125: SQL as x-api-key', () => ["x-api-key: ' OR '1'='1"]],
];

describe('a credential that is not good is answered 401, whatever is wrong with it', () => {
  for (const plane of planes) {
    let words: string | undefined;
    for (const [name, lines, on, query] of rejected) {
      if (on === 'data plane only' && plane.face !== 'openai') continue;
      it(`case ${name}, on ${plane.name}`, async () => {
        const target = (plane.target + (query ?? '')).replaceAll('KEY', product.adminKey);
        const answer = await get(target, lines(product.adminKey));
        assert.equal(answer.status, 401);
        assert.deepEqual(errorCodeOf(answer), { face: plane.face, code: 'invalid_api_key' });
        assert.equal(answer.headers.get('www-authenticate'), 'Bearer');
        words ??= answer.body;
        assert.equal(answer.body, words, 'every rejection has the same bytes');
      });
    }
  }

  it('answers 401 for every path that is not public, known or not', async () => {
    for (const target of ['/v1/nowhere', '/v1', '/api/v1/nowhere', '/nowhere', '/api/v1/keys']) {
      assert.equal((await get(target, [])).status, 401, target);
    }
    assert.equal((await get('/health', [])).status, 200);
  });
});

describe('two credentials', () => {
  const ambiguous: readonly (readonly [string, readonly string[]])[] = [
    ['126: two Authorization lines', [...bearer('KEY'), ...bearer('KEY')]],
    ['127: Authorization and another x-api-key', [...bearer('KEY'), 'x-api-key: tfk_other']],
    ['127: a bad Authorization and a good x-api-key', [...bearer('x'), 'x-api-key: KEY']],
    ['127: two x-api-key lines', ['x-api-key: KEY', 'x-api-key: KEY']],
  ];
  for (const plane of planes) {
    for (const [name, lines] of ambiguous) {
      it(`case ${name}, on ${plane.name}`, async () => {
        const answer = await get(plane.target, lines);
        assert.equal(answer.status, 400);
        assert.deepEqual(errorCodeOf(answer), { face: plane.face, code: 'ambiguous_credentials' });
      });
    }
  }

  it('case 128: a cookie and a bearer token on the control API', async () => {
    const answer = await get('/api/v1/me', [...bearer('KEY'), 'Cookie: tf=x']);
    assert.equal(answer.status, 400);
    assert.equal(errorCodeOf(answer).code, 'ambiguous_credentials');
  });

  it('takes the same key twice, and a cookie of no meaning beside a key on /v1', async () => {
    const twice = await get('/v1/models', [...bearer('KEY'), 'x-api-key: KEY']);
    assert.equal(twice.status, 200);
    assert.equal((await get('/v1/models', [...bearer('KEY'), 'Cookie: tf=x'])).status, 200);
  });
});

describe('a good key', () => {
  for (const plane of planes) {
    it(`case 129: bEaReR in any letter case, on ${plane.name}`, async () => {
      assert.equal((await get(plane.target, ['Authorization: bEaReR   KEY'])).status, 200);
      assert.equal((await get(plane.target, ['X-Api-Key: KEY'])).status, 200);
    });
  }
});

describe('what a key may do', () => {
  async function chat(key: string, model = 'sim-model'): Promise<RawAnswer> {
    const body = chatBody.replace('sim-model', model);
    return await ask(product.port, goodRequest(key, { body }));
  }

  it('case 131: a key without inference is refused on every inference route', async () => {
    const key = await makeKey({ permissions: ['models:read'] });
    const seen = product.sims[0]?.stats().requests_total;
    for (const target of [
      '/v1/chat/completions',
      '/v1/completions',
      '/v1/embeddings',
      '/v1/responses',
    ]) {
      const asBearer = await ask(product.port, goodRequest(key.secret, { target }));
      const text = goodRequest(key.secret, { target });
      const asApiKey = await ask(
        product.port,
        text.replace('Authorization: Bearer ', 'x-api-key: '),
      );
      for (const answer of [asBearer, asApiKey]) {
        assert.equal(answer.status, 403, target);
        assert.equal(errorCodeOf(answer).code, 'permission_denied');
      }
    }
    assert.equal(product.sims[0]?.stats().requests_total, seen);
  });

  it('case 131: a key without administration is refused by the control API', async () => {
    const key = await makeKey();
    const answer = await get('/api/v1/keys', bearer(key.secret));
    assert.equal(answer.status, 403);
    assert.deepEqual(errorCodeOf(answer), { face: 'control', code: 'permission_denied' });
  });

  it('cases 181 and 182: a model outside the list of a key answers as an unknown one does', async () => {
    const key = await makeKey({ models: ['sim-*'] });
    assert.equal((await chat(key.secret)).status, 200);
    const seen = product.sims[1]?.stats().requests_total;
    const forbidden = await chat(key.secret, 'slow-model');
    const unknown = await chat(key.secret, 'blow-model');
    assert.equal(forbidden.status, 404);
    assert.equal(errorCodeOf(forbidden).code, 'model_not_found');
    assert.equal(forbidden.body.replace('slow-model', 'blow-model'), unknown.body);
    assert.equal(product.sims[1]?.stats().requests_total, seen);
  });
});

describe('revocation', () => {
  async function startStream(key: string): Promise<RawClient> {
    const client = await RawClient.open(product.port);
    const body = JSON.stringify({
      model: 'slow-model',
      messages: [{ role: 'user', content: 'tell me much' }],
      max_tokens: 2000,
      stream: true,
    });
    client.send(goodRequest(key, { body }));
    await client.heard('data: ');
    return client;
  }

  it('case 121: ends the streams of the key within 5 s, touches no other, and answers 401', async () => {
    const key = await makeKey();
    const revoked = await startStream(key.secret);
    const other = await startStream(product.adminKey);
    const startedMs = performance.now();
    const deleted = await fetch(`${product.url}/api/v1/keys/${key.id}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${product.adminKey}` },
    });
    assert.equal(deleted.status, 200);
    await revoked.heard('data: [DONE]');
    assert.ok(performance.now() - startedMs < 5000);
    assert.match(revoked.unread, /data: \{"error":.*"invalid_api_key"/);
    for (const plane of planes) {
      const denied = await get(plane.target, bearer(key.secret));
      assert.equal(denied.status, 401);
      assert.deepEqual(errorCodeOf(denied), { face: plane.face, code: 'invalid_api_key' });
    }
    const length = other.unread.length;
    await eventually('the other stream goes on', () => other.unread.length > length);
    assert.ok(!other.isEnded && !other.unread.includes('"error"'));
    revoked.destroy();
    other.destroy();
  });
});

describe('the attempt limiter', () => {
  for (const plane of planes) {
    it(`cases 133 and 134: on ${plane.name}`, async () => {
      const address = freshAddress();
      for (let attempt = 1; attempt <= 5; attempt++) {
        assert.equal((await get(plane.target, bearer('bad'), address)).status, 401);
      }
      const sixth = await get(plane.target, bearer('bad'), address);
      assert.equal(sixth.status, 429, 'case 133: the sixth failure in a minute');
      assert.equal(errorCodeOf(sixth).face, plane.face);
      const seconds = Number(sixth.headers.get('retry-after'));
      assert.ok(seconds >= 1 && seconds <= 60, `retry-after ${seconds}`);
      const good = await get(plane.target, bearer('KEY'), address);
      assert.equal(good.status, 200, 'case 134: a good key from that address');
      assert.equal((await get(plane.target, bearer('bad'))).status, 401, 'another address');
    });
  }
});

describe('what is left behind', () => {
  let events: readonly StoredEvent[] = [];
  let shortLived: MadeKey;
  let expiresAtMs = 0;

  before(async () => {
    shortLived = await makeKey();
    await product.stop();
    const directory = await openDataDirectory(product.dataDirectory);
    const database = await openDatabase({
      source: { kind: 'embedded', directory, ...testBinaries },
    });
    events = await readEvents(database.sql, { stream: 'edge', limit: 1000 });
    // A key lives for whole days, so that this one expires soon only because its row says so.
    // Longer than the restart takes, since the key must still be good after it.
    const restartMs = 3000 + 1.5 * firstStartMs;
    expiresAtMs = Math.ceil((Date.now() + restartMs) / 1000) * 1000;
    const { sql } = database;
    const expiresAt = new Date(expiresAtMs);
    await sql`update api_keys set expires_at = ${expiresAt} where token_id = ${shortLived.id}`;
    await sql`
      update token_store set ttl_seconds = ${expiresAtMs / 1000} - issued_at
      where token_id = ${shortLived.id}`;
    await database.close();
    directory.release();
    const output = product.output();
    product = await startProduct({
      arguments: ['--threads', '1'],
      dataDirectory: home,
      config: { server: { drain_seconds: 0 } },
    });
    earlierOutput = output;
  });

  it('case 120: a key is refused from the very second of its expiry', async () => {
    let lastGoodMs = 0;
    await eventually('the key has expired', async () => {
      const sentMs = Date.now();
      const { status } = await get('/v1/models', bearer(shortLived.secret), '127.0.120.1');
      if (status === 200) lastGoodMs = sentMs;
      else assert.equal(status, 401);
      return status === 401;
    });
    assert.ok(lastGoodMs > 0 && lastGoodMs < expiresAtMs, 'it was good until then');
    assert.ok(Date.now() >= expiresAtMs, 'and not refused earlier');
    const onControl = await get('/api/v1/me', bearer(shortLived.secret));
    assert.equal(onControl.status, 401);
  });

  it('every kind of rejection is an event of the audit, with the address and no credential', () => {
    const reasons = new Set<string>();
    for (const event of events) {
      if (event.kind !== 'auth_rejected') continue;
      const { ip, reason } = event.data as { readonly ip: string; readonly reason: string };
      assert.match(ip, /^127\.0\.108\.\d+$/);
      reasons.add(reason);
    }
    assert.deepEqual([...reasons].sort(), [
      'absent',
      'ambiguous',
      'malformed',
      'unknown',
      'wrong_secret',
    ]);
    const text = JSON.stringify(events);
    for (const secret of secrets) assert.ok(!text.includes(secret.slice(17)));
  });

  it('no key is in the output of the process', () => {
    const text = earlierOutput + product.output();
    assert.ok(text.includes('Ready'), text);
    for (const secret of [product.adminKey, ...secrets]) {
      assert.ok(!text.includes(secret.slice(17)), 'the secret part of a key was printed');
    }
  });
});
