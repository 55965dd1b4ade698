// Goal: the figures of C.2 with each edge that it names, and the self-check values of A.15.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { unbounded } from '../../base/numbers.ts';
import { blockOf } from './gpu-memory.test-support.ts';
import {
  estimateOomSeconds,
  fragmentationRatio,
  memoryPressure,
  optimalPoolSize,
  shouldDefragment,
} from './pool-figures.ts';

describe('gpu_memory', () => {
  test('fragmentation is the share of free bytes outside the largest free block', () => {
    const free = (...sizes: readonly number[]) => sizes.map((size, i) => blockOf(i, i * 999, size));
    assert.equal(fragmentationRatio(free(64, 192, 256)), 0.5);
    assert.equal(fragmentationRatio(free(256)), 0);
    assert.equal(fragmentationRatio([]), 0);
    assert.equal(fragmentationRatio([blockOf(1, 0, 64, 'allocated')]), 0);
    assert.equal(fragmentationRatio([blockOf(1, 0, 64, 'cached'), ...free(8, 8)]), 0.5);
    assert.equal(fragmentationRatio(free(...new Array<number>(1000).fill(8))), 0.999);
  });

  test('pressure is the share in use, held within 0 and 1, and 1 without memory', () => {
    assert.equal(memoryPressure(25, 100), 0.25);
    assert.equal(memoryPressure(0, 100), 0);
    assert.equal(memoryPressure(100, 100), 1);
    assert.equal(memoryPressure(101, 100), 1);
    assert.equal(memoryPressure(-1, 100), 0);
    assert.equal(memoryPressure(0, 0), 1);
    assert.equal(memoryPressure(60e9, 80e9), 0.75);
  });

  test('defragmenting is called for by both conditions, and each bound is strict', () => {
    const stats = { fragmentationRatio: 0.5, largestFreeBlock: 100 };
    assert.equal(shouldDefragment(stats, 0.4, 101), true);
    assert.equal(shouldDefragment(stats, 0.5, 101), false, 'at the threshold');
    assert.equal(shouldDefragment(stats, 0.4, 100), false, 'a block just large enough');
    assert.equal(shouldDefragment(stats, Number.NaN, 101), false);
  });

  test('memory lasts as long as growth takes to use it up', () => {
    assert.equal(estimateOomSeconds(1000, 4), 250);
    assert.equal(estimateOomSeconds(0, 4), 0);
    assert.equal(estimateOomSeconds(1000, 0), unbounded);
    assert.equal(estimateOomSeconds(1000, -5), unbounded);
    assert.equal(estimateOomSeconds(0, 0), unbounded);
    assert.equal(estimateOomSeconds(Number.MAX_SAFE_INTEGER, 5e-324), unbounded, 'never infinite');
  });

  test('a pool holds the peak and its headroom in whole pages', () => {
    assert.equal(optimalPoolSize(10_000, 1.15, 4096), 12_288);
    assert.equal(optimalPoolSize(10_000, 1.5, 1000), 15_000, 'a page is any size');
    assert.equal(optimalPoolSize(10_001, 1.5, 1000), 16_000);
    assert.equal(optimalPoolSize(10_001, 1.5, 0), 15_002, 'no pages');
    assert.equal(optimalPoolSize(0, 1.5, 4096), 0);
    assert.equal(optimalPoolSize(60e9, 1.25, 2 ** 21), 75_000_446_976, 'beyond 32 bits');
  });
});
