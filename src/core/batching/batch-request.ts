// What asks to be batched, and what goes out together (platform specification D.1).
//
// Requests are compatible when their models, data types and dimensions are the same, but for the first
// one, which says how many items a request brings. Where padding is allowed the second one, the length
// of the sequence, counts as the next power of two.

import { assert } from '../../base/assert.ts';
import { isCount } from '../../base/numbers.ts';
import type { PriorityClass } from '../jobs/priority-class.ts';

export type BatchRequest = {
  readonly id: string;
  readonly modelId: string;
  readonly modelVersion: string;
  /** The first is the number of its items, at least 1. */
  readonly dims: readonly number[];
  readonly dtype: string;
  readonly priorityClass: PriorityClass;
  /** Of all its items together; 0 where nobody knows. */
  readonly memoryBytes: number;
  readonly arrivedMs: number;
  /** It does not wait for others beyond this. */
  readonly deadlineMs?: number | undefined;
};

/**
 * Why a batch went out: its group reached the limit, one of it does not wait for others, or the first
 * of it has waited for long enough.
 */
export const flushCauses = ['full', 'timeout', 'priority'] as const;
export type FlushCause = (typeof flushCauses)[number];

export type MicroBatch<Request extends BatchRequest> = {
  /** From 1, in the order of sending. */
  readonly number: number;
  readonly members: readonly Request[];
  /** Items of all members. */
  readonly size: number;
  /** Items that there could have been. */
  readonly limit: number;
  readonly cause: FlushCause;
};

/** Items that the request brings. */
export function itemsOf({ dims }: BatchRequest): number {
  const items = dims[0] ?? 0;
  assert(isCount(items) && items > 0, `a request with the dimensions ${dims.join(' x ')}`);
  return items;
}

/** Bytes that one of its items takes, rounded up. */
export function itemBytesOf(request: BatchRequest): number {
  return Math.ceil(request.memoryBytes / itemsOf(request));
}

/** The least power of two that is not below `length`; 0 for 0. */
function padded(length: number): number {
  return length <= 1 ? length : 2 ** Math.ceil(Math.log2(length));
}

/** Equal for requests that may go out together. */
export function compatibilityKey(request: BatchRequest, allowPadding: boolean): string {
  const { modelId, modelVersion, dtype, dims } = request;
  const shape = dims.slice(1).map((size, i) => (allowPadding && i === 0 ? padded(size) : size));
  return JSON.stringify([modelId, modelVersion, dtype, shape]);
}
