// A backend that fails before the first byte must not be noticed by a client when another one has
// the model; one that fails behind it ends in one error event. The engine `first` is preferred by
// its priority and fails on command; `second` stands in. The figures are those of the engines
// themselves, so that a request that was sent twice would show.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type RunningSim, startSim } from '../../src/services/sim/sim-server.ts';
import {
  type Answer,
  ask,
  backendOf,
  chat,
  decisionsOf,
  errorOf,
  eventsOf,
  jsonAnswer,
  type ModelScript,
  metricsOf,
  remove,
  startModelScript,
  sumOf,
  until,
} from '../support/inference.ts';
import { freePort, type Product, startProduct } from '../support/product.ts';

const mainFile = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

let product: Product;
let first: RunningSim;
let second: RunningSim;
let llama: RunningSim;
const scripts: ModelScript[] = [];
let scriptStatus = 500;

const simOptions = { port: 0, profile: 'h100-7b', speed: 50, seed: 1 } as const;

before(async () => {
  first = await startSim({ ...simOptions, as: 'vllm', models: ['shared', 'solo'] });
  second = await startSim({ ...simOptions, as: 'vllm', models: ['shared', 'respond'] });
  llama = await startSim({ ...simOptions, as: 'llamacpp', models: ['respond', 'only-llama'] });
  for (let i = 0; i < 4; i++) {
    const script = await startModelScript(['many'], ({ socket }) =>
      socket.write(jsonAnswer(scriptStatus, '{"error":{"message":"no"}}')),
    );
    scripts.push(script);
  }
  product = await startProduct({
    sims: [],
    backends: [
      { name: 'first', url: first.url, type: 'vllm', priority: 0 },
      { name: 'second', url: second.url, type: 'vllm', priority: 100 },
      { name: 'llama', url: llama.url, type: 'llamacpp', priority: 0 },
      ...scripts.map(({ url }, i) => ({ name: `many-${i}`, url, type: 'generic' })),
    ],
    config: {
      upstream: { first_byte_seconds: 6, idle_seconds: 3, connect_seconds: 3 },
      // `first` fails in every test and is preferred in the next.
      breaker: { ejected_percent: 0 },
      health_check: {
        interval_seconds: 3600,
        failure_threshold: 1,
        recovery_threshold: 1,
        timeout_seconds: 10,
      },
    },
  });
});

after(async () => {
  await product?.stop();
  await Promise.all([first, second, llama].map((sim) => sim?.stop()));
  await Promise.all(scripts.map((script) => script.close()));
});

async function breakFirst(fault: Readonly<Record<string, unknown>>): Promise<void> {
  const answer = await fetch(`${first.url}/sim/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(fault),
  });
  assert.equal(answer.status, 201, await answer.text());
}

async function isHealthy(id: string): Promise<void> {
  await until(`${id} takes requests`, async () => {
    if ((await backendOf(product, id)).routable) return true;
    await product.json(`/api/v1/backends/${id}/probe`, { method: 'POST', body: '{}' });
    return false;
  });
}

beforeEach(async () => {
  await first.reopen();
  const cleared = await fetch(`${first.url}/sim/faults`, { method: 'DELETE' });
  assert.equal(cleared.status, 200);
  await isHealthy('first');
  await isHealthy('second');
});

const short = { max_tokens: 4 };
/** Until the next test opens the port again. */
const refusal = { kind: 'refuse', duration_ms: 600_000 };

function assertServedBySecond(answer: Answer): void {
  assert.equal(answer.status, 200, answer.text);
  const { headers } = answer;
  assert.equal(headers['x-tensorforge-backend'], 'second');
  assert.equal(headers['x-tensorforge-attempts'], '2');
  assert.equal(headers['x-tensorforge-route-reason'], 'failover');
  assert.equal(headers['x-tensorforge-decision'], `${headers['x-request-id']}.2`);
  assert.equal(headers['x-tensorforge-model'], 'shared');
  const overheadMs = Number(headers['x-tensorforge-overhead-ms']);
  // Waiting for the failed backend is no overhead of ours, however long it took.
  assert.ok(overheadMs >= 0 && overheadMs < 1000, `overhead ${overheadMs} ms`);
  assert.equal(headers['x-should-retry'], undefined);
}

describe('a backend that fails before the first byte', () => {
  const faults: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
    ['refuses', refusal],
    ['resets', { kind: 'reset', count: 1 }],
    ['hangs', { kind: 'hang', count: 1 }],
    ['answers 500', { kind: '500', count: 1 }],
    ['answers 429', { kind: '429', count: 1, retry_after: 7 }],
    ['answers 401', { kind: '401', count: 1 }],
    ['is loading', { kind: 'loading', count: 1, paths: ['/v1/chat'] }],
    ['answers bad headers', { kind: 'bad_headers', count: 1 }],
    ['answers broken JSON', { kind: 'invalid_json', count: 1 }],
    ['cuts its answer', { kind: 'cut_stream', count: 1, after_chunks: 0 }],
  ];
  for (const [words, fault] of faults) {
    for (const stream of [false, true]) {
      it(`${words}: ${stream ? 'a stream' : 'an answer'} comes from another one`, async () => {
        const before = { first: first.stats(), second: second.stats() };
        await breakFirst(fault);
        const answer = await ask(product, chat('shared', { ...short, stream }));
        assertServedBySecond(answer);
        if (stream) {
          const events = eventsOf(answer.text);
          assert.equal(events.at(-1), '[DONE]');
          assert.ok(!answer.text.includes('"error"'));
        } else {
          assert.match(answer.text, /"finish_reason":"length"/);
        }
        const asked = first.stats().requests_total - before.first.requests_total;
        assert.equal(asked, fault['kind'] === 'refuse' ? 0 : 1);
        assert.equal(second.stats().requests_total - before.second.requests_total, 1);
        assert.equal(first.stats().running + first.stats().waiting, 0);
      });
    }
  }

  it('is told apart in the decision from what was chosen', async () => {
    await breakFirst({ kind: '500', count: 1 });
    const answer = await ask(product, chat('shared', short));
    const requestId = answer.headers['x-request-id'];
    await until('the decision', async () => {
      const found = (await decisionsOf(product)).some((one) => one.request_id === requestId);
      return found;
    });
    const decision = (await decisionsOf(product)).find((one) => one.request_id === requestId);
    assert.equal(decision?.backend_id, 'second');
    assert.equal(decision?.attempts, 2);
    assert.equal(decision?.route_reason, 'failover');
    const tried = decision?.candidates.find((candidate) => candidate.backend_id === 'first');
    assert.equal(tried?.stage, 'attempted');
    assert.equal(tried?.score, null);
  });
});

describe('when no other backend is left', () => {
  it('one attempt: the client may try again', async () => {
    await breakFirst({ kind: '500', count: 1 });
    const answer = await ask(product, chat('solo', short));
    assert.equal(answer.status, 502);
    assert.equal(errorOf(answer.text).code, 'bad_gateway');
    assert.equal(answer.headers['x-tensorforge-attempts'], '1');
    assert.equal(answer.headers['x-tensorforge-backend'], 'first');
    assert.equal(answer.headers['x-should-retry'], 'true');
  });

  it('a 429 keeps its body and its Retry-After', async () => {
    await breakFirst({ kind: '429', count: 1, retry_after: 7 });
    const answer = await ask(product, chat('solo', short));
    assert.equal(answer.status, 429);
    assert.equal(answer.headers['retry-after'], '7');
    assert.equal(answer.headers['x-should-retry'], 'true');
    assert.match(answer.text, /Rate limit reached/);
  });

  it('a 400 of the engine is the client’s own, and nobody else is asked', async () => {
    const before = second.stats().requests_total;
    const answer = await ask(product, chat('shared', { ...short, n: 3 }));
    assert.equal(answer.status, 400);
    assert.match(answer.text, /n must be 1/);
    assert.equal(answer.headers['x-should-retry'], 'false');
    assert.equal(answer.headers['x-tensorforge-attempts'], '1');
    assert.equal(second.stats().requests_total, before);
  });

  it('three attempts at most, each on another backend, then the client is told not to repeat', async () => {
    scriptStatus = 503;
    const before = scripts.map(({ asked }) => asked.length);
    const answer = await ask(product, chat('many'));
    assert.equal(answer.status, 502);
    assert.equal(answer.headers['x-tensorforge-attempts'], '3');
    assert.equal(answer.headers['x-should-retry'], 'false');
    assert.ok(String(answer.headers['x-tensorforge-decision']).endsWith('.3'));
    const asked = scripts.map(({ asked }, i) => asked.length - (before[i] ?? 0));
    assert.deepEqual([...asked].sort(), [0, 1, 1, 1]);
    const ids = new Set(
      scripts.flatMap(
        ({ asked }) => /x-request-id: (.*)/.exec(asked.at(-1)?.head ?? '')?.[1] ?? [],
      ),
    );
    assert.ok(ids.has(String(answer.headers['x-request-id'])), 'the id is stable over attempts');
  });

  it('429 everywhere is 429 after failover, and not to be repeated', async () => {
    scriptStatus = 429;
    const answer = await ask(product, chat('many'));
    assert.equal(answer.status, 429);
    assert.equal(answer.headers['x-should-retry'], 'false');
    assert.equal(answer.headers['x-tensorforge-attempts'], '3');
  });

  it('a route that one engine lacks is asked of another, and 404 is the last word', async () => {
    const body = JSON.stringify({ model: 'respond', input: 'Tell me', max_output_tokens: 3 });
    const answer = await ask(product, body, { path: '/v1/responses' });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers['x-tensorforge-backend'], 'second');
    const lacking = await ask(product, body.replace('respond', 'only-llama'), {
      path: '/v1/responses',
    });
    assert.equal(lacking.status, 404);
    assert.equal(lacking.headers['x-tensorforge-backend'], 'llama');
  });
});

describe('a backend that fails behind the first byte', () => {
  async function isCut(answer: Answer, code: string, timer?: string): Promise<void> {
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['x-tensorforge-backend'], 'first');
    assert.equal(answer.headers['x-tensorforge-attempts'], '1');
    assert.ok(answer.isWhole, 'the body must end as its framing says');
    const events = eventsOf(answer.text);
    assert.equal(events.filter((event) => event.includes('"error"')).length, 1);
    assert.equal(events.at(-1), '[DONE]');
    const error = errorOf(events.at(-2) ?? '');
    assert.equal(error.code, code);
    assert.equal(error.context?.timer, timer);
  }

  it('ends in one error event and [DONE], and no other backend is asked', async () => {
    const before = second.stats().requests_total;
    const cut = async () => sumOf(await metricsOf(product), 'tensorforge_streams_cut_total');
    const cutBefore = await cut();
    await breakFirst({ kind: 'cut_stream', count: 1, after_chunks: 2 });
    const answer = await ask(product, chat('shared', { max_tokens: 200, stream: true }));
    await isCut(answer, 'bad_gateway');
    assert.equal(second.stats().requests_total, before);
    await until('streams_cut_total', async () => (await cut()) === cutBefore + 1);
  });

  it('falls silent: the idle limit ends the stream', async (t) => {
    const mute = await startModelScript(['mute'], ({ socket }) => {
      const event = 'data: {"choices":[{"delta":{"content":"a"}}]}\n\n';
      socket.write(
        `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n${event.length.toString(16)}\r\n${event}\r\n`,
      );
    });
    t.after(() => mute.close());
    const { body } = await product.json('/api/v1/backends', {
      method: 'POST',
      body: JSON.stringify({ url: mute.url, name: 'mute', type: 'generic' }),
    });
    const answer = await ask(product, chat('mute', { stream: true }));
    const events = eventsOf(answer.text);
    assert.equal(errorOf(events.at(-2) ?? '').context?.timer, 'idle');
    assert.equal(events.at(-1), '[DONE]');
    await remove(product, `/api/v1/backends/${(body as { id: string }).id}`);
  });
});

describe('the health of a backend that cannot be reached', () => {
  it('is looked at at once, without waiting for its turn', async () => {
    const before = await backendOf(product, 'first');
    await breakFirst(refusal);
    const answer = await ask(product, chat('shared', short));
    assertServedBySecond(answer);
    // The next probe of its own would be an hour away.
    await until('the probe', async () => !(await backendOf(product, 'first')).routable);
    const probed = await backendOf(product, 'first');
    assert.equal(probed.status, 'unhealthy');
    assert.match(probed.last_error ?? '', /^connection failed/);
    assert.ok(probed.last_health_check > before.last_health_check);
    const next = await ask(product, chat('shared', short));
    assert.equal(next.headers['x-tensorforge-attempts'], '1');
    assert.equal(next.headers['x-tensorforge-backend'], 'second');
  });

  it('a connection that does not come about within its limit is given up', async (t) => {
    // Stopped, the process takes no connection, and its queue of two is full: the system lets
    // further ones wait.
    const port = await freePort();
    const child = spawn(process.execPath, [
      '-e',
      `require('node:http').createServer((q, a) => { a.setHeader('content-type', 'application/json');
       a.end('{"data":[{"id":"stuck"}]}') }).listen({ port: ${port}, host: '127.0.0.1', backlog: 1 },
       () => console.log('ready'))`,
    ]);
    t.after(async () => {
      child.kill('SIGKILL');
      await exited(child);
    });
    await once(child.stdout, 'data');
    const url = `http://127.0.0.1:${port}`;
    const { body, status } = await product.json('/api/v1/backends', {
      method: 'POST',
      body: JSON.stringify({ url, name: 'stuck', type: 'generic' }),
    });
    assert.equal(status, 201);
    child.kill('SIGSTOP');
    const fillers = Array.from({ length: 6 }, () => connect(port, '127.0.0.1'));
    for (const filler of fillers) filler.on('error', () => {});
    t.after(() => {
      for (const filler of fillers) filler.destroy();
    });
    await Promise.all(fillers.slice(0, 2).map((filler) => once(filler, 'connect')));
    const answer = await ask(product, chat('stuck'));
    assert.equal(answer.status, 504);
    assert.equal(errorOf(answer.text).context?.timer, 'connect');
    await remove(product, `/api/v1/backends/${(body as { id: string }).id}`);
  });
});

function exited(child: ChildProcess): Promise<unknown> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return once(child, 'exit');
}

describe('a backend whose process is killed', () => {
  it('loses no request that waits there, and cuts each running stream with one error event', async (t) => {
    const port = await freePort();
    const child = spawn(process.execPath, [
      mainFile,
      'sim',
      '--as',
      'vllm',
      '--port',
      String(port),
      '--model',
      'mortal',
      '--max-running',
      '4',
      '--speed',
      '1',
      '--profile',
      'a100-70b',
    ]);
    t.after(async () => {
      child.kill('SIGKILL');
      await exited(child);
    });
    const url = `http://127.0.0.1:${port}`;
    await until('the simulated engine', async () => {
      const answer = await fetch(`${url}/sim/state`).catch(() => null);
      return answer?.status === 200;
    });
    const spare = await startSim({ ...simOptions, as: 'vllm', models: ['mortal'] });
    t.after(() => spare.stop());
    const ids: string[] = [];
    for (const backend of [
      { url, name: 'mortal', type: 'vllm', priority: 0 },
      { url: spare.url, name: 'spare', type: 'vllm', priority: 100 },
    ]) {
      const added = await product.json('/api/v1/backends', {
        method: 'POST',
        body: JSON.stringify(backend),
      });
      assert.equal(added.status, 201);
      ids.push((added.body as { id: string }).id);
    }
    const askOne = (stream: boolean) => ask(product, chat('mortal', { max_tokens: 4000, stream }));
    const stateOf = async () =>
      (await (await fetch(`${url}/sim/state`)).json()) as Record<string, number>;
    // The streams first: of twelve asked at once, any four may reach the engine's four places.
    const asked = Array.from({ length: 3 }, () => askOne(true));
    await until('three streams', async () => (await stateOf())['streams_running'] === 3);
    asked.push(...Array.from({ length: 9 }, (_, i) => askOne(i % 3 !== 2)));
    await until('three streams and three requests without a byte', async () => {
      const state = await stateOf();
      return (state['streams_running'] ?? 0) >= 2 && (state['without_first_byte'] ?? 0) >= 3;
    });
    child.kill('SIGKILL');
    const answers = await Promise.all(asked);
    const cut = answers.filter(({ text }) => text.includes('"error"'));
    const served = answers.filter(({ text }) => !text.includes('"error"'));
    for (const { status, text } of answers) assert.equal(status, 200, text);
    assert.ok(cut.length >= 2 && cut.length <= 4, `${cut.length} cut`);
    for (const { text, headers } of cut) {
      assert.equal(headers['x-tensorforge-backend'], 'mortal');
      assert.equal(eventsOf(text).at(-1), '[DONE]');
      assert.equal(errorOf(eventsOf(text).at(-2) ?? '').code, 'bad_gateway');
    }
    for (const { headers } of served) {
      assert.equal(headers['x-tensorforge-backend'], 'spare');
      assert.equal(headers['x-tensorforge-attempts'], '2');
    }
    assert.equal(spare.stats().requests_finished, served.length);
    await until('the probe', async () => !(await backendOf(product, ids[0] ?? '')).routable);
    for (const id of ids) assert.equal((await backendOf(product, id)).pending_requests, 0);
    for (const id of ids) await remove(product, `/api/v1/backends/${id}`);
  });
});
