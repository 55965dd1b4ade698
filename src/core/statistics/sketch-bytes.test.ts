// Goal: a sketch comes back from bytes and from JSON as it was, small, and what no sketch can be is
// refused with a code (CP D.3). Method: round trips as properties, every cut and many flipped bits,
// and a table of impossible states.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { bucketOf, octaveOf } from './log-buckets.ts';
import { LogSketch } from './log-sketch.ts';
import type { PlainSketch } from './sketch-plain.ts';

function sketchOf(values: Iterable<number>): LogSketch {
  const sketch = new LogSketch();
  for (const value of values) sketch.add(value);
  return sketch;
}

/** Full: 28 octaves kept, some folded, both signs. */
function fullSketch(): LogSketch {
  const sketch = new LogSketch();
  for (let at = 0; at < 4000; at += 1) sketch.add((at % 3 === 0 ? -1 : 1) * 1.01 ** at);
  return sketch;
}

test('bytes are few, also of a full sketch with large counts', () => {
  assert.ok(new LogSketch().toBytes().length <= 8);
  assert.ok(sketchOf([1]).toBytes().length <= 48);
  const sketch = fullSketch();
  for (let doubling = 0; doubling < 36; doubling += 1) sketch.merge(sketch);
  assert.ok(sketch.count > 2 ** 47);
  assert.ok(sketch.toBytes().length <= 16_384, `${sketch.toBytes().length} bytes`);
});

test('the bytes of version 1 are what they always were', () => {
  const bytes = sketchOf([1, 1, -2.5, 0, Number.NaN]).toBytes();
  assert.equal(
    Buffer.from(bytes).toString('hex'),
    [
      '01 01 01 00 02', // version, dropped, zero, folded, buckets
      '00000000000004c0 000000000000f03f', // -2.5, 1
      '000000000000e0bf 0000000000000000', // -0.5 + 0
      'ad8009 01', // bucket -73751 holds 1
      'cfff08 02', // 147407 further, bucket 73656 holds 2
    ]
      .join('')
      .replaceAll(' ', ''),
  );
  const read = LogSketch.fromBytes(bytes);
  assert.ok(read.ok);
  assert.deepEqual([read.value.count, read.value.sum, read.value.dropped], [4, -0.5, 1]);
});

test('bytes that end early, go on too long or are of another version are refused', () => {
  const bytes = fullSketch().toBytes();
  for (let length = 0; length < bytes.length; length += length < 100 ? 1 : 37) {
    const result = LogSketch.fromBytes(bytes.subarray(0, length));
    assert.ok(!result.ok, `${length} bytes`);
    assert.equal(result.error.code, 'malformed_sketch');
  }
  const onlyZero = sketchOf([0]).toBytes();
  assert.ok(!LogSketch.fromBytes(onlyZero.slice(0, -1)).ok, 'within the last double');
  const rows: readonly [readonly number[], RegExp][] = [
    [[...bytes, 0], /1 bytes behind its end/],
    [[2, ...bytes.subarray(1)], /version 2, but must have 1/],
    [[], /ends at byte 0|version/],
    [[1, 0, 0, 0, 0xff, 0xff, 0x03], /65535 buckets, but at most 2048/],
    [[1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], /more than 8 bytes/],
  ];
  for (const [bad, words] of rows) {
    const result = LogSketch.fromBytes(Uint8Array.from(bad));
    assert.ok(!result.ok);
    assert.match(result.error.message, words);
  }
});

test('a part of a larger buffer is read as itself', () => {
  const bytes = sketchOf([1, 2, 3]).toBytes();
  const buffer = new Uint8Array(bytes.length + 7);
  buffer.set(bytes, 5);
  const read = LogSketch.fromBytes(buffer.subarray(5, 5 + bytes.length));
  assert.ok(read.ok);
  assert.deepEqual(read.value.toPlain(), sketchOf([1, 2, 3]).toPlain());
});

test('a state that no values lead to is refused, with the field', () => {
  const good = sketchOf([-2, 0, 1, 1, 3]).toPlain();
  const [first = 0, second = 0] = good.buckets;
  const rows: readonly [Partial<PlainSketch>, string][] = [
    [{ zero: -1 }, 'zero'],
    [{ dropped: 0.5 }, 'dropped'],
    [{ min: Number.NaN }, 'min'],
    [{ max: Number.POSITIVE_INFINITY }, 'max'],
    [{ sum: Number.NaN }, 'sum'],
    [{ rest: Number.NaN }, 'rest'],
    [{ folded: 2047 }, 'folded'],
    [{ folded: 0.5 }, 'folded'],
    [{ folded: 5 }, 'folded'],
    [{ counts: [1, 1] }, 'counts.length'],
    [{ counts: [1, 0, 1] }, 'counts[1]'],
    [{ counts: [1, 1.5, 1] }, 'counts[1]'],
    [{ counts: [1, 2 ** 53, 1] }, 'count'],
    [{ buckets: [first, first, second] }, 'buckets[1]'],
    [{ buckets: [second, first, second] }, 'buckets[1]'],
    [{ buckets: [first, 0, second] }, 'buckets[1]'],
    [{ buckets: [first, 71, second] }, 'buckets[1]'],
    [{ buckets: [first, second, 2047 * 72] }, 'buckets[2]'],
    [{ buckets: [first, second, Number.NaN] }, 'buckets[2]'],
    [{ min: 5 }, 'min'],
    [{ buckets: [bucketOf(5)], counts: [1], zero: 0, min: 5.001, max: 5 }, 'min'],
    [{ min: -1 }, 'min'],
    [{ max: 1 }, 'max'],
    [{ buckets: [], counts: [], zero: 0 }, 'min'],
  ];
  for (const [fault, field] of rows) {
    const result = LogSketch.fromPlain({ ...good, ...fault });
    assert.ok(!result.ok, `${field} ${JSON.stringify(fault)}`);
    assert.equal(result.error.code, 'malformed_sketch');
    assert.ok(
      result.error.details?.some((one) => one.field === field),
      `${result.error.message}`,
    );
  }
  const full = fullSketch().toPlain();
  const above = LogSketch.fromPlain({ ...full, folded: octaveOf(full.buckets.at(-1) ?? 0) });
  assert.ok(!above.ok);
  assert.match(above.error.message, /folded is .* but must be below all of 28 octaves/);
  const octaves = Array.from({ length: 29 }, (_, at) => (1000 + at) * 72);
  const many = LogSketch.fromPlain({
    ...good,
    buckets: octaves,
    counts: octaves.map(() => 1),
  });
  assert.ok(!many.ok);
  assert.match(many.error.message, /octaves is 29, but must be at most 28/);
});

holds(
  'flipped bits are refused or give a sketch in a state that it can be in',
  fc.property(fc.nat({ max: 10_000 }), fc.integer({ min: 1, max: 255 }), (at, mask) => {
    const bytes = sketchOf([1, 2, 2, -3, 0, 1e-5, 1e9]).toBytes();
    const index = at % bytes.length;
    bytes[index] = (bytes[index] ?? 0) ^ mask;
    const result = LogSketch.fromBytes(bytes);
    if (!result.ok) assert.equal(result.error.code, 'malformed_sketch');
    else assert.deepEqual(result.value.toBytes(), bytes);
  }),
);

const values = fc.array(fc.double(), { maxLength: 100 });

holds(
  'a sketch comes back from bytes and from JSON as it was',
  fc.property(values, (sample) => {
    const sketch = sketchOf(sample);
    const fromBytes = LogSketch.fromBytes(sketch.toBytes());
    const fromPlain = LogSketch.fromPlain(JSON.parse(JSON.stringify(sketch.toPlain())));
    assert.ok(fromBytes.ok && fromPlain.ok);
    assert.deepEqual(fromBytes.value.toPlain(), sketch.toPlain());
    assert.deepEqual(fromPlain.value.toPlain(), sketch.toPlain());
    assert.deepEqual(fromBytes.value.toBytes(), sketch.toBytes());
  }),
);
