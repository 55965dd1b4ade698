// What an operator can read of the traffic: the counters of each backend (registry 4), the metrics,
// the decisions with a reason for every backend that was passed over, and the models that a key is
// told of. Two llama-servers with known slots, context and abilities offer the same model.

import assert from 'node:assert/strict';
import { type ClientRequest, request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { type ScriptedBackend, startBackend } from '../../src/io/http/upstream/scripted-backend.ts';
import { type DecisionWire, decisionSchema } from '../../src/protocol/control/schemas.ts';
import {
  type Answer,
  type Asked,
  ask,
  backendOf,
  chat,
  createKey,
  decisionsOf,
  errorOf,
  jsonAnswer,
  metricsOf,
  plainAnswer,
  sumOf,
  until,
} from '../support/inference.ts';
import { type Product, startProduct } from '../support/product.ts';

type Llama = ScriptedBackend & {
  readonly asked: Asked[];
  /** Answers inference; by default at once. */
  answer: (asked: Asked) => void;
};

type LlamaFacts = {
  readonly models: readonly string[];
  readonly context: number;
  readonly slots: number;
  readonly isAble: boolean;
};

const fine = (asked: Asked): void => {
  asked.socket.write(jsonAnswer(200, plainAnswer));
};

async function startLlama({ models, context, slots, isAble }: LlamaFacts): Promise<Llama> {
  const facts: Readonly<Record<string, unknown>> = {
    '/health': { status: 'ok' },
    '/v1/models': { object: 'list', data: models.map((id) => ({ id })) },
    '/props': {
      total_slots: slots,
      default_generation_settings: { n_ctx: context },
      modalities: { vision: isAble },
      chat_template_caps: { supports_tools: isAble },
    },
  };
  const asked: Asked[] = [];
  const backend = await startBackend(({ socket, text }) => {
    const headEnd = text.indexOf('\r\n\r\n');
    const path = text.split(' ', 2)[1] ?? '';
    if (text.startsWith('GET ')) {
      socket.write(jsonAnswer(200, JSON.stringify(facts[path] ?? {})));
      return;
    }
    const one = { socket, head: text.slice(0, headEnd), body: text.slice(headEnd + 4) };
    asked.push(one);
    llama.answer(one);
  });
  const llama: Llama = { ...backend, asked, answer: fine };
  return llama;
}

let product: Product;
let small: Llama;
let large: Llama;

before(async () => {
  small = await startLlama({
    models: ['model', 'small-only'],
    context: 100,
    slots: 2,
    isAble: false,
  });
  large = await startLlama({ models: ['model'], context: 8192, slots: 50, isAble: true });
  product = await startProduct({
    sims: [],
    backends: [
      { name: 'small', url: small.url, type: 'llamacpp', priority: 0 },
      { name: 'large', url: large.url, type: 'llamacpp', priority: 100 },
    ],
    // `small` fails on purpose, and is the preferred one in the next test.
    config: {
      health_check: { interval_seconds: 3600 },
      breaker: { ejected_percent: 0 },
      // Who finds every backend full is refused at once; waiting has tests of its own.
      queue: { enabled: false },
    },
  });
});

after(async () => {
  await product?.stop();
  await Promise.all([small?.close(), large?.close()]);
});

async function decisionOf(answer: Answer): Promise<DecisionWire> {
  const id = answer.headers['x-tensorforge-decision'];
  let found: DecisionWire | undefined;
  await until('the decision in the list', async () => {
    found = (await decisionsOf(product)).find((one) => one.decision_id === id);
    return found !== undefined;
  });
  assert.ok(found !== undefined);
  const { status, body } = await product.json(`/api/v1/decisions/${id}`);
  assert.equal(status, 200);
  // The log tells the same as the list of the newest, and more.
  const whole = Object.entries(decisionSchema.parse(body));
  const shown = whole.filter(([member]) => Object.hasOwn(found ?? {}, member));
  assert.deepEqual(Object.fromEntries(shown), found);
  return found;
}

function candidate(decision: DecisionWire, id: string) {
  const found = decision.candidates.find((one) => one.backend_id === id);
  assert.ok(found !== undefined, `no ${id} among the candidates`);
  return found;
}

describe('counters of a backend', () => {
  it('are exact after requests that went well, failed, and were left', async () => {
    const [beforeSmall, beforeLarge] = [
      await backendOf(product, 'small'),
      await backendOf(product, 'large'),
    ];
    const before = await metricsOf(product);
    for (let i = 0; i < 12; i++) assert.equal((await ask(product, chat('model'))).status, 200);
    small.answer = ({ socket }) => socket.write(jsonAnswer(500, '{}'));
    for (let i = 0; i < 5; i++) {
      // Fails on the one and is served by the other: each has worked on it once.
      assert.equal((await ask(product, chat('model'))).status, 200);
    }
    for (let i = 0; i < 3; i++) {
      assert.equal((await ask(product, chat('small-only'))).status, 502);
    }
    small.answer = () => {};
    const left = leaveOpen('small-only');
    await until(
      'it is there',
      async () => (await backendOf(product, 'small')).pending_requests === 1,
    );
    left.destroy();
    const expectedSmall = beforeSmall.total_requests + 12 + 5 + 3 + 1;
    await until(
      'the totals',
      async () => (await backendOf(product, 'small')).total_requests === expectedSmall,
    );
    small.answer = fine;
    const [afterSmall, afterLarge] = [
      await backendOf(product, 'small'),
      await backendOf(product, 'large'),
    ];
    assert.equal(afterSmall.total_requests, expectedSmall);
    assert.equal(afterLarge.total_requests - beforeLarge.total_requests, 5);
    assert.equal(afterSmall.pending_requests + afterLarge.pending_requests, 0);

    const status = async (code: string): Promise<number> => {
      const labels = { status: code };
      return (
        sumOf(await metricsOf(product), 'tensorforge_requests_total', labels) -
        sumOf(before, 'tensorforge_requests_total', labels)
      );
    };
    await until('the one that left', async () => (await status('499')) === 1);
    assert.deepEqual([await status('200'), await status('502'), await status('499')], [17, 3, 1]);
    const now = await metricsOf(product);
    const grown = (name: string, labels: Record<string, string> = {}): number =>
      sumOf(now, name, labels) - sumOf(before, name, labels);
    assert.equal(grown('tensorforge_requests_total', { backend: 'large', model: 'model' }), 5);
    assert.equal(grown('tensorforge_attempt_failures_total', { backend: 'small' }), 8);
    assert.equal(grown('tensorforge_failovers_total'), 5);
    assert.equal(grown('tensorforge_errors_total', { error_type: 'bad_gateway' }), 3);
    assert.equal(grown('tensorforge_request_duration_seconds_count'), 21);
    assert.equal(sumOf(now, 'tensorforge_pending_clamped_total'), 0);
  });

  it('keep the time to the first byte apart from the time of a probe', async () => {
    const probed = (await backendOf(product, 'large')).avg_latency_ms;
    const delayMs = 150;
    large.answer = (one) => {
      const timer = setTimeout(() => fine(one), delayMs);
      one.socket.on('close', () => clearTimeout(timer));
    };
    small.answer = ({ socket }) => socket.write(jsonAnswer(500, '{}'));
    const firstBytes: number[] = [(await backendOf(product, 'large')).first_byte_ms ?? 0];
    for (let i = 0; i < 4; i++) {
      await ask(product, chat('model'));
      firstBytes.push((await backendOf(product, 'large')).first_byte_ms ?? 0);
    }
    large.answer = fine;
    small.answer = fine;
    // Each step blends a fifth of some 150 ms in: it rises, and stays below its samples. A timer may
    // fire a little early by another clock, and milliseconds are whole.
    const leastMs = delayMs - 2;
    for (let i = 1; i < firstBytes.length; i++) {
      const [before = 0, now = 0] = [firstBytes[i - 1], firstBytes[i]];
      assert.ok(now > before || before >= delayMs - 4, `${firstBytes}`);
      if (before > 0) assert.ok(now >= Math.floor((leastMs + 4 * before) / 5), `${firstBytes}`);
    }
    assert.equal((await backendOf(product, 'large')).avg_latency_ms, probed);
  });
});

describe('10 000 clients that leave', () => {
  const total = 10_000;
  const atOnce = 40;
  /** When a client leaves: with its last byte sent, when the backend has it, at the first byte. */
  const moments = ['sent', 'asked', 'first byte'] as const;
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked';
  const event = 'data: {"choices":[{"delta":{"content":"a"}}]}\n\n';
  const firstBytes = `${head}\r\n\r\n${event.length.toString(16)}\r\n${event}\r\n`;

  it('leave nothing pending, and no clamp', async () => {
    const present = new Map<string, Socket>();
    const onAsked = ({ socket, body }: Asked): void => {
      const name = /client-\d+/.exec(body)?.[0] ?? '';
      const isAsked = Number(name.slice('client-'.length)) % moments.length === 1;
      if (isAsked) present.get(name)?.destroy();
      else socket.write(firstBytes);
    };
    small.answer = onAsked;
    large.answer = onAsked;
    let next = 0;
    const leaveOneByOne = async (): Promise<void> => {
      while (next < total) await leave(next++, present);
    };
    await Promise.all(Array.from({ length: atOnce }, leaveOneByOne));
    const figures = async () =>
      Promise.all([backendOf(product, 'small'), backendOf(product, 'large')]);
    await until('nothing is pending', async () =>
      (await figures()).every((backend) => backend.pending_requests === 0),
    );
    const metrics = await metricsOf(product);
    assert.equal(sumOf(metrics, 'tensorforge_pending_clamped_total'), 0);
    assert.equal(present.size, 0);
    small.answer = fine;
    large.answer = fine;
    assert.equal((await ask(product, chat('model'))).status, 200);
  });

  function leave(number: number, present: Map<string, Socket>): Promise<void> {
    const name = `client-${number}`;
    const moment = moments[number % moments.length];
    const body = chat('model', { stream: true, user: name });
    const lines = [
      'POST /v1/chat/completions HTTP/1.1',
      'host: localhost',
      `authorization: Bearer ${product.adminKey}`,
      'content-type: application/json',
      `content-length: ${Buffer.byteLength(body)}`,
    ];
    return new Promise((resolve) => {
      const socket = connect(product.port, '127.0.0.1');
      present.set(name, socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        present.delete(name);
        resolve();
      });
      socket.on('data', () => socket.destroy());
      socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`, () => {
        if (moment === 'sent') socket.destroy();
      });
    });
  }
});

/** A request that nobody answers yet. */
function leaveOpen(model: string): ClientRequest {
  const body = chat(model);
  const sent = httpRequest({
    host: '127.0.0.1',
    port: product.port,
    method: 'POST',
    path: '/v1/chat/completions',
    agent: false,
    headers: {
      authorization: `Bearer ${product.adminKey}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    },
  });
  sent.on('error', () => {});
  sent.end(body);
  return sent;
}

describe('a decision', () => {
  const image = [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }];
  const tools = [{ type: 'function', function: { name: 'f', parameters: {} } }];

  it('names the chosen one, its score and the lower score of the other', async () => {
    const answer = await ask(product, chat('model'));
    const decision = await decisionOf(answer);
    assert.equal(decision.backend_id, 'small');
    assert.match(decision.reason, /^highest_score:small:\d+\.\d\d$/);
    assert.equal(decision.route_reason, 'capability-match');
    assert.equal(decision.request_id, answer.headers['x-request-id']);
    assert.equal(decision.model, 'model');
    assert.equal(decision.status, 200);
    assert.ok((decision.first_byte_ms ?? -1) >= 0);
    assert.ok(decision.total_ms >= (decision.first_byte_ms ?? 0));
    const [chosen, other] = [candidate(decision, 'small'), candidate(decision, 'large')];
    assert.equal(chosen.reason, 'chosen');
    assert.equal(other.reason, 'lower score');
    assert.ok((chosen.score ?? 0) > (other.score ?? 0));
  });

  const lacking: readonly (readonly [string, object, string, string])[] = [
    ['vision', { messages: [{ role: 'user', content: image }] }, 'capabilities', 'vision'],
    ['tools', { tools }, 'capabilities', 'tools'],
  ];
  for (const [name, members, stage, reason] of lacking) {
    it(`says that a backend lacks ${name}`, async () => {
      const decision = await decisionOf(await ask(product, chat('model', { ...members })));
      assert.equal(decision.backend_id, 'large');
      assert.equal(decision.reason, 'only_healthy_backend');
      const passedOver = candidate(decision, 'small');
      assert.equal(passedOver.stage, stage);
      assert.equal(passedOver.reason, reason);
      assert.equal(passedOver.score, null);
      assert.ok((passedOver.suggested_action ?? '').length > 0);
    });

    it(`is 400 when nobody has ${name}, naming it`, async () => {
      const answer = await ask(product, chat('small-only', { ...members }));
      assert.equal(answer.status, 400);
      const error = errorOf(answer.text);
      assert.equal(error.code, 'capability_mismatch');
      assert.match(error.message, new RegExp(reason));
      const decision = await decisionOf(answer);
      assert.equal(decision.backend_id, null);
      assert.equal(decision.code, 'capability_mismatch');
      assert.equal(candidate(decision, 'small').stage, stage);
    });
  }

  it('counts output towards the context, which fits to the last token', async () => {
    const exact = await decisionOf(await ask(product, chat('model', { max_tokens: 99 })));
    assert.equal(exact.backend_id, 'small');
    const over = await decisionOf(await ask(product, chat('model', { max_tokens: 100 })));
    assert.equal(over.backend_id, 'large');
    assert.equal(candidate(over, 'small').stage, 'context');
    assert.equal(candidate(over, 'small').reason, 'needs 101 tokens (1 in, 100 out), has 100');
    const nobody = await ask(product, chat('model', { max_tokens: 9000 }));
    assert.equal(nobody.status, 400);
    assert.equal(errorOf(nobody.text).code, 'context_length_exceeded');
    assert.match(errorOf(nobody.text).message, /8192/);
  });

  it('passes over a backend that is full, and is 503 at_capacity when all are', async () => {
    const held: Asked[] = [];
    small.answer = (one) => held.push(one);
    const open = [leaveOpen('small-only'), leaveOpen('small-only')];
    await until('both slots are taken', () => held.length === 2);
    const overflow = await decisionOf(await ask(product, chat('model')));
    assert.equal(overflow.backend_id, 'large');
    assert.equal(overflow.route_reason, 'capacity-overflow');
    assert.equal(candidate(overflow, 'small').stage, 'capacity');
    assert.equal(candidate(overflow, 'small').reason, 'at_capacity: 2 of 2 in flight');
    const full = await ask(product, chat('small-only'));
    assert.equal(full.status, 503);
    assert.equal(full.headers['retry-after'], '5');
    assert.equal(full.headers['x-should-retry'], 'true');
    const error = errorOf(full.text);
    assert.equal(error.code, 'service_unavailable');
    assert.equal(error.context?.reason, 'at_capacity');
    small.answer = fine;
    for (const one of held) fine(one);
    await until(
      'they are answered',
      async () => (await backendOf(product, 'small')).pending_requests === 0,
    );
    for (const sent of open) sent.destroy();
  });

  it('passes over a backend that drains, lets its request finish, and takes it back', async () => {
    const held: Asked[] = [];
    small.answer = (one) => held.push(one);
    const runs = ask(product, chat('small-only'));
    await until('it runs', () => held.length === 1);
    small.answer = fine;
    await product.json('/api/v1/backends/small/drain', { method: 'POST', body: '{}' });
    const decision = await decisionOf(await ask(product, chat('model')));
    assert.equal(decision.backend_id, 'large');
    assert.equal(candidate(decision, 'small').stage, 'health');
    assert.equal(candidate(decision, 'small').reason, 'draining');
    const nobody = await ask(product, chat('small-only'));
    assert.equal(nobody.status, 503);
    assert.equal(errorOf(nobody.text).context?.reason, 'no_healthy_backend');
    assert.equal(nobody.headers['retry-after'], '5');
    for (const one of held) fine(one);
    assert.equal((await runs).status, 200);
    await product.json('/api/v1/backends/small/resume', { method: 'POST', body: '{}' });
    assert.equal((await decisionOf(await ask(product, chat('model')))).backend_id, 'small');
  });
});

describe('a key that is limited to some models', () => {
  it('case 181 = 182: is told the same of a forbidden model and of one that nobody has', async () => {
    const { secret } = await createKey(product, { name: 'limited', models: ['small-*'] });
    const own = await ask(product, chat('small-only'), { key: secret });
    assert.equal(own.status, 200);
    const asked = small.asked.length + large.asked.length;
    const forbidden = await ask(product, chat('model'), { key: secret });
    const unknown = await ask(product, chat('ledom'), { key: secret });
    assert.equal(forbidden.status, 404);
    assert.deepEqual(errorOf(forbidden.text), {
      message: 'No model “model”. This key can use: small-only.'.replace(/[“”]/g, (quote) =>
        Buffer.from(quote).toString('latin1'),
      ),
      type: 'invalid_request_error',
      param: 'model',
      code: 'model_not_found',
    });
    assert.equal(unknown.text.replace('ledom', 'model'), forbidden.text);
    assert.equal(unknown.status, forbidden.status);
    const plain = ({ headers }: Answer) => {
      const vary = /^(date|x-request-id|x-tensorforge-(decision|overhead-ms))$/;
      return Object.entries(headers).filter(([name]) => !vary.test(name));
    };
    assert.deepEqual(plain(forbidden), plain(unknown));
    assert.equal(small.asked.length + large.asked.length, asked);
  });

  it('lists its own models only, and finds no other', async () => {
    const { secret } = await createKey(product, { name: 'limited too', models: ['small-*'] });
    const list = await ask(product, '', { path: '/v1/models', method: 'GET', key: secret });
    const ids = (JSON.parse(list.text) as { data: { id: string }[] }).data.map(({ id }) => id);
    assert.deepEqual(ids, ['small-only']);
    const one = (id: string) =>
      ask(product, '', { path: `/v1/models/${id}`, method: 'GET', key: secret });
    assert.equal((await one('small-only')).status, 200);
    const [forbidden, unknown] = [await one('model'), await one('ledom')];
    assert.equal(forbidden.status, 404);
    assert.equal(unknown.text.replace('ledom', 'model'), forbidden.text);
  });

  it('of one that may use nothing, the refusal says so', async () => {
    const { secret } = await createKey(product, { name: 'nothing', models: ['none-*'] });
    const answer = await ask(product, chat('model'), { key: secret });
    assert.equal(answer.status, 404);
    assert.match(errorOf(answer.text).message, /This key can use no model yet\.$/);
  });
});
