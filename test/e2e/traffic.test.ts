// What happens beside a decision, through the front door: experiments that split a model, copies to what
// is tried out, annotations, answers kept for when nobody is left, and the cheapest backend. One product
// with backends of the test's own, which answer when the test lets them; its section `routing` is read
// again for each test.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { shadowListSchema } from '../../src/protocol/control/shadow-schemas.ts';
import {
  type Answer,
  ask,
  backendOf,
  chat,
  chunk,
  decisionsOf,
  delta,
  errorOf,
  jsonAnswer,
  lastChunk,
  type ModelScript,
  metricsOf,
  startModelScript,
  streamHead,
  sumOf,
  until,
} from '../support/inference.ts';
import { type Product, runCommand, startProduct } from '../support/product.ts';

/** A model server that answers every question alike, once it is let. */
class Backend {
  /** Bodies of the questions so far. */
  readonly asked: Readonly<Record<string, unknown>>[] = [];
  readonly models: readonly string[];
  readonly #held: (() => void)[] = [];
  #script: ModelScript | undefined;
  isHolding = false;
  isBroken = false;
  words = 'The answer is 42.';

  constructor(models: readonly string[]) {
    this.models = models;
  }

  get held(): number {
    return this.#held.length;
  }

  async start(): Promise<string> {
    this.#script = await startModelScript(this.models, ({ socket, body }) => {
      const question = JSON.parse(body);
      this.asked.push(question);
      const answer = (): void => {
        socket.write(question.stream === true ? this.#stream() : this.#whole(question.model));
      };
      if (this.isHolding) this.#held.push(answer);
      else answer();
    });
    return this.#script.url;
  }

  /** Lets go of what is held, and of all that comes. */
  release(): void {
    this.isHolding = false;
    for (const go of this.#held.splice(0)) go();
  }

  async stop(): Promise<void> {
    await this.#script?.close();
  }

  #whole(model: unknown): string {
    if (this.isBroken) return jsonAnswer(500, '{}');
    const message = { role: 'assistant', content: this.words };
    const usage = { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 };
    const choices = [{ index: 0, message, finish_reason: 'stop' }];
    return jsonAnswer(200, JSON.stringify({ id: 'x', model, choices, usage }));
  }

  #stream(): string {
    const events = this.words.split(' ').map((word) => chunk(delta(`${word} `)));
    return streamHead + events.join('') + chunk('data: [DONE]\n\n') + lastChunk;
  }
}

const main = new Backend(['chat', 'chat-next', 'other']);
const spare = new Backend(['chat']);
const trial = new Backend(['trial']);
let product: Product;

before(async () => {
  const named = { main, spare, trial };
  const backends = await Promise.all(
    Object.entries(named).map(async ([name, backend]) => {
      return { name, url: await backend.start(), type: 'vllm' as const };
    }),
  );
  product = await startProduct({
    sims: [],
    backends,
    config: {
      // Answers are kept by each thread for itself.
      server: { threads: 1 },
      health_check: { interval_seconds: 3600, failure_threshold: 1 },
      breaker: { failures: 100 },
    },
  });
});

after(async () => {
  for (const backend of [main, spare, trial]) backend.release();
  await product?.stop();
  await Promise.all([main, spare, trial].map((backend) => backend.stop()));
});

async function reload(sections: Readonly<Record<string, unknown>>) {
  product.configure({
    server: { threads: 1 },
    health_check: { interval_seconds: 3600, failure_threshold: 1 },
    breaker: { failures: 100 },
    ...sections,
  });
  return product.json('/api/v1/config/reload', { method: 'POST', body: '{}' });
}

async function routeBy(
  routing: Readonly<Record<string, unknown>>,
  more: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const { status, body } = await reload({ routing, ...more });
  assert.equal(status, 200, JSON.stringify(body));
}

async function decisionOf(answer: Answer) {
  const { body, status } = await product.json(
    `/api/v1/decisions/${answer.headers['x-request-id']}`,
  );
  assert.equal(status, 200);
  return body as Readonly<Record<string, unknown>>;
}

async function shadowsOf() {
  return shadowListSchema.parse((await product.json('/api/v1/shadows')).body);
}

const arms = [
  { name: 'production', model: 'chat', basis_points: 6000 },
  { name: 'canary', model: 'chat-next', basis_points: 4000 },
];

describe('a traffic split', () => {
  it('gives each session one arm, tells which, and is decided again from the log', async () => {
    await routeBy({ splits: [{ name: 'tone', model_pattern: 'chat', arms }] });
    const models = { production: 'chat', canary: 'chat-next' } as const;
    const counts = { production: 0, canary: 0 };
    let last: Answer | undefined;
    for (let i = 0; i < 24; i++) {
      const headers = { 'x-tensorforge-affinity': `session-${i}` };
      const one = await ask(product, chat('chat'), { headers });
      const again = await ask(product, chat('chat'), { headers });
      assert.equal(one.status, 200, one.text);
      const arm = one.headers['x-tensorforge-variant'];
      assert.ok(arm === 'production' || arm === 'canary', String(arm));
      assert.equal(one.headers['x-tensorforge-experiment'], 'tone');
      assert.equal(again.headers['x-tensorforge-variant'], arm);
      assert.equal(one.headers['x-tensorforge-model'], models[arm]);
      counts[arm]++;
      last = again;
    }
    assert.ok(counts.production > 4, JSON.stringify(counts));
    assert.ok(counts.canary > 2, JSON.stringify(counts));
    const other = await ask(product, chat('other'));
    assert.equal(other.headers['x-tensorforge-variant'], undefined);
    assert.ok(last !== undefined);
    const decision = await decisionOf(last);
    const variant = last.headers['x-tensorforge-variant'];
    assert.deepEqual(decision['split'], { experiment: 'tone', arm: variant });
    assert.equal(decision['again'], 'same');
    const counted = await metricsOf(product);
    const labels = { experiment: 'tone', arm: 'canary', outcome: 'succeeded' };
    assert.equal(sumOf(counted, 'tensorforge_split_requests_total', labels), counts.canary * 2);
  });

  it('is refused whole with every fault, and the one in force stays', async () => {
    const splits = [
      { name: 'tone', model_pattern: 'chat', arms: [arms[0], { ...arms[1], basis_points: 3900 }] },
      { name: 'tone', model_pattern: 'a[b]', arms: [arms[0]] },
    ];
    const shadows = [{ name: 'x', model_pattern: 'chat', percent: 101 }];
    const bad = await reload({ routing: { splits, shadows } });
    assert.equal(bad.status, 422);
    const text = JSON.stringify(bad.body);
    assert.match(text, /routing\.splits\[1\]\.model_pattern/);
    assert.match(text, /at least two arms/);
    assert.match(text, /routing\.shadows\[0\]\.percent/);
    splits[1] = { name: 'tone', model_pattern: 'b', arms };
    const worse = JSON.stringify((await reload({ routing: { splits } })).body);
    assert.match(worse, /6000 \+ 3900 = 9900/);
    assert.match(worse, /“tone” that sum to 10000/);
    assert.match(worse, /routing\.splits\[1\]\.name/);
    const answer = await ask(product, chat('chat'));
    assert.equal(answer.headers['x-tensorforge-experiment'], 'tone');
  });
});

describe('shadow traffic', () => {
  it('compares, drops what has no room, and changes nothing for the client', async () => {
    const rule = { name: 'next', model_pattern: 'chat', to_model: 'trial', percent: 100 };
    await routeBy({ shadows: [rule], shadow: { queue_size: 1, in_flight: 1 } });
    trial.isHolding = true;
    trial.words = 'The answer is 41.';
    const first = await ask(product, chat('chat'));
    await until('the first copy is with its backend', () => trial.held === 1);
    const others = [
      await ask(product, chat('chat', { stream: true })),
      await ask(product, chat('chat', { stream: true })),
    ];
    for (const answer of [first, ...others]) assert.equal(answer.status, 200, answer.text);
    for (const kept of [
      await ask(product, chat('chat', { store: true })),
      await ask(product, chat('chat'), { headers: { 'x-tensorforge-no-shadow': 'true' } }),
    ]) {
      assert.equal(kept.status, 200);
    }
    assert.equal((await backendOf(product, 'trial')).pending_requests, 0);
    await until('one is dropped', async () => (await shadowsOf()).shadows[0]?.dropped !== 0);
    trial.release();
    await until('two are compared', async () => (await shadowsOf()).shadows[0]?.compared === 2);
    const { shadows, comparisons } = await shadowsOf();
    assert.equal(shadows[0]?.failed, 0);
    const compared = comparisons.find((one) => one.request_id === first.headers['x-request-id']);
    assert.equal(compared?.copy.backend, 'trial');
    assert.equal(compared?.copy.model, 'trial');
    assert.equal(compared?.copy.tokens, 7);
    assert.equal(compared?.primary.model, 'chat');
    assert.ok((compared?.distance ?? 0) > 0);
    assert.ok((compared?.distance ?? 1) < 0.5);
    // Apart from other prompts, and told to nobody's account.
    assert.match(String(trial.asked[0]?.['cache_salt']), /^[0-9a-f]{32}$/);
    const usage = await product.json('/api/v1/usage?by=group,backend');
    assert.match(
      JSON.stringify(usage.body),
      /"backend_id":"trial","group_name":"\(shadow\)"|"group_name":"\(shadow\)"[^}]*"trial"/,
    );
    const listed = await runCommand(['shadows', 'list'], {
      TENSORFORGE_URL: product.url,
      TENSORFORGE_API_KEY: product.adminKey,
    });
    assert.match(listed.stdout, /next/);
  });

  it('does not fail the client, whatever the copy meets', async () => {
    const rules = [{ name: 'gone', model_pattern: 'chat', to_backend: 'nowhere', percent: 100 }];
    await routeBy({ shadows: rules });
    assert.equal((await ask(product, chat('chat'))).status, 200);
    const ofGone = async () => (await shadowsOf()).shadows.find(({ name }) => name === 'gone');
    await until('it is refused', async () => ((await ofGone())?.refused ?? 0) > 0);
    await routeBy({
      shadows: [{ ...rules[0], name: 'broken', to_backend: 'trial', to_model: 'trial' }],
    });
    trial.isBroken = true;
    assert.equal((await ask(product, chat('chat'))).status, 200);
    const ofBroken = async () => (await shadowsOf()).shadows.find(({ name }) => name === 'broken');
    await until('it has failed', async () => (await ofBroken())?.failed === 1);
    trial.isBroken = false;
    assert.equal((await backendOf(product, 'trial')).status, 'healthy');
  });
});

describe('annotations', () => {
  it('come back in the answer and in the decision; bad ones are refused', async () => {
    await routeBy({});
    const headers = {
      'x-tensorforge-annotation-model-version': '2.1.0',
      'x-tensorforge-annotation-flags': 'fast-path=on',
    };
    const answer = await ask(product, chat('chat'), { headers });
    assert.equal(answer.headers['x-tensorforge-annotation-model-version'], '2.1.0');
    const said = { 'model-version': '2.1.0', flags: 'fast-path=on' };
    assert.deepEqual((await decisionOf(answer))['annotations'], said);
    const long = { 'x-tensorforge-annotation-flags': 'x'.repeat(257) };
    const refused = await ask(product, chat('chat'), { headers: long });
    assert.equal(refused.status, 431);
    assert.match(errorOf(refused.text).message, /257 bytes long, the limit is 256/);
  });
});

describe('graceful degradation', () => {
  it('gives the same question an older answer, marked, when nobody is left', async () => {
    await routeBy({ max_retries: 0, degradation: { enabled: true } });
    const question = chat('other', { temperature: 0 });
    const fresh = await ask(product, question);
    assert.equal(fresh.headers['x-tensorforge-degraded'], undefined);
    main.isBroken = true;
    const older = await ask(product, question);
    assert.equal(older.status, 200, older.text);
    assert.match(String(older.headers['x-tensorforge-degraded']), /^\d+$/);
    const { degraded, ...same } = JSON.parse(older.text);
    assert.equal(degraded, true);
    assert.deepEqual(same, JSON.parse(fresh.text));
    const decision = await decisionOf(older);
    assert.match(JSON.stringify(decision['degraded']), /bad_gateway/);
    assert.equal((await ask(product, chat('other', { temperature: 1 }))).status, 502);
    await routeBy({ max_retries: 0 });
    assert.equal((await ask(product, question)).status, 502);
    main.isBroken = false;
  });
});

describe('strategy cost', () => {
  it('takes the cheapest by the price list, and the choice is decided again', async () => {
    const file = join(product.dataDirectory, 'prices.json');
    const price = (backend: string, usd: number) => ({
      backend,
      input_usd_per_million: usd,
      output_usd_per_million: usd,
    });
    const served = async (): Promise<string> => {
      const answer = await ask(product, chat('chat'));
      const decision = (await decisionsOf(product))[0];
      assert.equal(decision?.request_id, answer.headers['x-request-id']);
      assert.match(decision?.reason ?? '', /^lowest_cost:/, JSON.stringify(decision));
      assert.equal((await decisionOf(answer))['again'], 'same');
      return String(answer.headers['x-tensorforge-backend']);
    };
    for (const [cheap, dear] of [
      ['main', 'spare'],
      ['spare', 'main'],
    ] as const) {
      writeFileSync(
        file,
        JSON.stringify({ dated: '2026-11-01', prices: [price(cheap, 1), price(dear, 9)] }),
      );
      await routeBy({ strategy: 'cost' }, { prices: { file } });
      assert.equal(await served(), cheap);
    }
  });
});
