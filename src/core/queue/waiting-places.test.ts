// Goal: places are kept for the more urgent and for other groups, and who is turned away hears an
// honest figure. Method: tables, and agreement with `shouldShed` over all small sizes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PriorityClass } from '../jobs/priority-class.ts';
import { shouldShed } from './shedding.ts';
import { mayHoldMore, placesFor, retrySeconds } from './waiting-places.ts';

const classes: readonly PriorityClass[] = [5, 4, 3, 2, 1];

test('The less urgent the class, the fewer places are open to it', () => {
  assert.deepEqual(
    classes.map((one) => placesFor(100, one, false)),
    [100, 95, 90, 75, 50],
  );
  assert.deepEqual(
    classes.map((one) => placesFor(1, one, false)),
    [1, 1, 1, 1, 1],
  );
  assert.deepEqual(
    classes.map((one) => placesFor(0, one, true)),
    [0, 0, 0, 0, 0],
  );
});

test('The most urgent class fills exactly what is not to be shed', () => {
  for (let size = 1; size <= 200; size++) {
    for (const isEmergency of [false, true]) {
      const places = placesFor(size, 5, isEmergency);
      if (places > 0) assert.equal(shouldShed(places, size, isEmergency), false);
      assert.equal(shouldShed(places + 1, size, isEmergency), true);
    }
  }
});

test('A group alone fills nine tenths, and of two greedy ones each less than half', () => {
  let alone = 0;
  while (mayHoldMore(alone, alone, 100)) alone++;
  assert.equal(alone, 90);
  const both = { a: 0, b: 0 };
  for (const group of Array.from(
    { length: 200 },
    (_, i) => (i % 2 === 0 ? 'a' : 'b') as 'a' | 'b',
  )) {
    if (mayHoldMore(both[group], both.a + both.b, 100)) both[group]++;
  }
  assert.deepEqual(both, { a: 48, b: 47 });
});

test('The time to stay away is what waits at the rate seen, 1 to 30 s, and 5 s a reason without one', () => {
  const asked: readonly (readonly [number, number | undefined, number])[] = [
    [10, 2, 1],
    [0, 2, 1],
    [1000, 2, 1],
    [10, 0, 1],
    [10, undefined, 0],
    [10, undefined, 3],
    [10, undefined, 9],
  ];
  const seconds = asked.map(([depth, rate, reasons]) => retrySeconds(depth, rate, reasons));
  assert.deepEqual(seconds, [5, 1, 30, 5, 5, 15, 30]);
});
