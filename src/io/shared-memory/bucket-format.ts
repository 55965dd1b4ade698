// How a token bucket fits into 64 bits: the tokens as a fixed-point number in the low `tokenBits`
// bits, above them the time of the last refill. The split depends on what is asked for:
//
//   time   counts whole units of `now` since `origin`; its bits are those that `span` needs. In
//          milliseconds 2^36 is two years, 2^40 is 34.
//   tokens have what remains, at most 31 bits, and as many fraction bits as the capacity leaves.
//          A span of 2^36 ms leaves 28 bits: a capacity of 100 then counts in 2^-21 tokens.
//
// A refill adds elapsed x rate, and both are whole numbers of their units, so nothing is rounded
// however often it happens. Rate and capacity themselves are rounded down once, here: the bucket
// never grants more than was asked for, and a format that would grant less by more than 1/1024 is
// refused.

import { type Fault, invalid, type Violation } from '../../base/fault.ts';
import { isCount } from '../../base/numbers.ts';
import { err, ok, type Result } from '../../base/result.ts';

export type BucketOptions = {
  /** Tokens of a full bucket, 0 or more; up to 2^31 - 1, less for a long span. */
  readonly capacity: number;
  /** Tokens per unit of `now`, 0 or more. */
  readonly refillRate: number;
  /** The time of the first, full state; 0 when left out. A safe integer in the unit of `now`. */
  readonly origin?: number;
  /** The bucket is good for times up to `origin + span`. 1 to 2^53 - 1. */
  readonly span: number;
};

export type BucketFormat = {
  readonly tokenBits: number;
  readonly fractionBits: number;
  /** In units of 2^-fractionBits tokens. */
  readonly capacity: number;
  readonly rate: number;
};

const controlBits = 64;
const tokenBitsMax = 31;
const fractionBitsMax = 30;
/** Rounding down may take at most this share of the rate or the capacity. */
const lossMax = 1 / 1024;

/** The format for a bucket, or what cannot be held in 64 bits. */
export function bucketFormat(
  options: BucketOptions,
): Result<BucketFormat, Fault<'bucket_out_of_range'>> {
  const violations = numberViolations(options);
  if (violations.length > 0) return refused(violations);
  const tokenBits = Math.min(tokenBitsMax, controlBits - bitsOf(options.span));
  const unitsMax = 2 ** tokenBits - 1;
  if (options.capacity > unitsMax) {
    const bound = `at most ${unitsMax} with a span of ${options.span}`;
    return refused([{ field: 'capacity', value: options.capacity, bound }]);
  }
  const fractionBits = fractionBitsFor(options.capacity, unitsMax);
  const capacity = Math.floor(options.capacity * 2 ** fractionBits);
  // A rate beyond the capacity fills the bucket in one unit of time, as the capacity itself does.
  const rate = Math.min(capacity, Math.floor(options.refillRate * 2 ** fractionBits));
  const unit = 2 ** -fractionBits;
  const lossy = lossViolations(options, { capacity: capacity * unit, refillRate: rate * unit });
  return lossy.length > 0 ? refused(lossy) : ok({ tokenBits, fractionBits, capacity, rate });
}

function refused(violations: readonly Violation[]): Result<never, Fault<'bucket_out_of_range'>> {
  return err(invalid('bucket_out_of_range', 'shared token bucket', violations));
}

function numberViolations({ origin = 0, ...options }: BucketOptions): readonly Violation[] {
  const violations: Violation[] = [];
  for (const field of ['capacity', 'refillRate'] as const) {
    const value = options[field];
    if (Number.isFinite(value) && value >= 0) continue;
    violations.push({ field, value, bound: 'a finite number from 0 on' });
  }
  if (!Number.isSafeInteger(origin)) {
    violations.push({ field: 'origin', value: origin, bound: 'a safe integer' });
  }
  if (!isCount(options.span) || options.span === 0) {
    violations.push({ field: 'span', value: options.span, bound: 'a whole number from 1 on' });
  }
  return violations;
}

/** Bits that hold every whole number up to `value`. */
function bitsOf(value: number): number {
  let bits = 1;
  while (2 ** bits <= value) bits += 1;
  return bits;
}

function fractionBitsFor(capacity: number, unitsMax: number): number {
  let bits = fractionBitsMax;
  while (bits > 0 && capacity * 2 ** bits > unitsMax) bits -= 1;
  return bits;
}

function lossViolations(
  asked: BucketOptions,
  held: { readonly capacity: number; readonly refillRate: number },
): readonly Violation[] {
  const bound = 'held to within 1/1024: ask for a shorter span or a coarser unit of time';
  return (['capacity', 'refillRate'] as const).flatMap((field) => {
    const wanted =
      field === 'refillRate' ? Math.min(asked.refillRate, asked.capacity) : asked[field];
    const isHeld = wanted - held[field] <= wanted * lossMax;
    return isHeld ? [] : [{ field, value: asked[field], bound }];
  });
}
