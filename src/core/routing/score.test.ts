// Goal: the anchors of the specification (BR 12.1, 12.5) and the range of the score.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { type ScoreInput, scoreTerms, smartScore } from './score.ts';

const weights = { priority: 50, load: 30, latency: 20 };
const idle: ScoreInput = { priority: 0, pending: 0, capacity: 0, latencyMs: 0 };

it('latency 0, 100, 500 and 1000 ms or more is worth 100, 90, 50 and 0', () => {
  const worth = [0, 9, 10, 100, 500, 999, 1000, 60_000].map(
    (latencyMs) => scoreTerms({ ...idle, latencyMs }).latency,
  );
  assert.deepEqual(worth, [100, 100, 99, 90, 50, 1, 0, 0]);
});

it('priority 1, nothing pending and 50 ms make 98 of 100, undivided 9850', () => {
  const score = smartScore({ ...idle, priority: 1, latencyMs: 50 }, weights);
  assert.equal(score, 9850);
  assert.equal(Math.floor(score / 100), 98);
});

it('a negative priority counts as 0 and not as the worst', () => {
  assert.equal(smartScore({ ...idle, priority: -5 }, weights), 10_000);
  assert.equal(scoreTerms({ ...idle, priority: 1000 }).priority, 0);
});

it('load is absolute without a known capacity and a share of it with one', () => {
  const load = (pending: number, capacity: number): number =>
    scoreTerms({ ...idle, pending, capacity }).load;
  assert.deepEqual([load(0, 0), load(1, 0), load(100, 0), load(500, 0)], [100, 99, 0, 0]);
  assert.deepEqual([load(1, 4), load(2, 4), load(4, 4), load(9, 4)], [75, 50, 0, 0]);
  assert.equal(load(1, 3), 67);
});

it('the undivided score tells apart what whole numbers hide', () => {
  const one = smartScore({ ...idle, pending: 1 }, weights);
  const two = smartScore({ ...idle, pending: 2 }, weights);
  assert.equal(Math.floor(one / 100), Math.floor(two / 100));
  assert.ok(one > two);
});

it('is within 0 and 10 000, and never better for more load, latency or priority number', () => {
  const input = fc.record({
    priority: fc.integer({ min: -1000, max: 1000 }),
    pending: fc.nat(5000),
    capacity: fc.nat(300),
    latencyMs: fc.nat(4_294_967_295),
  });
  const share = fc
    .nat(100)
    .chain((priority) =>
      fc.nat(100 - priority).map((load) => ({ priority, load, latency: 100 - priority - load })),
    );
  fc.assert(
    fc.property(input, share, (given, shares) => {
      const score = smartScore(given, shares);
      assert.ok(Number.isInteger(score) && score >= 0 && score <= 10_000);
      const worse = [
        { ...given, priority: given.priority + 1 },
        { ...given, pending: given.pending + 1 },
        { ...given, latencyMs: given.latencyMs + 10 },
      ];
      for (const other of worse) assert.ok(smartScore(other, shares) <= score);
    }),
    { numRuns: 500, seed: 1120 },
  );
});
