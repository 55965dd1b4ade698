// Goal: over real sockets each answer ends in exactly one way, and a connection serves again only when that
// cannot mix two answers. Method: backends that send given bytes in given pieces, and time given by `sweep`.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { type AnswerShape, BAD_ANSWERS, GOOD_ANSWERS } from './answer-shapes.ts';
import { createUpstreamPool } from './pool.ts';
import {
  exchange,
  exchangeWithCanary,
  GET,
  post,
  type Received,
  RecordingHandler,
  type ScriptedBackend,
  startBackend,
  until,
  writePieces,
} from './scripted-backend.ts';
import type { UpstreamPool, UpstreamRequest } from './upstream.ts';

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

type Setting = { readonly backend: ScriptedBackend; readonly pool: UpstreamPool };

async function setUp(
  t: TestContext,
  answer: (request: Received) => void,
  options: { readonly wholeRequests?: boolean; readonly maxIdle?: number } = {},
): Promise<Setting> {
  const backend = await startBackend(answer, options);
  const pool = createUpstreamPool({ url: backend.url, maxIdle: options.maxIdle ?? 64 });
  t.after(async () => {
    pool.close();
    await backend.close();
  });
  return { backend, pool };
}

function cutsOf(shape: AnswerShape): Buffer[][] {
  const bytes = Buffer.from(shape.wire, 'latin1');
  if (bytes.length > 4096) return [[bytes]];
  const single = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
  const halves = [0.25, 0.5, 0.75, 0.95].map((share) => Math.ceil(bytes.length * share));
  return [[bytes], single, ...halves.map((at) => [bytes.subarray(0, at), bytes.subarray(at)])];
}

describe('an answer over a socket', () => {
  for (const shape of [...GOOD_ANSWERS, ...BAD_ANSWERS]) {
    const outcome = shape.failure === undefined ? 'delivered' : `refused as ${shape.failure}`;
    it(`${shape.name}: ${outcome}, whole and in pieces`, async (t) => {
      for (const pieces of cutsOf(shape)) {
        const { pool } = await setUp(t, ({ socket }) => {
          writePieces(socket, pieces, shape.closes === true);
        });
        const { handler, failure } = await exchange(pool);
        assert.equal(failure?.kind, shape.failure);
        assert.equal(failure?.responseStarted, shape.failure === undefined ? undefined : true);
        assert.equal(handler.status, shape.status);
        assert.equal(handler.body, shape.body ?? '');
        // The surplus may come in a later read, when the connection is idle already: it ends then.
        if (!shape.reusable) await until(() => pool.stats.open === 0, 'the connection to close');
        assert.equal(pool.stats.idle, shape.reusable ? 1 : 0);
        pool.close();
      }
    });
  }

  it('sends a small request as one write, with its own framing', async (t) => {
    const { backend, pool } = await setUp(t, ({ socket }) => socket.write(OK));
    await exchange(pool, post(Buffer.from('{"a":"\u00e9"}')));
    await exchange(pool, GET);
    await exchange(pool, { ...GET, method: 'POST' });
    const host = backend.url.slice('http://'.length);
    assert.deepEqual(
      backend.received.map(({ text }) => text),
      [
        `POST /v1/chat/completions HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{"a":"\u00c3\u00a9"}`,
        `GET /v1/models HTTP/1.1\r\nhost: ${host}\r\naccept: application/json\r\n\r\n`,
        `POST /v1/models HTTP/1.1\r\nhost: ${host}\r\naccept: application/json\r\ncontent-length: 0\r\n\r\n`,
      ],
    );
  });

  it('sends a large body unchanged', async (t) => {
    const { backend, pool } = await setUp(t, ({ socket }) => socket.write(OK));
    const body = Buffer.alloc(300_000, 'tensor');
    const { failure } = await exchange(pool, post(body));
    assert.equal(failure, undefined);
    const text = backend.received[0]?.text ?? '';
    assert.ok(text.endsWith(`content-length: 300000\r\n\r\n${body.toString('latin1')}`));
    assert.equal(pool.stats.idle, 1);
  });

  it('refuses a path, name or value that would end its line', async (t) => {
    const { pool } = await setUp(t, ({ socket }) => socket.write(OK));
    const refuses = (change: Partial<UpstreamRequest>) => {
      assert.throws(() => pool.request({ ...GET, ...change }, new RecordingHandler()), /request/);
    };
    refuses({ path: '/a b' });
    refuses({ path: '/a\r\nx: y' });
    refuses({ path: 'http://other/' });
    refuses({ headers: ['a', 'b\r\nc: d'] });
    refuses({ headers: ['a', 'b\u010ac: d'] });
    refuses({ headers: ['a\n', 'b'] });
    refuses({ headers: ['a'] });
    assert.equal(pool.stats.opened, 0);
  });
});

describe('a host name', () => {
  const named = (backend: ScriptedBackend, addresses: readonly (readonly string[])[]) => {
    let lookups = 0;
    const pool = createUpstreamPool({
      url: backend.url.replace('127.0.0.1', 'engine.test'),
      maxIdle: 0,
      resolve: (_name, done) => {
        const answer = addresses[lookups++] ?? [];
        done(
          null,
          answer.map((address) => ({ address, family: 4 })),
        );
      },
    });
    return { pool, lookups: () => lookups };
  };

  it('300 with one forbidden answer among good ones is not connected to', async (t) => {
    const { backend } = await setUp(t, ({ socket }) => socket.write(OK));
    const { pool } = named(backend, [['127.0.0.1', '169.254.169.254']]);
    t.after(() => pool.close());
    const { failure } = await exchange(pool);
    assert.equal(failure?.kind, 'connect');
    assert.equal(backend.received.length, 0);
  });

  it('301 is looked up once for a connection, and a name that moves is judged again', async (t) => {
    const { backend } = await setUp(t, ({ socket }) => socket.write(OK));
    const { pool, lookups } = named(backend, [['127.0.0.1'], ['169.254.169.254']]);
    t.after(() => pool.close());
    assert.equal((await exchange(pool)).failure, undefined);
    assert.equal(lookups(), 1);
    assert.equal((await exchange(pool)).failure?.kind, 'connect');
    assert.equal(lookups(), 2);
    assert.equal(backend.received.length, 1);
  });
});

describe('connections', () => {
  it('serve again, the last used first', async (t) => {
    const held: Received[] = [];
    const { backend, pool } = await setUp(t, (request) => {
      if (backend.received.length <= 2) held.push(request);
      else request.socket.write(OK);
    });
    const first = new RecordingHandler();
    const second = new RecordingHandler();
    pool.request(GET, first);
    pool.request(GET, second);
    await until(() => held.length === 2, 'both requests');
    held.find(({ connection }) => connection === 0)?.socket.write(OK);
    await Promise.race([first.over, second.over]);
    held.find(({ connection }) => connection === 1)?.socket.write(OK);
    await Promise.all([first.over, second.over]);
    await exchange(pool);
    await exchange(pool);
    assert.deepEqual(
      backend.received.slice(2).map(({ connection }) => connection),
      [1, 1],
    );
    assert.deepEqual(pool.stats, { open: 2, idle: 2, opened: 2, reused: 2, retriedOnFresh: 0 });
  });

  it('may be taken again from within onEnd', async (t) => {
    const { backend, pool } = await setUp(t, ({ socket }) => socket.write(OK));
    const { canary } = await exchangeWithCanary(pool);
    assert.equal(canary.body, 'ok');
    assert.equal(backend.sockets.length, 1);
  });

  it('case 218: a surplus answer is never taken for the answer of the next request', async (t) => {
    const { backend, pool } = await setUp(t, ({ socket, connection }) => {
      socket.write(connection === 0 ? OK + OK.replace('ok', 'no') : OK);
    });
    const { first, canary } = await exchangeWithCanary(pool);
    assert.deepEqual([first.body, canary.body, backend.sockets.length], ['ok', 'ok', 2]);
  });

  it('are kept up to maxIdle', async (t) => {
    const { pool } = await setUp(t, ({ socket }) => socket.write(OK), { maxIdle: 1 });
    await Promise.all([exchange(pool), exchange(pool), exchange(pool)]);
    assert.equal(pool.stats.opened, 3);
    assert.equal(pool.stats.idle, 1);
    assert.equal(pool.stats.open, 1);
  });

  it('expire at a sweep, one second before a silent peer would close', async (t) => {
    const { pool } = await setUp(t, ({ socket }) => socket.write(OK));
    pool.sweep(10_000);
    await exchange(pool);
    pool.sweep(13_000);
    assert.equal(pool.stats.idle, 1);
    pool.sweep(13_001);
    assert.deepEqual([pool.stats.idle, pool.stats.open], [0, 0]);
  });

  it('expire one second before the time the peer announced, counted with a late clock', async (t) => {
    const { pool } = await setUp(t, ({ socket }) => {
      socket.write(OK.replace('content', 'keep-alive: timeout=30\r\ncontent'));
    });
    pool.sweep(10_000);
    await exchange(pool);
    pool.sweep(38_000);
    assert.equal(pool.stats.idle, 1);
    pool.sweep(38_001);
    assert.equal(pool.stats.idle, 0);
  });

  it('are not kept for a peer that closes within a second', async (t) => {
    const { pool } = await setUp(t, ({ socket }) => {
      socket.write(OK.replace('content', 'keep-alive: timeout=1\r\ncontent'));
    });
    await exchange(pool);
    assert.equal(pool.stats.open, 0);
  });

  it('end when the peer closes them or sends while idle', async (t) => {
    const { backend, pool } = await setUp(t, ({ socket }) => socket.write(OK));
    await exchange(pool);
    backend.sockets[0]?.end();
    await until(() => pool.stats.open === 0, 'the close to be seen');
    await exchange(pool);
    backend.sockets[1]?.write('HTTP/1.1 408 Request Timeout\r\n\r\n');
    await until(() => pool.stats.open === 0, 'the surplus to be seen');
    assert.equal((await exchange(pool)).failure, undefined);
    assert.equal(pool.stats.retriedOnFresh, 0);
  });

  it('end on close: idle ones now, busy ones with their answer, new requests at once', async (t) => {
    const held: Received[] = [];
    const { backend, pool } = await setUp(t, (request) => {
      if (backend.received.length === 1) request.socket.write(OK);
      else held.push(request);
    });
    await exchange(pool);
    const busy = new RecordingHandler();
    pool.request(GET, busy);
    await until(() => held.length === 1, 'the second request');
    pool.close();
    assert.equal(pool.stats.open, 1);
    const { failure } = await exchange(pool);
    assert.deepEqual([failure?.kind, failure?.responseStarted], ['aborted', false]);
    held[0]?.socket.write(OK);
    assert.equal(await busy.over, undefined);
    assert.equal(pool.stats.open, 0);
  });

  it('reach localhost by name', async (t) => {
    const { backend, pool } = await setUp(t, ({ socket }) => socket.write(OK));
    const named = createUpstreamPool({ url: backend.url.replace('127.0.0.1', 'localhost') });
    t.after(() => named.close());
    const { handler, failure } = await exchange(named);
    assert.deepEqual([failure, handler.body], [undefined, 'ok']);
    assert.equal((await exchange(named)).handler.body, 'ok');
    assert.match(backend.received[0]?.text ?? '', /host: localhost:/);
    assert.equal(pool.stats.opened, 0);
  });
});

describe('a repeat on a fresh connection', () => {
  for (const end of ['end', 'resetAndDestroy'] as const) {
    it(`follows when a reused connection is closed under the request (${end})`, async (t) => {
      const { backend, pool } = await setUp(t, ({ socket, connection, turn }) => {
        if (connection === 0 && turn === 1) socket[end]();
        else socket.write(OK);
      });
      await exchange(pool);
      const { handler, failure } = await exchange(pool, post(Buffer.from('{}')));
      assert.equal(failure, undefined);
      assert.deepEqual(handler.calls, ['head', 'data', 'end']);
      assert.equal(pool.stats.retriedOnFresh, 1);
      assert.equal(backend.received.length, 3);
      assert.equal(backend.received[1]?.text, backend.received[2]?.text);
    });
  }

  it('happens once', async (t) => {
    const { backend, pool } = await setUp(t, ({ socket }) => {
      if (backend.received.length === 1) socket.write(OK);
      else socket.destroy();
    });
    await exchange(pool);
    const { failure } = await exchange(pool);
    assert.deepEqual([failure?.kind, failure?.responseStarted], ['reset', false]);
    assert.equal(backend.received.length, 3);
  });

  it('never follows on a connection that had not served before', async (t) => {
    const { backend, pool } = await setUp(t, ({ socket }) => socket.destroy());
    const { failure } = await exchange(pool);
    assert.equal(failure?.kind, 'reset');
    assert.equal(backend.received.length, 1);
  });

  for (const first of ['H', 'HTTP/1.1 100 Continue\r\n\r\n']) {
    it(`never follows after the first bytes: ${JSON.stringify(first)}`, async (t) => {
      const { backend, pool } = await setUp(t, ({ socket, turn }) => {
        if (turn === 0) socket.write(OK);
        else socket.end(first);
      });
      await exchange(pool);
      const { failure } = await exchange(pool);
      assert.deepEqual([failure?.kind, failure?.responseStarted], ['short', true]);
      assert.equal(backend.received.length, 2);
    });
  }

  it('never follows an abort', async (t) => {
    const { backend, pool } = await setUp(t, ({ socket, turn }) => {
      if (turn === 0) socket.write(OK);
    });
    await exchange(pool);
    const handler = new RecordingHandler();
    const running = pool.request(GET, handler);
    await until(() => backend.received.length === 2, 'the second request');
    running.abort();
    await once(backend.sockets[0] ?? net.connect(0), 'close');
    assert.deepEqual(handler.calls, []);
    assert.deepEqual([pool.stats.retriedOnFresh, pool.stats.open], [0, 0]);
  });
});

describe('an exchange', () => {
  it('is connected once a socket stands', async (t) => {
    const { backend, pool } = await setUp(t, () => {});
    const running = pool.request(GET, new RecordingHandler());
    assert.equal(running.connected, false);
    await until(() => backend.received.length === 1, 'the request');
    assert.equal(running.connected, true);
    running.abort();
    assert.equal(running.connected, false);
  });

  it('can be aborted before it is connected, from a handler and after its end', async (t) => {
    const { backend, pool } = await setUp(t, ({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n');
    });
    const early = new RecordingHandler();
    pool.request(GET, early).abort();
    const handler = new RecordingHandler();
    const running = pool.request(GET, handler);
    handler.onPiece = () => running.abort();
    await until(() => backend.sockets.some((socket) => socket.closed), 'the close');
    assert.deepEqual([early.calls, handler.calls, handler.body], [[], ['head', 'data'], 'a']);
    running.abort();
    running.pause();
    running.resume();
    assert.equal(pool.stats.open, 0);
  });

  it('stops the backend when paused and loses nothing', async (t) => {
    const size = 5 * 1024 * 1024;
    const { backend, pool } = await setUp(t, ({ socket }) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n`);
      socket.write(Buffer.alloc(size, 'x'));
    });
    const handler = new RecordingHandler();
    const running = pool.request(GET, handler);
    const { promise: isPaused, resolve } = Promise.withResolvers<void>();
    handler.onPiece = () => {
      handler.onPiece = undefined;
      running.pause();
      resolve();
    };
    await isPaused;
    const atPause = handler.bodyBytes;
    // The backend is stuck once its unsent bytes no longer shrink over many turns of the loop.
    let unsent = -1;
    for (let calm = 0; calm < 200; ) {
      const now = backend.sockets[0]?.writableLength ?? 0;
      calm = now === unsent ? calm + 1 : 0;
      unsent = now;
      await new Promise((next) => setImmediate(next));
    }
    assert.equal(handler.bodyBytes, atPause);
    assert.ok(unsent > 0, 'the backend still holds bytes');
    running.resume();
    assert.equal(await handler.over, undefined);
    assert.equal(handler.bodyBytes, size);
  });

  it('leaves no pause behind on its connection', async (t) => {
    const { backend, pool } = await setUp(t, ({ socket }) => socket.write(OK));
    const handler = new RecordingHandler();
    const running = pool.request(GET, handler);
    handler.onPiece = () => running.pause();
    await handler.over;
    assert.equal((await exchange(pool)).handler.body, 'ok');
    assert.equal(backend.sockets.length, 1);
  });

  it('delivers an early answer and never reuses a connection with an unsent request', async (t) => {
    const { pool } = await setUp(
      t,
      ({ socket, turn }) => {
        if (turn > 0) return;
        socket.pause();
        socket.write('HTTP/1.1 413 Content Too Large\r\ncontent-length: 5\r\n\r\nlarge');
      },
      { wholeRequests: false },
    );
    const { handler, failure } = await exchange(pool, post(Buffer.alloc(32 * 1024 * 1024, 'x')));
    assert.deepEqual([failure, handler.status, handler.body], [undefined, 413, 'large']);
    assert.deepEqual([pool.stats.open, pool.stats.idle], [0, 0]);
  });

  it('case 219: a body cut by a reset is an error, also without a length', async (t) => {
    const { backend, pool } = await setUp(t, ({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\nhello');
    });
    const handler = new RecordingHandler();
    handler.onPiece = () => backend.sockets[0]?.resetAndDestroy();
    pool.request(GET, handler);
    assert.equal((await handler.over)?.kind, 'short');
    assert.deepEqual(handler.calls, ['head', 'data', 'error']);
  });

  it('case 215: shows a redirect to its handler and follows nothing', async (t) => {
    const { backend, pool } = await setUp(t, ({ socket }) => {
      socket.write('HTTP/1.1 302 Found\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n');
    });
    const { handler } = await exchange(pool);
    assert.equal(handler.status, 302);
    assert.equal(backend.received.length, 1);
  });
});

describe('a request that was let go of', () => {
  it('is answered to its end, and its connection serves again', async (t) => {
    const { pool } = await setUp(t, ({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe');
      socket.write('llo');
    });
    const handler = new RecordingHandler();
    const one = pool.request(post(Buffer.from('{}')), handler);
    handler.onPiece = () => one.forgetRequest();
    assert.equal(await handler.over, undefined);
    assert.equal(handler.body, 'hello');
    const { failure } = await exchange(pool);
    assert.equal(failure, undefined);
    assert.equal(pool.stats.opened, 1);
  });
});

describe('a backend that cannot be reached', () => {
  it('is told as connect, without text of the system', async (t) => {
    const { backend, pool } = await setUp(t, () => {});
    await backend.close();
    const { failure } = await exchange(pool);
    const words = 'the connection could not be opened';
    assert.deepEqual(failure, { kind: 'connect', words, responseStarted: false });
    assert.equal(pool.stats.open, 0);
  });

  it('is told as dns when its name is unknown', async (t) => {
    const pool = createUpstreamPool({ url: 'http://backend.invalid:1' });
    t.after(() => pool.close());
    assert.equal((await exchange(pool)).failure?.kind, 'dns');
  });

  it('is given up by a sweep when the connection takes too long', async (t) => {
    const { pool } = await setUp(t, () => {});
    const handler = new RecordingHandler();
    pool.request(GET, handler);
    pool.sweep(6001);
    assert.equal((await handler.over)?.words, 'the connection was not opened in time');
    assert.equal(pool.stats.open, 0);
  });

  it('is given the time that its owner says, counted from the last sweep', async (t) => {
    const { backend } = await setUp(t, () => {});
    const pool = createUpstreamPool({ url: backend.url, connectTimeoutMs: 20_000 });
    t.after(() => pool.close());
    const handler = new RecordingHandler();
    pool.sweep(1_000_000);
    pool.request(GET, handler);
    assert.equal(pool.stats.open, 1);
    pool.sweep(1_021_000);
    assert.equal(pool.stats.open, 1);
    pool.sweep(1_021_001);
    assert.equal((await handler.over)?.words, 'the connection was not opened in time');
  });

  it('must be an http or https root without credentials', () => {
    assert.throws(() => createUpstreamPool({ url: 'ftp://127.0.0.1' }), /http or https/);
    assert.throws(() => createUpstreamPool({ url: 'http://a:b@127.0.0.1' }), /credentials/);
  });
});
