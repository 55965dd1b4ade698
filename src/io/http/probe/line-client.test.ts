// Goal: lines come as they are sent, and whatever else a backend does ends with words of ours.
// Method: a real server that writes what the case says.

import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { startServer, type TestServer } from './json-server.test-support.ts';
import { createLineClient, type LinesEnd } from './line-client.ts';

const options = { monotonicMs: () => performance.now(), mayContact: () => true };

type Outcome = { readonly end: LinesEnd; readonly lines: readonly unknown[] };

async function read(
  answer: (response: ServerResponse) => void,
  over: { readonly silenceMs?: number; readonly signal?: AbortSignal } = {},
): Promise<Outcome & { readonly server: TestServer }> {
  const server = await startServer((_asked, response) => answer(response));
  const lines: unknown[] = [];
  try {
    const end = await createLineClient(options)({
      baseUrl: `${server.url}/base/`,
      path: '/api/pull',
      body: { model: 'm' },
      headers: { authorization: 'Bearer k' },
      silenceMs: over.silenceMs ?? 10_000,
      signal: over.signal ?? new AbortController().signal,
      onLine: (json) => lines.push(json),
    });
    return { end, lines, server };
  } finally {
    await server.close();
  }
}

test('lines are told as they come, however they are cut, and the last needs no line end', async () => {
  const { end, lines, server } = await read((response) => {
    response.write('{"a":1}\n{"b"');
    response.write(':2}\n\nno json\n');
    response.end('{"c":3}');
  });
  assert.deepEqual(end, { ok: true });
  assert.deepEqual(lines, [{ a: 1 }, { b: 2 }, { c: 3 }]);
  const [asked] = server.asked;
  assert.deepEqual(
    [asked?.method, asked?.path, asked?.body],
    ['POST', '/base/api/pull', '{"model":"m"}'],
  );
  assert.equal(asked?.headers.authorization, 'Bearer k');
});

test('an answer that is no success tells its status, and none of its text', async () => {
  const { end, lines } = await read((response) => {
    response.writeHead(404, { 'content-type': 'application/json' });
    response.end('{"error":"secret words"}\n');
  });
  assert.deepEqual(end, { ok: false, kind: 'http_status', words: 'HTTP error: 404', status: 404 });
  assert.deepEqual(lines, []);
});

test('redirects, compression, HTML and endless lines are refused', async () => {
  const heads: readonly (readonly [number, Readonly<Record<string, string>>, string])[] = [
    [302, { location: 'http://169.254.169.254/' }, 'invalid response: redirect'],
    [200, { 'content-encoding': 'gzip' }, 'invalid response: compressed'],
    [200, { 'content-type': 'text/html' }, 'invalid response: HTML'],
  ];
  for (const [status, headers, words] of heads) {
    const { end } = await read((response) => {
      response.writeHead(status, headers);
      response.end('x');
    });
    assert.equal(end.ok ? '' : end.words, words);
  }
  const { end } = await read((response) => {
    response.write('x'.repeat(70_000));
  });
  assert.equal(end.ok ? '' : end.words, 'invalid response: too large');
});

test('silence has a limit, before the answer and inside it', async () => {
  const mute = await read(() => undefined, { silenceMs: 100 });
  assert.equal(mute.end.ok ? '' : mute.end.kind, 'timeout');
  const halted = await read((response) => response.write('{"a":1}\n'), { silenceMs: 100 });
  assert.equal(halted.end.ok ? '' : halted.end.kind, 'timeout');
  assert.deepEqual(halted.lines, [{ a: 1 }]);
});

test('whoever asked may stop it, and an address that is not allowed is never contacted', async () => {
  const stop = new AbortController();
  const stopped = await read(
    (response) => {
      response.write('{"a":1}\n');
      setImmediate(() => stop.abort());
    },
    { signal: stop.signal },
  );
  assert.equal(stopped.end.ok ? '' : stopped.end.kind, 'stopped');
  const refused = await createLineClient({ ...options, mayContact: () => false })({
    baseUrl: 'http://127.0.0.1:1',
    path: '/',
    body: {},
    headers: {},
    silenceMs: 1000,
    signal: new AbortController().signal,
    onLine: () => undefined,
  });
  assert.equal(refused.ok ? '' : refused.kind, 'unsafe_address');
});
