// Goal: which endings speak for a stricter mode, as in the gateway. Method: ticks of twenty
// requests that end in one way.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { usualPolicy } from './fleet.test-support.ts';
import { ModeLadder } from './mode-ladder.ts';

function modeAfter(end: (ladder: ModeLadder) => void): string {
  const ladder = new ModeLadder(usualPolicy, 2);
  for (let tick = 1; tick <= 3; tick++) {
    for (let request = 0; request < 20; request++) end(ladder);
    ladder.tick(tick * ladder.tickUs);
  }
  return ladder.mode;
}

test('server errors and late streams escalate', () => {
  assert.equal(
    modeAfter((ladder) => ladder.refused('queue_full')),
    'watch',
  );
  assert.equal(
    modeAfter((ladder) => ladder.answered(2_001_000, true)),
    'watch',
  );
});

test('good answers, answers that are no stream and faults of the client do not', () => {
  assert.equal(
    modeAfter((ladder) => ladder.answered(2_000_000, true)),
    'normal',
  );
  assert.equal(
    modeAfter((ladder) => ladder.answered(9_000_000, false)),
    'normal',
  );
  assert.equal(
    modeAfter((ladder) => ladder.refused('model_not_found')),
    'normal',
  );
  assert.equal(
    modeAfter((ladder) => ladder.refused('mode_restricted')),
    'normal',
  );
});
