// Logarithmic buckets: which bucket a number falls into and which number stands for a bucket, so
// that the two never differ by more than 0.5 % (platform specification D.3).
//
// A double is 1.mantissa x 2^exponent. An octave, the numbers of one exponent, is cut into 72 steps
// of about 0.97 %. Their bounds are 2^(k/72), rounded to the 4096 cells that the first 12 bits of
// the mantissa tell apart; a table then gives the step of a cell:
//
//     63 62       52 51         40 39                0
//     |s| exponent  |  12 bits    |  rest of mantissa |      high word = s, exponent, 20 bits
//       +-- octave -+- cell: step-+
//
// No logarithm is taken: the bounds are short binary fractions, so every machine and every version
// of the language puts a number into the same bucket, and counting takes 5 ns where it took 18 with
// Math.log. 70 steps would do for 0.5 % as well, but only with a table of 16384 cells, half of a
// first-level cache.
//
// Buckets have numbers that ascend with the values in them:
//
//     -(octave 72 + step) ... -72     0     72 ... octave 72 + step        octave = 1 .. 2046
//     negative numbers            |v| < 2^-1022      positive numbers
//
// The octave is the exponent as stored, so 1023 holds [1, 2). Zero and subnormal numbers, below
// 2.2e-308, are the zero bucket.

import { assert } from '../../base/assert.ts';

/** The guarantee: |estimate - value| / |value| of any number from 2^-1022 on. */
export const relativeErrorMax = 0.005;

/** The cap on the buckets of a sketch (platform specification D.3). */
export const bucketsMax = 2048;
export const stepsPerOctave = 72;
/** Whole octaves of either sign that fit under the cap beside the zero bucket: 28. */
export const octavesMax = Math.floor((bucketsMax - 1) / stepsPerOctave);
/** The largest exponent of a finite double, as stored. */
export const octaveLast = 2046;

const cells = 4096;
/** Bits of the high word behind the cell. */
const cellShift = 8;
const exponentShift = 20;
const exponentBias = 1023;

/** The first cell of each step, and the end. The bounds lie 0.004 cells or more from a tie. */
const firstCells = Uint16Array.from({ length: stepsPerOctave + 1 }, (_, step) =>
  Math.round((2 ** (step / stepsPerOctave) - 1) * cells),
);

const stepOfCell = stepTable();

function stepTable(): Uint8Array {
  const table = new Uint8Array(cells);
  for (let step = 0; step < stepsPerOctave; step += 1) {
    table.fill(step, firstCells[step], firstCells[step + 1]);
  }
  return table;
}

/** The number within [1, 2) whose relative distance to the farthest of a step is least. */
const middles = Float64Array.from({ length: stepsPerOctave }, (_, step) => {
  const lower = boundOfStep(step);
  const upper = boundOfStep(step + 1);
  return (2 * lower * upper) / (lower + upper);
});

function boundOfStep(step: number): number {
  return 1 + (firstCells[step] ?? 0) / cells;
}

/** Sign and exponent of a double, by the high word of its bits; negative ones have the upper half. */
export function tagOfHigh(high: number): number {
  return high >>> exponentShift;
}

/** The step within its octave of a double, by the high word of its bits. */
export function stepOfHigh(high: number): number {
  return stepOfCell[(high >>> cellShift) & (cells - 1)] ?? 0;
}

/** The bucket of a finite number. */
export function bucketOf(value: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, Math.abs(value));
  const high = view.getInt32(0);
  const octave = tagOfHigh(high);
  assert(octave <= octaveLast, `the bucket of ${value}`);
  if (octave === 0) return 0;
  return bucketFor(value < 0 ? -octave : octave, stepOfHigh(high));
}

/** The octave of a bucket with the sign of its values; 0 for the zero bucket. */
export function octaveOf(bucket: number): number {
  return Math.trunc(bucket / stepsPerOctave);
}

/** The place of a bucket in its octave, from 0, counted away from zero. */
export function stepOf(bucket: number): number {
  return Math.abs(bucket) % stepsPerOctave;
}

export function bucketFor(octave: number, step: number): number {
  return octave * stepsPerOctave + (octave < 0 ? -step : step);
}

/** The number that stands for a bucket, within {@link relativeErrorMax} of all its values. */
export function middleOf(bucket: number): number {
  const octave = octaveOf(bucket);
  if (octave === 0) return 0;
  const middle = (middles[stepOf(bucket)] ?? 0) * 2 ** (Math.abs(octave) - exponentBias);
  return bucket < 0 ? -middle : middle;
}

/** The smallest magnitude in a bucket other than the zero bucket. */
export function boundOf(bucket: number): number {
  const octave = Math.abs(octaveOf(bucket));
  return boundOfStep(stepOf(bucket)) * 2 ** (octave - exponentBias);
}

/**
 * Which octaves are given up first: those of small magnitude, of one magnitude the negative one.
 * 0 is below every octave.
 */
export function rankOfOctave(octave: number): number {
  return octave < 0 ? -2 * octave : octave === 0 ? 0 : 2 * octave + 1;
}
