// Alignment of sizes and addresses. Device memory is larger than 2^32 bytes, so everything here is
// arithmetic on doubles, exact up to 2^53; the 32-bit operators would cut the numbers.

import { ceilDivide } from '../../base/numbers.ts';

/**
 * The smallest multiple of `alignment` not below `size`, both in bytes and whole; an alignment of 0
 * or 1 leaves the size. Any alignment counts as an arithmetic one here, a power of two or not
 * (platform specification C.2). Exact while the answer is at most 2^53.
 */
export function alignUp(size: number, alignment: number): number {
  return alignment <= 1 ? size : ceilDivide(size, alignment) * alignment;
}

/** A single bit is set: 1, 2, 4 and so on beyond 2^32; not 0, not a fraction, not infinite. */
export function isPowerOfTwo(value: number): boolean {
  if (!Number.isFinite(value)) return false;
  let power = 1;
  while (power < value) power *= 2;
  return power === value;
}
