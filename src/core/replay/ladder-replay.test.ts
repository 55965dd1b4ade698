// Goal: a candidate's thresholds replace what they name and nothing else. Method: settings compared
// member by member.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ladderSettings } from '../policy/ladder-settings.ts';
import { candidateSettings } from './ladder-replay.ts';

const recorded = ladderSettings({
  failurePercent: 7,
  cooldownSeconds: 61,
  holdSeconds: 121,
  riskPercent: 57,
  graceSeconds: 3,
  objective: 0.995,
  minRequests: 11,
  minBad: 5,
});

test('what a candidate does not name stays bit for bit as it was recorded', () => {
  assert.deepEqual(candidateSettings(recorded, {}), recorded);
});

test('each threshold moves its own member alone', () => {
  const cases = [
    [{ failurePercent: 20 }, { failureShare: 0.2 }],
    [{ cooldownSeconds: 5 }, { minCooldownMs: 5000 }],
    [{ holdSeconds: 0 }, { holdMs: 0 }],
    [{ riskPercent: 90 }, { riskThreshold: 0.9 }],
    [{ graceSeconds: 9 }, { graceMs: 9000 }],
  ] as const;
  for (const [given, changed] of cases) {
    assert.deepEqual(candidateSettings(recorded, given), { ...recorded, ...changed });
  }
});
