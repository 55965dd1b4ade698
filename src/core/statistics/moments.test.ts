// Goal: one pass over a stream, or parts of it joined, give the mean and variance of two passes over
// the whole (CP D.3). Method: properties against two passes, hostile magnitudes, a round trip.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { mean } from './central.ts';
import { Moments, type PlainMoments } from './moments.ts';
import { variance } from './spread.ts';

function momentsOf(values: Iterable<number>): Moments {
  const moments = new Moments();
  for (const value of values) moments.add(value);
  return moments;
}

function assertNear(found: number, expected: number, scale: number, words: string): void {
  assert.ok(Math.abs(found - expected) <= 1e-9 * scale, `${words}: ${found}, not ${expected}`);
}

test('moments of nothing are 0, of one value it and no variance', () => {
  const moments = new Moments();
  assert.deepEqual([moments.count, moments.mean, moments.variance()], [0, 0, 0]);
  moments.add(7);
  assert.deepEqual(
    [moments.count, moments.mean, moments.variance(), moments.stddev()],
    [1, 7, 0, 0],
  );
});

test('what is not finite is dropped and counted', () => {
  const moments = momentsOf([1, Number.NaN, 3, Number.POSITIVE_INFINITY]);
  assert.deepEqual([moments.count, moments.dropped, moments.mean], [2, 2, 2]);
  const other = momentsOf([Number.NEGATIVE_INFINITY]);
  moments.merge(other);
  assert.deepEqual([moments.count, moments.dropped], [2, 3]);
});

test('a huge mean hides no tiny spread, in one stream or two', () => {
  const values = Array.from({ length: 1000 }, (_, at) => 1e9 + (at % 7) ** 2 * 2 ** -23);
  const expected = variance(values);
  assertNear(momentsOf(values).variance(), expected, expected, 'one stream');
  const joined = momentsOf(values.slice(0, 300));
  joined.merge(momentsOf(values.slice(300)));
  assertNear(joined.variance(), expected, expected, 'two streams');
});

test('a constant stream has exactly no variance', () => {
  const moments = momentsOf([0.1, 0.1, 0.1]);
  assert.equal(moments.variance(), 0);
  assert.equal(moments.mean, 0.1);
});

test('plain data that no stream gives is refused with each faulty field', () => {
  const good = momentsOf([1, 2, 4]).toPlain();
  const rows: readonly [Partial<PlainMoments>, string][] = [
    [{ count: -1 }, 'count'],
    [{ count: 1.5 }, 'count'],
    [{ dropped: Number.NaN }, 'dropped'],
    [{ pivot: Number.POSITIVE_INFINITY }, 'pivot'],
    [{ offset: Number.NaN }, 'offset'],
    [{ squares: -1 }, 'squares'],
  ];
  for (const [fault, field] of rows) {
    const result = Moments.fromPlain({ ...good, ...fault });
    assert.ok(!result.ok, field);
    assert.equal(result.error.code, 'malformed_moments');
    assert.deepEqual(
      result.error.details?.map((violation) => violation.field),
      [field],
    );
  }
  const many = Moments.fromPlain({ ...good, count: -1, squares: -1 });
  assert.ok(!many.ok);
  assert.match(many.error.message, /count is -1.*squares is -1/);
});

/** Without -0, of which JSON makes 0. */
const finite = fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((value) => value + 0);

holds(
  'parts joined in either order equal two passes over the whole',
  fc.property(fc.array(finite), fc.array(finite), (a, b) => {
    const whole = [...a, ...b];
    const largest = Math.max(1, ...whole.map(Math.abs));
    for (const [first, second] of [
      [a, b],
      [b, a],
    ] as const) {
      const moments = momentsOf(first);
      moments.merge(momentsOf(second));
      assert.equal(moments.count, whole.length);
      assertNear(moments.mean, mean(whole), largest, 'mean');
      assertNear(moments.variance(), variance(whole), largest * largest, 'sample variance');
      assertNear(moments.variance(0), variance(whole, 0), largest * largest, 'of a population');
    }
  }),
);

holds(
  'plain data survives JSON and goes on as the original would',
  fc.property(fc.array(finite), finite, (values, next) => {
    const moments = momentsOf(values);
    const plain = JSON.parse(JSON.stringify(moments.toPlain()));
    const result = Moments.fromPlain(plain);
    assert.ok(result.ok);
    moments.add(next);
    result.value.add(next);
    assert.deepEqual(result.value.toPlain(), moments.toPlain());
  }),
);
