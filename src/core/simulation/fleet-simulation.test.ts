// Goal: the simulated fleet does what the product would, to the microsecond where that can be
// worked out by hand, and loses no request. Method: fleets of one or two engines with times from
// the profile, then sampled fleets and traces against the invariants.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { usualAffinity } from '../routing/snapshot.ts';
import { percentile } from '../statistics/percentile.ts';
import { arrival, engine, fleet, runOf, usualPolicy } from './fleet.test-support.ts';

// a100-7b, alone: 68,514 us for a step of 1024 tokens and attention among 1024 x 1025 / 2 pairs.
const prefillUs = 68_514 + Math.round((524_800 * 2572) / 1e6);
// A step of one token, which reads 1025 and then 1026 tokens of KV cache.
const decodeUs = 2 * (9085 + Math.round((1025 * 367_754) / 1e6));

test('one engine, one request: first byte and end at the exact microsecond', () => {
  const { log, spanUs, use } = runOf(fleet([engine('a')]), [arrival(5000)]);
  assert.equal(log.firstUs[0], prefillUs);
  assert.equal(log.totalUs[0], prefillUs + decodeUs);
  assert.equal(spanUs, prefillUs + decodeUs);
  assert.equal(use[0]?.busyUs, prefillUs + decodeUs);
});

test('overhead counts once, the network there and back', () => {
  const { log } = runOf(fleet([engine('a')], { overheadUs: 150, networkUs: 1000 }), [arrival(0)]);
  assert.equal(log.firstUs[0], 150 + 1000 + prefillUs + 1000);
  assert.equal(log.totalUs[0], 150 + 1000 + prefillUs + decodeUs + 1000);
});

test('a slow engine takes that many times as long', () => {
  const { log } = runOf(fleet([engine('a', { slowness: 3 })]), [arrival(0)]);
  assert.equal(log.firstUs[0], 3 * prefillUs);
});

test('an answer that is no stream has its first byte at its end', () => {
  const { log } = runOf(fleet([engine('a')]), [arrival(0, { stream: false })]);
  assert.equal(log.firstUs[0], prefillUs + decodeUs);
});

test('two requests at once go to two engines, and neither waits for the other', () => {
  const { log } = runOf(fleet([engine('a'), engine('b')]), [arrival(0), arrival(0)]);
  assert.deepEqual([...log.slots].sort(), [0, 1]);
  assert.deepEqual([...log.firstUs], [prefillUs, prefillUs]);
});

test('a slot that is taken makes the next request wait for it', () => {
  const { log } = runOf(fleet([engine('a', { maxRunning: 1 })]), [arrival(0), arrival(0)]);
  assert.equal(log.firstUs[1], prefillUs + decodeUs + prefillUs);
});

test('a full queue is asked once, then another backend; without one it is the answer', () => {
  const full = { maxRunning: 1, maxWaiting: 1, priority: 0 };
  const three = [arrival(0), arrival(1), arrival(2)];
  const helped = runOf(fleet([engine('a', full), engine('b', { priority: 90 })]), three);
  assert.deepEqual([...helped.log.slots], [0, 0, 1]);
  assert.equal(helped.attempts, 4);
  const alone = runOf(fleet([engine('a', full)]), three);
  assert.equal(alone.log.codeOf(2), 'queue_full');
  const once = runOf(fleet([engine('a', full), engine('b', { priority: 90 })]), three, {
    routing: { maxRetries: 0 },
  });
  assert.equal(once.log.codeOf(2), 'queue_full');
});

test('a capacity that is known is kept by the gateway itself', () => {
  const { log, use } = runOf(fleet([engine('a', { capacity: 1 })]), [arrival(0), arrival(1)]);
  assert.equal(log.codeOf(1), 'at_capacity');
  assert.equal(use[0]?.finished, 1);
});

test('the gate sheds beyond the requests that may be in flight', () => {
  const arrivals = [arrival(0), arrival(1), arrival(2)];
  const { log } = runOf(fleet([engine('a')], { inFlightMax: 2 }), arrivals);
  assert.equal(log.codeOf(2), 'overloaded');
});

test('a model that nobody lists and a prompt that nobody takes are refused', () => {
  const arrivals = [arrival(0, { model: 'other' }), arrival(0, { promptTokens: 9000 })];
  const { log } = runOf(fleet([engine('a')]), arrivals);
  assert.equal(log.codeOf(0), 'model_not_found');
  assert.equal(log.codeOf(1), 'context_length_exceeded');
});

test('an alias of the policy means the model that it names', () => {
  const { log } = runOf(fleet([engine('a')]), [arrival(0, { model: 'GPT-4' })], {
    routing: { aliases: { 'GPT-4': 'm' } },
  });
  assert.equal(log.slots[0], 0);
});

test('a prefix that was seen before is found again by its ids', () => {
  const arrivals = [arrival(0, { prefixIds: [1, 2] }), arrival(1e6, { prefixIds: [1, 3] })];
  const { use, log } = runOf(fleet([engine('a')]), arrivals);
  assert.equal(use[0]?.cachedTokens, 512);
  assert.ok((log.firstUs[1] ?? 0) < prefillUs / 1.5);
});

test('requests of the warm-up are played, and told apart', () => {
  const arrivals = [arrival(0), arrival(1e6), arrival(2e6)];
  const { countedFrom, use } = runOf(fleet([engine('a')]), arrivals, { warmUpUs: 1e6 });
  assert.deepEqual([countedFrom, use[0]?.finished], [1, 3]);
});

test('no arrivals are a run without requests', () => {
  const { log, spanUs } = runOf(fleet([engine('a')]), [], { policy: usualPolicy });
  assert.deepEqual([log.size, spanUs], [0, 0]);
});

test('the ladder moves on virtual time: failures escalate, and restricted classes stay out', () => {
  const full = engine('a', { maxRunning: 1, maxWaiting: 1 });
  const arrivals = Array.from({ length: 40_000 }, (_, index) => arrival(index * 10_000));
  const { modeMoves, log } = runOf(fleet([full]), arrivals, { policy: usualPolicy });
  // The budget burns at the first evaluation, then one step after each cooldown: 60 s times 2 and
  // 4.
  assert.deepEqual(modeMoves.slice(0, 3), [
    { atUs: 10e6, to: 'watch' },
    { atUs: 130e6, to: 'restricted' },
    { atUs: 370e6, to: 'halted' },
  ]);
  assert.equal(log.codeOf(39_000), 'mode_restricted');
  assert.deepEqual(runOf(fleet([full]), arrivals.slice(0, 1500)).modeMoves, []);
});

test('more of the same load never lowers p95 where every request queues for one slot', () => {
  const p95 = (gapUs: number): number => {
    const arrivals = Array.from({ length: 200 }, (_, index) => arrival(index * gapUs));
    const slot = engine('a', { maxRunning: 1, maxWaiting: 1000 });
    return percentile(runOf(fleet([slot]), arrivals).log.firstUs, 95);
  };
  const gaps = [200_000, 100_000, 80_000, 60_000, 30_000, 1000];
  const values = gaps.map(p95);
  for (const [at, value] of values.entries())
    assert.ok(value >= (values[at - 1] ?? 0), `${values}`);
});

const anyEngine = fc.record({
  maxRunning: fc.integer({ min: 1, max: 3 }),
  maxWaiting: fc.integer({ min: 1, max: 2 }),
  kvTokens: fc.constantFrom(1600, 16_000),
  capacity: fc.constantFrom(0, 2),
  priority: fc.integer({ min: 0, max: 2 }),
  slowness: fc.constantFrom(1, 2.5),
});

const anyArrival = fc.record({
  gapUs: fc.integer({ min: 0, max: 200_000 }),
  promptTokens: fc.integer({ min: 1, max: 2000 }),
  outputTokens: fc.integer({ min: 1, max: 20 }),
  prefixIds: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
  stream: fc.boolean(),
});

const anyRun = fc.record({
  engines: fc.array(anyEngine, { minLength: 1, maxLength: 3 }),
  gaps: fc.array(anyArrival, { minLength: 1, maxLength: 25 }),
  strategy: fc.constantFrom('smart', 'round_robin', 'priority_only', 'random' as const),
  networkUs: fc.constantFrom(0, 700),
  inFlightMax: fc.constantFrom(4, 1000),
});

type AnyRun = typeof anyRun extends fc.Arbitrary<infer Drawn> ? Drawn : never;

function played({ engines, gaps, strategy, networkUs, inFlightMax }: AnyRun) {
  let atUs = 0;
  const arrivals = gaps.map(({ gapUs, ...facts }) => {
    atUs += gapUs;
    return arrival(atUs, facts);
  });
  const named = engines.map((facts, index) => engine(`e${index}`, facts));
  const given = fleet(named, { overheadUs: 150, networkUs, inFlightMax });
  return { arrivals, run: runOf(given, arrivals, { routing: { strategy }, policy: usualPolicy }) };
}

holds(
  'every arrival ends exactly once, and what was answered was produced',
  fc.property(anyRun, (drawn) => {
    const { arrivals, run } = played(drawn);
    const { log, use } = run;
    assert.equal(log.endedCount, arrivals.length);
    let answered = 0;
    let tokens = 0;
    for (const [index, { outputTokens }] of arrivals.entries()) {
      assert.ok(Number.isFinite(log.totalUs[index]));
      if (log.codeOf(index) !== undefined) continue;
      answered++;
      tokens += outputTokens;
      assert.ok(
        (log.firstUs[index] ?? 0) > 0 && (log.firstUs[index] ?? 0) <= (log.totalUs[index] ?? 0),
      );
    }
    const sum = (of: (each: (typeof use)[number]) => number): number =>
      use.reduce((total, each) => total + of(each), 0);
    assert.equal(
      sum(({ finished }) => finished),
      answered,
    );
    assert.equal(
      sum(({ generatedTokens }) => generatedTokens),
      tokens,
    );
  }),
);

holds(
  'the same input gives the same run',
  fc.property(anyRun, (drawn) => {
    const [one, two] = [played(drawn).run, played(drawn).run];
    assert.deepEqual(one.log.totalUs, two.log.totalUs);
    assert.deepEqual(one.log.firstUs, two.log.firstUs);
    assert.deepEqual(one.log.slots, two.log.slots);
    assert.deepEqual(one.use, two.use);
  }),
  { runs: 300 },
);

test('requests with the same beginning go to one engine, where the rest is computed alone', () => {
  const shared = Array.from({ length: 20 }, (_, i) =>
    arrival(i * 1_000_000, { prefixIds: [1, 100 + i] }),
  );
  const routing = {
    strategy: 'prefix_affinity' as const,
    affinity: { ...usualAffinity, explorePercent: 0 },
  };
  const two = fleet([engine('a'), engine('b')]);
  const { log, use } = runOf(two, shared, { routing });
  assert.equal(new Set(log.slots).size, 1);
  const cached = use.reduce((sum, { cachedTokens }) => sum + cachedTokens, 0);
  assert.equal(cached, 19 * 512);
  const keysOf = (i: number) => ({ prefixKey: i, affinityKey: undefined });
  assert.equal(new Set(runOf(two, shared, { routing, keysOf }).log.slots).size, 2);
});
