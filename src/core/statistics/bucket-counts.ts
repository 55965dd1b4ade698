// How many values fell into each logarithmic bucket (log-buckets.ts), in constant memory.
//
// Counts lie in pages, one for each octave and sign that occurred, anywhere on the range of doubles:
//
//     double    | sign, exponent |  12 bits  |          ...
//                      |              |
//               pageOf[4096]     stepOfCell[4096]
//                      |              |
//     counts    | unused | page of 72 | page of 72 | page of 72 |   ...   28 pages, 16 KiB
//
// Counting one more is thus two look-ups and no search; what has no page (the first value of an
// octave, zero, subnormal numbers, NaN, infinities) takes the rare way.
//
// The cap: at most 28 octaves, of both signs together, have a page. When one more is needed the
// octave of smallest magnitude is folded into the zero bucket, of two equal ones the negative one,
// and stays folded. Small numbers of either sign meet at zero, so the order of values and all mass
// is kept; 28 octaves reach from the largest magnitude 8 decades down. Prometheus widens the zero
// bucket of its native histograms for the same purpose. What was left: folding into the lowest kept
// bucket, which depends on the order of arrival where both signs occur, and a cap on single buckets,
// which costs a test for each value.
//
// I1  The kept octaves are the highest 28 of all that occurred, `folded` is the highest of the rest
//     and everything up to it is in `zero`: the state follows from the values alone, not from their
//     order or grouping.
// I2  A page holds at least one value, what has no page is all 0.

import { AssertionFailed } from '../../base/assert.ts';
import {
  bucketFor,
  octaveOf,
  octavesMax,
  rankOfOctave,
  stepOf,
  stepOfHigh,
  stepsPerOctave,
  tagOfHigh,
} from './log-buckets.ts';

/** Sign and exponent of a double as 12 bits; negative numbers have the upper half. */
const tags = 4096;
const negativeTags = 2048;

function tagOf(octave: number): number {
  return octave < 0 ? negativeTags - octave : octave;
}

/** The n-th step of an octave by value: further from zero is lower where the sign is negative. */
function nthStep(octave: number, nth: number): number {
  return octave < 0 ? stepsPerOctave - 1 - nth : nth;
}

export class BucketCounts {
  readonly #pageOf = new Uint16Array(tags);
  readonly #counts = new Float64Array((octavesMax + 1) * stepsPerOctave);
  /** Those that have a page, with the sign of their values, ascending. */
  readonly #octaves: number[] = [];
  #zero = 0;
  #folded = 0;

  /** Values in the zero bucket. */
  get zero(): number {
    return this.#zero;
  }

  /** The highest octave, with its sign, that was folded into the zero bucket; 0: none was. */
  get folded(): number {
    return this.#folded;
  }

  /** Bytes of the tables, which never grow. */
  get byteLength(): number {
    return this.#pageOf.byteLength + this.#counts.byteLength;
  }

  /** Counts a double by the high half of its bits; false if that has no page, see {@link add}. */
  countHigh(high: number): boolean {
    const page = this.#pageOf[tagOfHigh(high)] ?? 0;
    if (page === 0) return false;
    this.#addAt(page + stepOfHigh(high), 1);
    return true;
  }

  /** Adds `count` values, at least one, to a bucket or to what it is folded into. */
  add(bucket: number, count: number): void {
    const page = this.#pageFor(octaveOf(bucket));
    if (page === 0) this.#zero += count;
    else this.#addAt(page + stepOf(bucket), count);
  }

  #addAt(slot: number, count: number): void {
    this.#counts[slot] = (this.#counts[slot] ?? 0) + count;
  }

  /** Adds everything that `other` counts. */
  merge(other: BucketCounts): void {
    for (const octave of [...other.#octaves]) this.#mergePage(octave, other);
    this.#zero += other.#zero;
    this.raiseFolded(other.#folded);
  }

  #mergePage(octave: number, other: BucketCounts): void {
    const from = other.#pageOf[tagOf(octave)] ?? 0;
    const page = this.#pageFor(octave);
    for (let step = 0; step < stepsPerOctave; step += 1) {
      const count = other.#counts[from + step] ?? 0;
      if (page === 0) this.#zero += count;
      else this.#addAt(page + step, count);
    }
  }

  /** Takes over that an octave was folded, by whoever sends 28 higher ones as well. */
  raiseFolded(octave: number): void {
    if (rankOfOctave(octave) > rankOfOctave(this.#folded)) this.#folded = octave;
  }

  /** Where the counts of an octave start; 0 if it is, or by this call becomes, a folded one. */
  #pageFor(octave: number): number {
    const known = this.#pageOf[tagOf(octave)] ?? 0;
    if (known !== 0 || rankOfOctave(octave) <= rankOfOctave(this.#folded)) return known;
    const isFull = this.#octaves.length === octavesMax;
    const page = isFull ? this.#foldFor(octave) : (this.#octaves.length + 1) * stepsPerOctave;
    if (page === 0) return 0;
    this.#pageOf[tagOf(octave)] = page;
    const above = this.#octaves.findIndex((other) => other > octave);
    this.#octaves.splice(above < 0 ? this.#octaves.length : above, 0, octave);
    return page;
  }

  /** Folds the lowest octave, this one included; the page that came free, or 0. */
  #foldFor(octave: number): number {
    const lowest = this.#octaves.reduce(
      (low, other) => (rankOfOctave(other) < rankOfOctave(low) ? other : low),
      octave,
    );
    this.#folded = lowest;
    if (lowest === octave) return 0;
    const page = this.#pageOf[tagOf(lowest)] ?? 0;
    const counts = this.#counts.subarray(page, page + stepsPerOctave);
    for (const count of counts) this.#zero += count;
    counts.fill(0);
    this.#pageOf[tagOf(lowest)] = 0;
    this.#octaves.splice(this.#octaves.indexOf(lowest), 1);
    return page;
  }

  /** The buckets that hold something, the zero bucket aside, ascending, and how much. */
  list(): { readonly buckets: readonly number[]; readonly counts: readonly number[] } {
    const buckets: number[] = [];
    const counts: number[] = [];
    for (const octave of this.#octaves) {
      const page = this.#pageOf[tagOf(octave)] ?? 0;
      for (let nth = 0; nth < stepsPerOctave; nth += 1) {
        const count = this.#counts[page + nthStep(octave, nth)] ?? 0;
        if (count === 0) continue;
        buckets.push(bucketFor(octave, nthStep(octave, nth)));
        counts.push(count);
      }
    }
    return { buckets, counts };
  }

  /** The bucket that holds the value of a rank, from 1 to the number of values. */
  bucketAt(rank: number): number {
    let left = rank;
    for (const octave of this.#octavesAndZero()) {
      if (octave === 0) {
        left -= this.#zero;
        if (left <= 0) return 0;
        continue;
      }
      const page = this.#pageOf[tagOf(octave)] ?? 0;
      for (let nth = 0; nth < stepsPerOctave; nth += 1) {
        left -= this.#counts[page + nthStep(octave, nth)] ?? 0;
        if (left <= 0) return bucketFor(octave, nthStep(octave, nth));
      }
    }
    throw new AssertionFailed(`counts without the rank ${rank}`);
  }

  #octavesAndZero(): readonly number[] {
    const negative = this.#octaves.filter((octave) => octave < 0);
    return [...negative, 0, ...this.#octaves.slice(negative.length)];
  }

  clear(): void {
    for (const octave of this.#octaves) this.#pageOf[tagOf(octave)] = 0;
    this.#octaves.length = 0;
    this.#counts.fill(0);
    this.#zero = 0;
    this.#folded = 0;
  }
}
