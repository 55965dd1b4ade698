// Figures about the memory of one device: how full, how broken up, how long it lasts, how much to
// set aside. Rows of the platform specification C.2.

import { clamp, unbounded } from '../../base/numbers.ts';
import { alignUp } from './alignment.ts';
import type { MemoryBlock } from './memory-block.ts';

export type PoolStats = {
  /** allocatedBytes + freeBytes, always. */
  readonly totalBytes: number;
  /** All that is not free; pinned and cached bytes are part of it. */
  readonly allocatedBytes: number;
  readonly freeBytes: number;
  readonly pinnedBytes: number;
  readonly cachedBytes: number;
  readonly fragmentationRatio: number;
  /** Bytes; 0 when nothing is free. */
  readonly largestFreeBlock: number;
  /** Free blocks too. */
  readonly blockCount: number;
  /** Blocks that are not free. */
  readonly allocationCount: number;
};

/** The share of the free bytes that lies outside the largest free block; 0 when nothing is free. */
export function fragmentationOf(largestFreeBlock: number, freeBytes: number): number {
  return freeBytes === 0 ? 0 : 1 - largestFreeBlock / freeBytes;
}

/** {@link fragmentationOf} of a list: 0 for one free block or none, towards 1 for many small ones. */
export function fragmentationRatio(blocks: readonly MemoryBlock[]): number {
  let largest = 0;
  let total = 0;
  for (const { status, size } of blocks) {
    if (status !== 'free') continue;
    largest = Math.max(largest, size);
    total += size;
  }
  return fragmentationOf(largest, total);
}

/** The share in use, 0 to 1; a device without memory is full. */
export function memoryPressure(allocatedBytes: number, totalBytes: number): number {
  return totalBytes === 0 ? 1 : clamp(allocatedBytes / totalBytes, 0, 1);
}

/** Fragmentation above the threshold and no free block of `minBlockSize` bytes; both strict. */
export function shouldDefragment(
  stats: Pick<PoolStats, 'fragmentationRatio' | 'largestFreeBlock'>,
  fragmentationThreshold: number,
  minBlockSize: number,
): boolean {
  return stats.fragmentationRatio > fragmentationThreshold && stats.largestFreeBlock < minBlockSize;
}

/**
 * Seconds until memory runs out when use grows by `bytesPerSecond`. The unbounded sentinel when it
 * does not grow, even with nothing free.
 */
export function estimateOomSeconds(freeBytes: number, bytesPerSecond: number): number {
  if (bytesPerSecond <= 0) return unbounded;
  return Math.min(unbounded, freeBytes / bytesPerSecond);
}

/**
 * Bytes to set aside for a peak of `peakBytes` with `headroom` (1.15 is 15 % more), in whole pages.
 * A page need not be a power of two; a page of 0 means no rounding.
 */
export function optimalPoolSize(peakBytes: number, headroom: number, pageBytes: number): number {
  return alignUp(Math.ceil(peakBytes * headroom), pageBytes);
}
