// Goal: the rules by which a block is picked from a list. Method: lists small enough to see through.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { blockOf } from './gpu-memory.test-support.ts';
import { bestFitBlock, evictionCandidates } from './memory-block.ts';

describe('gpu_memory', () => {
  test('the smallest free block that is large enough is picked, not the first', () => {
    const blocks = [blockOf(1, 0, 100), blockOf(2, 200, 60), blockOf(3, 300, 64)];
    assert.equal(bestFitBlock(blocks, 61, 1), 3);
    assert.equal(bestFitBlock(blocks, 60, 1), 2);
    assert.equal(bestFitBlock(blocks, 65, 1), 1);
  });

  test('of equally small blocks the one at the lowest offset is picked, in any order of the list', () => {
    const blocks = [blockOf(1, 500, 64), blockOf(2, 100, 64), blockOf(3, 300, 64)];
    assert.equal(bestFitBlock(blocks, 64, 1), 2);
    assert.equal(bestFitBlock(blocks.toReversed(), 64, 1), 2);
  });

  test('a block counts by the room that is left behind its first aligned address', () => {
    // From 10 to 74: the first multiple of 64 is 64, which leaves 10 bytes.
    const blocks = [blockOf(1, 10, 64), blockOf(2, 128, 200)];
    assert.equal(bestFitBlock(blocks, 10, 64), 1);
    assert.equal(bestFitBlock(blocks, 11, 64), 2);
    assert.equal(bestFitBlock(blocks, 64, 1), 1);
  });

  test('nothing is picked for a size of 0, when nothing fits, or from blocks in use', () => {
    const blocks = [blockOf(1, 0, 64), blockOf(2, 64, 500, 'cached'), blockOf(3, 564, 9, 'pinned')];
    assert.equal(bestFitBlock(blocks, 0, 1), undefined);
    assert.equal(bestFitBlock(blocks, 65, 1), undefined);
    assert.equal(bestFitBlock([], 1, 1), undefined);
  });

  test('sizes at the end of the safe integers are compared without rounding', () => {
    const most = Number.MAX_SAFE_INTEGER;
    assert.equal(bestFitBlock([blockOf(1, 0, most)], most, 1), 1);
    assert.equal(bestFitBlock([blockOf(1, 1, most - 1)], most, 1), undefined);
    // Padding 2^52 - 1 and size 2^53 - 2^52 make one byte more than there is.
    assert.equal(bestFitBlock([blockOf(1, 1, most - 1)], 2 ** 52, 2 ** 52), undefined);
    assert.equal(bestFitBlock([blockOf(1, 1, most - 1)], 2 ** 52 - 1, 2 ** 52), 1);
  });

  test('cached blocks are evicted by age, of equal age by offset, and no others at all', () => {
    const blocks = [
      blockOf(1, 0, 8, 'cached', 30),
      blockOf(2, 8, 8, 'pinned', 1),
      blockOf(3, 16, 8, 'cached', 10),
      blockOf(4, 24, 8, 'allocated', 1),
      blockOf(5, 32, 8, 'free', 1),
      blockOf(6, 40, 8, 'cached', 20),
      blockOf(7, 48, 8, 'cached', 10),
    ];
    assert.deepEqual(evictionCandidates(blocks), [3, 7, 6, 1]);
    assert.deepEqual(evictionCandidates(blocks.toReversed()), [3, 7, 6, 1]);
    assert.deepEqual(evictionCandidates([]), []);
  });
});
