// Goal: counts per address and per key that several threads share, and the window of rejected
// credentials: after the allowed ones of a minute the answer is how long to wait.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SharedCounts } from './shared-counts.ts';

describe('connections and requests', () => {
  it('are counted for all who attach to the same memory', () => {
    const counts = new SharedCounts();
    const other = new SharedCounts(counts.buffer);
    assert.equal(counts.connectionOpened('10.0.0.1'), 1);
    assert.equal(other.connectionOpened('10.0.0.1'), 2);
    counts.connectionClosed('10.0.0.1');
    assert.equal(other.connectionOpened('10.0.0.1'), 2);
    assert.equal(other.connectionOpened('10.0.0.2'), 1);
  });

  it('of a key go up and down', () => {
    const counts = new SharedCounts();
    assert.deepEqual([counts.requestStarted('key_a'), counts.requestStarted('key_a')], [1, 2]);
    counts.requestEnded('key_a');
    counts.requestEnded('key_a');
    assert.equal(counts.requestStarted('key_a'), 1);
  });
});

describe('rejected credentials', () => {
  const delays = (counts: SharedCounts, address: string, seconds: readonly number[]): number[] =>
    seconds.map((second) => counts.rejectionDelaySeconds(address, second, 5));

  it('are told 401 five times in a minute, then how long to wait, until the minute is over', () => {
    const counts = new SharedCounts();
    const at = 1_800_000_000;
    assert.deepEqual(delays(counts, 'a', [at, at, at + 1, at + 10, at + 59]), [0, 0, 0, 0, 0]);
    assert.deepEqual(delays(counts, 'a', [at + 59, at + 59]), [1, 1]);
    assert.deepEqual(delays(counts, 'a', [at + 60]), [0]);
    const early = new SharedCounts();
    assert.deepEqual(delays(early, 'a', [at, at, at, at, at, at, at + 20]).slice(5), [60, 40]);
  });

  it('of one address do not count for another, and a clock that went back opens a new window', () => {
    const counts = new SharedCounts();
    const at = 1_800_000_000;
    delays(counts, 'a', [at, at, at, at, at]);
    assert.ok((delays(counts, 'a', [at])[0] ?? 0) > 0);
    assert.deepEqual(delays(counts, 'b', [at]), [0]);
    assert.deepEqual(delays(counts, 'a', [at - 5]), [0]);
  });
});
