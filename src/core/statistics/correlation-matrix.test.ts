// Goal: the matrix holds what correlation() says of each pair, for any number and length of series
// (CP D.3). Method: sizes around the tile of the kernel and the block, against the pairs.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../base/random.ts';
import { blockLength, correlation } from './association.ts';
import { correlationMatrix } from './correlation-matrix.ts';
import { normal } from './distributions.test-support.ts';

const nan = Number.NaN;

/** Series that hang together to different degrees. */
function related(count: number, length: number): readonly Float64Array[] {
  const random = seededRandom(count * 100_003 + length);
  const common = new Float64Array(length).map(() => normal(random));
  return Array.from({ length: count }, (_, at) =>
    common.map((value) => 1e3 + at * value + 3 * normal(random)),
  );
}

function assertMatchesPairs(series: readonly Float64Array[], words: string): void {
  const matrix = correlationMatrix(series);
  assert.equal(matrix.length, series.length ** 2);
  series.forEach((xs, row) => {
    series.forEach((ys, column) => {
      const found = matrix[row * series.length + column] ?? nan;
      const expected = correlation(xs, ys);
      const near = Object.is(found, expected) || Math.abs(found - expected) <= 1e-9;
      assert.ok(near, `${words}, ${row} with ${column}: ${found}, not ${expected}`);
      assert.equal(found, matrix[column * series.length + row], `${words} is symmetric`);
    });
  });
}

test('every number of series up to three tiles agrees with its pairs', () => {
  for (let count = 0; count <= 12; count += 1) {
    assertMatchesPairs(related(count, 33), `${count} series`);
  }
});

test('every length around two values and around a block agrees with the pairs', () => {
  for (const length of [0, 1, 2, 3, 4, blockLength - 1, blockLength, blockLength + 1, 9001]) {
    assertMatchesPairs(related(5, length), `length ${length}`);
  }
});

test('512 series of 1000 samples agree with their pairs', () => {
  const series = related(512, 1000);
  const matrix = correlationMatrix(series);
  const random = seededRandom(9);
  for (let sample = 0; sample < 2000; sample += 1) {
    const [row, column] = [random.nextBelow(512), random.nextBelow(512)];
    const expected = correlation(series[row] ?? [], series[column] ?? []);
    assert.ok(Math.abs((matrix[row * 512 + column] ?? nan) - expected) <= 1e-9);
  }
});

test('no deviation, other lengths and NaN keep their rules', () => {
  const rising = Float64Array.of(1, 2, 3, 4);
  const series = [
    rising,
    Float64Array.of(0.1, 0.1, 0.1, 0.1),
    Float64Array.of(4, 3, 2, 1),
    Float64Array.of(1, 2, 3),
    Float64Array.of(1, nan, 3, 4),
    rising.map((value) => value * 1e-310),
    rising.map((value) => value * 1e300),
    rising.map((value) => 1e9 + value * 2 ** -20),
  ];
  const matrix = correlationMatrix(series);
  const first = Array.from(matrix.subarray(0, series.length));
  const expected = [1, 0, -1, 0, nan, 1, 1, 1];
  first.forEach((value, at) => {
    const near = Object.is(value, expected[at]) || Math.abs(value - (expected[at] ?? nan)) <= 1e-9;
    assert.ok(near, `series ${at}: ${value}`);
  });
  const itself = series.map((_, at) => matrix[at * (series.length + 1)]);
  assert.deepEqual(itself, [1, 0, 1, 1, nan, 1, 1, 1]);
});
