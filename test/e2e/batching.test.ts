// Goal: requests of one model go to the engine as one and each client gets exactly its own answer; who
// is urgent waits for nobody, who leaves holds nobody up, and what fails for all is tried for each.
// Method: backends that write down what they are asked and answer when the test says so; batches that
// go out when they are full, so that no test waits for a time.

import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { decisionSchema } from '../../src/protocol/control/schemas.ts';
import {
  type Answer,
  type Asked,
  ask,
  decisionsOf,
  errorOf,
  jsonAnswer,
  type ModelScript,
  metricsOf,
  startModelScript,
  sumOf,
  until,
} from '../support/inference.ts';
import { type Product, startProduct } from '../support/product.ts';

let product: Product;
const scripts = new Map<string, ModelScript>();
/** What a backend was asked and has not answered. */
const open = new Map<string, Asked[]>();

const inputsOf = ({ body }: Asked): readonly string[] => {
  const { input, prompt } = JSON.parse(body);
  return [input ?? prompt].flat();
};

/** The vector of a text is its length, so that everybody can tell its own. */
function vectors(one: Asked): string {
  const inputs = inputsOf(one);
  const data = inputs.map((text, index) => ({
    object: 'embedding',
    index,
    embedding: [text.length],
  }));
  const tokens = inputs.length * 10 + 1;
  const usage = { prompt_tokens: tokens, total_tokens: tokens };
  // The order of the list says nothing; the indexes do.
  return JSON.stringify({ object: 'list', data: data.reverse(), model: 'e', usage });
}

function texts(one: Asked): string {
  const choices = inputsOf(one).map((prompt, index) => ({
    index,
    text: `${prompt}!`,
    finish_reason: 'stop',
    logprobs: null,
  }));
  const usage = { prompt_tokens: 9, completion_tokens: 7, total_tokens: 16 };
  return JSON.stringify({ id: 'cmpl-x', object: 'text_completion', choices, usage });
}

const answerWith = (one: Asked, body: string, status = 200): void =>
  void one.socket.write(jsonAnswer(status, body));

async function backend(name: string, model: string, type: string, answer: (one: Asked) => void) {
  const script = await startModelScript([model], answer);
  scripts.set(name, script);
  return { name, url: script.url, type };
}

/** One that answers when the test says so. */
function held(model: string): Promise<{ name: string; url: string; type: string }> {
  const asked: Asked[] = [];
  open.set(model, asked);
  return backend(model, model, 'generic', (one) => asked.push(one));
}

before(async () => {
  product = await startProduct({
    sims: [],
    backends: [
      ...(await Promise.all(['three', 'urgent', 'left', 'plain'].map(held))),
      await backend('poisoned', 'poisoned', 'generic', (one) => {
        // An engine that refuses the whole for one text of it.
        const isBad = inputsOf(one).some((text) => text.includes('bad'));
        if (isBad) answerWith(one, '{"error":{"message":"bad input","code":"bad"}}', 400);
        else answerWith(one, vectors(one));
      }),
      await backend('broken', 'twice', 'generic', (one) => answerWith(one, '{}', 500)),
      await backend('sound', 'twice', 'generic', (one) => answerWith(one, vectors(one))),
      await backend('dead', 'dead', 'generic', (one) => answerWith(one, '{}', 500)),
      await backend('writer', 'writer', 'llamacpp', (one) => answerWith(one, texts(one))),
    ],
    config: {
      server: { threads: 1 },
      batching: {
        models: [
          { model_pattern: 'three', max_batch_size: 3, max_wait_ms: 60_000 },
          { model_pattern: 'left', max_batch_size: 3, max_wait_ms: 60_000 },
          { model_pattern: 'urgent', max_batch_size: 8, max_wait_ms: 60_000 },
          { model_pattern: '*', max_batch_size: 2, max_wait_ms: 60_000 },
        ],
      },
    },
  });
});

after(async () => {
  await Promise.all([...scripts.values()].map((script) => script.close()));
  await product.stop();
});

function embed(model: string, input: unknown, headers: Readonly<Record<string, string>> = {}) {
  return ask(product, JSON.stringify({ model, input }), { path: '/v1/embeddings', headers });
}

async function nextAsked(model: string): Promise<Asked> {
  const asked = open.get(model) ?? [];
  await until(`the backend of ${model} is asked`, () => asked.length > 0);
  return asked.shift() as Asked;
}

/** Lengths that an answer tells, in the order of its indexes. */
function lengthsOf({ text }: Answer): readonly number[] {
  const { data } = JSON.parse(text) as { data: { index: number; embedding: number[] }[] };
  assert.deepEqual(
    data.map(({ index }) => index),
    data.map((_, i) => i),
  );
  return data.map(({ embedding }) => embedding[0] ?? 0);
}

function tokensOf({ text }: Answer): number {
  return (JSON.parse(text) as { usage: { prompt_tokens: number } }).usage.prompt_tokens;
}

describe('requests that go out together', { concurrency: false }, () => {
  it('reach the engine as one, and each client gets its own part and its share of the tokens', async () => {
    const asked = [embed('three', 'a'), embed('three', ['bb', 'ccc'])];
    const one = await nextAsked('three');
    assert.equal(one.head.split('\r\n')[0], 'POST /v1/embeddings HTTP/1.1');
    assert.deepEqual([...inputsOf(one)].sort(), ['a', 'bb', 'ccc']);
    answerWith(one, vectors(one));
    const [single, double] = await Promise.all(asked);
    assert.deepEqual([single?.status, double?.status], [200, 200]);
    assert.deepEqual(lengthsOf(single as Answer), [1]);
    assert.deepEqual(lengthsOf(double as Answer), [2, 3]);
    assert.equal(tokensOf(single as Answer) + tokensOf(double as Answer), 31);
    assert.equal(single?.headers['x-tensorforge-backend'], 'three');
  });

  it('are told with their batch, and decided again the same', async () => {
    const batches: (string | undefined)[] = [];
    for (const { request_id: id } of await decisionsOf(product)) {
      const { body } = await product.json(`/api/v1/decisions/${id}`);
      const decision = decisionSchema.parse(body);
      assert.equal(decision.again, 'same');
      assert.equal(decision.backend_id, 'three');
      const [batch] = decision.batches ?? [];
      assert.match(
        batch?.words ?? '',
        /^one of 3 in batch .* of at most 3, .* because it was full$/,
      );
      batches.push(batch?.batch_id);
    }
    assert.equal(batches.length, 2);
    assert.equal(new Set(batches).size, 1);
  });

  it('go alone where they ask for something else', async () => {
    const other = ask(product, JSON.stringify({ model: 'plain', input: 'x', dimensions: 5 }), {
      path: '/v1/embeddings',
      headers: { 'x-tensorforge-priority': '5' },
    });
    const chatted = ask(
      product,
      JSON.stringify({ model: 'plain', messages: [{ role: 'user', content: 'Hi' }] }),
    );
    const heads = [await nextAsked('plain'), await nextAsked('plain')];
    for (const one of heads)
      answerWith(one, one.head.includes('embeddings') ? vectors(one) : '{"choices":[]}');
    assert.deepEqual([(await other).status, (await chatted).status], [200, 200]);
  });

  it('leave at once with one that may not wait', async () => {
    const patient = embed('urgent', 'patient');
    let together: readonly string[] = [];
    // Whichever comes first: the patient one leaves with the first urgent one that finds it there.
    while (!together.includes('patient')) {
      const urgent = embed('urgent', 'now', { 'x-tensorforge-priority': '5' });
      const one = await nextAsked('urgent');
      together = inputsOf(one);
      answerWith(one, vectors(one));
      assert.deepEqual(lengthsOf(await urgent), [3]);
    }
    assert.deepEqual(together, ['now', 'patient']);
    assert.deepEqual(lengthsOf(await patient), [7]);
    const of = { model: 'urgent', cause: 'priority' };
    await until(
      'it is in the metrics',
      async () => sumOf(await metricsOf(product), 'tensorforge_micro_batches_total', of) > 0,
    );
  });

  it('go on without one that leaves', async () => {
    const gone = httpRequest({
      host: '127.0.0.1',
      port: product.port,
      method: 'POST',
      path: '/v1/embeddings',
      agent: false,
      headers: { authorization: `Bearer ${product.adminKey}`, 'content-type': 'application/json' },
    });
    gone.on('error', () => {});
    gone.end(JSON.stringify({ model: 'left', input: 'gone' }));
    const others = [embed('left', 'one'), embed('left', 'three')];
    const one = await nextAsked('left');
    assert.equal(inputsOf(one).length, 3);
    gone.destroy();
    await until('it is settled', async () =>
      (await decisionsOf(product)).some(({ status, model }) => status === 499 && model === 'left'),
    );
    answerWith(one, vectors(one));
    const answers = await Promise.all(others);
    assert.deepEqual(answers.map(lengthsOf), [[3], [5]]);
  });

  it('are asked for one by one when the engine refuses the whole', async () => {
    const answers = await Promise.all([embed('poisoned', 'bad'), embed('poisoned', 'good')]);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [400, 200],
    );
    assert.deepEqual(lengthsOf(answers[1] as Answer), [4]);
    const asked = scripts.get('poisoned')?.asked.map((one) => inputsOf(one).length);
    assert.deepEqual(asked, [2, 1, 1]);
  });

  it('come again on another backend when the first one fails', async () => {
    const before = await failuresOf('broken');
    // Both backends are idle: sooner or later the broken one is asked first.
    await until('the broken one was asked', async () => {
      const answers = await Promise.all([embed('twice', 'a'), embed('twice', 'bb')]);
      assert.deepEqual(answers.map(lengthsOf), [[1], [2]]);
      return (await failuresOf('broken')) > before;
    });
    assert.ok((scripts.get('sound')?.asked.length ?? 0) > 0);
  });

  it('each hear of the failure when nobody is left', async () => {
    const answers = await Promise.all([embed('dead', 'a'), embed('dead', 'b')]);
    for (const answer of answers) {
      assert.equal(answer.status, 502);
      assert.equal(errorOf(answer.text).code, 'bad_gateway');
    }
    await until(
      'the failure is counted',
      async () =>
        sumOf(await metricsOf(product), 'tensorforge_micro_batches_failed_total', {
          model: 'dead',
        }) > 0,
    );
  });

  it('may be completions, each with an id of its own', async () => {
    const complete = (prompt: string) =>
      ask(product, JSON.stringify({ model: 'writer', prompt, max_tokens: 4 }), {
        path: '/v1/completions',
      });
    const answers = await Promise.all([complete('one'), complete('two')]);
    const told = answers.map(({ text }) => JSON.parse(text));
    assert.deepEqual(
      told.map(({ choices }) =>
        choices.map((choice: { index: number; text: string }) => choice.text),
      ),
      [['one!'], ['two!']],
    );
    assert.equal(new Set(told.map(({ id }) => id)).size, 2);
    const sum = (name: string) => told.reduce((all, { usage }) => all + usage[name], 0);
    assert.deepEqual([sum('prompt_tokens'), sum('completion_tokens')], [9, 7]);
    assert.equal(scripts.get('writer')?.asked.length, 1);
  });

  it('are in the metrics: how full, how long, how many, and why', async () => {
    await until('all were reported', async () => {
      const metrics = await metricsOf(product);
      const full = sumOf(metrics, 'tensorforge_micro_batches_total', {
        model: 'three',
        cause: 'full',
      });
      return (
        full === 1 &&
        sumOf(metrics, 'tensorforge_micro_batch_items_total', { model: 'three' }) === 3
      );
    });
    const metrics = await metricsOf(product);
    const of = { model: 'three' };
    assert.equal(sumOf(metrics, 'tensorforge_micro_batch_fill_ratio_sum', of), 1);
    assert.equal(sumOf(metrics, 'tensorforge_micro_batch_seconds_count', of), 1);
    const rule = { rule: 'three' };
    assert.equal(sumOf(metrics, 'tensorforge_micro_batch_fill_rate', rule), 1);
    assert.ok(sumOf(metrics, 'tensorforge_micro_batch_items_per_second', rule) > 0);
    assert.ok(sumOf(metrics, 'tensorforge_micro_batch_latency_seconds', rule) > 0);
  });
});

async function failuresOf(backend: string): Promise<number> {
  return sumOf(await metricsOf(product), 'tensorforge_attempt_failures_total', { backend });
}
