// Goal and method of queue-interleavings.test.ts, further: two operations each in every order of their
// steps, more of them with three interruptions.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exploreQueue, lateComers, pairs, type QueueCase } from './testing/queue-interleavings.ts';

for (const [words, given] of pairs) {
  test(`${words}, in every order of the steps`, (t) => {
    const { states, runs } = exploreQueue(given);
    t.diagnostic(`${given.threads.join(' || ')}: ${states} states, ${runs} histories`);
    assert.ok(runs > 0);
  });
}

const triples: readonly (readonly [words: string, given: QueueCase])[] = [
  ['three operations each', { hardLimit: 2, waiting: [1], threads: ['e1 d e2', 'd e1 d'] }],
  ['three, one a drain', { hardLimit: 2, waiting: [1], threads: ['e2 D e1', 'e1 D d'] }],
  ['three, a drain first and last', { hardLimit: 2, waiting: [1], threads: ['D d e1', 'e1 e2 D'] }],
  ['three threads', { hardLimit: 2, waiting: [1], threads: ['d', 'e2 e1', 'D'] }],
];

for (const [words, given] of [...triples, ...lateComers]) {
  test(words, (t) => {
    const { states, runs } = exploreQueue(given, 3);
    t.diagnostic(`${given.threads.join(' || ')}: ${states} states, ${runs} histories`);
    assert.ok(runs > 0);
  });
}
