// Goal: a second backend is asked beside one that does not begin to answer; whoever begins first answers,
// the other one is left in the same moment, and the client gets one answer. Method: one gateway thread and
// two scripted backends that keep what they were asked until the test answers it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  type Answer,
  type Asked,
  ask,
  backendsOf,
  chat,
  chunk,
  delta,
  eventsOf,
  jsonAnswer,
  lastChunk,
  type ModelScript,
  metricsOf,
  plainAnswer,
  startModelScript,
  streamHead,
  sumOf,
  until,
} from '../support/inference.ts';
import { type Product, startProduct } from '../support/product.ts';

let product: Product;
let first: ModelScript;
let second: ModelScript;

before(async () => {
  first = await startModelScript(['m'], () => {});
  second = await startModelScript(['m'], () => {});
  product = await startProduct({
    sims: [],
    backends: [
      { name: 'first', url: first.url, type: 'generic', priority: 0 },
      { name: 'second', url: second.url, type: 'generic', priority: 100 },
    ],
    config: {
      server: { threads: 1 },
      health_check: { interval_seconds: 3600 },
      routing: { strategy: 'priority_only', hedge_after_ms: 1, hedge_budget_percent: 100 },
    },
  });
});

after(async () => {
  await product?.stop();
  await Promise.all([first, second].map((script) => script?.close()));
});

/** Asks, and waits until both backends have the question. */
async function askBoth(more: object = {}): Promise<{
  readonly answer: Promise<Answer>;
  readonly atFirst: Asked;
  readonly atSecond: Asked;
}> {
  const [firsts, seconds] = [first.asked.length, second.asked.length];
  const answer = ask(product, chat('m', { ...more }));
  await until('both are asked', async () => second.asked.length > seconds);
  const [atFirst, atSecond] = [first.asked[firsts], second.asked[seconds]];
  assert.ok(atFirst !== undefined && atSecond !== undefined);
  return { answer, atFirst, atSecond };
}

const isGone = ({ socket }: Asked) => until('it is left', async () => socket.destroyed);

async function assertIdle(): Promise<void> {
  for (const backend of await backendsOf(product)) assert.equal(backend.pending_requests, 0);
}

test('the second one answers, and the first is left', async () => {
  const { answer, atFirst, atSecond } = await askBoth();
  atSecond.socket.write(jsonAnswer(200, plainAnswer));
  const { status, headers, text } = await answer;
  assert.equal(status, 200, text);
  assert.equal(text, plainAnswer);
  assert.equal(headers['x-tensorforge-backend'], 'second');
  assert.equal(headers['x-tensorforge-attempts'], '2');
  await isGone(atFirst);
  await assertIdle();
  await until('it is counted', async () => {
    const metrics = await metricsOf(product);
    return sumOf(metrics, 'tensorforge_hedges_won_total') === 1;
  });
  const metrics = await metricsOf(product);
  assert.equal(sumOf(metrics, 'tensorforge_hedges_total'), 1);
  assert.equal(sumOf(metrics, 'tensorforge_attempt_failures_total'), 0);
});

test('the first one may still answer, as a stream, and then the second is left', async () => {
  const { answer, atFirst, atSecond } = await askBoth({ stream: true });
  atFirst.socket.write(streamHead + chunk(delta('one')));
  await isGone(atSecond);
  atFirst.socket.write(chunk('data: [DONE]\n\n') + lastChunk);
  const { status, headers, text } = await answer;
  assert.equal(status, 200);
  assert.equal(headers['x-tensorforge-backend'], 'first');
  assert.deepEqual(eventsOf(text).length, 2);
  await assertIdle();
});

test('one that fails leaves the other to answer', async () => {
  const { answer, atFirst, atSecond } = await askBoth();
  atFirst.socket.write(jsonAnswer(500, '{}'));
  await until('it is noted', async () => {
    return sumOf(await metricsOf(product), 'tensorforge_attempt_failures_total') === 1;
  });
  atSecond.socket.write(jsonAnswer(200, plainAnswer));
  const { status, headers } = await answer;
  assert.deepEqual([status, headers['x-tensorforge-backend']], [200, 'second']);
  await assertIdle();
});

test('a client that leaves ends both', async () => {
  const leaving = new AbortController();
  const asked = [first.asked.length, second.asked.length] as const;
  const answer = fetch(`${product.url}/v1/chat/completions`, {
    method: 'POST',
    signal: leaving.signal,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${product.adminKey}` },
    body: chat('m'),
  }).catch(() => undefined);
  await until('both are asked', async () => second.asked.length > asked[1]);
  leaving.abort();
  await answer;
  for (const one of [first.asked[asked[0]], second.asked[asked[1]]]) {
    assert.ok(one !== undefined);
    await isGone(one);
  }
  await until('nothing is in flight', async () =>
    (await backendsOf(product)).every((backend) => backend.pending_requests === 0),
  );
});
