// Goal: the five incidents of the platform specification (E) can no longer happen through the front
// door. Method: the product as a real process, three backends whose answers take the times of the
// first incident, and the operations that the others were about. The pure rules of the same rows are
// tested in test/scenarios.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { auditEventsSchema, telemetrySchema } from '../../src/protocol/control/platform-schemas.ts';
import { gatewayHealthSchema } from '../../src/protocol/control/schemas.ts';
import {
  ask,
  backendOf,
  chat,
  createKey,
  decisionsOf,
  errorOf,
  jsonAnswer,
  type ModelScript,
  plainAnswer,
  startModelScript,
  until,
} from '../support/inference.ts';
import { type Product, startProduct } from '../support/product.ts';

/** Endpoint and the time to its first byte, ms: the table of incident 001. */
const endpoints = [
  ['inference-us-east-1', 12],
  ['inference-us-west-2', 847],
  ['inference-eu-central-1', 203],
] as const;

let product: Product;
const scripts: ModelScript[] = [];
const startedAt = new Date().toISOString();

before(async () => {
  const backends = [];
  for (const [name, delayMs] of endpoints) {
    const script = await startModelScript(['incident'], ({ socket }) => {
      setTimeout(() => socket.write(jsonAnswer(200, plainAnswer)), delayMs);
    });
    scripts.push(script);
    backends.push({ name, url: script.url, type: 'generic' });
  }
  const broken = await startModelScript(['broken'], ({ socket }) =>
    socket.write(jsonAnswer(400, '{"error":{"message":"not me"}}')),
  );
  scripts.push(broken);
  backends.push({ name: 'broken', url: broken.url, type: 'generic' });
  product = await startProduct({
    sims: [],
    backends,
    config: { limits: { auth_attempts_per_minute: 100 } },
  });
});

after(async () => {
  await product.stop();
  for (const script of scripts) await script.close();
});

async function servedBy(): Promise<string> {
  const answer = await ask(product, chat('incident'));
  assert.equal(answer.status, 200, answer.text);
  return String(answer.headers['x-tensorforge-backend']);
}

async function verb(id: string, name: 'drain' | 'resume'): Promise<void> {
  const { status } = await product.json(`/api/v1/backends/${id}/${name}`, { method: 'POST' });
  assert.equal(status, 200);
}

async function resumeAll(): Promise<void> {
  for (const [id] of endpoints) await verb(id, 'resume');
  await until('all take requests again', async () =>
    (await Promise.all(endpoints.map(([id]) => backendOf(product, id)))).every(
      ({ routable }) => routable,
    ),
  );
}

/** One answer of each, while the others are out, so that what the router knows does not hang on turns. */
async function measureEach(): Promise<void> {
  for (const [only] of endpoints) {
    for (const [id] of endpoints) if (id !== only) await verb(id, 'drain');
    assert.equal(await servedBy(), only);
    await resumeAll();
  }
}

describe('incident 001: inference routed to the slowest endpoint', () => {
  it('goes to the fastest of three that are measured, and the record says what it was between', async () => {
    await measureEach();
    const served = [];
    for (let i = 0; i < 5; i++) served.push(await servedBy());
    assert.deepEqual(new Set(served), new Set(['inference-us-east-1']));
    const [newest] = await decisionsOf(product);
    assert.ok(newest);
    assert.ok(newest.selected_latency_ms !== null && newest.selected_latency_ms < 203);
    assert.ok(newest.minimum_latency_ms !== null);
    assert.ok(newest.selected_latency_ms - newest.minimum_latency_ms < 10);
  });

  it('no decision among measured backends chose one that was slower than another', async () => {
    // The smart score sees latency in steps of 10 ms; within one step the backends take turns.
    const step = (ms: number): number => Math.floor(ms / 10);
    const wrong = (await decisionsOf(product)).filter(
      ({ selected_latency_ms: selected, minimum_latency_ms: minimum }) =>
        selected !== null && minimum !== null && step(selected) > step(minimum),
    );
    assert.deepEqual(wrong, []);
  });

  it('takes the next best when the fastest is out, and never one that is out', async () => {
    await verb('inference-us-east-1', 'drain');
    assert.equal(await servedBy(), 'inference-eu-central-1');
    await verb('inference-us-west-2', 'drain');
    await verb('inference-eu-central-1', 'drain');
    const refused = await ask(product, chat('incident'));
    assert.equal(refused.status, 503);
    assert.equal(errorOf(refused.text).context?.reason, 'no_healthy_backend');
    await resumeAll();
  });
});

describe('incident 002: empty token accepted', () => {
  const protectedOperations = [
    ['POST', '/v1/dispatch/inference'],
    ['POST', '/v1/dispatch/batch'],
    ['GET', '/v1/models/list'],
    ['GET', '/v1/telemetry/export'],
    ['POST', '/v1/allocator/estimate'],
  ] as const;

  it('no credential, an empty, a blank, a foreign one: 401 on every protected operation', async () => {
    const authorizations = [undefined, 'Bearer ', 'Bearer', 'Bearer    ', 'Basic YTpi'];
    for (const [method, path] of protectedOperations) {
      for (const authorization of authorizations) {
        const answer = await product.send(path, {
          method,
          headers: {
            ...(authorization === undefined ? {} : { authorization }),
            ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
          },
          ...(method === 'POST' ? { body: '{}' } : {}),
        });
        assert.equal(answer.status, 401, `${path} with ${authorization}`);
      }
    }
  });

  it('health needs none, and nothing was dispatched', async () => {
    const health = await product.send('/health');
    assert.equal(health.status, 200);
    const found = await product.json('/v1/telemetry/export');
    assert.equal(found.status, 200);
    assert.ok(scripts.every(({ asked }) => asked.every(({ body }) => body !== '{}')));
  });
});

describe('ticket 003: cost estimates 1000 times too high', () => {
  const estimate = (body: unknown, key = product.adminKey) =>
    ask(product, JSON.stringify(body), { path: '/v1/allocator/estimate', key });

  it('2.00 over 1000 is 0.002 each and 2.00 in all, in USD', async () => {
    const answer = await estimate({ total_cost: 2, quantity: 1000, model_id: 'm' });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(JSON.parse(answer.text), {
      cost_per_unit: 0.002,
      total_estimate: 2,
      currency: 'USD',
    });
  });

  it('nothing costs nothing each', async () => {
    const answer = await estimate({ total_cost: 2, quantity: 0, model_id: 'm' });
    assert.equal(JSON.parse(answer.text).cost_per_unit, 0);
  });

  it('a negative or missing figure is refused with its name and bound', async () => {
    const negative = await estimate({ total_cost: -1, quantity: 3, model_id: 'm' });
    assert.equal(negative.status, 400);
    assert.match(errorOf(negative.text).message, /^total_cost is -1, but must be within 0\.\./);
    assert.equal(errorOf(negative.text).param, 'total_cost');
    const missing = await estimate({ total_cost: 1, model_id: 'm' });
    assert.equal(missing.status, 400);
    assert.match(errorOf(missing.text).message, /quantity is missing/);
  });

  it('a key without the permission is refused', async () => {
    const key = await createKey(product, { name: 'narrow', permissions: ['inference:use'] });
    const answer = await estimate({ total_cost: 2, quantity: 1, model_id: 'm' }, key.secret);
    assert.equal(answer.status, 403);
  });
});

describe('alert 004: false health alarms', () => {
  const exported = async () => {
    const { status, body } = await product.json('/v1/telemetry/export?window_seconds=299');
    assert.equal(status, 200);
    return telemetrySchema.parse(body);
  };

  it('error rate and throughput are shares and per second, never their inverse', async () => {
    const telemetry = await exported();
    assert.ok(telemetry.requests >= 10);
    assert.ok(telemetry.errors >= 1, 'the refusal of incident 001 counts');
    assert.equal(telemetry.error_rate, telemetry.errors / telemetry.requests);
    assert.ok(telemetry.error_rate < 1);
    const perSecond = telemetry.requests / telemetry.window_seconds;
    assert.ok(Math.abs(telemetry.throughput_per_second - perSecond) < 1e-9);
  });

  it('quantiles of the first byte are those of the backends that answered', async () => {
    const { first_byte_ms: firstByte } = await exported();
    assert.equal(firstByte.count, 9);
    assert.ok(
      firstByte.p50 !== null && firstByte.p50 >= 12 && firstByte.p50 < 203,
      `${firstByte.p50}`,
    );
    assert.ok(firstByte.max !== null && firstByte.max >= 847 * (1 - firstByte.relative_error));
    assert.ok((firstByte.p50 ?? 0) <= (firstByte.p95 ?? 0));
    assert.ok((firstByte.p95 ?? 0) <= (firstByte.p99 ?? 0));
  });

  it('a service that does its work raises no alarm', async () => {
    const telemetry = await exported();
    assert.deepEqual(telemetry.alerts, []);
    assert.equal(telemetry.services.length, 13);
    const { body } = await product.json('/health');
    assert.ok(gatewayHealthSchema.parse(body).health_score > 0.7);
  });
});

describe('thread 005: history returned newest first', () => {
  const trail = async (query: string) => {
    const { status, body } = await product.json(`/api/v1/audit/events?${query}`);
    assert.equal(status, 200, JSON.stringify(body));
    return auditEventsSchema.parse(body);
  };

  it('the trail runs from the oldest to the newest, within a window that holds both of its ends', async () => {
    const all = await trail(`from=${startedAt}&limit=1000`);
    assert.ok(all.count >= 8, `${all.count} events`);
    const times = all.events.map(({ occurred_at }) => occurred_at);
    assert.deepEqual(times, times.toSorted());
    const [first, last] = [times[0], times.at(-1)];
    const again = await trail(`from=${first}&to=${last}&limit=1000`);
    assert.deepEqual(
      again.events.map(({ id }) => id),
      all.events.map(({ id }) => id),
    );
    const total = Object.values(all.by_kind).reduce((sum, count) => sum + count, 0);
    assert.equal(total, all.count);
  });

  it('a stream is told in its sequence without a hole, page after page', async () => {
    const whole = await trail('stream=backends&limit=1000');
    assert.deepEqual(
      whole.events.map(({ sequence }) => sequence),
      whole.events.map((_, i) => i + 1),
    );
    assert.equal(whole.more, false);
    const rest = await trail('stream=backends&after=2&limit=2');
    assert.equal(rest.more, true);
    assert.deepEqual(
      rest.events.map(({ sequence }) => sequence),
      [3, 4],
    );
  });

  it('a silence longer than asked for is told, not passed over', async () => {
    const calm = await trail(`from=${startedAt}&gap_seconds=3600`);
    assert.deepEqual([calm.complete, calm.gaps], [true, []]);
    const strict = await trail(`from=${startedAt}&gap_seconds=0`);
    assert.equal(strict.complete, false);
    assert.ok(strict.gaps.every(({ from, to }) => from < to));
  });

  it('bad windows are refused, and nobody reads the trail without the permission', async () => {
    for (const query of ['from=yesterday', 'after=3', 'limit=0', 'colour=red']) {
      const bad = await product.json(`/api/v1/audit/events?${query}`);
      assert.equal(bad.status, 400, query);
    }
    const key = await createKey(product, { name: 'no-audit', permissions: ['inference:use'] });
    const answer = await ask(product, '', {
      path: '/api/v1/audit/events',
      method: 'GET',
      key: key.secret,
    });
    assert.equal(answer.status, 403);
  });
});
