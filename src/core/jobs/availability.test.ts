// Goal: the composite availability of A.7.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compositeAvailability } from './availability.ts';

test('parts that need each other are available together by the product', () => {
  assert.ok(Math.abs(compositeAvailability(0.995, 0.99) - 0.98505) < 1e-12);
  assert.ok(Math.abs(compositeAvailability(0.999, 0.999) - 0.998001) < 1e-12);
  assert.equal(compositeAvailability(0, 1), 0);
  assert.equal(compositeAvailability(1, 1), 1);
});
