// Streams through the front door: bytes pass untouched, the official client works on every route, a
// client that leaves frees its engine at once, one that reads slowly holds the engine back, and
// nothing that an operator does (reload, keys, stop) cuts a stream that runs.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import OpenAI from 'openai';
import { startSim } from '../../src/services/sim/sim-server.ts';
import {
  type Asked,
  ask,
  backendOf,
  chat,
  chunk,
  createKey,
  delta,
  errorOf,
  eventsOf,
  jsonAnswer,
  lastChunk,
  type ModelScript,
  plainAnswer,
  remove,
  startModelScript,
  streamHead,
  until,
} from '../support/inference.ts';
import { type Product, startProduct } from '../support/product.ts';

let product: Product;
let script: ModelScript;
let answerOfScript: (asked: Asked) => void;

before(async () => {
  script = await startModelScript(['scripted', 'real-model'], (asked) => answerOfScript(asked));
  product = await startProduct({
    sims: [
      { name: 'quick', models: ['quick'], as: 'openai' },
      { name: 'slow', models: ['slow'], speed: 1, maxRunning: 100, profile: 'a100-70b' },
    ],
    backends: [{ name: 'script', url: script.url, type: 'generic' }],
    config: {
      routing: { aliases: { nick: 'other', other: 'real-model' } },
      limits: { key_concurrency: 0 },
      server: { slow_reader_seconds: 2 },
    },
  });
});

after(async () => {
  await product?.stop();
  await script?.close();
});

/** A request whose answer is read as the test wants it. */
function open(
  at: Product,
  body: string,
  key = at.adminKey,
): { readonly sent: ClientRequest; readonly answer: Promise<IncomingMessage> } {
  const sent = httpRequest({
    host: '127.0.0.1',
    port: at.port,
    method: 'POST',
    path: '/v1/chat/completions',
    agent: false,
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    },
  });
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    sent.on('response', resolve);
    sent.on('error', reject);
  });
  answer.catch(() => undefined);
  sent.end(body);
  return { sent, answer };
}

/** Reads an answer to its end, telling every piece. */
async function textOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of answer) text += String(piece);
  return text;
}

/** A stream that has sent its first content, and its text to the end. */
async function running(at: Product, model: string, more: object = {}, key?: string) {
  const { sent, answer } = open(at, chat(model, { stream: true, ...more }), key);
  const response = await answer;
  assert.equal(response.statusCode, 200);
  const first = Promise.withResolvers<void>();
  let text = '';
  const whole = new Promise<string>((resolve, reject) => {
    response.on('data', (piece: Buffer) => {
      text += piece.toString();
      first.resolve();
    });
    response.on('end', () => resolve(text));
    response.on('error', reject);
  });
  whole.catch(() => undefined);
  await first.promise;
  return { sent, response, whole };
}

const simStats = (id: string) => {
  const sim = product.sims.find((candidate) => candidate.id === id);
  if (sim === undefined) throw new Error(`no engine ${id}`);
  return sim.stats();
};

describe('bytes', () => {
  // All that a stream may look like without being at fault.
  const odd = [
    ': a comment\n\n',
    'data: {"choices":[{"delta":{"role":"assistant"}}]}\r\n\r\n',
    'id: 7\nevent: message\ndata: {"choices":[{"index":0,\ndata:  "delta":{"content":"a"}}]}\n\n',
    'data:{"choices":[{"delta":{"content":"Gr\u00fc\u00dfe \ud83d\ude80"}}],"x":{"y":[1,2]}}\n\n',
    '\n\n',
    'retry: 10\n\n',
    'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\r\n',
    'data: [DONE]\n\n',
  ].join('');

  it('of a stream pass as they came, wherever they were cut', async () => {
    const bytes = Buffer.from(odd);
    for (const size of [1, 2, 3, 7, 64, bytes.length]) {
      answerOfScript = ({ socket }) => {
        socket.write(streamHead);
        for (let at = 0; at < bytes.length; at += size) {
          socket.write(chunk(bytes.subarray(at, at + size).toString('latin1')), 'latin1');
        }
        socket.write(lastChunk);
      };
      const answer = await ask(product, chat('scripted', { stream: true }));
      assert.equal(Buffer.from(answer.text, 'latin1').toString(), odd, `pieces of ${size}`);
      assert.equal(answer.headers['content-type'], 'text/event-stream');
    }
  });

  it('of a JSON answer pass as they came, small and large', async () => {
    for (const size of [1, 1000, 262_143, 262_144, 262_145, 3_000_000]) {
      const body = `{ "choices" : [ ],\n "x": "${'\u00fc'.repeat(size / 2)}" }\n`;
      answerOfScript = ({ socket }) => socket.write(jsonAnswer(200, body));
      const answer = await ask(product, chat('scripted'));
      assert.equal(answer.status, 200);
      assert.ok(Buffer.from(answer.text, 'latin1').equals(Buffer.from(body)), `${size} bytes`);
    }
  });

  it('of a request pass as they came but for the name behind an alias', async () => {
    answerOfScript = ({ socket }) => socket.write(jsonAnswer(200, plainAnswer));
    const written = (model: string): string =>
      `{ "temperature" : 0.50,\t"model"  :"${model}","messages":[ {"role":"user","content":"\\u0041 \u00fc"}],"unknown":[1e2,1.0] }`;
    const answer = await ask(product, written('nick'));
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers['x-tensorforge-model'], 'real-model');
    const { head, body } = script.asked.at(-1) ?? { head: '', body: '' };
    assert.equal(Buffer.from(body, 'latin1').toString(), written('real-model'));
    assert.ok(head.includes(`content-length: ${body.length}`));
    await ask(product, written('scripted'));
    assert.equal(
      Buffer.from(script.asked.at(-1)?.body ?? '', 'latin1').toString(),
      written('scripted'),
    );
  });

  it('are those that the engine gives to a client of its own', async (t) => {
    const twin = await startSim({
      port: 0,
      as: 'openai',
      models: ['quick'],
      profile: 'h100-7b',
      speed: 50,
      seed: 1,
      name: 'quick',
    });
    t.after(() => twin.stop());
    const plain = (text: string): string =>
      text
        .replace(/"created(_at)?":\d+/g, '"created":0')
        .replace(/(chatcmpl|cmpl|resp|msg)[-_]quick[-_]\d+/g, 'id')
        .replace(/"cached_tokens":\d+/g, '"cached_tokens":0');
    /** Streams are cut by the engine's clock; what they say must be equal. */
    const said = (text: string): string => {
      const parts = eventsOf(text).map((event) => (event === '[DONE]' ? event : JSON.parse(event)));
      return parts
        .map((part) => part?.choices?.[0]?.delta?.content ?? part?.delta ?? '')
        .filter((content) => typeof content === 'string')
        .join('');
    };
    const requests = [
      ['/v1/chat/completions', { messages: [{ role: 'user', content: 'Hi' }], max_tokens: 9 }],
      ['/v1/completions', { prompt: 'Hi', max_tokens: 9 }],
      ['/v1/embeddings', { input: ['one', 'two'], encoding_format: 'float' }],
      ['/v1/responses', { input: 'Hi', max_output_tokens: 9 }],
    ] as const;
    for (const [path, members] of requests) {
      const body = JSON.stringify({ model: 'quick', ...members });
      const through = await ask(product, body, { path });
      const direct = await fetch(`${twin.url}${path}`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
      });
      assert.equal(plain(through.text), plain(await direct.text()), path);
      if (path === '/v1/embeddings') continue;
      const streamed = JSON.stringify({ model: 'quick', ...members, stream: true });
      const stream = await ask(product, streamed, { path });
      const directStream = await fetch(`${twin.url}${path}`, {
        method: 'POST',
        body: streamed,
        headers: { 'content-type': 'application/json' },
      });
      assert.equal(said(stream.text), said(await directStream.text()), path);
    }
  });
});

describe('the official client', () => {
  let client: OpenAI;
  before(() => {
    client = new OpenAI({
      baseURL: `${product.url}/v1`,
      apiKey: product.adminKey,
      maxRetries: 0,
    });
  });
  const question = { model: 'quick', messages: [{ role: 'user' as const, content: 'Hello' }] };

  it('chats, whole and streamed with usage', async () => {
    const whole = await client.chat.completions.create({ ...question, max_completion_tokens: 12 });
    const chunks = [];
    const stream = await client.chat.completions.create({
      ...question,
      max_completion_tokens: 12,
      stream: true,
      stream_options: { include_usage: true },
    });
    for await (const part of stream) chunks.push(part);
    const text = chunks.map((part) => part.choices[0]?.delta.content ?? '').join('');
    assert.equal(text, whole.choices[0]?.message.content);
    assert.equal(chunks.at(-1)?.usage?.completion_tokens, 12);
  });

  it('completes, whole and streamed', async () => {
    const body = { model: 'quick', prompt: 'Once', max_tokens: 6 };
    const whole = await client.completions.create(body);
    let text = '';
    for await (const part of await client.completions.create({ ...body, stream: true })) {
      text += part.choices[0]?.text ?? '';
    }
    assert.equal(text, whole.choices[0]?.text);
  });

  it('embeds', async () => {
    const { data } = await client.embeddings.create({ model: 'quick', input: ['a', 'b'] });
    assert.equal(data.length, 2);
    assert.ok((data[0]?.embedding.length ?? 0) > 0);
  });

  it('responds, whole and as events', async () => {
    const body = { model: 'quick', input: 'Tell me', max_output_tokens: 8 };
    const whole = await client.responses.create(body);
    let text = '';
    let last = '';
    for await (const event of await client.responses.create({ ...body, stream: true })) {
      if (event.type === 'response.output_text.delta') text += event.delta;
      last = event.type;
    }
    assert.equal(text, whole.output_text);
    assert.equal(last, 'response.incomplete');
  });

  it('lists models and reads one', async () => {
    const ids: string[] = [];
    for await (const model of client.models.list()) ids.push(model.id);
    assert.deepEqual(ids, ['quick', 'real-model', 'scripted', 'slow']);
    assert.equal((await client.models.retrieve('quick')).owned_by, 'quick');
  });

  it('reads our failures as its own errors', async () => {
    await assert.rejects(client.chat.completions.create({ ...question, model: 'nobody' }), {
      status: 404,
      code: 'model_not_found',
      param: 'model',
      type: 'invalid_request_error',
    });
    const stranger = new OpenAI({
      baseURL: `${product.url}/v1`,
      apiKey: 'tfk_wrong',
      maxRetries: 0,
    });
    await assert.rejects(stranger.models.list(), { status: 401, code: 'invalid_api_key' });
  });

  it('hears of a stream that was cut as an error, not as its end', async () => {
    answerOfScript = ({ socket }) => {
      socket.write(streamHead + chunk(delta('Hel')));
      socket.end();
    };
    const stream = await client.chat.completions.create({
      ...question,
      model: 'scripted',
      stream: true,
    });
    const heard: string[] = [];
    await assert.rejects(async () => {
      for await (const part of stream) heard.push(part.choices[0]?.delta.content ?? '');
    }, /backend failed/);
    assert.deepEqual(heard, ['Hel']);
  });

  it('leaves a stream, and the engine stops', async () => {
    const stream = await client.chat.completions.create({
      ...question,
      model: 'slow',
      max_tokens: 4000,
      stream: true,
    });
    for await (const _part of stream) break;
    await until('the engine is idle', () => simStats('slow').running === 0);
  });
});

describe('clients that leave', () => {
  it('two hundred of them, in streams and in waiting, leave nothing behind within a second', async () => {
    const before = simStats('slow').aborted_total;
    const streams = Array.from({ length: 100 }, () =>
      open(product, chat('slow', { max_tokens: 4000, stream: true })),
    );
    const responses = await Promise.all(streams.map(({ answer }) => answer));
    for (const response of responses) response.resume();
    // The batch is full: these wait in the engine without a byte of an answer.
    const waiting = Array.from({ length: 100 }, (_, i) =>
      open(product, chat('slow', { max_tokens: 4000, stream: i % 2 === 0 })),
    );
    await until('a hundred streams and a hundred waiting', () => {
      const { running, waiting: queued } = simStats('slow');
      return running === 100 && queued === 100;
    });
    assert.equal((await backendOf(product, 'slow')).pending_requests, 200);
    for (const response of responses) response.on('error', () => {});
    for (const { sent } of [...streams, ...waiting]) {
      sent.on('error', () => {});
      sent.destroy();
    }
    await until('the engine is idle', () => {
      const { running, waiting: queued } = simStats('slow');
      return running + queued === 0;
    });
    await until(
      'no lease is held',
      async () => (await backendOf(product, 'slow')).pending_requests === 0,
    );
    assert.equal(simStats('slow').aborted_total - before, 200);
  });

  it('one that leaves while its body is on the way reaches no engine', async () => {
    const before = simStats('slow').requests_total;
    const sent = httpRequest({
      host: '127.0.0.1',
      port: product.port,
      method: 'POST',
      path: '/v1/chat/completions',
      agent: false,
      headers: {
        authorization: `Bearer ${product.adminKey}`,
        'content-type': 'application/json',
        'content-length': 1000,
      },
    });
    sent.on('error', () => {});
    sent.write(chat('slow').slice(0, 20));
    const inFlight = async (): Promise<number> => {
      const { body } = await product.json('/api/v1/overview');
      return (body as { in_flight: number }).in_flight;
    };
    await until('it is in flight', async () => (await inFlight()) === 1);
    sent.destroy();
    await until('it is gone', async () => (await inFlight()) === 0);
    assert.equal(simStats('slow').requests_total, before);
  });
});

describe('a client that reads slowly', () => {
  const event = chunk(delta('x'.repeat(32_000)));
  const events = 1500;

  /** Writes the whole stream as fast as the gateway takes it; counts what it took. */
  function flood(): { readonly taken: () => number; readonly isBlocked: () => boolean } {
    let taken = 0;
    let isBlocked = false;
    answerOfScript = ({ socket }) => {
      socket.write(streamHead);
      const more = (): void => {
        isBlocked = false;
        while (taken < events) {
          taken++;
          if (!socket.write(event)) {
            isBlocked = true;
            return;
          }
        }
        socket.removeListener('drain', more);
        socket.write(chunk('data: [DONE]\n\n') + lastChunk);
      };
      socket.on('drain', more);
      more();
    };
    return { taken: () => taken, isBlocked: () => isBlocked };
  }

  /** Nothing has moved for so long that the buffers on the way are full. */
  async function untilStill(figure: () => number): Promise<void> {
    let before = -1;
    let sinceMs = performance.now();
    await until('the stream to stand still', () => {
      if (figure() !== before) {
        before = figure();
        sinceMs = performance.now();
      }
      return performance.now() - sinceMs > 300;
    });
  }

  it('holds the engine back, and gets every byte when it reads on', async () => {
    const engine = flood();
    const { answer } = open(product, chat('scripted', { stream: true }));
    const response = await answer;
    response.pause();
    await untilStill(engine.taken);
    assert.ok(engine.isBlocked());
    // The kernel's buffers on three sockets and our own of one read.
    assert.ok(engine.taken() * 32_000 < 24_000_000, `${engine.taken()} events were taken`);
    const text = await textOf(response);
    assert.equal(eventsOf(text).length, events + 1);
    assert.equal(text.length, events * delta('x'.repeat(32_000)).length + 14);
  });

  it('case 106: loses its stream when it stalls, and the lease is free', async () => {
    const engine = flood();
    const { sent, answer } = open(product, chat('scripted', { stream: true }));
    const response = await answer;
    response.pause();
    response.on('error', () => {});
    sent.on('error', () => {});
    await untilStill(engine.taken);
    assert.equal((await backendOf(product, 'script')).pending_requests, 1);
    const engineSocket = script.asked.at(-1)?.socket;
    await until('the engine is left', () => engineSocket?.destroyed === true, 8000);
    assert.equal((await backendOf(product, 'script')).pending_requests, 0);
    sent.destroy();
  });
});

describe('an operator at work', () => {
  it('reloads and makes and revokes keys without dropping a stream', async () => {
    const mine = await createKey(product, { name: 'mine' });
    const other = await createKey(product, { name: 'other' });
    const kept = await running(product, 'slow', { max_tokens: 120 }, mine.secret);
    const lost = await running(product, 'slow', { max_tokens: 4000 }, other.secret);

    const file = join(dirname(product.dataDirectory), 'tensorforge.yaml');
    const configuration = JSON.parse(readFileSync(file, 'utf8')) as { routing: object };
    configuration.routing = { aliases: { fresh: 'quick' } };
    writeFileSync(file, JSON.stringify(configuration));
    assert.equal((await ask(product, chat('fresh', { max_tokens: 1 }))).status, 404);
    process.kill(product.pid, 'SIGHUP');
    await until('the new alias', async () => {
      return (await ask(product, chat('fresh', { max_tokens: 1 }))).status === 200;
    });
    assert.equal((await ask(product, chat('nick'))).status, 404);

    const revokedMs = performance.now();
    await remove(product, `/api/v1/keys/${other.id}`);
    await until(
      'the revoked key is refused',
      async () => (await ask(product, chat('quick'), { key: other.secret })).status === 401,
      5000,
    );
    const cut = eventsOf(await lost.whole);
    assert.ok(performance.now() - revokedMs < 5000);
    assert.equal(errorOf(cut.at(-2) ?? '').code, 'invalid_api_key');
    assert.equal(cut.at(-1), '[DONE]');

    const whole = eventsOf(await kept.whole);
    assert.equal(whole.at(-1), '[DONE]');
    assert.match(whole.at(-2) ?? '', /"finish_reason":"length"/);
    assert.ok(!whole.some((event) => event.includes('"error"')));
  });
});

describe('the end of the process', () => {
  it('ends what its grace does not cover with one error event and [DONE]', async (t) => {
    const stopping = await startProduct({
      sims: [{ name: 'slow', models: ['slow'], speed: 1, profile: 'a100-70b' }],
      config: { server: { drain_seconds: 1 } },
    });
    t.after(() => stopping.stop());
    const stream = await running(stopping, 'slow', { max_tokens: 4000 });
    const waiting = ask(stopping, chat('slow', { max_tokens: 4000 }));
    await until('both are in the engine', () => stopping.sims[0]?.stats().running === 2);
    const ended = stopping.signal('SIGTERM');
    const events = eventsOf(await stream.whole);
    assert.equal(events.at(-1), '[DONE]');
    const error = errorOf(events.at(-2) ?? '');
    assert.equal(error.context?.reason, 'shutting_down');
    assert.equal(events.filter((event) => event.includes('"error"')).length, 1);
    const answer = await waiting;
    assert.equal(answer.status, 503);
    assert.equal(errorOf(answer.text).context?.reason, 'shutting_down');
    assert.equal(await ended, 0);
    await until('the engine is left', () => stopping.sims[0]?.stats().running === 0);
  });

  it('waits for its streams, tells new requests so, and is clean', async () => {
    const stopping = product;
    const streams = await Promise.all([
      running(stopping, 'slow', { max_tokens: 60 }),
      running(stopping, 'slow', { max_tokens: 80 }),
    ]);
    const whole = open(stopping, chat('slow', { max_tokens: 60 }));
    await until('three requests in the engine', () => simStats('slow').running === 3);
    const ended = stopping.signal('SIGTERM');
    let refused = await ask(stopping, chat('slow', { max_tokens: 1 }));
    await until('the drain', async () => {
      refused = await ask(stopping, chat('slow', { max_tokens: 1 }));
      return refused.status === 503;
    });
    const error = errorOf(refused.text);
    assert.equal(error.code, 'service_unavailable');
    assert.equal(error.context?.reason, 'shutting_down');
    assert.equal(refused.headers['retry-after'], '5');
    assert.equal(refused.headers['x-should-retry'], 'true');
    assert.equal(refused.headers.connection, 'close');
    const ready = await ask(stopping, '', { path: '/health/ready', method: 'GET' });
    assert.equal(ready.status, 503);
    for (const stream of streams) {
      const events = eventsOf(await stream.whole);
      assert.equal(events.at(-1), '[DONE]');
      assert.ok(!events.some((event) => event.includes('"error"')));
    }
    assert.match(await textOf(await whole.answer), /"completion_tokens":60/);
    assert.equal(await ended, 0);
    assert.doesNotMatch(stopping.output(), /"level":"(error|fatal)"/);
  });
});
