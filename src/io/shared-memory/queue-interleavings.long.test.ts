// Goal and method of queue-interleavings.test.ts, further: single operations in every order at all,
// two operations each with four interruptions, three operations each with three.

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
    const { states, runs } = exploreQueue(given, 4);
    t.diagnostic(`${given.threads.join(' || ')}: ${states} states, ${runs} histories`);
    assert.ok(runs > 0);
  });
}

const triples: readonly (readonly [one: string, other: string])[] = [
  ['e1 d e2', 'd e1 d'],
  ['e2 D e1', 'e1 D d'],
  ['D d e1', 'e1 e2 D'],
];

for (const threads of triples) {
  test(`three operations each: ${threads.join(' || ')}`, (t) => {
    const { states, runs } = exploreQueue({ hardLimit: 2, waiting: [1], threads }, 3);
    t.diagnostic(`${states} states, ${runs} histories`);
    assert.ok(runs > 0);
  });
}
