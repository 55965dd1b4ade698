// What is asked of a memory pool, what it answers, and how it refuses.

import { type Fault, invalid, type Violation } from '../../base/fault.ts';
import { isCount } from '../../base/numbers.ts';
import type { Result } from '../../base/result.ts';
import { isPowerOfTwo } from './alignment.ts';
import type { BlockId } from './memory-block.ts';

export type AllocationRequest = {
  readonly tensorId: string;
  /** Bytes, at least 1. */
  readonly size: number;
  /** Bytes, a power of two: the block starts at a multiple and its size is rounded up to one. */
  readonly alignment: number;
  /** Its address is in use from outside, so it is neither moved nor evicted. */
  readonly pinned: boolean;
  /** Higher is more important; orders requests before they are put to a pool, never within it. */
  readonly priority: number;
};

export type Allocation = {
  readonly blockId: BlockId;
  readonly offset: number;
  /** The bytes taken: `size` rounded up to the alignment and to the granule of the pool. */
  readonly actualSize: number;
};

/**
 * - `capacity`: fewer bytes are free than asked for; `thereBytes` are free.
 * - `fragmentation`: enough are free, but no one block of them will do; the largest has `thereBytes`.
 *   That may even be `askedBytes` or more, when no aligned address lies low enough in it.
 */
type Shortage = Fault<'capacity' | 'fragmentation'> & {
  /** The size asked for, rounded up as it would have been granted. */
  readonly askedBytes: number;
  readonly thereBytes: number;
};

/** `block_limit`: the pool holds as many allocations as it may keep account of. */
export type AllocationFault = Fault<'invalid_allocation' | 'block_limit'> | Shortage;

export type AllocationResult = Result<Allocation, AllocationFault>;

function subjectOf(tensorId: string): string {
  return `allocation of tensor "${tensorId}"`;
}

/** The fault of a request that no pool could serve; undefined for a sound one. */
export function requestFault(
  request: AllocationRequest,
  now: number,
): Fault<'invalid_allocation'> | undefined {
  const { tensorId, size, alignment, priority } = request;
  const violations: Violation[] = [];
  if (tensorId === '') violations.push({ field: 'tensorId', value: tensorId, bound: 'not empty' });
  if (!isCount(size) || size === 0) {
    violations.push({ field: 'size', value: size, bound: 'whole, within 1..2^53 - 1' });
  }
  if (!isPowerOfTwo(alignment) || !isCount(alignment)) {
    violations.push({ field: 'alignment', value: alignment, bound: 'a power of two up to 2^52' });
  }
  if (!Number.isSafeInteger(priority)) {
    violations.push({ field: 'priority', value: priority, bound: 'a safe integer' });
  }
  if (!isCount(now)) {
    violations.push({ field: 'now', value: now, bound: 'whole, within 0..2^53 - 1' });
  }
  if (violations.length === 0) return undefined;
  return invalid('invalid_allocation', subjectOf(tensorId), violations);
}

export function shortage(
  code: Shortage['code'],
  tensorId: string,
  askedBytes: number,
  thereBytes: number,
): Shortage {
  const bound =
    code === 'capacity'
      ? `at most ${thereBytes}, the bytes free`
      : `what one free block holds from an aligned address on; the largest has ${thereBytes} bytes`;
  const violations = [{ field: 'actualSize', value: askedBytes, bound }];
  return { ...invalid(code, subjectOf(tensorId), violations), askedBytes, thereBytes };
}

export function blockLimit(tensorId: string, allocationsMax: number): Fault<'block_limit'> {
  const bound = `below ${allocationsMax}`;
  const violations = [{ field: 'allocationCount', value: allocationsMax, bound }];
  return invalid('block_limit', subjectOf(tensorId), violations);
}
