// Goal: an https backend is spoken to under the same contract as a plain one, and only if it proves who it
// is. Method: a real TLS server with a certificate made for the test.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import tls from 'node:tls';
import { BAD_ANSWERS, GOOD_ANSWERS } from './answer-shapes.ts';
import { createUpstreamPool } from './pool.ts';
import {
  exchange,
  exchangeWithCanary,
  GET,
  post,
  RecordingHandler,
  until,
} from './scripted-backend.ts';
import type { UpstreamPool } from './upstream.ts';

const folder = mkdtempSync(join(tmpdir(), 'upstream-tls-'));
after(() => rmSync(folder, { recursive: true }));
const keyFile = join(folder, 'key.pem');
const certFile = join(folder, 'cert.pem');
execFileSync(
  'openssl',
  [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-keyout', keyFile, '-out', certFile, '-days', '2', '-subj', '/CN=localhost'],
    ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
  ],
  { stdio: 'ignore' },
);
const key = readFileSync(keyFile, 'utf8');
const cert = readFileSync(certFile, 'utf8');

type Answer = (socket: tls.TLSSocket, connection: number, turn: number) => void;

async function rawBackend(t: TestContext, answer: Answer) {
  const sockets: tls.TLSSocket[] = [];
  const server = tls.createServer({ key, cert }, (socket) => {
    const connection = sockets.push(socket) - 1;
    let turn = 0;
    socket.on('error', () => {});
    socket.on('data', () => answer(socket, connection, turn++));
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { sockets, port: portOf(server.address()) };
}

function portOf(address: ReturnType<ReturnType<typeof createServer>['address']>): number {
  assert.ok(address !== null && typeof address !== 'string');
  return address.port;
}

function poolFor(t: TestContext, port: number, ca: string | undefined = cert): UpstreamPool {
  const url = `https://localhost:${port}`;
  const pool = createUpstreamPool(ca === undefined ? { url } : { url, ca });
  t.after(() => pool.close());
  return pool;
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
// Where the parser of undici differs from ours. It refuses an interim 100, since nobody asked for one, and
// reads three shapes that ours refuses: their framing is unusual, yet leaves no doubt where they end.
const READ_OTHERWISE = new Set([
  'two interim answers',
  'case 209: another version',
  'case 212: a size of nine digits',
  'chunks in HTTP/1.0',
]);
const SHAPES = [...GOOD_ANSWERS, ...BAD_ANSWERS].filter(({ name }) => !READ_OTHERWISE.has(name));

describe('an https backend', () => {
  it('serves requests over one connection', async (t) => {
    const server = createServer({ key, cert }, (request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        response.setHeader('X-Body', Buffer.concat(parts).toString());
        response.end('hello');
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    const pool = poolFor(t, portOf(server.address()));
    for (let round = 0; round < 3; round++) {
      const { handler, failure } = await exchange(pool, post(Buffer.from('{"a":1}')));
      assert.deepEqual([failure, handler.status, handler.body], [undefined, 200, 'hello']);
      assert.equal(handler.headers[handler.headers.indexOf('x-body') + 1], '{"a":1}');
      assert.equal(handler.headers.includes('connection'), false);
      await until(() => pool.stats.idle === 1, 'the connection to be idle');
    }
    assert.deepEqual(pool.stats, { open: 1, idle: 1, opened: 1, reused: 2, retriedOnFresh: 0 });
  });

  it('is refused when its certificate is not trusted', async (t) => {
    const { port } = await rawBackend(t, (socket) => socket.write(OK));
    const pool = createUpstreamPool({ url: `https://localhost:${port}` });
    t.after(() => pool.close());
    const { failure } = await exchange(pool);
    assert.deepEqual([failure?.kind, failure?.responseStarted], ['tls', false]);
    assert.equal(pool.stats.open, 0);
  });

  for (const shape of SHAPES) {
    it(`${shape.name}: ${shape.failure ?? 'delivered'}`, async (t) => {
      const { port } = await rawBackend(t, (socket) => {
        socket.write(shape.wire, 'latin1');
        if (shape.closes) socket.end();
      });
      const pool = poolFor(t, port);
      const { handler, failure } = await exchange(pool);
      assert.equal(failure?.kind, shape.failure);
      if (shape.failure === undefined) {
        assert.deepEqual([handler.status, handler.body], [shape.status, shape.body]);
      }
      const idle = shape.reusable ? 1 : 0;
      await until(() => pool.stats.idle === idle && pool.stats.open === idle, 'its connection');
    });
  }

  it('case 218: a surplus answer is never taken for the answer of the next request', async (t) => {
    const { sockets, port } = await rawBackend(t, (socket, connection) => {
      socket.write(connection === 0 ? OK + OK.replace('ok', 'no') : OK);
    });
    const { first, canary } = await exchangeWithCanary(poolFor(t, port));
    assert.deepEqual([first.body, canary.body, sockets.length], ['ok', 'ok', 2]);
  });

  it('gets a request again on a fresh connection when a reused one was closed under it', async (t) => {
    const { port } = await rawBackend(t, (socket, connection, turn) => {
      if (connection === 0 && turn === 1) socket.end();
      else socket.write(OK);
    });
    const pool = poolFor(t, port);
    await exchange(pool);
    await until(() => pool.stats.idle === 1, 'the connection to be idle');
    const { handler, failure } = await exchange(pool);
    assert.deepEqual([failure, handler.body], [undefined, 'ok']);
    assert.equal(pool.stats.retriedOnFresh, 1);
  });

  it('sees its connection closed by an abort', async (t) => {
    const { sockets, port } = await rawBackend(t, (socket) => {
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n');
    });
    const pool = poolFor(t, port);
    const handler = new RecordingHandler();
    const running = pool.request(GET, handler);
    handler.onPiece = () => running.abort();
    await until(() => sockets[0]?.closed === true, 'the close');
    assert.deepEqual(handler.calls, ['head', 'data']);
    assert.equal(pool.stats.open, 0);
    const early = new RecordingHandler();
    pool.request(GET, early).abort();
    assert.deepEqual([early.calls, pool.stats.open], [[], 0]);
  });

  it('is stopped by a pause and loses nothing', async (t) => {
    const size = 5 * 1024 * 1024;
    const { port } = await rawBackend(t, (socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n`);
      socket.write(Buffer.alloc(size, 'x'));
    });
    const pool = poolFor(t, port);
    const handler = new RecordingHandler();
    const running = pool.request(GET, handler);
    let pauses = 0;
    handler.onPiece = () => {
      if (pauses >= 20) return;
      pauses++;
      running.pause();
      setImmediate(() => running.resume());
    };
    assert.equal(await handler.over, undefined);
    assert.deepEqual([handler.bodyBytes, pauses], [size, 20]);
  });

  it('loses idle connections to a sweep and to close', async (t) => {
    const { port } = await rawBackend(t, (socket) => socket.write(OK));
    const pool = poolFor(t, port);
    pool.sweep(10_000);
    await exchange(pool);
    await until(() => pool.stats.idle === 1, 'the connection to be idle');
    pool.sweep(13_001);
    assert.equal(pool.stats.open, 0);
    await exchange(pool);
    await until(() => pool.stats.idle === 1, 'the connection to be idle');
    pool.close();
    assert.equal(pool.stats.open, 0);
    assert.equal((await exchange(pool)).failure?.kind, 'aborted');
  });

  it('is told as connect when nobody listens', async (t) => {
    const { port } = await rawBackend(t, () => {});
    const probe = tls.createServer({ key, cert }).listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const free = portOf(probe.address());
    probe.close();
    await once(probe, 'close');
    assert.notEqual(free, port);
    assert.equal((await exchange(poolFor(t, free))).failure?.kind, 'connect');
  });
});
