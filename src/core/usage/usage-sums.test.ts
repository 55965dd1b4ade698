// Goal: nothing is lost or counted twice between requests and rows, whatever the order, the split over
// threads and the bound on rows.
// Method: random requests, shuffled and shared out; the row sums are compared.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import {
  addFigures,
  figureNames,
  noFigures,
  otherName,
  outcomeOf,
  type UsageRow,
  UsageSums,
} from './usage-sums.ts';

const figure = fc.nat(1_000_000);
const requests = fc.array(
  fc.record({
    hour: fc.integer({ min: 500_000, max: 500_002 }),
    keyId: fc.constantFrom('key_a', 'key_b', 'key_c'),
    groupName: fc.constantFrom('red', 'blue'),
    model: fc.constantFrom('m1', 'm2', 'm,"3'),
    backendId: fc.constantFrom('', 'b1', 'b2'),
    requests: fc.constant(1),
    succeeded: fc.nat(1),
    refused: fc.nat(1),
    failed: fc.nat(1),
    aborted: fc.nat(1),
    priced: fc.nat(1),
    unpriced: fc.nat(1),
    promptTokens: figure,
    completionTokens: figure,
    cachedTokens: figure,
    costMicroUsd: figure,
    backendMs: figure,
  }),
  { maxLength: 60 },
);

function summed(rows: readonly UsageRow[], rowsMax = 1000): UsageRow[] {
  const sums = new UsageSums(rowsMax);
  for (const row of rows) sums.add(row);
  return sums.drain().sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

holds(
  'any order and any split over threads gives the same rows',
  fc.property(requests, fc.array(fc.nat(3), { minLength: 60, maxLength: 60 }), (all, threads) => {
    const parts = [0, 1, 2, 3].map((thread) =>
      summed(all.filter((_, index) => threads[index] === thread)),
    );
    assert.deepEqual(summed(parts.reverse().flat()), summed(all));
  }),
);

holds(
  'with a bound on rows every figure still adds up, by the hour too',
  fc.property(requests, fc.integer({ min: 1, max: 8 }), (all, rowsMax) => {
    const rows = summed(all, rowsMax);
    for (const hour of [500_000, 500_001, 500_002]) {
      const [whole, told] = [all, rows].map((some) => {
        const sum = noFigures();
        for (const row of some) if (row.hour === hour) addFigures(sum, row);
        return sum;
      });
      assert.deepEqual(told, whole);
    }
    // Twice the bound, and one row of everything else for each hour.
    assert.ok(rows.length <= 2 * rowsMax + 3, `${rows.length} rows`);
    assert.ok(rows.length <= rowsMax || rows.some(({ model }) => model === otherName));
  }),
);

it('every figure is summed', () => {
  assert.deepEqual([...figureNames].sort(), Object.keys(noFigures()).sort());
});

it('an answer counts by its family, and a client that left counts alone', () => {
  const outcomes = [200, 307, 400, 429, 499, 500, 504].map(outcomeOf);
  const expected = ['succeeded', 'succeeded', 'refused', 'refused', 'aborted', 'failed', 'failed'];
  assert.deepEqual(outcomes, expected);
});
