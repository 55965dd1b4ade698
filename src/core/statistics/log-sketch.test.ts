// Goal: a sketch drops what is not a number, keeps all mass at the cap, gives the same state for the
// same values in any order and grouping, and answers monotonely within its extremes (CP D.3).
// Method: edges by hand, properties over streams that cross the cap, against exact nearest rank.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { bucketOf, octaveOf, octavesMax, relativeErrorMax } from './log-buckets.ts';
import { LogSketch } from './log-sketch.ts';
import { percentile } from './percentile.ts';
import { countOf } from './sketch-plain.ts';

function sketchOf(values: Iterable<number>): LogSketch {
  const sketch = new LogSketch();
  for (const value of values) sketch.add(value);
  return sketch;
}

/** Everything but the sum, of which the last digit depends on the order. */
function stateOf(sketch: LogSketch) {
  const { sum: _sum, rest: _rest, ...state } = sketch.toPlain();
  return state;
}

test('an empty sketch answers 0, of nothing', () => {
  const sketch = new LogSketch();
  assert.deepEqual(sketch.answer(0.5), { value: 0, relativeError: 0, count: 0 });
  assert.deepEqual([sketch.count, sketch.min, sketch.max, sketch.sum], [0, 0, 0, 0]);
  assert.throws(() => sketch.quantile(1.1));
  assert.throws(() => sketch.quantile(Number.NaN));
});

test('what is not finite is dropped and counted, and changes nothing else', () => {
  const sketch = sketchOf([1, Number.NaN, 2, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
  assert.deepEqual([sketch.count, sketch.dropped, sketch.min, sketch.max], [2, 3, 1, 2]);
});

test('the extremes and a constant are exact, everything else states its error', () => {
  const sketch = sketchOf([3, 1, 4, 1.5, 9]);
  assert.deepEqual(sketch.answer(0), { value: 1, relativeError: 0, count: 5 });
  assert.deepEqual(sketch.answer(1), { value: 9, relativeError: 0, count: 5 });
  assert.equal(sketch.answer(0.5).relativeError, relativeErrorMax);
  assert.deepEqual(sketchOf([0.1, 0.1, 0.1]).answer(0.5), {
    value: 0.1,
    relativeError: 0,
    count: 3,
  });
});

test('negative, zero, subnormal and huge values all have their place', () => {
  const values = [-1e308, -1, -5e-324, 0, 5e-324, 1e-300, 1, 1e308, 1.7e308];
  const sketch = sketchOf(values);
  assert.ok(Object.is(sketchOf([-0]).min, 0), '-0 is 0');
  assert.equal(sketch.count, values.length);
  for (let pct = 1; pct <= 100; pct += 1) {
    const exact = percentile(values, pct);
    const { value, relativeError } = sketch.answer(pct / 100);
    const tolerance = Math.max(relativeError * Math.abs(exact), 5e-324);
    assert.ok(Math.abs(value - exact) <= tolerance, `p${pct}: ${value}, not ${exact}`);
  }
});

test('the sum keeps small values beside large ones and stays finite', () => {
  assert.equal(sketchOf([1e16, 1, 1, -1e16]).sum, 2);
  assert.equal(sketchOf([1e308, 1e308]).sum, Number.MAX_VALUE);
  assert.equal(sketchOf([-1e308, -1e308]).sum, -Number.MAX_VALUE);
  const beyond = sketchOf([1e308, 1e308]);
  beyond.merge(sketchOf([1e308, 1e308]));
  assert.equal(beyond.sum, Number.MAX_VALUE);
  assert.deepEqual(JSON.parse(JSON.stringify(beyond.toPlain())), beyond.toPlain());
  beyond.merge(sketchOf([-1e308, -1e308]));
  assert.equal(beyond.sum, 0);
  assert.ok(LogSketch.fromPlain(beyond.toPlain()).ok);
});

test('at the cap the octaves of smallest magnitude fold into the zero bucket, no mass is lost', () => {
  const sketch = new LogSketch();
  for (let power = 0; power < 40; power += 1) sketch.add(2 ** power);
  const { zero, folded, buckets } = sketch.toPlain();
  assert.deepEqual([zero, buckets.length, sketch.count], [40 - octavesMax, octavesMax, 40]);
  assert.equal(folded, octaveOf(bucketOf(2 ** (39 - octavesMax))));
  assert.deepEqual(sketch.answer(0.2), { value: 1, relativeError: 1, count: 40 });
  assert.equal(sketch.answer(0.5).relativeError, relativeErrorMax);
  sketch.add(3);
  assert.equal(sketch.toPlain().zero, 40 - octavesMax + 1, 'what was folded stays folded');
});

test('with both signs the negative octave of one magnitude folds first', () => {
  const sketch = new LogSketch();
  for (let power = 0; power < octavesMax; power += 1)
    sketch.add(2 ** (power >> 1) * (power % 2 ? 1 : -1));
  assert.equal(sketch.toPlain().zero, 0, 'full');
  sketch.add(2 ** 20);
  assert.deepEqual([sketch.toPlain().zero, sketch.toPlain().folded], [1, -1023]);
  sketch.add(-(2 ** 20));
  assert.deepEqual([sketch.toPlain().zero, sketch.toPlain().folded], [2, 1023]);
  assert.equal(sketch.quantile(0.5), 0, 'folded values of both signs meet at 0');
});

test('a cleared sketch is as new, and a drain hands over everything', () => {
  const sketch = sketchOf([1, -2, 0, Number.NaN]);
  const drained = sketch.drain();
  assert.deepEqual(sketch.toPlain(), new LogSketch().toPlain());
  assert.deepEqual(drained, sketchOf([1, -2, 0, Number.NaN]).toPlain());
  sketch.addPlain(new LogSketch().toPlain());
  assert.deepEqual(sketch.toPlain(), new LogSketch().toPlain());
  sketch.addPlain(sketchOf([Number.NaN]).toPlain());
  assert.deepEqual([sketch.count, sketch.dropped], [0, 1]);
});

test('the tables are the same size after 1e7 values as after 1e5, and so is the state', () => {
  const sketch = new LogSketch();
  let state = 1;
  const addMany = (count: number) => {
    for (let at = 0; at < count; at += 1) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      const unit = (state + 1) / 4_294_967_297;
      sketch.add(unit * unit * unit * 1000);
    }
    return { bytes: sketch.byteLength, buckets: sketch.toPlain().buckets.length };
  };
  const early = addMany(1e5);
  const late = addMany(1e7 - 1e5);
  assert.equal(sketch.count, 1e7);
  assert.equal(late.bytes, early.bytes);
  assert.ok(late.bytes <= 26_000, `${late.bytes} bytes`);
  assert.ok(late.buckets <= octavesMax * 72, `${late.buckets} buckets`);
  assert.ok(sketch.toBytes().length <= 16_384);
});

/** Magnitudes of 60 octaves, so that streams cross the cap; both signs, zeros, and repeats. */
const sample = fc.oneof(
  fc
    .tuple(fc.integer({ min: -30, max: 30 }), fc.double({ min: 1, max: 2, noNaN: true }))
    .map(([power, mantissa]) => mantissa * 2 ** power),
  fc
    .tuple(fc.integer({ min: -6, max: 30 }), fc.double({ min: 1, max: 2, noNaN: true }))
    .map(([power, mantissa]) => -mantissa * 2 ** power),
  fc.constantFrom(0, -0, 5e-324, 1, -1, 1e300, Number.NaN),
);
/** Long ones as often as short ones: most parts of themselves are beyond the cap. */
const stream = fc.array(sample, { maxLength: 100, size: 'max' });

holds(
  'merging parts in any grouping and order equals one sketch of the whole, also across the cap',
  fc.property(stream, stream, stream, (a, b, c) => {
    const whole = stateOf(sketchOf([...a, ...b, ...c]));
    const left = sketchOf(a);
    left.merge(sketchOf(b));
    left.merge(sketchOf(c));
    const tail = sketchOf(c);
    tail.merge(sketchOf(b));
    const right = tail;
    right.merge(sketchOf(a));
    const plain = new LogSketch();
    for (const part of [b, c, a]) plain.addPlain(sketchOf(part).drain());
    assert.deepEqual(stateOf(left), whole);
    assert.deepEqual(stateOf(right), whole);
    assert.deepEqual(stateOf(plain), whole);
    assert.equal(left.sum, right.sum);
  }),
);

holds(
  'a sketch that was drained goes on as a new one, and a folded one folds an empty one',
  fc.property(stream, stream, (before, after) => {
    const sketch = sketchOf(before);
    const drained = sketch.drain();
    for (const value of after) sketch.add(value);
    assert.deepEqual(sketch.toPlain(), sketchOf(after).toPlain());
    const empty = new LogSketch();
    empty.addPlain(drained);
    assert.deepEqual(empty.toPlain(), drained);
  }),
);

holds(
  'the order of values does not matter',
  fc.property(stream, (values) => {
    assert.deepEqual(stateOf(sketchOf(values.toReversed())), stateOf(sketchOf(values)));
    const ascending = values.toSorted((a, b) => a - b);
    assert.deepEqual(stateOf(sketchOf(ascending)), stateOf(sketchOf(values)));
  }),
);

holds(
  'all mass is kept, a merge leaves the other as it was',
  fc.property(stream, stream, (a, b) => {
    const other = sketchOf(b);
    const before = other.toPlain();
    const sketch = sketchOf(a);
    sketch.merge(other);
    const finite = [...a, ...b].filter(Number.isFinite);
    assert.equal(sketch.count, finite.length);
    assert.equal(countOf(sketch.toPlain()), finite.length);
    assert.equal(sketch.dropped, a.length + b.length - finite.length);
    assert.deepEqual(other.toPlain(), before);
    sketch.merge(sketch);
    assert.equal(sketch.count, 2 * finite.length);
    assert.equal(countOf(sketch.toPlain()), 2 * finite.length);
  }),
);

holds(
  'quantiles never fall as q grows and stay within the extremes',
  fc.property(stream, fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (values, shares) => {
    const sketch = sketchOf(values);
    let previous = sketch.min;
    for (const share of [0, ...shares.toSorted((a, b) => a - b), 1]) {
      const found = sketch.quantile(share);
      assert.ok(found >= previous && found <= sketch.max);
      previous = found;
    }
  }),
);

holds(
  'an answer is within its stated error of the exact value at the nearest rank',
  fc.property(stream, fc.integer({ min: 0, max: 100 }), (values, pct) => {
    const finite = values.filter(Number.isFinite);
    const sketch = sketchOf(values);
    const exact = percentile(finite, pct);
    const { value, relativeError, count } = sketch.answer(pct / 100);
    assert.equal(count, finite.length);
    // Subnormal numbers are counted as zero.
    const tolerance = relativeError * Math.abs(exact) + 2 ** -1022;
    assert.ok(Math.abs(value - exact) <= tolerance, `${value}, not ${exact}`);
  }),
);
