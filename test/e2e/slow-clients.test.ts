// The security catalogue, cases 104 to 107: clients that are slow on purpose or too many. The limits
// of the product are lowered through its options, so that the waits are short; everything else is as
// in production. What each limit is by default stands in docs/reference/configuration.md.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ScriptedBackend, startBackend } from '../../src/io/http/upstream/scripted-backend.ts';
import { assertRefused, RefusalBook, requestText } from '../support/front-door.ts';
import { eventually } from '../support/postgres.ts';
import { type Product, startProduct } from '../support/product.ts';
import { errorCodeOf, RawClient } from '../support/raw-client.ts';

const headTimeoutSeconds = 1;
const connectionsPerAddress = 12;
const connections = 40;
/** Without the quarter that is kept for clients with a credential. */
const unreserved = 30;

let product: Product;
let flood: ScriptedBackend;
const book = new RefusalBook();

/** An engine whose stream never ends and is as fast as its reader. */
function startFlood(): Promise<ScriptedBackend> {
  const event = `data: {"choices":[{"index":0,"delta":{"content":"${'a'.repeat(8000)}"}}]}\n\n`;
  const chunk = `${event.length.toString(16)}\r\n${event}\r\n`;
  return startBackend(({ socket, text }) => {
    if (text.startsWith('GET')) {
      const models = JSON.stringify({ object: 'list', data: [{ id: 'flood', object: 'model' }] });
      const head = `content-type: application/json\r\ncontent-length: ${models.length}`;
      socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n${models}`);
      return;
    }
    const head = 'content-type: text/event-stream\r\ntransfer-encoding: chunked';
    socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n`);
    const pour = (): void => {
      while (!socket.destroyed && socket.write(chunk)) {
        // Until the buffer is full.
      }
    };
    socket.on('drain', pour);
    pour();
  });
}

before(async () => {
  flood = await startFlood();
  product = await startProduct({
    arguments: ['--threads', '1'],
    backends: [{ name: 'flood', url: flood.url, type: 'generic' }],
    config: {
      server: {
        head_timeout_seconds: headTimeoutSeconds,
        body_grace_seconds: 1,
        slow_reader_seconds: 1,
        connections,
        connections_per_address: connectionsPerAddress,
        drain_seconds: 0,
      },
    },
  });
});
after(async () => {
  await product.stop();
  await flood.close();
});

/** Sends one character of `text` after the other, slowly, until the server ends the connection. */
async function drip(client: RawClient, text: string) {
  let at = 0;
  const timer = setInterval(() => client.send(text[at++ % text.length] ?? ''), 100);
  const startedMs = performance.now();
  try {
    const outcome = await client.untilClosed();
    return { ...outcome, seconds: (performance.now() - startedMs) / 1000 };
  } finally {
    clearInterval(timer);
  }
}

describe('slow heads', { concurrency: true }, () => {
  // By default 10 s, looked at every second; here 1 s. Without the limit a head that drips never ends,
  // so any end that is neither too early nor by another limit shows it.
  const within = 30;

  it('case 104: a client that says nothing is answered 408', async () => {
    const client = await RawClient.open(product.port);
    const { answers, seconds } = await drip(client, '');
    book.note('slow_client');
    assertRefused(answers[0], 408, 'request_timeout');
    assert.ok(seconds < within, `after ${seconds} s`);
  });

  it('case 104: a client that sends its head byte by byte is answered 408', async () => {
    const client = await RawClient.open(product.port);
    const text = requestText(product.adminKey);
    const { answers, seconds } = await drip(client, text);
    book.note('slow_client');
    assertRefused(answers[0], 408, 'request_timeout');
    assert.ok(seconds < within, `after ${seconds} s`);
  });

  it('case 104: the second head of a connection has the same time', async () => {
    const client = await RawClient.open(product.port);
    client.send('GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    assert.equal((await client.answer()).status, 200);
    const { answers, seconds } = await drip(client, 'GET /v1/models HTTP/1.1\r\nX: ');
    book.note('slow_client');
    assertRefused(answers[0], 408, 'request_timeout');
    assert.ok(seconds < within, `after ${seconds} s`);
  });
});

describe('slow bodies', { concurrency: true }, () => {
  // By default the least rate counts after 5 s, here after 1 s.
  const lines = ['Content-Length: 5000'];

  it('case 105: a body of the data plane below 1 KiB/s is answered 408', async () => {
    const seen = product.sims[0]?.stats().requests_total;
    const client = await RawClient.open(product.port);
    client.send(requestText(product.adminKey, { lines }));
    const { answers, seconds } = await drip(client, ' ');
    book.note('slow_client');
    assertRefused(answers[0], 408, 'request_timeout');
    assert.ok(seconds < 3, `after ${seconds} s`);
    assert.equal(product.sims[0]?.stats().requests_total, seen);
  });

  for (const [name, target, key] of [
    ['of the control API', '/api/v1/keys', 'good'],
    ['of the sign-in, which needs no credential', '/api/v1/session', ''],
  ] as const) {
    it(`case 105: a body ${name} below 1 KiB/s is answered 408`, async () => {
      const client = await RawClient.open(product.port);
      const credential = key === '' ? [] : [`Authorization: Bearer ${product.adminKey}`];
      const head = [
        `POST ${target} HTTP/1.1`,
        'Host: 127.0.0.1',
        ...credential,
        'Content-Type: application/json',
        ...lines,
      ];
      client.send(`${head.join('\r\n')}\r\n\r\n`);
      const { answers } = await drip(client, ' ');
      book.note('slow_client');
      assert.equal(answers.length, 1);
      assert.equal(answers[0]?.status, 408);
      assert.deepEqual(errorCodeOf(answers[0]), { face: 'control', code: 'request_timeout' });
    });
  }
});

describe('slow readers', () => {
  async function pending(): Promise<number | undefined> {
    const { body } = await product.json('/api/v1/backends');
    const { backends } = body as { backends: { id: string; pending_requests: number }[] };
    return backends.find((backend) => backend.id === 'flood')?.pending_requests;
  }

  it('case 106: a stream nobody reads is aborted and its lease is given back', async () => {
    const body = JSON.stringify({
      model: 'flood',
      messages: [{ role: 'user', content: 'hi' }],
      stream: true,
    });
    const client = await RawClient.open(product.port);
    client.socket.pause();
    client.send(requestText(product.adminKey, { lines: [`Content-Length: ${body.length}`], body }));
    await eventually('the stream runs', async () => (await pending()) === 1);
    const upstream = flood.received.find(({ text }) => text.startsWith('POST'))?.socket;
    assert.ok(upstream);
    // By default 30 s, here 1 s.
    await eventually('the upstream is aborted', () => upstream.destroyed);
    await eventually('the lease is free', async () => (await pending()) === 0);
    client.destroy();
  });
});

describe('many connections', () => {
  const health = 'GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
  const held: RawClient[] = [];

  after(() => {
    for (const client of held) client.destroy();
  });

  /** Opens a connection and keeps it after one answer. */
  async function hold(localAddress: string): Promise<RawClient> {
    const client = await RawClient.open(product.port, { localAddress });
    client.send(health);
    assert.equal((await client.answer()).status, 200);
    held.push(client);
    return client;
  }

  it('case 107: one more of an address than its limit is closed unread and counted', async () => {
    // By default 256, here 12.
    const clients: RawClient[] = [];
    for (let at = 0; at < connectionsPerAddress; at++) clients.push(await hold('127.0.107.1'));
    const oneMore = await RawClient.open(product.port, { localAddress: '127.0.107.1' });
    oneMore.send(health);
    const { answers, surplus } = await oneMore.untilClosed();
    book.note('connections_per_address');
    assert.deepEqual([answers.length, surplus], [0, '']);
    clients[0]?.destroy();
    await eventually('another one may come', async () => {
      const next = await RawClient.open(product.port, { localAddress: '127.0.107.1' });
      next.send(health);
      const got = await next.answer().catch(() => undefined);
      next.destroy();
      if (got === undefined) book.note('connections_per_address');
      return got?.status === 200;
    });
  });

  it('keeps the last quarter of the connections for clients with a good key', async () => {
    for (let at = held.length; at <= unreserved; at++) await hold(`127.0.107.${2 + (at % 3)}`);
    const stranger = await RawClient.open(product.port, { localAddress: '127.0.107.5' });
    stranger.send(health);
    const { answers } = await stranger.untilClosed();
    assert.deepEqual(
      answers.map((answer) => answer.status),
      [200],
    );
    const known = await RawClient.open(product.port, { localAddress: '127.0.107.5' });
    for (const target of ['/v1/models', '/api/v1/me', '/v1/models']) {
      known.send(requestText(product.adminKey, { method: 'GET', target }));
      assert.equal((await known.answer()).status, 200);
    }
    known.destroy();
  });

  it('closes a connection above the limit of the installation unread', async () => {
    // By default 1024, here 40.
    let refused: RawClient | undefined;
    for (let at = 0; at < connections && refused === undefined; at++) {
      const client = await RawClient.open(product.port, {
        localAddress: `127.0.107.${6 + (at % 3)}`,
      });
      client.send(requestText(product.adminKey, { method: 'GET', target: '/v1/models' }));
      const got = await client.answer().catch(() => undefined);
      if (got === undefined) refused = client;
      else held.push(client);
    }
    assert.ok(refused, 'one was refused');
    book.note('connections');
    for (const client of held) client.destroy();
    held.length = 0;
  });
});

it('every refusal of this file was counted under its kind', () => book.compare(product));
