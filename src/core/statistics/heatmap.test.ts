// Goal: weights land in their cells and nothing falls off the edges (CP A.13). Method: a table of
// single events, and the total weight as a property.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { Heatmap, heatmap } from './heatmap.ts';

test('an event adds its weight to row floor(y), column floor(x), held to the grid', () => {
  const rows: readonly [number, number, number, number, string][] = [
    [2.9, 1.2, 1, 2, 'floor'],
    [0, 0, 0, 0, 'origin'],
    [99, 0, 0, 2, 'right of the last column'],
    [0, 99, 1, 0, 'below the last row'],
    [3, 2, 1, 2, 'just outside'],
    [-0.5, -7, 0, 0, 'negative'],
  ];
  for (const [x, y, row, col, words] of rows) {
    const filled = heatmap([{ x, y, weight: 2 }], 2, 3).filter((cell) => cell.weight !== 0);
    assert.deepEqual(filled, [{ row, col, weight: 2 }], words);
  }
});

test('all cells come row by row, and weights add up', () => {
  const events = [
    { x: 1, y: 0, weight: 2 },
    { x: 1, y: 0, weight: 0.5 },
    { x: 0, y: 1, weight: -1 },
  ];
  assert.deepEqual(heatmap(events, 2, 2), [
    { row: 0, col: 0, weight: 0 },
    { row: 0, col: 1, weight: 2.5 },
    { row: 1, col: 0, weight: -1 },
    { row: 1, col: 1, weight: 0 },
  ]);
});

test('no rows or no columns are no cells', () => {
  const events = [{ x: 1, y: 1, weight: 1 }];
  assert.deepEqual(heatmap(events, 0, 3), []);
  assert.deepEqual(heatmap(events, 3, 0), []);
  assert.throws(() => heatmap(events, -1, 3));
  assert.throws(() => heatmap(events, 1, 0.5));
});

test('an event with a part that is not finite is dropped and counted', () => {
  const map = new Heatmap(1, 1);
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    map.add({ x: bad, y: 0, weight: 1 });
    map.add({ x: 0, y: bad, weight: 1 });
    map.add({ x: 0, y: 0, weight: bad });
  }
  map.add({ x: 0, y: 0, weight: 1 });
  assert.equal(map.dropped, 9);
  assert.deepEqual(map.cells(), [{ row: 0, col: 0, weight: 1 }]);
});

holds(
  'no weight is lost',
  fc.property(
    fc.array(fc.tuple(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer())),
    fc.integer({ min: 1, max: 5 }),
    fc.integer({ min: 1, max: 5 }),
    (points, rows, cols) => {
      const events = points.map(([x, weight]) => ({ x, y: -x, weight }));
      const cells = heatmap(events, rows, cols);
      assert.equal(cells.length, rows * cols);
      const total = cells.reduce((sum, { weight }) => sum + weight, 0);
      assert.equal(
        total,
        events.reduce((sum, { weight }) => sum + weight, 0),
      );
    },
  ),
);
