// Goal: two threads of two or three operations on a shared bucket, in every order of their memory
// steps, are linearizable, and neither is held up when the other stops for ever at any step. Method:
// exhaustive enumeration over the port `Words` (testing/interleavings.ts).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BucketOptions } from './bucket-format.ts';
import { SharedTokenBucket } from './shared-token-bucket.ts';
import { createWordBlock, openWords } from './shared-words.ts';
import {
  type BucketAnswer,
  type BucketCall,
  bucketModel,
  callBucket,
} from './testing/bucket-model.ts';
import { type Explored, explore } from './testing/interleavings.ts';
import { historyWords, isLinearizable } from './testing/linearizability.ts';

/** A span of 53 bits: the time lies on both halves of the word. */
const options: BucketOptions = {
  capacity: 3,
  refillRate: 0.5,
  span: Number.MAX_SAFE_INTEGER,
};

function take(count: number, now: number): BucketCall {
  return { kind: 'acquire', count, now };
}

function run(threads: readonly (readonly BucketCall[])[]): Explored {
  const words = openWords(createWordBlock(SharedTokenBucket.words));
  assert.ok(SharedTokenBucket.create(words, 0, options).ok);
  const memory = Int32Array.from({ length: SharedTokenBucket.words }, (_, at) => words.load(at));
  return explore<BucketCall, BucketAnswer>({
    memory,
    programs: threads.map((calls) => ({
      open(port) {
        const bucket = new SharedTokenBucket(port, 0);
        return (call) => callBucket(bucket, call);
      },
      calls,
    })),
    stepsAlone: 50,
    inspect: () => undefined,
    judge(history) {
      const model = bucketModel(options.capacity, options.refillRate);
      assert.ok(isLinearizable(model, history), historyWords(history));
    },
  });
}

/** The low half counts 2^21 times before the high half goes up. */
const carry = 2 ** 21;
const available: BucketCall = { kind: 'available' };
const cases: readonly (readonly [words: string, threads: readonly (readonly BucketCall[])[]])[] = [
  [
    'both take more than there is',
    [
      [take(2, 0), take(1, 0)],
      [take(2, 0), take(1, 0)],
    ],
  ],
  [
    'one brings time while the other takes',
    [
      [take(3, 0), take(1, 4)],
      [take(1, 2), take(1, 1)],
    ],
  ],
  [
    'the time goes over into the high half',
    [
      [take(3, carry - 1), take(1, carry + 1)],
      [take(1, carry + 3), take(1, carry - 1)],
    ],
  ],
  [
    'the high half moves under a thread that is refused',
    [
      [take(3, 0), take(3, 0)],
      [{ kind: 'refill', now: carry }, take(3, carry), { kind: 'refill', now: 2 * carry }],
    ],
  ],
  [
    'what is there is asked',
    [
      [take(1, 2), available, take(0, 5)],
      [take(3, 1), available],
    ],
  ],
];

for (const [words, threads] of cases) {
  test(words, (t) => {
    const { states, runs } = run(threads);
    t.diagnostic(`${states} states, ${runs} histories`);
    assert.ok(runs > 0);
  });
}
