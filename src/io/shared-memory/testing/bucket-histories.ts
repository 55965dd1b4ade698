// Histories of four threads on token buckets, recorded and judged.

import assert from 'node:assert/strict';
import { SharedTokenBucket } from '../shared-token-bucket.ts';
import { createWordBlock, openWords } from '../shared-words.ts';
import { type BucketAnswer, type BucketCall, bucketModel } from './bucket-model.ts';
import { historyWords, isLinearizable } from './linearizability.ts';
import { overlaps, recordHistories } from './record-histories.ts';

const threads = 4;
const operations = 50;

/** Few fraction bits, so that the doubles of the model are exact. */
function rateOf(history: number): number {
  return [0, 0.25, 0.5, 2][history % 4] ?? 0;
}

const capacity = 5;

export type Verdict = { readonly histories: number; readonly overlapping: number };

/** Throws with the first history that could not have happened in any order. */
export async function recordedBucketHistories(count: number, seed: number): Promise<Verdict> {
  const places = Array.from({ length: count }, (_, history) => history * SharedTokenBucket.words);
  const block = createWordBlock(count * SharedTokenBucket.words);
  const words = openWords(block);
  for (const [history, at] of places.entries()) {
    const options = { capacity, refillRate: rateOf(history), span: 1_000_000 };
    assert.ok(SharedTokenBucket.create(words, at, options).ok);
  }
  const options = { structure: 'bucket', block, places, threads, operations, seed } as const;
  const histories = await recordHistories<BucketCall, BucketAnswer>(options);
  let overlapping = 0;
  for (const [at, history] of histories.entries()) {
    if (!isLinearizable(bucketModel(capacity, rateOf(at)), history)) {
      assert.fail(`history ${at} of seed ${seed}\n${historyWords(history)}`);
    }
    overlapping += overlaps(history);
  }
  return { histories: histories.length, overlapping };
}
