// Goal: two threads on the shared queue, in whatever order their memory steps come, are linearizable,
// never exceed the hard limit, and neither is held up when the other stops for ever at any step.
// Method: enumeration over the port `Words` (testing/interleavings.ts): single operations in every
// order, two each with at most two interruptions. queue-interleavings.long.test.ts leaves none out.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exploreQueue, lateComers, pairs, pairsOfSingles } from './testing/queue-interleavings.ts';

test('any two single operations, in every order of their steps', (t) => {
  let states = 0;
  for (const given of pairsOfSingles()) states += exploreQueue(given).states;
  t.diagnostic(`${states} states`);
  assert.ok(states > 0);
});

for (const [words, given] of [...pairs, ...lateComers]) {
  test(words, (t) => {
    const { states, runs } = exploreQueue(given, 2);
    t.diagnostic(`${given.threads.join(' || ')}: ${states} states, ${runs} histories`);
    assert.ok(runs > 0);
  });
}
