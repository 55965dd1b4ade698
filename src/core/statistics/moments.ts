// Count, mean and variance of a stream in one pass and constant memory, and of two streams from
// their parts: Welford (1962) for one more value, Chan, Golub and LeVeque (1979) for two parts.
//
// Everything is kept as distance from a pivot, the first value seen. Welford alone rounds the mean
// at its own size, so a mean of 1e9 with a spread of 1e-6 loses the spread; distances to a value of
// the stream itself are exact there, and no loss has to be detected and repaired afterwards.
//
// I1  squares >= 0, and exactly 0 while all values are equal.
// I2  The pivot is one of the values.

import { type Fault, invalid, type Violation } from '../../base/fault.ts';
import { isCount } from '../../base/numbers.ts';
import { err, ok, type Result } from '../../base/result.ts';

/** The parts of one stream; plain numbers, so that it survives JSON. */
export type Spread = {
  readonly count: number;
  readonly pivot: number;
  /** The mean less the pivot. */
  readonly offset: number;
  /** The sum of squared deviations from the mean. */
  readonly squares: number;
};

export const noSpread: Spread = Object.freeze({ count: 0, pivot: 0, offset: 0, squares: 0 });

/** The parts after one more value. NaN and infinities propagate. */
export function withValue(spread: Spread, value: number): Spread {
  const pivot = spread.count === 0 ? value : spread.pivot;
  const count = spread.count + 1;
  const distance = value - pivot;
  const step = distance - spread.offset;
  const offset = spread.offset + step / count;
  return { count, pivot, offset, squares: spread.squares + step * (distance - offset) };
}

/** The parts of both streams together. */
export function joined(a: Spread, b: Spread): Spread {
  if (a.count === 0) return b;
  if (b.count === 0) return a;
  const count = a.count + b.count;
  const gap = b.pivot - a.pivot + (b.offset - a.offset);
  return {
    count,
    pivot: a.pivot,
    offset: a.offset + (gap * b.count) / count,
    squares: a.squares + b.squares + gap * gap * ((a.count * b.count) / count),
  };
}

/** squares / (count - ddof); fewer than 2 values, or no divisor left: 0. */
export function varianceOf(spread: Spread, ddof = 1): number {
  const { count, squares } = spread;
  return count < 2 || count <= ddof ? 0 : squares / (count - ddof);
}

export type PlainMoments = Spread & { readonly dropped: number };

/** A recorder of moments: drops what is not finite and counts the drops. */
export class Moments {
  #spread = noSpread;
  #dropped = 0;

  add(value: number): void {
    if (Number.isFinite(value)) this.#spread = withValue(this.#spread, value);
    else this.#dropped += 1;
  }

  /** Takes in everything that `other` has seen. */
  merge(other: Moments): void {
    this.#spread = joined(this.#spread, other.#spread);
    this.#dropped += other.#dropped;
  }

  get count(): number {
    return this.#spread.count;
  }

  get dropped(): number {
    return this.#dropped;
  }

  /** 0 before the first value. */
  get mean(): number {
    return this.#spread.pivot + this.#spread.offset;
  }

  /** Divisor count - ddof; fewer than 2 values: 0. */
  variance(ddof = 1): number {
    return varianceOf(this.#spread, ddof);
  }

  stddev(ddof = 1): number {
    return Math.sqrt(this.variance(ddof));
  }

  toPlain(): PlainMoments {
    return { ...this.#spread, dropped: this.#dropped };
  }

  /** What {@link toPlain} gave; refused with each faulty field. */
  static fromPlain(plain: PlainMoments): Result<Moments, Fault<'malformed_moments'>> {
    const violations = momentsViolations(plain);
    if (violations.length > 0) return err(invalid('malformed_moments', 'moments', violations));
    const moments = new Moments();
    const { count, pivot, offset, squares, dropped } = plain;
    if (count > 0) moments.#spread = { count, pivot, offset, squares };
    moments.#dropped = dropped;
    return ok(moments);
  }
}

function momentsViolations(plain: PlainMoments): readonly Violation[] {
  const { count, dropped, squares } = plain;
  const violations: Violation[] = [];
  for (const [field, value] of Object.entries({ count, dropped })) {
    if (!isCount(value)) violations.push({ field, value, bound: 'a whole number from 0' });
  }
  for (const field of ['pivot', 'offset', 'squares'] as const) {
    const value = plain[field];
    if (!Number.isFinite(value)) violations.push({ field, value, bound: 'a finite number' });
  }
  if (squares < 0) violations.push({ field: 'squares', value: squares, bound: 'at least 0' });
  return violations;
}
