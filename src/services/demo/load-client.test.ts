// Goal: what the client books is what came over the wire. Method: a plain HTTP server that answers
// each request as its test says, byte by byte.

import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import { test } from 'node:test';
import { Secret } from '../../base/secret.ts';
import { LoadClient } from './load-client.ts';
import type { Outcome } from './outcome.ts';

const done = 'data: [DONE]\n\n';
const error = 'data: {"error":{"message":"The backend failed.","type":"server_error"}}\n\n';

function content(text: string): string {
  const choices = [{ index: 0, delta: { content: text }, finish_reason: null }];
  return `data: ${JSON.stringify({ id: 'a', object: 'chat.completion.chunk', choices })}\n\n`;
}

const eventStream = {
  'content-type': 'text/event-stream',
  'x-tensorforge-backend': 'sim-big',
  'x-tensorforge-attempts': '2',
  'x-tensorforge-overhead-ms': '0.250',
};

/** What the client books for one request of two tokens (eight characters). */
async function booked(
  stream: boolean,
  answer: (response: ServerResponse, client: LoadClient) => void,
): Promise<{ outcome: Outcome; client: LoadClient }> {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => answer(response, client));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const client = new LoadClient({
    url: `http://127.0.0.1:${address.port}`,
    key: new Secret('tfk_test'),
    model: 'a-model',
    seed: 7,
    nowMs: () => performance.now(),
    signal: new AbortController().signal,
  });
  try {
    await client.send({ index: 3, atMs: 0, promptTokens: 4, outputTokens: 2, stream });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  const [outcome] = client.outcomes;
  assert.ok(outcome !== undefined);
  return { outcome, client };
}

test('a whole stream is ok, with backend, attempts and overhead from the headers', async () => {
  const { outcome, client } = await booked(true, (response) => {
    response.writeHead(200, eventStream);
    response.end(content('sea ') + content('sky ') + done);
  });
  assert.equal(outcome.kind, 'ok');
  assert.deepEqual([outcome.backend, outcome.attempts, outcome.overheadMs], ['sim-big', 2, 0.25]);
  assert.ok((outcome.firstContentMs ?? 0) >= outcome.startedMs);
  assert.equal(client.inFlight, 0);
});

test('a stream with a token missing is broken', async () => {
  const { outcome } = await booked(true, (response) => {
    response.writeHead(200, eventStream);
    response.end(content('sea ') + done);
  });
  assert.deepEqual([outcome.kind, outcome.words], ['broken', '4 characters of 8 arrived']);
});

test('a cut is seen to its end mark even when that comes after the error event', async () => {
  const { outcome } = await booked(true, (response) => {
    response.writeHead(200, eventStream);
    response.write(content('sea '));
    response.write(error, () => setImmediate(() => response.end(done)));
  });
  assert.deepEqual([outcome.kind, outcome.words], ['cut', 'The backend failed.']);
});

test('an error event without the end mark is broken', async () => {
  const { outcome } = await booked(true, (response) => {
    response.writeHead(200, eventStream);
    response.end(content('sea ') + error);
  });
  assert.deepEqual([outcome.kind, outcome.words], ['broken', '0 [DONE] marks']);
});

test('a connection that breaks inside a stream is broken', async () => {
  const { outcome } = await booked(true, (response) => {
    response.writeHead(200, eventStream);
    response.write(content('sea '), () => setImmediate(() => response.destroy()));
  });
  assert.equal(outcome.kind, 'broken');
  assert.match(outcome.words, /the connection broke inside the stream/);
});

test('an error status is a failure before the first byte, and nothing is sent again', async () => {
  let asked = 0;
  for (const stream of [true, false]) {
    const { outcome } = await booked(stream, (response) => {
      asked++;
      response.writeHead(503, { 'content-type': 'application/json' });
      response.end('{"error":{"message":"none takes requests now"}}');
    });
    assert.equal(outcome.kind, 'failed');
    assert.match(outcome.words, /503 none takes requests now/);
  }
  assert.equal(asked, 2);
});

test('a JSON answer is ok when it has the length that was asked for', async () => {
  for (const [text, kind] of [
    ['sea sky ', 'ok'],
    ['sea ', 'broken'],
  ] as const) {
    const { outcome } = await booked(false, (response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const choices = [{ index: 0, message: { role: 'assistant', content: text } }];
      response.end(JSON.stringify({ object: 'chat.completion', choices }));
    });
    assert.equal(outcome.kind, kind);
  }
});

test('open streams are those of the backend that have brought content', async () => {
  const seen: number[][] = [];
  const { client } = await booked(true, (response, sender) => {
    seen.push(sender.openStreams('sim-big'));
    response.writeHead(200, eventStream);
    response.write(content('sea '));
    const look = setInterval(() => {
      if (sender.openStreams('sim-big').length !== 1) return;
      clearInterval(look);
      seen.push(sender.openStreams('sim-big'), sender.openStreams('sim-fast'));
      response.end(content('sky ') + done);
    }, 1);
  });
  seen.push(client.openStreams('sim-big'));
  assert.deepEqual(seen, [[], [3], [], []]);
});
