// Goal: every failure has its fixed words, and a hostile peer gets nothing: not our memory, not our
// time, not our address book (security case 226). Real sockets throughout.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { byPath, sendJson, startServer, type TestServer } from './json-server.test-support.ts';
import { createProbeClient, type ProbeAnswer, type ProbeClientOptions } from './probe-client.ts';
import { failureOf } from './probe-failure.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function serve(answer: Parameters<typeof startServer>[0]): Promise<TestServer> {
  const server = await startServer(answer);
  closers.push(() => server.close());
  return server;
}

/** A TCP server that writes these bytes to whoever asks, then does as told. */
async function serveBytes(bytes: string, after: 'end' | 'hold' | 'reset'): Promise<string> {
  const server: Server = createTcpServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      if (after === 'reset') socket.resetAndDestroy();
      else if (after === 'end') socket.end(bytes);
      else socket.write(bytes);
    });
    closers.push(async () => {
      socket.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => new Promise((resolve) => server.close(() => resolve())));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function clientWith(options: Partial<ProbeClientOptions> = {}) {
  const monotonicMs = (): number => performance.now();
  return createProbeClient({ monotonicMs, mayContact: () => true, ...options });
}

function get(url: string, timeoutMs = 5_000, options: Partial<ProbeClientOptions> = {}) {
  return clientWith(options).session(url, timeoutMs).get('/x');
}

function wordsOf(answer: ProbeAnswer): string {
  assert.ok(!answer.ok, 'a failure was expected');
  return answer.words;
}

test('a JSON answer comes back parsed, with its status and its latency', async () => {
  const server = await serve(byPath({ '/engine/x': { a: 1 } }));
  const answer = await get(`${server.url}/engine`);
  assert.ok(answer.ok);
  assert.deepEqual(answer.json, { a: 1 });
  assert.equal(answer.status, 200);
  assert.ok(answer.latencyMs > 0 && answer.latencyMs < 5_000);
  assert.equal(server.asked[0]?.headers['accept-encoding'], 'identity');
  assert.equal(server.asked[0]?.headers.connection, 'close');
});

test('a POST carries its body and headers', async () => {
  const server = await serve((_asked, response) => sendJson(response, 200, {}));
  const session = clientWith().session(server.url, 5_000);
  await session.post('/api/show', { model: 'm' }, { authorization: 'Bearer k' });
  const [asked] = server.asked;
  assert.equal(asked?.method, 'POST');
  assert.equal(asked?.body, '{"model":"m"}');
  assert.equal(asked?.headers['content-type'], 'application/json');
  assert.equal(asked?.headers['authorization'], 'Bearer k');
});

test('statuses are told, and Retry-After in both forms only where it means something', async () => {
  const date = 'Sun, 06 Nov 1994 08:49:37 GMT';
  const rows: readonly (readonly [number, string, number | undefined])[] = [
    [429, '17', 17],
    [503, 'Sun, 06 Nov 1994 08:51:37 GMT', 120],
    [429, 'soon', undefined],
    [200, '17', undefined],
  ];
  for (const [status, retryAfter, expected] of rows) {
    const server = await serve((_asked, response) => {
      response.writeHead(status, { 'retry-after': retryAfter, date });
      response.end('{}');
    });
    const answer = await get(server.url);
    assert.ok(answer.ok);
    assert.deepEqual([answer.status, answer.retryAfterS], [status, expected]);
  }
});

test('text comes back as it is, under the same caps', async () => {
  const server = await serve((asked, response) => {
    if (asked.path === '/page') response.end('<p>hello');
    else response.end('# HELP m\nm 1\n');
  });
  const session = clientWith().session(server.url, 5_000);
  const answer = await session.getText('/metrics');
  assert.ok(answer.ok);
  assert.equal(answer.text, '# HELP m\nm 1');
  assert.equal(server.asked[0]?.headers.accept, 'text/plain');
  const page = await session.getText('/page');
  assert.ok(!page.ok && page.words === 'invalid response: HTML');
});

test('an unreadable body of a live server is no failure of the connection', async () => {
  const server = await serve((_asked, response) => response.end('{"models": [tr'));
  const answer = await get(server.url);
  assert.ok(answer.ok);
  assert.equal(answer.json, undefined);
});

test('nobody listens: refused', async () => {
  const server = await startServer(byPath({}));
  await server.close();
  const answer = await get(server.url);
  assert.equal(wordsOf(answer), 'connection failed: refused');
  assert.ok(!answer.ok && answer.kind === 'unreachable');
});

test('a connection that is reset or closed without an answer', async () => {
  assert.equal(wordsOf(await get(await serveBytes('', 'reset'))), 'connection failed: reset');
  assert.equal(wordsOf(await get(await serveBytes('', 'end'))), 'connection failed: closed');
});

test('226 a peer that hangs is given up on time, before the head and within the body', async () => {
  const silent = await serveBytes('', 'hold');
  const halfway = await serveBytes('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{', 'hold');
  for (const url of [silent, halfway]) {
    const startedAt = performance.now();
    assert.equal(wordsOf(await get(url, 300)), 'request timeout after 0.3s');
    const tookMs = performance.now() - startedAt;
    assert.ok(tookMs >= 290 && tookMs < 10_000, `${tookMs} ms`);
  }
});

test('the exchanges of one session share one deadline', async () => {
  const session = clientWith().session(await serveBytes('', 'hold'), 200);
  await session.get('/a');
  assert.equal(session.remainingMs(), 0);
  assert.equal(wordsOf(await session.get('/b')), 'request timeout after 0.2s');
});

test('a stop ends an exchange at once', async () => {
  const stop = new AbortController();
  const session = clientWith().session(await serveBytes('', 'hold'), 60_000, stop.signal);
  const pending = session.get('/a');
  stop.abort();
  assert.equal(wordsOf(await pending), 'probe stopped');
  assert.equal(wordsOf(await session.get('/b')), 'probe stopped');
});

test('226 a 50 MB body is refused by its length, and cut off at 4 MiB without one', async () => {
  const total = 50 * 1024 * 1024;
  let sent = 0;
  const server = await serve((asked, response) => {
    response.on('error', () => undefined);
    response.writeHead(200, asked.path === '/long' ? { 'content-length': total } : {});
    const piece = Buffer.alloc(65_536, 0x20);
    const more = (): void => {
      while (sent < total && !response.destroyed) {
        sent += piece.length;
        if (!response.write(piece)) {
          response.once('drain', more);
          return;
        }
      }
      response.end();
    };
    more();
  });
  const session = clientWith().session(server.url, 10_000);
  assert.equal(wordsOf(await session.get('/long')), 'invalid response: too large');
  sent = 0;
  assert.equal(wordsOf(await session.get('/endless')), 'invalid response: too large');
  assert.ok(sent < 20 * 1024 * 1024, `the peer got rid of ${sent} bytes`);
});

test('226 compressed answers are not unpacked', async () => {
  const bomb = gzipSync(Buffer.alloc(20 * 1024 * 1024));
  for (const encoding of ['gzip', 'br', new Array(1000).fill('gzip').join(', ')]) {
    const server = await serve((_asked, response) => {
      response.writeHead(200, { 'content-encoding': encoding });
      response.end(bomb);
    });
    assert.equal(wordsOf(await get(server.url)), 'invalid response: compressed');
  }
});

test('226 an empty body is an answer without JSON', async () => {
  const server = await serve((_asked, response) => response.end());
  const answer = await get(server.url);
  assert.ok(answer.ok);
  assert.equal(answer.json, undefined);
});

test('226 HTML is somebody else', async () => {
  const byType = await serve((_asked, response) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
    response.end('welcome');
  });
  const byText = await serve((_asked, response) => response.end('  <!doctype html><p>hello'));
  assert.equal(wordsOf(await get(byType.url)), 'invalid response: HTML');
  assert.equal(wordsOf(await get(byText.url)), 'invalid response: HTML');
});

test('226 redirects are not followed, also not to the metadata service', async () => {
  const target = await serve(byPath({ '/x': {} }));
  for (const location of [`${target.url}/x`, 'http://169.254.169.254/latest/']) {
    const server = await serve((_asked, response) => {
      response.writeHead(302, { location });
      response.end();
    });
    assert.equal(wordsOf(await get(server.url)), 'invalid response: redirect');
  }
  assert.equal(target.asked.length, 0);
});

test('what is not HTTP, has endless headers or ends too soon', async () => {
  const noise = await serveBytes('SSH-2.0-OpenSSH_9.2\r\n', 'end');
  assert.equal(wordsOf(await get(noise)), 'invalid response: not HTTP');
  const headers = await serveBytes(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(40_000)}\r\n\r\n`, 'end');
  assert.equal(wordsOf(await get(headers)), 'invalid response: headers too large');
  const short = await serveBytes('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}', 'end');
  assert.equal(wordsOf(await get(short)), 'connection failed: closed');
});

test('no words of the peer are repeated', async () => {
  const secret = 'peer-own-words';
  const server = await serveBytes(`HTTP/1.1 ${secret}\r\n\r\n${secret}`, 'end');
  const answer = await get(server);
  assert.ok(!JSON.stringify(answer).includes(secret));
});

test('a proxy in the environment is not used', async () => {
  const proxy = await serve(byPath({}));
  const server = await serve(byPath({ '/x': {} }));
  const before = process.env['HTTP_PROXY'];
  process.env['HTTP_PROXY'] = proxy.url;
  try {
    assert.ok((await get(server.url)).ok);
  } finally {
    if (before === undefined) delete process.env['HTTP_PROXY'];
    else process.env['HTTP_PROXY'] = before;
  }
  assert.equal(proxy.asked.length, 0);
});

test('301 the address that was judged is the one that is connected to', async () => {
  const server = await serve(byPath({ '/x': { here: true } }));
  let lookups = 0;
  const answer = await get(`http://engine.test:${server.port}`, 5_000, {
    resolve: (_name, done) => {
      lookups += 1;
      done(null, [{ address: lookups === 1 ? '127.0.0.1' : '169.254.169.254', family: 4 }]);
    },
    mayContact: (address) => address === '127.0.0.1',
  });
  assert.ok(answer.ok, 'connected by the first answer');
  assert.equal(lookups, 1);
  assert.equal(server.asked[0]?.headers.host, `engine.test:${server.port}`);
});

test('300 one forbidden answer refuses the name, and nothing is connected to', async () => {
  const server = await serve(byPath({ '/x': {} }));
  const words = wordsOf(
    await get(`http://engine.test:${server.port}`, 5_000, {
      resolve: (_name, done) =>
        done(null, [
          { address: '127.0.0.1', family: 4 },
          { address: '169.254.169.254', family: 4 },
        ]),
      mayContact: (address) => address === '127.0.0.1',
    }),
  );
  assert.equal(words, 'connection failed: address not allowed');
  const literal = await get(server.url, 5_000, { mayContact: () => false });
  assert.equal(wordsOf(literal), 'connection failed: address not allowed');
  assert.equal(server.asked.length, 0);
});

test('a name without an address', async () => {
  const failing = (code: string) => ({
    resolve: ((_name, done) => done(Object.assign(new Error('x'), { code }), [])) as NonNullable<
      ProbeClientOptions['resolve']
    >,
  });
  assert.equal(
    wordsOf(await get('http://no.test', 5_000, failing('ENOTFOUND'))),
    'DNS resolution failed',
  );
  assert.equal(
    wordsOf(await get('http://no.test', 5_000, failing('EAI_AGAIN'))),
    'DNS resolution failed',
  );
  const empty = await get('http://no.test', 5_000, { resolve: (_name, done) => done(null, []) });
  assert.equal(wordsOf(empty), 'DNS resolution failed');
});

test('226 a certificate that does not verify is refused, one of a named authority is accepted', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'probe-tls-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '1',
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=IP:127.0.0.1',
      '-keyout',
      key,
      '-out',
      cert,
    ],
    { stdio: 'ignore' },
  );
  const pem = readFileSync(cert, 'ascii');
  const server = createHttpsServer({ key: readFileSync(key), cert: pem }, (_request, response) =>
    sendJson(response, 200, {}),
  );
  rmSync(folder, { recursive: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  assert.equal(wordsOf(await get(url)), 'TLS certificate error');
  assert.ok((await get(url, 5_000, { ca: pem })).ok);
});

test('plain HTTP where TLS was meant is a TLS error', async () => {
  const server = await serve(byPath({}));
  assert.equal(wordsOf(await get(server.url.replace('http', 'https'))), 'TLS certificate error');
});

test('the code of an error is found behind causes and among several attempts', () => {
  const refused = Object.assign(new Error('x'), { code: 'ECONNREFUSED' });
  const wrapped = new Error('y', { cause: new AggregateError([refused]) });
  assert.equal(failureOf(wrapped).words, 'connection failed: refused');
  assert.equal(failureOf('nonsense').words, 'connection failed: other');
});
