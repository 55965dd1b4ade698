// Goal: the single figures of A.5 with each edge, and warm-up. Method: tables; bounds as
// properties.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import {
  allocationEfficiency,
  demandSpike,
  normalizeUrgency,
  priorityPerSlot,
  roundAllocation,
} from './figures.ts';

test('an allocation is rounded with halves away from zero', () => {
  const rows = [
    [-2.5, -3],
    [2.5, 3],
    [2.4, 2],
    [2.6, 3],
    [-2.4, -2],
    [-0.4, 0],
    [0.5, 1],
    [7, 7],
  ] as const;
  for (const [value, expected] of rows) assert.equal(roundAllocation(value), expected, `${value}`);
});

test('urgency is normalized into the unit interval', () => {
  const rows = [
    [50, 100, 0.5],
    [150, 100, 1],
    [100, 100, 1],
    [0, 100, 0],
    [-5, 100, 0],
    [5, 0, 0],
    [5, -1, 0],
  ] as const;
  for (const [raw, max, expected] of rows) {
    assert.equal(normalizeUrgency(raw, max), expected, `${raw} of ${max}`);
  }
});

test('urgency per slot is rounded up, and without slots it is the urgency', () => {
  const rows = [
    [11, 4, 3],
    [7, 3, 3],
    [6, 3, 2],
    [1, 100, 1],
    [0, 3, 0],
    [7, 1, 7],
    [7, 0, 7],
    [7, -2, 7],
  ] as const;
  for (const [urgency, slots, expected] of rows) {
    assert.equal(priorityPerSlot(urgency, slots), expected, `${urgency} over ${slots}`);
  }
});

test('efficiency is a ratio, and 0 when nothing was requested', () => {
  assert.equal(allocationEfficiency(3, 4), 0.75);
  assert.equal(allocationEfficiency(4, 4), 1);
  assert.equal(allocationEfficiency(0, 4), 0);
  assert.equal(allocationEfficiency(4, 0), 0);
});

test('a spike is strictly above the average by the threshold, in units and not per cent', () => {
  assert.ok(!demandSpike(150, 100, 50), 'exactly at the threshold');
  assert.ok(demandSpike(151, 100, 50), 'above');
  assert.ok(!demandSpike(2, 1, 50), 'doubled, yet one unit');
  assert.ok(!demandSpike(50, 100, 0), 'a fall');
  assert.ok(!demandSpike(Number.NaN, 100, 0), 'NaN');
});

const amounts = fc.double({ min: -1e9, max: 1e9, noNaN: true });

holds(
  'normalized urgency is within 0..1 and never falls with the urgency',
  fc.property(amounts, amounts, amounts, (a, b, max) => {
    const low = normalizeUrgency(Math.min(a, b), max);
    const high = normalizeUrgency(Math.max(a, b), max);
    assert.ok(low >= 0 && low <= high && high <= 1);
  }),
);

holds(
  'urgency per slot is the smallest whole number that covers the urgency',
  fc.property(fc.nat(), fc.integer({ min: 1, max: 10_000 }), (urgency, slots) => {
    const each = priorityPerSlot(urgency, slots);
    assert.ok(each * slots >= urgency && (each - 1) * slots < urgency);
  }),
);
