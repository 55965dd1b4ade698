// Goal: the guarded twins answer what the lock-free structures answer, so that bench queue compares
// like with like. Method: the same random programs on both.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { SharedPriorityQueue } from '../../src/io/shared-memory/shared-priority-queue.ts';
import { SharedTokenBucket } from '../../src/io/shared-memory/shared-token-bucket.ts';
import { createWordBlock, openWords } from '../../src/io/shared-memory/shared-words.ts';
import { GuardedBucket } from './guarded-bucket.ts';
import { GuardedQueue } from './guarded-queue.ts';

const operations = 20_000;
const random = seededRandom(20_261_121);

test('the guarded queue does what the shared queue does', () => {
  const shape = { hardLimit: 20, levels: 5, lowestPriority: 1, threads: 1 };
  const words = openWords(createWordBlock(SharedPriorityQueue.wordsFor(shape)));
  SharedPriorityQueue.create(words, 0, shape);
  const shared = new SharedPriorityQueue(words, 0, 0);
  const guarded = new GuardedQueue(GuardedQueue.buffer(shape), shape);
  for (let id = 0; id < operations; id++) {
    const item = { id, priority: 1 + random.nextBelow(5) };
    if (random.nextBelow(2) === 0) assert.deepEqual(guarded.dequeue(), shared.dequeue());
    else assert.equal(guarded.enqueue(item), shared.enqueue(item));
  }
});

test('the guarded bucket does what the shared bucket does', () => {
  const options = { capacity: 20, refillRate: 0.5, span: 2 ** 32 };
  const words = openWords(createWordBlock(SharedTokenBucket.words));
  assert.ok(SharedTokenBucket.create(words, 0, options).ok);
  const shared = new SharedTokenBucket(words, 0);
  const guarded = new GuardedBucket(GuardedBucket.buffer(20), 20, 0.5);
  let now = 0;
  for (let left = operations; left > 0; left--) {
    now += random.nextBelow(5);
    assert.equal(guarded.tryAcquire(now), shared.tryAcquire(now), `at ${now}`);
  }
});
