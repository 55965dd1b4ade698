// How two series move together (platform specification A.13, D.3). One pass in blocks that fit the
// cache; each block is centred on its own means before products are summed, and the blocks' parts
// are joined (Chan, Golub and LeVeque 1979).
//
// Within a series everything is a distance from its first value. Those distances are exact where a
// huge mean hides a tiny spread, which is where the textbook formula sum(x y) - n mean mean fails
// and where even two plain passes lose digits to the rounded mean; so no loss of precision has to
// be detected there. What can still happen is that squares leave the range of doubles; correlation
// notices, because then their sum is not within `squaresMin..squaresMax`, and runs once more over
// the distances divided by the largest of them.

import { clamp } from '../../base/numbers.ts';

/** Values of a block: 2 x 32 KiB of doubles, within the second-level cache of any server. */
export const blockLength = 4096;

/** Between these, no square of a distance that matters was rounded to 0 or to infinity. */
const squaresMin = 1e-250;
const squaresMax = 1e250;

type Parts = {
  readonly count: number;
  /** Means, as distances from the first values. */
  readonly meanX: number;
  readonly meanY: number;
  /** Sums of products of deviations from the means. */
  readonly xx: number;
  readonly yy: number;
  readonly xy: number;
};

function partsOfBlock(
  xs: ArrayLike<number>,
  ys: ArrayLike<number>,
  start: number,
  end: number,
): Parts {
  const pivotX = xs[0] ?? 0;
  const pivotY = ys[0] ?? 0;
  const count = end - start;
  let sumX = 0;
  let sumY = 0;
  for (let at = start; at < end; at += 1) {
    sumX += (xs[at] ?? 0) - pivotX;
    sumY += (ys[at] ?? 0) - pivotY;
  }
  const meanX = sumX / count;
  const meanY = sumY / count;
  let xx = 0;
  let yy = 0;
  let xy = 0;
  for (let at = start; at < end; at += 1) {
    const x = (xs[at] ?? 0) - pivotX - meanX;
    const y = (ys[at] ?? 0) - pivotY - meanY;
    xx += x * x;
    yy += y * y;
    xy += x * y;
  }
  return { count, meanX, meanY, xx, yy, xy };
}

function joined(a: Parts, b: Parts): Parts {
  const count = a.count + b.count;
  const x = b.meanX - a.meanX;
  const y = b.meanY - a.meanY;
  const weight = (a.count * b.count) / count;
  return {
    count,
    meanX: a.meanX + (x * b.count) / count,
    meanY: a.meanY + (y * b.count) / count,
    xx: a.xx + b.xx + x * x * weight,
    yy: a.yy + b.yy + y * y * weight,
    xy: a.xy + b.xy + x * y * weight,
  };
}

/** Undefined for series of two lengths or of fewer than 2 values. */
function partsOf(xs: ArrayLike<number>, ys: ArrayLike<number>): Parts | undefined {
  const n = xs.length;
  if (n !== ys.length || n < 2) return undefined;
  let parts = partsOfBlock(xs, ys, 0, Math.min(n, blockLength));
  for (let start = blockLength; start < n; start += blockLength) {
    const end = Math.min(n, start + blockLength);
    parts = joined(parts, partsOfBlock(xs, ys, start, end));
  }
  return parts;
}

/**
 * sum((x - mean x)(y - mean y)) / (n - ddof). Series of two lengths, fewer than 2 values, or no
 * divisor left: 0. NaN propagates.
 */
export function covariance(xs: ArrayLike<number>, ys: ArrayLike<number>, ddof = 1): number {
  const parts = partsOf(xs, ys);
  return parts === undefined || parts.count <= ddof ? 0 : parts.xy / (parts.count - ddof);
}

/**
 * Pearson's correlation, -1..1. A series without any deviation, series of two lengths or of fewer
 * than 2 values: 0. NaN propagates.
 */
export function correlation(xs: ArrayLike<number>, ys: ArrayLike<number>): number {
  const parts = partsOf(xs, ys);
  if (parts === undefined) return 0;
  if (isInRange(parts.xx) && isInRange(parts.yy)) return ratioOf(parts);
  const scaled = partsOf(scaledDistances(xs), scaledDistances(ys));
  return scaled === undefined ? 0 : ratioOf(scaled);
}

function isInRange(squares: number): boolean {
  return squares >= squaresMin && squares <= squaresMax;
}

function ratioOf({ xx, yy, xy }: Parts): number {
  if (xx === 0 || yy === 0) return 0;
  return clamp(xy / Math.sqrt(xx) / Math.sqrt(yy), -1, 1);
}

/** Distances from the first value, in a unit in which their squares are in range. */
function scaledDistances(values: ArrayLike<number>): Float64Array {
  const pivot = values[0] ?? 0;
  const factor = unitFactor(largestDistance(values, pivot));
  return Float64Array.from(values, (value) => (value - pivot) * factor);
}

/** The largest |value - pivot|; NaN as soon as one is. */
export function largestDistance(values: ArrayLike<number>, pivot: number): number {
  let largest = 0;
  for (let at = 0; at < values.length; at += 1) {
    const distance = Math.abs((values[at] ?? 0) - pivot);
    if (!(distance <= largest)) largest = distance;
    if (Number.isNaN(distance)) return distance;
  }
  return largest;
}

/**
 * What to multiply distances with, of which `largest` is the largest, so that their squares are
 * neither rounded to 0 nor to infinity: 1 wherever they are not anyway.
 */
export function unitFactor(largest: number): number {
  if (largest === 0 || isInRange(largest * largest)) return 1;
  return Math.min(1 / largest, Number.MAX_VALUE);
}
