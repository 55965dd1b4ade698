// Goal: the state graph of C.1. Method: all 49 pairs against the nine edges written out, and the
// reachability that follows from them.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { canTransitionState, isRollback, nextStates, versionStates } from './version-state.ts';

const nine = [
  'registered -> validating',
  'validating -> staging',
  'validating -> registered',
  'staging -> canary',
  'staging -> registered',
  'canary -> production',
  'canary -> staging',
  'production -> deprecated',
  'deprecated -> archived',
];

const pairs = versionStates.flatMap((from) => versionStates.map((to) => ({ from, to })));

describe('registry', () => {
  it('of the 49 pairs of states exactly the nine edges are allowed', () => {
    assert.equal(pairs.length, 49);
    const allowed = pairs.filter(({ from, to }) => canTransitionState(from, to));
    assert.deepEqual(allowed.map(({ from, to }) => `${from} -> ${to}`).sort(), nine.toSorted());
  });

  it('the next states of a state are its edges', () => {
    for (const from of versionStates) {
      const expected = versionStates.filter((to) => canTransitionState(from, to));
      assert.deepEqual(nextStates(from).toSorted(), expected.toSorted(), from);
    }
    assert.deepEqual(nextStates('archived'), []);
  });

  it('only the way from canary back to staging is a rollback', () => {
    const back = pairs
      .filter(({ from, to }) => canTransitionState(from, to))
      .filter(({ from, to }) => isRollback(from, to));
    assert.deepEqual(back, [{ from: 'canary', to: 'staging' }]);
    assert.throws(() => isRollback('archived', 'staging'), /S1/);
  });
});
