// Goal: the generated workload is reproducible and has the rate, shape and lengths asked for.
// Method: long draws, compared with the tables; the comparison with the trace itself is in
// services/demo/workload-fit.test.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { azureArrivalGaps, azureOutputTokens, azurePromptTokens } from './azure-conversation.ts';
import { meanOf, quantileAt } from './quantile-table.ts';
import { requests, usualBurst } from './requests.ts';

test('the same seed gives the same workload, another seed another', () => {
  const options = { ratePerSecond: 20, durationS: 30, burst: usualBurst };
  assert.deepEqual(requests(5, options), requests(5, options));
  assert.notDeepEqual(requests(5, options), requests(6, options));
});

test('the rate is the one asked for, even or in bursts', () => {
  for (const burst of [undefined, usualBurst, { factor: 4, share: 0.25, periodS: 7 }]) {
    const drawn = requests(1, { ratePerSecond: 50, durationS: 700, burst });
    assert.ok(Math.abs(drawn.length / 35_000 - 1) < 0.02, `${drawn.length} requests`);
  }
});

test('gaps vary as in the trace: nearly Poisson', () => {
  const drawn = requests(1, { ratePerSecond: 1, durationS: 50_000 });
  const gaps = drawn.slice(1).map((next, i) => next.atMs - (drawn[i]?.atMs ?? 0));
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
  const variation = Math.sqrt(variance) / mean;
  assert.ok(Math.abs(variation - 1.083) < 0.03, `${variation}`);
});

test('a burst has its factor of the mean rate, in the middle of its period', () => {
  const drawn = requests(3, { ratePerSecond: 100, durationS: 600, burst: usualBurst });
  const inBurst = drawn.filter(({ atMs }) => {
    const phase = atMs % 10_000;
    return phase >= 4000 && phase < 6000;
  });
  const factor = inBurst.length / (600 * 0.2) / 100;
  assert.ok(Math.abs(factor - 3) < 0.1, `${factor}`);
});

test('whatever is asked for, requests are in order, in time and have tokens', () => {
  const options = fc.record({
    ratePerSecond: fc.double({ min: 0.1, max: 200, noNaN: true }),
    durationS: fc.integer({ min: 0, max: 20 }),
    burst: fc.option(
      fc.record({
        factor: fc.double({ min: 1, max: 4, noNaN: true }),
        share: fc.double({ min: 0.01, max: 0.25, noNaN: true }),
        periodS: fc.double({ min: 0.5, max: 30, noNaN: true }),
      }),
      { nil: undefined },
    ),
    streamShare: fc.constantFrom(0, 1),
  });
  fc.assert(
    fc.property(fc.integer(), options, (seed, asked) => {
      let lastMs = 0;
      for (const one of requests(seed, asked)) {
        assert.ok(one.atMs >= lastMs && one.atMs < asked.durationS * 1000);
        assert.ok(one.promptTokens >= 1 && one.promptTokens <= 14_050);
        assert.ok(one.outputTokens >= 1 && one.outputTokens <= 1000);
        assert.equal(one.stream, asked.streamShare === 1);
        lastMs = one.atMs;
      }
    }),
    { seed: 20261121, numRuns: 200 },
  );
});

test('every table ascends from probability 0 to 1 and is read between its points', () => {
  for (const table of [azurePromptTokens, azureOutputTokens, azureArrivalGaps]) {
    assert.equal(table[0]?.[0], 0);
    assert.equal(table.at(-1)?.[0], 1);
    for (let i = 1; i < table.length; i++) {
      const [probability = 0, value = 0] = table[i] ?? [];
      const [beforeP = 1, before = 0] = table[i - 1] ?? [];
      assert.ok(probability > beforeP && value >= before);
      assert.equal(quantileAt(table, probability), value);
      const middle = quantileAt(table, (probability + beforeP) / 2);
      assert.ok(Math.abs(middle - (value + before) / 2) < 1e-6);
    }
  }
  assert.ok(Math.abs(meanOf(azurePromptTokens) / 1226.43 - 1) < 0.01);
  assert.ok(Math.abs(meanOf(azureOutputTokens) / 201.72 - 1) < 0.01);
});
