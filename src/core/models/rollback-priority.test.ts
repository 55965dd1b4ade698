// Goal: the rollback priority of C.1. Method: cases worked by hand, then its normative statements -
// zero, never negative, strictly growing in each factor, no cancelling - as properties.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { type RollbackEvidence, rollbackPriority } from './rollback-priority.ts';

function evidence(
  latencyP99Ms: number,
  accuracyScore: number,
  errorCount: number,
): RollbackEvidence {
  const errors = Array.from({ length: errorCount }, (_, at) => `error ${at}`);
  return { latencyP99Ms, accuracyScore, errors };
}

const baseline = evidence(100, 0.9, 0);

/** Figures with enough room between them that a change is larger than a rounding. */
const evidences = fc
  .tuple(fc.nat({ max: 10_000 }), fc.nat({ max: 1000 }), fc.nat({ max: 20 }))
  .map(([latency, accuracy, errors]) => evidence(latency, accuracy / 1000, errors));

describe('registry', () => {
  it('the priority is 10 per error, 50 per doubling of p99, 100 per whole accuracy lost', () => {
    const rows: readonly (readonly [RollbackEvidence, RollbackEvidence, number, string])[] = [
      [baseline, baseline, 0, 'no worse and without errors'],
      [evidence(50, 0.99, 0), baseline, 0, 'better'],
      [evidence(100, 0.9, 3), baseline, 30, 'errors'],
      [evidence(150, 0.9, 0), baseline, 25, 'half as slow again'],
      [evidence(100, 0.8, 0), baseline, 10, 'a tenth of accuracy'],
      [evidence(200, 0.4, 1), baseline, 110, 'all three'],
      [evidence(50, 0.8, 0), baseline, 10, 'faster does not excuse inaccurate'],
      [evidence(200, 1, 0), baseline, 50, 'more accurate does not excuse slow'],
      [evidence(100, 0.9, 0), evidence(100, 0.9, 9), 0, 'errors of the baseline do not count'],
      [evidence(5, 0.9, 0), evidence(0, 0.9, 0), 50, 'from a baseline of 0 any latency counts 1'],
      [evidence(0, 0.9, 0), evidence(0, 0.9, 0), 0, 'both 0'],
      [evidence(5, 0.9, 0), evidence(-1, 0.9, 0), 50, 'a baseline below 0 is like 0'],
    ];
    for (const [current, base, expected, name] of rows) {
      const priority = rollbackPriority(current, base);
      assert.ok(Math.abs(priority - expected) < 1e-9, `${name}: ${priority}`);
    }
  });

  it('the priority is finite whatever the figures are', () => {
    const priority = rollbackPriority(evidence(1e308, 0.9, 1), evidence(5e-324, 0.9, 0));
    assert.equal(priority, Number.MAX_VALUE);
  });

  holds(
    'the priority is never negative, and 0 exactly when nothing is worse and no error occurred',
    fc.property(evidences, evidences, (current, base) => {
      const priority = rollbackPriority(current, base);
      assert.ok(priority >= 0);
      const harmless =
        current.errors.length === 0 &&
        current.latencyP99Ms <= base.latencyP99Ms &&
        current.accuracyScore >= base.accuracyScore;
      assert.equal(priority === 0, harmless);
    }),
  );

  holds(
    'the priority grows strictly with errors, with a worse p99 and with a worse accuracy',
    fc.property(evidences, evidences, fc.integer({ min: 1, max: 50 }), (current, base, more) => {
      const priority = rollbackPriority(current, base);
      const failing = { ...current, errors: [...current.errors, 'one more'] };
      assert.ok(rollbackPriority(failing, base) > priority, 'errors');
      const degraded = Math.max(current.latencyP99Ms, base.latencyP99Ms);
      const slow = { ...current, latencyP99Ms: degraded };
      const slower = { ...current, latencyP99Ms: degraded + more };
      // From a baseline of 0 there is no fraction to grow by: the factor is 1 from the first ms on.
      if (base.latencyP99Ms > 0) {
        assert.ok(rollbackPriority(slower, base) > rollbackPriority(slow, base), 'latency');
      }
      const lost = Math.min(current.accuracyScore, base.accuracyScore);
      const poor = { ...current, accuracyScore: lost };
      const poorer = { ...current, accuracyScore: lost - more / 1000 };
      assert.ok(rollbackPriority(poorer, base) > rollbackPriority(poor, base), 'accuracy');
    }),
  );
});
