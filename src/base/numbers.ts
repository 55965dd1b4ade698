// Rules for numbers that hold everywhere in the core (platform specification 0.2): integers are safe
// integers and may exceed 2^32, so no 32-bit bit operators on them; what cannot be finite is the
// largest double, because it must survive JSON; halves round away from zero.

/** Stands for a duration that has no end: the largest finite double, 1.7976931348623157e308. */
export const unbounded = Number.MAX_VALUE;

/** Rounds to an integer, halves away from zero: 3.5 -> 4, -3.5 -> -4. NaN stays NaN. */
export function roundHalfAway(value: number): number {
  const rounded = Math.sign(value) * Math.round(Math.abs(value));
  return rounded === 0 ? 0 : rounded;
}

/**
 * The smallest integer not below dividend / divisor; 0 <= dividend, 0 < divisor. Exact for whole
 * numbers below 2^53: a quotient that is no integer is at least 1 / divisor away from the next one,
 * which is more than the division rounds by.
 */
export function ceilDivide(dividend: number, divisor: number): number {
  return Math.ceil(dividend / divisor);
}

/** `value` held within [least, most]; NaN stays NaN. */
export function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}

/** later - earlier, and 0 when that would be negative. */
export function saturatingDifference(later: number, earlier: number): number {
  return later > earlier ? later - earlier : 0;
}

/** Is it a whole number from 0 to 2^53 - 1? */
export function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
