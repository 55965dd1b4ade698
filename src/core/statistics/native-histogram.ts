// A sketch as the exponential histogram of OpenTelemetry and the native histogram of Prometheus.
// Both cut the positive numbers at the powers of 2^(2^-scale); a bucket holds its upper bound. Ours
// lie across theirs, so each bucket goes as a whole to where its middle lies: no count is lost, and
// a value is told at most one bucket beside its own.
//
//   OpenTelemetry   `scale`, index i for (base^i, base^(i + 1)]
//   Prometheus      schema = scale (-4..8), index i + 1 for the same bucket

import { assert } from '../../base/assert.ts';
import { boundOf, middleOf, relativeErrorMax, stepsPerOctave } from './log-buckets.ts';
import { countOf, type PlainSketch } from './sketch-plain.ts';

/** Buckets that hold something, ascending by magnitude. */
export type NativeBuckets = {
  readonly indexes: readonly number[];
  readonly counts: readonly number[];
};

export type NativeHistogram = {
  readonly scale: number;
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  /** Values of a magnitude below this are in `zeroCount`. */
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly positive: NativeBuckets;
  readonly negative: NativeBuckets;
  /** The middle of a bucket differs from a value counted there by at most this share of it. */
  readonly relativeErrorMax: number;
};

/** The scales of OpenTelemetry; 20 cuts an octave into a million buckets. */
const scaleMin = -10;
const scaleMax = 20;

/** `scale` is a whole number within -10..20. */
export function nativeHistogram(plain: PlainSketch, scale: number): NativeHistogram {
  const isScale = Number.isInteger(scale) && scale >= scaleMin && scale <= scaleMax;
  assert(isScale, `the scale ${scale} of a histogram`);
  return {
    scale,
    count: countOf(plain),
    sum: plain.sum + plain.rest,
    min: plain.min,
    max: plain.max,
    zeroThreshold: boundOf((Math.abs(plain.folded) + 1) * stepsPerOctave),
    zeroCount: plain.zero,
    positive: nativeBuckets(plain, scale, 1),
    negative: nativeBuckets(plain, scale, -1),
    relativeErrorMax: errorAt(scale),
  };
}

/** Ours, and on top of it that of the middle of one of theirs. */
function errorAt(scale: number): number {
  const base = 2 ** (2 ** -scale);
  const theirs = base === Number.POSITIVE_INFINITY ? 1 : (base - 1) / (base + 1);
  return relativeErrorMax + theirs * (1 + relativeErrorMax);
}

function nativeBuckets(plain: PlainSketch, scale: number, sign: 1 | -1): NativeBuckets {
  const found = new Map<number, number>();
  plain.buckets.forEach((bucket, at) => {
    if (Math.sign(bucket) !== sign) return;
    const index = nativeIndex(Math.abs(middleOf(bucket)), scale);
    found.set(index, (found.get(index) ?? 0) + (plain.counts[at] ?? 0));
  });
  const ascending = [...found].sort(([a], [b]) => a - b);
  return {
    indexes: ascending.map(([index]) => index),
    counts: ascending.map(([, count]) => count),
  };
}

function nativeIndex(magnitude: number, scale: number): number {
  return Math.ceil(Math.log2(magnitude) * 2 ** scale) - 1;
}
