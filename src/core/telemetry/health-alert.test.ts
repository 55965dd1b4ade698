// Goal: one warning for a service that stays unwell, told once and taken back once. Method: stories
// with a score at each evaluation; then random stories, judged by the invariants alone.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { instant } from '../../base/time.ts';
import {
  type HealthAlertEffect,
  healthAlertAfterMs,
  healthScoreThreshold,
  healthWatchStart,
  stepHealthWatch,
} from './health-alert.ts';
import { healthScore } from './health-score.ts';

const everyMs = 10_000;

type Told = { readonly at: number; readonly effect: HealthAlertEffect };

/** What is told when `scores` are met one after the other, `stepMs` apart. */
function story(scores: readonly number[], stepMs = everyMs): readonly Told[] {
  const told: Told[] = [];
  let watch = healthWatchStart;
  for (const [index, score] of scores.entries()) {
    const at = index * stepMs;
    const step = stepHealthWatch(watch, 'routing', score, instant(at));
    if (step.effect !== undefined) told.push({ at, effect: step.effect });
    watch = step.watch;
  }
  return told;
}

function repeated(score: number, times: number): readonly number[] {
  return new Array<number>(times).fill(score);
}

const kinds = (told: readonly Told[]) => told.map(({ effect }) => effect.kind);

test('E.4 rows 1 and 2: scores of 0.734 and 0.708 never alert', () => {
  for (const score of [healthScore(0.99, 0.35), healthScore(0.98, 0.3), healthScoreThreshold]) {
    assert.deepEqual(story(repeated(score, 100)), []);
  }
});

test('E.4 row 3: 0.66 for five minutes and on is one warning with service, score and threshold', () => {
  const score = healthScore(0.5, 0.9);
  const told = story(repeated(score, 200));
  const alert = { name: 'routing', level: 'warning', value: score, threshold: 0.7 };
  assert.deepEqual(told, [{ at: 300_000, effect: { kind: 'alert_raised', alert } }]);
  assert.ok(Math.abs(score - 0.66) < 1e-9);
});

test('a moment less than five minutes is no alert, five minutes are', () => {
  assert.deepEqual(story([0.5, 0.5], healthAlertAfterMs - 1), []);
  assert.deepEqual(kinds(story([0.5, 0.5], healthAlertAfterMs)), ['alert_raised']);
});

test('a recovery in between begins the five minutes anew', () => {
  const dip = repeated(0.5, 29);
  assert.deepEqual(story([...dip, 0.7, ...dip, 0.9, ...dip]), []);
});

test('an alert is cleared by the first score at the threshold, and may come back', () => {
  const bad = repeated(0.5, 31);
  const told = story([...bad, 0.69, 0.7, 0.9, ...bad, 1]);
  assert.deepEqual(kinds(told), ['alert_raised', 'alert_cleared', 'alert_raised', 'alert_cleared']);
  assert.equal(told[1]?.effect.alert.value, 0.7);
});

test('a score that is no number is no news', () => {
  const unknown = Number.NaN;
  assert.deepEqual(story(repeated(unknown, 100)), []);
  const told = story([...repeated(0.5, 15), unknown, ...repeated(0.5, 15), unknown, unknown, 0.8]);
  assert.deepEqual(kinds(told), ['alert_raised', 'alert_cleared']);
  assert.equal(told[0]?.at, 300_000, 'the row was not broken');
});

test('a clock that goes back raises nothing too early', () => {
  const low = stepHealthWatch(healthWatchStart, 'routing', 0.1, instant(1_000_000)).watch;
  for (const now of [0, 999_999, 1_000_000, 1_299_999]) {
    const step = stepHealthWatch(low, 'routing', 0.1, instant(now));
    assert.deepEqual([step.watch, step.effect], [low, undefined], String(now));
  }
});

const scores = fc.array(
  fc
    .tuple(fc.constantFrom(0, 0.69, 0.7, 1, Number.NaN), fc.nat(45))
    .map(([s, n]) => repeated(s, n)),
);

holds(
  'I1, I2: raised and cleared take turns, and a raised one follows five minutes without a good score',
  fc.property(scores, (parts) => {
    const met = parts.flat();
    const told = story(met);
    for (const [index, { at, effect }] of told.entries()) {
      assert.equal(effect.kind, index % 2 === 0 ? 'alert_raised' : 'alert_cleared');
      const seen = at / everyMs;
      const rowSteps = healthAlertAfterMs / everyMs;
      if (effect.kind === 'alert_cleared') assert.ok((met[seen] ?? 0) >= healthScoreThreshold);
      else assert.ok(met.slice(seen - rowSteps, seen + 1).every((score) => !(score >= 0.7)));
    }
    const good = (score: number) => score >= healthScoreThreshold;
    const bad = (score: number) => score < healthScoreThreshold;
    const lastGood = met.findLastIndex(good);
    const first = met.findIndex((score, index) => index > lastGood && bad(score));
    const last = met.findLastIndex(bad);
    const isDue = first >= 0 && (last - first) * everyMs >= healthAlertAfterMs;
    assert.equal(told.length % 2 === 1, isDue, 'alerting at the end exactly when it is due');
  }),
);
