// Goal: covariance and correlation in blocks equal the naive definition, keep their digits where it
// loses them, and answer at their edges (CP A.13, A.15, D.3). Method: tables, and properties against
// two plain passes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { seededRandom } from '../../base/random.ts';
import { blockLength, correlation, covariance } from './association.ts';
import { normal } from './distributions.test-support.ts';
import { stddev } from './spread.ts';

const nan = Number.NaN;

function naiveCovariance(xs: ArrayLike<number>, ys: ArrayLike<number>): number {
  let sumX = 0;
  let sumY = 0;
  for (let at = 0; at < xs.length; at += 1) {
    sumX += xs[at] ?? nan;
    sumY += ys[at] ?? nan;
  }
  let products = 0;
  for (let at = 0; at < xs.length; at += 1) {
    products += ((xs[at] ?? nan) - sumX / xs.length) * ((ys[at] ?? nan) - sumY / ys.length);
  }
  return products / (xs.length - 1);
}

function assertNear(found: number, expected: number, tolerance: number, words: string): void {
  assert.ok(Math.abs(found - expected) <= tolerance, `${words}: ${found}, not ${expected}`);
}

test('covariance: each deviation from its own mean, divided by n - ddof', () => {
  const rows: readonly [readonly number[], readonly number[], number, number, string][] = [
    [[1, 2, 3, 4], [2, 4, 5, 9], 1, 11 / 3, 'self-check'],
    [[1, 2, 3, 4], [2, 4, 5, 9], 0, 11 / 4, 'of a population'],
    [[1, 2, 3], [30, 20, 10], 1, -10, 'falling'],
    [[1, 2, 3], [1, 2], 1, 0, 'length mismatch'],
    [[1], [2], 1, 0, 'fewer than two'],
    [[], [], 1, 0, 'empty'],
    [[1, 2], [3, 4], 2, 0, 'no divisor left'],
    [[1, 2], [3, nan], 1, nan, 'NaN propagates'],
  ];
  for (const [xs, ys, ddof, expected, words] of rows) {
    const found = covariance(xs, ys, ddof);
    assert.ok(Object.is(found, expected) || Math.abs(found - expected) < 1e-12, words);
  }
  assertNear(covariance([1, 2, 3, 4], [2, 4, 5, 9]), 3.6667, 1e-4, 'sample form by default');
});

test('correlation is the covariance over both deviations, clamped', () => {
  const rows: readonly [readonly number[], readonly number[], number, string][] = [
    [[1, 2, 3, 4], [2, 4, 5, 9], 0.96476, 'self-check'],
    [[1, 2, 3], [30, 20, 10], -1, 'falling'],
    [[0.1, 0.2, 0.3], [0.1, 0.2, 0.3], 1, 'with itself'],
    [[1, 2, 3], [5, 5, 5], 0, 'one without deviation'],
    [[0.1, 0.1, 0.1], [0, 1, 2], 0, 'constant'],
    [[1, 2, 3], [1, 2], 0, 'length mismatch'],
    [[1], [2], 0, 'fewer than two'],
    [[1e-200, 2e-200, 3e-200], [1, 2, 3], 1, 'squares below the range of doubles'],
    [[1e200, 2e200, 3e200], [3, 2, 1], -1, 'squares beyond the range of doubles'],
    [[1e-310, 2e-310, 3e-310], [1e300, 2e300, 3e300], 1, 'subnormal and huge'],
    [[1e9, 1e9 + 2 ** -20, 1e9], [1, 2, 1], 1, 'a huge mean, a tiny deviation'],
  ];
  for (const [xs, ys, expected, words] of rows) {
    assertNear(correlation(xs, ys), expected, 1e-5, words);
    assertNear(correlation(ys, xs), expected, 1e-5, `${words}, the other way`);
    assert.ok(Math.abs(correlation(xs, ys)) <= 1, words);
  }
  assert.ok(Number.isNaN(correlation([1, 2, nan], [1, 2, 3])), 'NaN propagates');
});

test('many blocks equal the naive result to 1e-9', () => {
  for (const length of [blockLength - 1, blockLength, blockLength + 1, 3 * blockLength + 7]) {
    const random = seededRandom(length);
    const xs = new Float64Array(length).map(() => 50 + normal(random));
    const ys = xs.map((x) => 0.3 * x + normal(random));
    const expected = naiveCovariance(xs, ys);
    assertNear(covariance(xs, ys), expected, 1e-9 * expected, `${length} values`);
    const ratio = expected / stddev(xs) / stddev(ys);
    assertNear(correlation(xs, ys), ratio, 1e-9, `${length} values, correlation`);
  }
});

const series = fc.array(
  fc.tuple(
    fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  ),
  { minLength: 2, maxLength: 50 },
);

holds(
  'covariance equals the naive definition to 1e-9 of both deviations, in either order',
  fc.property(series, (pairs) => {
    const xs = pairs.map(([x]) => x);
    const ys = pairs.map(([, y]) => y);
    const tolerance = 1e-9 * Math.max(1e-6, stddev(xs) * stddev(ys));
    assertNear(covariance(xs, ys), naiveCovariance(xs, ys), tolerance, 'naive');
    assert.equal(covariance(xs, ys), covariance(ys, xs));
  }),
);

holds(
  'correlation does not depend on unit or zero point',
  fc.property(series, fc.constantFrom(1e-3, 2, 1e120), (pairs, unit) => {
    const xs = pairs.map(([x]) => Math.round(x));
    const ys = pairs.map(([, y]) => Math.round(y));
    const found = correlation(xs, ys);
    assert.ok(found >= -1 && found <= 1);
    assertNear(
      correlation(
        xs.map((x) => x * unit),
        ys,
      ),
      found,
      1e-9,
      'unit',
    );
    assertNear(
      correlation(
        xs.map((x) => x + 1e9),
        ys,
      ),
      found,
      1e-9,
      'zero point',
    );
  }),
);
