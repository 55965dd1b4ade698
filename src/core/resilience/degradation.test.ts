// Goal: every bound is strict.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { degradationLevel } from './degradation.ts';
import { hasQuorum } from './health-quorum.ts';

test('the level of an error rate, at and beside each bound', () => {
  const rates: readonly [number, string][] = [
    [0, 'healthy'],
    [0.0001, 'minor'],
    [0.25, 'minor'],
    [0.2501, 'warning'],
    [0.5, 'warning'],
    [0.51, 'degraded'],
    [0.75, 'degraded'],
    [0.76, 'critical'],
    [1, 'critical'],
    [-1, 'healthy'],
    [Number.NaN, 'healthy'],
  ];
  for (const [rate, level] of rates) assert.equal(degradationLevel(rate), level, String(rate));
});

test('a quorum is a share of at least the fraction, and nobody has none', () => {
  assert.equal(hasQuorum([], 0), false);
  assert.equal(hasQuorum([true, true, true, false], 0.75), true);
  assert.equal(hasQuorum([true, true, false, false], 0.75), false);
  assert.equal(hasQuorum([false], 0), true);
});
