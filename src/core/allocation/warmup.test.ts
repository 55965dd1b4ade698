// Goal: warm-up hours of A.5 with their edges.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { warmupHours } from './warmup.ts';

test('five hundred shards begun take an hour, and there is at least one', () => {
  const shards = [0, 1, 500, 501, 1000, 1001, 1201];
  assert.deepEqual(
    shards.map((count) => warmupHours(count, false)),
    [1, 1, 1, 2, 2, 3, 3],
  );
});

test('isolation takes half as long again, after rounding up', () => {
  const shards = [0, 500, 501, 1201];
  assert.deepEqual(
    shards.map((count) => warmupHours(count, true)),
    [1.5, 1.5, 3, 4.5],
  );
});
