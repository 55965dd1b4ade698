// What may be set about a pool.

import { type Fault, invalid, type Violation } from '../../base/fault.ts';
import { isCount } from '../../base/numbers.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { isPowerOfTwo } from './alignment.ts';

export type PoolOptions = {
  /**
   * Bytes, a power of two: every allocation starts at a multiple and takes whole granules. 1, the
   * default, leaves both to the requests. From 512 B for tensors to 2 MiB for models is usual; a
   * granule is no rounding to powers of two, which on real traces costs 1.3 to 1.8 times the peak.
   */
  readonly granuleBytes?: number;
  /** At most {@link allocationsMax}, which is the default. */
  readonly allocationsMax?: number;
};

/** The most blocks of one pool that are not free at once. */
const allocationsMax = 500_000;

/** All options, or every one at fault. */
export function resolveOptions(
  options: PoolOptions,
): Result<Required<PoolOptions>, Fault<'invalid_options'>> {
  const resolved = { granuleBytes: 1, allocationsMax, ...options };
  const violations: Violation[] = [];
  const { granuleBytes, allocationsMax: most } = resolved;
  if (!isPowerOfTwo(granuleBytes) || !isCount(granuleBytes)) {
    const bound = 'a power of two, at most 2^52';
    violations.push({ field: 'granuleBytes', value: granuleBytes, bound });
  }
  if (!isCount(most) || most > allocationsMax) {
    const bound = `whole, within 0..${allocationsMax}`;
    violations.push({ field: 'allocationsMax', value: most, bound });
  }
  if (violations.length === 0) return ok(resolved);
  return err(invalid('invalid_options', 'options of a memory pool', violations));
}
