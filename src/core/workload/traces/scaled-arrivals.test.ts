// Goal: load is scaled by the clock or by the number of requests, and only as asked. Method: a
// synthetic trace of a thousand requests.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Arrival } from './arrivals.ts';
import { scaledArrivals } from './scaled-arrivals.ts';

const arrivals = Array.from(
  { length: 1000 },
  (_, index): Arrival => ({
    atUs: index * 10_000,
    promptTokens: index + 1,
    outputTokens: 1,
    model: undefined,
    prefixIds: [],
    stream: true,
  }),
);

test('scale one is the trace itself', () => {
  assert.deepEqual(scaledArrivals(arrivals, { speed: 1, rate: 1, seed: 3 }), arrivals);
});

test('speed divides every time and keeps every request', () => {
  const fast = scaledArrivals(arrivals, { speed: 4, rate: 1, seed: 3 });
  assert.deepEqual(
    fast.map(({ atUs }) => atUs),
    arrivals.map(({ atUs }) => atUs / 4),
  );
});

test('110 % has a tenth more requests on the same clock, 50 % half of them', () => {
  for (const [rate, least, most] of [
    [1.1, 1070, 1130],
    [0.5, 460, 540],
    [2, 2000, 2000],
  ] as const) {
    const scaled = scaledArrivals(arrivals, { speed: 1, rate, seed: 3 });
    assert.ok(scaled.length >= least && scaled.length <= most, `${scaled.length}`);
    assert.ok((scaled.at(-1)?.atUs ?? 0) <= (arrivals.at(-1)?.atUs ?? 0));
    for (const [index, one] of scaled.entries()) {
      assert.ok(one.atUs >= (scaled[index - 1]?.atUs ?? 0), 'in order');
      // A copy stands between the request that it copies and the next one.
      const originalUs = (one.promptTokens - 1) * 10_000;
      assert.ok(one.atUs >= originalUs && one.atUs < originalUs + 10_000);
    }
  }
});

test('the same seed draws the same requests, another seed others', () => {
  const drawn = (seed: number) => scaledArrivals(arrivals, { speed: 1, rate: 1.3, seed });
  assert.deepEqual(drawn(1), drawn(1));
  assert.notDeepEqual(drawn(1), drawn(2));
});
