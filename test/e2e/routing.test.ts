// Every policy and rule of routing through the front door: what a person writes into the configuration
// is what the answers and the decisions say, and the log of all of it is decided again without a
// difference. One product, whose section `routing` is read again for each test.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type ReplayReportWire,
  replayReportSchema,
} from '../../src/protocol/control/trust-schemas.ts';
import { type RunningSim, startSim } from '../../src/services/sim/sim-server.ts';
import {
  type Answer,
  ask,
  backendOf,
  chat,
  decisionsOf,
  errorOf,
  metricsOf,
  sumOf,
  until,
} from '../support/inference.ts';
import { type Product, startProduct } from '../support/product.ts';

const simOptions = { port: 0, as: 'vllm', profile: 'h100-7b', speed: 50 } as const;
/** Backend -> its models; `cloud` stands in the open zone. */
const fleet = {
  north: ['m', 'small'],
  south: ['m', 'small'],
  west: ['m'],
  cloud: ['m', 'public'],
} as const;
type Name = keyof typeof fleet;
const names = Object.keys(fleet) as readonly Name[];

let product: Product;
const sims = new Map<Name, RunningSim>();

before(async () => {
  for (const [seed, name] of names.entries()) {
    sims.set(name, await startSim({ ...simOptions, models: [...fleet[name]], seed }));
  }
  product = await startProduct({
    sims: [],
    backends: names.map((name) => ({
      name,
      url: sims.get(name)?.url ?? '',
      type: 'vllm',
      zone: name === 'cloud' ? 'open' : 'restricted',
      tier: name === 'west' ? 4 : 2,
    })),
    config: { health_check: { interval_seconds: 3600, failure_threshold: 1 } },
  });
});

after(async () => {
  await product?.stop();
  await Promise.all([...sims.values()].map((sim) => sim.stop()));
});

/** Puts these settings into force, and waits until a decision of every thread goes by them. */
async function routeBy(routing: Readonly<Record<string, unknown>>): Promise<void> {
  product.configure({ routing });
  const { status, body } = await product.json('/api/v1/config/reload', {
    method: 'POST',
    body: '{}',
  });
  assert.equal(status, 200, JSON.stringify(body));
}

const short = { max_tokens: 2 };

async function served(
  count: number,
  how: { readonly body?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const { headers } = how;
    const answer = await ask(product, how.body ?? chat('m', short), headers ? { headers } : {});
    assert.equal(answer.status, 200, answer.text);
    const backend = String(answer.headers['x-tensorforge-backend']);
    counts.set(backend, 1 + (counts.get(backend) ?? 0));
  }
  return counts;
}

async function recordOf(answer: Answer) {
  const requestId = answer.headers['x-request-id'];
  const find = async () => (await decisionsOf(product)).find((one) => one.request_id === requestId);
  await until('the decision', async () => (await find()) !== undefined);
  return find();
}

describe('a strategy', () => {
  it('weighted gives turns as the weights say', async () => {
    const weights = { north: 3, south: 1, west: 0, cloud: 0 };
    await routeBy({ strategy: 'weighted', backend_weights: weights });
    const counts = await served(16);
    assert.deepEqual([...counts].sort(), [
      ['north', 12],
      ['south', 4],
    ]);
  });

  it('sticky keeps a session, by header or by body, and spreads sessions', async () => {
    await routeBy({ strategy: 'sticky' });
    const one = await served(6, { headers: { 'x-tensorforge-affinity': 'session-1' } });
    assert.equal(one.size, 1);
    const body = chat('m', { ...short, prompt_cache_key: 'session-2' });
    assert.equal((await served(6, { body })).size, 1);
    const homes = new Set<string>();
    for (let i = 0; i < 16; i++) {
      const headers = { 'x-tensorforge-affinity': `other-${i}` };
      for (const home of (await served(1, { headers })).keys()) homes.add(home);
    }
    assert.ok(homes.size >= 3, [...homes].join(', '));
  });

  it('prefix_affinity brings one beginning to one backend', async () => {
    await routeBy({ strategy: 'prefix_affinity', affinity: { explore_percent: 0 } });
    const system = 'You are the support desk of a railway. '.repeat(40);
    const homes = new Set<string>();
    for (let i = 0; i < 8; i++) {
      const messages = [
        { role: 'system', content: system },
        { role: 'user', content: `Question ${i}` },
      ];
      const body = JSON.stringify({ model: 'm', messages, ...short });
      for (const home of (await served(1, { body })).keys()) homes.add(home);
    }
    assert.equal(homes.size, 1);
  });

  it('geographic goes to the region of the client', async () => {
    await routeBy({ strategy: 'geographic', backend_regions: { north: 'no', west: 'we' } });
    const counts = await served(4, { headers: { 'x-tensorforge-region': 'we' } });
    assert.deepEqual([...counts], [['west', 4]]);
  });

  for (const strategy of [
    'latency',
    'least_in_flight',
    'least_tokens',
    'power_of_two',
    'model_affinity',
  ]) {
    it(`${strategy} answers, and says why this one`, async () => {
      await routeBy({ strategy });
      const answer = await ask(product, chat('m', short));
      assert.equal(answer.status, 200);
      const record = await recordOf(answer);
      assert.match(
        record?.reason ?? '',
        /^(lowest_latency|least_in_flight|least_tokens|power_of_two|loaded|swap):/,
      );
      assert.equal(record?.candidates.length, 4);
    });
  }
});

describe('a rule for a model', () => {
  const rules = {
    policies: [
      { model_pattern: 'm', privacy: 'restricted' },
      { model_pattern: 'pub*', privacy: 'restricted' },
    ],
  };

  it('keeps it out of the open zone, and the decision names each that it kept out', async () => {
    await routeBy(rules);
    const answer = await ask(product, chat('m', short));
    assert.equal(answer.headers['x-tensorforge-route-reason'], 'privacy-requirement');
    assert.equal(answer.headers['x-tensorforge-privacy-zone'], 'restricted');
    const record = await recordOf(answer);
    const cloud = record?.candidates.find((one) => one.backend_id === 'cloud');
    assert.equal(cloud?.stage, 'privacy');
  });

  it('refuses a model that only the open zone has', async () => {
    await routeBy(rules);
    const answer = await ask(product, chat('public', short));
    assert.equal(answer.status, 503);
    assert.equal(errorOf(answer.text).code, 'service_unavailable');
    assert.equal(errorOf(answer.text).context?.reason, 'privacy_requirement');
  });

  it('asks for a tier; a lower one stands in only where the client says so', async () => {
    await routeBy({ policies: [{ model_pattern: '*', min_tier: 4 }] });
    assert.deepEqual([...(await served(3))], [['west', 3]]);
    const refused = await ask(product, chat('small', short));
    assert.equal(errorOf(refused.text).context?.reason, 'tier_unavailable');
    const headers = { 'x-tensorforge-flexible': 'true' };
    assert.equal((await ask(product, chat('small', short), { headers })).status, 200);
    const strict = { ...headers, 'x-tensorforge-strict': 'true' };
    assert.equal((await ask(product, chat('small', short), { headers: strict })).status, 503);
  });
});

describe('a model that stands in', () => {
  const fallbacks = { small: ['gone', 'm'], gone: ['m'] };
  const drain = async (id: string, verb: 'drain' | 'resume'): Promise<void> => {
    await product.json(`/api/v1/backends/${id}/${verb}`, { method: 'POST', body: '{}' });
    const wanted = verb === 'resume';
    await until(
      `${id} is ${verb}ed`,
      async () => (await backendOf(product, id)).routable === wanted,
    );
  };

  it('is asked when no backend of the first takes requests, and says so in the answer', async () => {
    await routeBy({ fallbacks });
    await drain('north', 'drain');
    await drain('south', 'drain');
    const answer = await ask(product, chat('small', short));
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers['x-tensorforge-fallback-model'], 'm');
    assert.equal(answer.headers['x-tensorforge-model'], 'm');
    assert.equal(answer.headers['x-tensorforge-route-reason'], 'failover');
    const record = await recordOf(answer);
    assert.match(record?.reason ?? '', /^fallback:m:/);
    assert.equal(record?.served_model, 'm');
    const from = { from_model: 'small', to_model: 'm' };
    assert.ok(sumOf(await metricsOf(product), 'tensorforge_fallbacks_total', from) >= 1);
  });

  it('is asked for one that nobody lists', async () => {
    const answer = await ask(product, chat('gone', short));
    assert.equal(answer.headers['x-tensorforge-fallback-model'], 'm');
  });

  it('is not asked where the rule forbids it, and the whole chain is told when it takes nothing either', async () => {
    await routeBy({ fallbacks, policies: [{ model_pattern: 'small', fallback_allowed: false }] });
    const forbidden = await ask(product, chat('small', short));
    assert.equal(errorOf(forbidden.text).context?.reason, 'no_healthy_backend');
    await routeBy({ fallbacks });
    for (const id of ['west', 'cloud']) await drain(id, 'drain');
    const exhausted = await ask(product, chat('small', short));
    assert.equal(exhausted.status, 503);
    assert.equal(errorOf(exhausted.text).context?.reason, 'fallback_exhausted');
    assert.match(errorOf(exhausted.text).message, /small.+, .+m.+ takes requests now/);
    for (const id of names) await drain(id, 'resume');
  });
});

describe('the log of all that', () => {
  it('is decided again without a difference', async () => {
    let report: ReplayReportWire | undefined;
    const started = await product.json('/api/v1/replays', { method: 'POST', body: '{}' });
    const { id } = replayReportSchema.parse(started.body);
    await until('the replay is done', async () => {
      report = replayReportSchema.parse((await product.json(`/api/v1/replays/${id}`)).body);
      return report.state !== 'running';
    });
    assert.equal(report?.divergences, 0);
    assert.ok((report?.decisions ?? 0) > 100, JSON.stringify(report));
  });
});

describe('settings that make no sense', () => {
  it('are refused whole with every fault named, and those in force stay', async () => {
    await routeBy({
      strategy: 'weighted',
      backend_weights: { north: 1, south: 0, west: 0, cloud: 0 },
    });
    product.configure({
      routing: {
        aliases: { a: 'b', b: 'a' },
        fallbacks: { m: ['m'] },
        weights: { priority: 50, load: 50, latency: 50 },
        policies: [{ model_pattern: '[a-z]*' }, { model_pattern: 'm', min_tier: 9 }],
        backend_weights: { 'Not A Slug': 1 },
      },
    });
    const { status, body } = await product.json('/api/v1/config/reload', {
      method: 'POST',
      body: '{}',
    });
    assert.equal(status, 422);
    const told = JSON.stringify(body);
    for (const path of [
      'routing.aliases.a',
      'routing.fallbacks.m[0]',
      'routing.weights',
      'routing.policies[0]',
      'routing.policies[1]',
      'routing.backend_weights',
    ]) {
      assert.ok(told.includes(path), `${path} in ${told}`);
    }
    assert.deepEqual([...(await served(3))], [['north', 3]]);
  });
});
