// Goal: the two capacity rules of A.5 and their asymmetry at "exactly full" (E.3 row 6).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atOrOverCapacity, fitsCapacity } from './capacity.ts';

test('a demand fits up to the capacity itself', () => {
  assert.ok(fitsCapacity(9, 10));
  assert.ok(fitsCapacity(10, 10));
  assert.ok(!fitsCapacity(11, 10));
  assert.ok(fitsCapacity(0, 0));
  assert.ok(!fitsCapacity(Number.NaN, 10));
});

test('a resource is over from exactly full on, and without any capacity always', () => {
  assert.ok(!atOrOverCapacity(9, 10));
  assert.ok(atOrOverCapacity(10, 10));
  assert.ok(atOrOverCapacity(11, 10));
  assert.ok(atOrOverCapacity(0, 0));
});
