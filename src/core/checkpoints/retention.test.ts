// Goal: age alone deletes exactly what the specification lets it. Method: the whole matrix of state,
// place, rank and age, with age at and beside its edge.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { instant } from '../../base/time.ts';
import { checkpoint, keepAll, refusal } from './checkpoint.test-support.ts';
import { isGcEligible, validateRetentionPolicy } from './retention.ts';
import { checkpointStates } from './training-checkpoint.ts';

const policy = { ...keepAll, maxAgeSeconds: 60 };

describe('checkpoint', () => {
  test('age deletes only what is old, whole or corrupted, before the latest and not among the best', () => {
    for (const state of checkpointStates) {
      for (const step of [8, 9, 10, 11]) {
        for (const isBest of [true, false]) {
          for (const ageMs of [0, 59_999, 60_000, 60_001]) {
            const facts = { state, step, createdAt: instant(1000) };
            const now = instant(1000 + ageMs);
            const eligible = isGcEligible(checkpoint('c', facts), {
              policy,
              latestStep: 10,
              now,
              isBest,
            });
            const expected =
              (state === 'complete' || state === 'corrupted') &&
              step < 10 &&
              !isBest &&
              ageMs === 60_001;
            assert.equal(eligible, expected, `${state} at ${step}, best ${isBest}, ${ageMs} ms`);
          }
        }
      }
    }
  });

  test('a clock that went back makes nothing old, and no number is no reason', () => {
    const question = { policy: { maxAgeSeconds: 0 }, latestStep: 10, isBest: false };
    const late = checkpoint('c', { step: 1, createdAt: instant(5000) });
    assert.equal(isGcEligible(late, { ...question, now: instant(4000) }), false);
    assert.equal(isGcEligible(late, { ...question, now: instant(5000) }), false);
    assert.equal(isGcEligible(late, { ...question, now: instant(5001) }), true);
    assert.equal(isGcEligible(late, { ...question, now: instant(Number.NaN) }), false);
    const nowhere = { ...question, latestStep: Number.NaN, now: instant(9000) };
    assert.equal(isGcEligible(late, nowhere), false);
  });

  test('a policy is refused with every field that cannot be', () => {
    assert.deepEqual(validateRetentionPolicy(keepAll), { ok: true, value: keepAll });
    const noMetric = { ...keepAll, metricKey: '' };
    assert.ok(validateRetentionPolicy(noMetric).ok, 'none is needed to keep none');
    const bad = { ...noMetric, keepBestN: 1, maxAgeSeconds: -1, maxCheckpointsPerRun: Number.NaN };
    assert.equal(
      refusal(validateRetentionPolicy(bad)),
      'invalid_retention_policy: retention policy: maxCheckpointsPerRun is NaN, but must be a whole ' +
        'number from 0 to 2^53 - 1; maxAgeSeconds is -1, but must be a whole number from 0 to ' +
        '2^53 - 1; metricKey is "", but must be not empty',
    );
  });
});
