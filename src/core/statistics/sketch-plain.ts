// A LogSketch as plain data: what threads send each other and what is stored as JSON. Only buckets
// that hold something are listed, in ascending order, which is also the order of their values.

import { type Fault, invalid, type Violation } from '../../base/fault.ts';
import { isCount } from '../../base/numbers.ts';
import { err, ok, type Result } from '../../base/result.ts';
import {
  bucketOf,
  octaveLast,
  octaveOf,
  octavesMax,
  rankOfOctave,
  stepsPerOctave,
} from './log-buckets.ts';

export type PlainSketch = {
  /** Numbers of the buckets, see log-buckets.ts; never 0. */
  readonly buckets: readonly number[];
  /** How many values each of them holds, at least 1. */
  readonly counts: readonly number[];
  /** Values in the zero bucket. */
  readonly zero: number;
  /** The highest octave that was folded into the zero bucket, with its sign; 0: none was. */
  readonly folded: number;
  /** Samples that were not finite. */
  readonly dropped: number;
  /** These four are 0 where there is no value. The sum is `sum` + `rest`. */
  readonly min: number;
  readonly max: number;
  readonly sum: number;
  readonly rest: number;
};

export type MalformedSketch = Fault<'malformed_sketch'>;

/** The number of values in a sketch. */
export function countOf({ counts, zero }: PlainSketch): number {
  return counts.reduce((sum, count) => sum + count, zero);
}

/** The same sketch if a LogSketch can be in that state; refused with what is wrong if not. */
export function validSketch(plain: PlainSketch): Result<PlainSketch, MalformedSketch> {
  const numbers = numberViolations(plain);
  const violations = numbers.length > 0 ? numbers : stateViolations(plain);
  if (violations.length > 0) return err(invalid('malformed_sketch', 'sketch', violations));
  return ok(plain);
}

/** Each number by itself. Of the lists the first fault is told, not two thousand. */
function numberViolations(plain: PlainSketch): readonly Violation[] {
  const found: Violation[] = [];
  const { buckets, counts, zero, dropped, folded } = plain;
  for (const [field, value] of Object.entries({ zero, dropped, count: countOf(plain) })) {
    if (!isCount(value)) found.push({ field, value, bound: 'a whole number from 0' });
  }
  for (const field of ['min', 'max', 'sum', 'rest'] as const) {
    const value = plain[field];
    if (!Number.isFinite(value)) found.push({ field, value, bound: 'a finite number' });
  }
  if (!(Number.isInteger(folded) && Math.abs(folded) <= octaveLast)) {
    found.push({ field: 'folded', value: folded, bound: `within -${octaveLast}..${octaveLast}` });
  }
  if (counts.length !== buckets.length) {
    const bound = `as many as buckets, ${buckets.length}`;
    found.push({ field: 'counts.length', value: counts.length, bound });
  }
  return [...found, ...bucketViolations(buckets), ...countViolations(counts)];
}

function bucketViolations(buckets: readonly number[]): readonly Violation[] {
  const at = buckets.findIndex((bucket, index) => {
    const octave = Math.abs(octaveOf(bucket));
    if (!Number.isInteger(bucket) || octave < 1 || octave > octaveLast) return true;
    return index > 0 && bucket <= (buckets[index - 1] ?? 0);
  });
  if (at < 0) return [];
  const bound = `above its predecessor and within ${stepsPerOctave}..${octaveLast * stepsPerOctave + stepsPerOctave - 1} of either sign`;
  return [{ field: `buckets[${at}]`, value: buckets[at], bound }];
}

function countViolations(counts: readonly number[]): readonly Violation[] {
  const at = counts.findIndex((count) => !(isCount(count) && count > 0));
  if (at < 0) return [];
  return [{ field: `counts[${at}]`, value: counts[at], bound: 'a whole number from 1' }];
}

/** Do the numbers fit together? */
function stateViolations(plain: PlainSketch): readonly Violation[] {
  const octaves = new Set(plain.buckets.map(octaveOf));
  const { folded } = plain;
  const lowest = Math.min(...[...octaves].map(rankOfOctave));
  if (octaves.size > octavesMax) {
    return [{ field: 'octaves', value: octaves.size, bound: `at most ${octavesMax}` }];
  }
  if (folded !== 0 && (octaves.size < octavesMax || rankOfOctave(folded) >= lowest)) {
    const bound = `below all of ${octavesMax} octaves that are kept, or 0`;
    return [{ field: 'folded', value: folded, bound }];
  }
  return countOf(plain) === 0 ? emptyViolations(plain) : extremeViolations(plain);
}

function emptyViolations(plain: PlainSketch): readonly Violation[] {
  return (['min', 'max', 'sum', 'rest'] as const)
    .filter((field) => plain[field] !== 0)
    .map((field) => ({ field, value: plain[field], bound: '0 without any value' }));
}

/** The extremes must lie in the lowest and in the highest bucket that holds anything. */
function extremeViolations(plain: PlainSketch): readonly Violation[] {
  const { buckets, folded, min, max, zero } = plain;
  const kept = (value: number): number => {
    const bucket = bucketOf(value);
    return rankOfOctave(octaveOf(bucket)) > rankOfOctave(folded) ? bucket : 0;
  };
  const occupied = zero > 0 ? [...buckets, 0] : buckets;
  const found: Violation[] = [];
  if (min > max) found.push({ field: 'min', value: min, bound: `at most max, ${max}` });
  if (kept(min) !== Math.min(...occupied)) {
    found.push({ field: 'min', value: min, bound: 'in the lowest bucket' });
  }
  if (kept(max) !== Math.max(...occupied)) {
    found.push({ field: 'max', value: max, bound: 'in the highest bucket' });
  }
  return found;
}
