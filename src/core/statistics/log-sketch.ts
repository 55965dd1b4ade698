// Quantiles of a stream in constant memory: how many values fell into each of up to 2016
// logarithmic buckets. Any quantile is within 0.5 % of the exact value at the nearest rank, whatever
// the distribution, and sketches of parts add up to the sketch of the whole (platform specification
// D.3; the idea is DDSketch, Masson, Rim and Lee 2019). log-buckets.ts says where the buckets lie,
// bucket-counts.ts how they are kept and which are given up at the cap.
//
// I1  The state follows from the values alone, not from their order or grouping. Only the sum is
//     rounded on the way; it carries about 32 digits, so that of what is told the last digit may
//     differ.
// I2  count is the number of values that were finite; each of them is in one bucket.
// I3  min and max are values that were added, and every value lies within them.

import { assert } from '../../base/assert.ts';
import type { Fault } from '../../base/fault.ts';
import { clamp, unbounded } from '../../base/numbers.ts';
import { ok, type Result } from '../../base/result.ts';
import { BucketCounts } from './bucket-counts.ts';
import { bucketOf, middleOf, relativeErrorMax } from './log-buckets.ts';
import { type NativeHistogram, nativeHistogram } from './native-histogram.ts';
import { rankOfShare } from './percentile.ts';
import { decodedSketch, encodedSketch } from './sketch-bytes.ts';
import { countOf, type PlainSketch, validSketch } from './sketch-plain.ts';
import { roundingOf } from './sum.ts';

export type SketchAnswer = {
  readonly value: number;
  /** `value` differs from the exact value by at most this share of it. */
  readonly relativeError: number;
  /** How many values the answer is of. */
  readonly count: number;
};

// Registers: one array for everything that each value touches. The bits of the newest are read
// through a second view of it.
const newest = 0;
const least = 1;
const most = 2;
const sum = 3;
const rest = 4;
const registerCount = 5;
/** The high half of register 0: every platform that this runs on is little-endian. */
const highWord = 1;
assert(new Uint8Array(Uint16Array.of(1).buffer)[0] === 1, 'a little-endian machine');

export class LogSketch {
  readonly #registers = new Float64Array(registerCount);
  readonly #words = new Int32Array(this.#registers.buffer);
  readonly #buckets = new BucketCounts();
  #count = 0;
  #dropped = 0;

  constructor() {
    this.#clearRegisters();
  }

  /** Counts one value. NaN and infinities are dropped and counted as such. */
  add(value: number): void {
    const registers = this.#registers;
    registers[newest] = value;
    if (!this.#buckets.countHigh(this.#words[highWord] ?? 0)) {
      this.#addRare(value);
      return;
    }
    if (value < (registers[least] ?? 0)) registers[least] = value;
    if (value > (registers[most] ?? 0)) registers[most] = value;
    const before = registers[sum] ?? 0;
    const after = before + value;
    registers[rest] = (registers[rest] ?? 0) + roundingOf(before, value, after);
    registers[sum] = after;
    this.#count += 1;
  }

  #addRare(value: number): void {
    if (!Number.isFinite(value)) {
      this.#dropped += 1;
      return;
    }
    this.#buckets.add(bucketOf(value), 1);
    // -0 is added as 0, which is what JSON would make of it.
    const same = value + 0;
    this.#mergeFigures(1, { dropped: 0, min: same, max: same, sum: same, rest: 0 });
  }

  get count(): number {
    return this.#count;
  }

  /** Samples that were not finite. */
  get dropped(): number {
    return this.#dropped;
  }

  /** The smallest value; 0 before the first. */
  get min(): number {
    return this.count === 0 ? 0 : (this.#registers[least] ?? 0);
  }

  /** The largest value; 0 before the first. */
  get max(): number {
    return this.count === 0 ? 0 : (this.#registers[most] ?? 0);
  }

  /**
   * The sum of all values; once it left the range of doubles the largest of its sign, and 0 if
   * parts left it on both sides.
   */
  get sum(): number {
    const high = this.#registers[sum] ?? 0;
    const exact = high + (this.#registers[rest] ?? 0);
    if (Number.isFinite(exact)) return exact;
    return Number.isNaN(high) ? 0 : clamp(high, -unbounded, unbounded);
  }

  /** Bytes of the tables, which do not depend on what was added. */
  get byteLength(): number {
    return this.#registers.byteLength + this.#buckets.byteLength;
  }

  /**
   * The value at the nearest rank of the share `q` (0..1), within 0.5 %; the smallest and the
   * largest value are exact. Never falls as `q` grows, and lies within min..max. What was folded
   * into the zero bucket is answered as the number of min..max next to 0. No value: 0.
   */
  quantile(q: number): number {
    return this.answer(q).value;
  }

  /** {@link quantile} with what can be said for it. */
  answer(q: number): SketchAnswer {
    assert(q >= 0 && q <= 1, `the share ${q} of a sketch`);
    const { count, min, max } = this;
    const rank = rankOfShare(q, count);
    if (rank <= 1 || min === max) return { value: min, relativeError: 0, count };
    if (rank === count) return { value: max, relativeError: 0, count };
    const bucket = this.#buckets.bucketAt(rank);
    return {
      value: clamp(middleOf(bucket), min, max),
      relativeError: this.#errorOf(bucket),
      count,
    };
  }

  /** A folded value may lie anywhere between 0 and the octaves that are kept. */
  #errorOf(bucket: number): number {
    if (bucket !== 0) return relativeErrorMax;
    return this.#buckets.folded === 0 ? 0 : 1;
  }

  /** Takes in everything that `other` has seen, as if it had been added here. */
  merge(other: LogSketch): void {
    this.#buckets.merge(other.#buckets);
    const registers = other.#registers;
    this.#mergeFigures(other.count, {
      dropped: other.#dropped,
      min: registers[least] ?? 0,
      max: registers[most] ?? 0,
      sum: registers[sum] ?? 0,
      rest: registers[rest] ?? 0,
    });
  }

  #mergeFigures(
    count: number,
    other: Pick<PlainSketch, 'dropped' | 'min' | 'max' | 'sum' | 'rest'>,
  ): void {
    const registers = this.#registers;
    this.#dropped += other.dropped;
    registers[least] = Math.min(registers[least] ?? 0, other.min);
    registers[most] = Math.max(registers[most] ?? 0, other.max);
    const before = registers[sum] ?? 0;
    const after = before + other.sum;
    const rests = (registers[rest] ?? 0) + other.rest;
    registers[rest] = rests + roundingOf(before, other.sum, after);
    registers[sum] = after;
    this.#count += count;
  }

  /** {@link merge} from plain data of our own making, as {@link drain} of another thread gives. */
  addPlain(plain: PlainSketch): void {
    const { buckets, counts, zero, folded, dropped } = plain;
    assert(buckets.length === counts.length, 'a count for each bucket');
    const count = countOf(plain);
    if (count === 0) {
      this.#dropped += dropped;
      return;
    }
    for (let at = 0; at < buckets.length; at += 1) {
      this.#buckets.add(buckets[at] ?? 0, counts[at] ?? 0);
    }
    if (zero > 0) this.#buckets.add(0, zero);
    this.#buckets.raiseFolded(folded);
    this.#mergeFigures(count, plain);
  }

  /** Everything as plain data; equal for equal sketches. */
  toPlain(): PlainSketch {
    const { buckets, counts } = this.#buckets.list();
    const { zero, folded } = this.#buckets;
    const high = this.#registers[sum] ?? 0;
    const low = this.#registers[rest] ?? 0;
    const sums = Number.isFinite(high + low)
      ? { sum: high, rest: low }
      : { sum: this.sum, rest: 0 };
    const { min, max } = this;
    return { buckets, counts, zero, folded, dropped: this.#dropped, min, max, ...sums };
  }

  /** What {@link toPlain} gave, from anywhere; refused with each faulty field. */
  static fromPlain(plain: PlainSketch): Result<LogSketch, Fault<'malformed_sketch'>> {
    const valid = validSketch(plain);
    if (!valid.ok) return valid;
    const sketch = new LogSketch();
    sketch.addPlain(valid.value);
    return ok(sketch);
  }

  /** {@link toPlain} as bytes, see sketch-bytes.ts. */
  toBytes(): Uint8Array {
    return encodedSketch(this.toPlain());
  }

  static fromBytes(bytes: Uint8Array): Result<LogSketch, Fault<'malformed_sketch'>> {
    const plain = decodedSketch(bytes);
    return plain.ok ? LogSketch.fromPlain(plain.value) : plain;
  }

  /** As a histogram of OpenTelemetry or Prometheus, see native-histogram.ts. */
  toNativeHistogram(scale: number): NativeHistogram {
    return nativeHistogram(this.toPlain(), scale);
  }

  /** Everything since the last drain, to be sent to whoever adds it up; the sketch is empty then. */
  drain(): PlainSketch {
    const plain = this.toPlain();
    this.clear();
    return plain;
  }

  /** As new. */
  clear(): void {
    this.#buckets.clear();
    this.#clearRegisters();
    this.#count = 0;
    this.#dropped = 0;
  }

  #clearRegisters(): void {
    this.#registers.fill(0);
    this.#registers[least] = Number.POSITIVE_INFINITY;
    this.#registers[most] = Number.NEGATIVE_INFINITY;
  }
}
