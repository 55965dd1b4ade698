// Goal: the estimate is right where it speaks and silent where it should be. Method: synthetic logs
// whose truth is known by construction, over many seeds; hand-computed small slices.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, seededRandom } from '../../base/random.ts';
import { bucketWords, OffPolicyEstimate, type SliceEstimate, tokenBucket } from './off-policy.ts';

/** A standard normal draw (Box and Muller). */
function normal(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.nextUnit()));
  return radius * Math.cos(2 * Math.PI * random.nextUnit());
}

const meansMs: Readonly<Record<string, number>> = { a: 100, b: 180, c: 320 };
const names = ['a', 'b', 'c'] as const;

type LogShape = {
  readonly decisions: number;
  /** How the log chooses. */
  readonly shares: readonly [number, number, number];
  /** Does the log say how it chose? */
  readonly exact: boolean;
};

/** The candidate sends long prompts of the slice to `c`, the rest to `a`: mean of 100 and 320. */
const candidateOf = (isLong: boolean): string => (isLong ? 'c' : 'a');
const longShare = 0.25;

function drawn(random: Random, shares: readonly number[]): string {
  let left = random.nextUnit();
  for (const [index, share] of shares.entries()) {
    left -= share;
    if (left < 0) return names[index] ?? 'c';
  }
  return 'c';
}

function logOf(seed: number, shape: LogShape): SliceEstimate {
  const random = seededRandom(seed);
  const estimate = new OffPolicyEstimate();
  for (let i = 0; i < shape.decisions; i++) {
    const isLong = random.nextUnit() < longShare;
    const logged = drawn(random, shape.shares);
    const firstByteMs = (meansMs[logged] ?? 0) + (isLong ? 40 : 0) + 25 * normal(random);
    const choices = shape.exact ? 3 : 0;
    const candidate = candidateOf(isLong);
    estimate.add({ model: 'm', promptTokens: 300, logged, candidate, choices, firstByteMs });
  }
  const [slice] = estimate.slices();
  assert.ok(slice !== undefined);
  return slice;
}

const truthMs = (1 - longShare) * 100 + longShare * (320 + 40);

for (const [words, shape] of [
  ['shares of the log', { decisions: 2000, shares: [0.5, 0.3, 0.2], exact: false }],
  ['exact propensities', { decisions: 2000, shares: [1 / 3, 1 / 3, 1 / 3], exact: true }],
] as const) {
  test(`the interval holds the truth in about 95 of 100 logs, with ${words}`, () => {
    let inside = 0;
    let sum = 0;
    const seeds = 400;
    for (let seed = 1; seed <= seeds; seed++) {
      const { outcome } = logOf(seed, shape);
      assert.ok(outcome.kind === 'estimate');
      if (outcome.lowMs <= truthMs && truthMs <= outcome.highMs) inside++;
      sum += outcome.candidateMs;
    }
    // 400 draws at 0.95 have a standard deviation of 4.4; four of them on either side.
    assert.ok(inside >= 362 && inside <= 398, `${inside} of ${seeds}`);
    assert.ok(Math.abs(sum / seeds - truthMs) < 1, `mean ${sum / seeds}, truth ${truthMs}`);
  });
}

test('a plain mean over the decisions that both made would be wrong, the weighted one is not', () => {
  const { outcome, recordedMs } = logOf(7, {
    decisions: 20_000,
    shares: [0.9, 0.05, 0.05],
    exact: false,
  });
  assert.ok(outcome.kind === 'estimate');
  assert.ok(Math.abs(outcome.candidateMs - truthMs) < 5, String(outcome.candidateMs));
  assert.ok(recordedMs !== undefined && recordedMs < 140);
  // The same log read without weights: 0.9 x 0.75 of `a` against 0.05 x 0.25 of `c`.
  assert.ok(Math.abs(outcome.candidateMs - 105) > 50);
});

test('by hand: weights are one over the share, the effective size is (sum w)^2 / sum w^2', () => {
  const estimate = new OffPolicyEstimate();
  const add = (logged: string, candidate: string, firstByteMs: number, times: number): void => {
    for (let i = 0; i < times; i++) {
      estimate.add({ model: 'm', promptTokens: 0, logged, candidate, choices: 0, firstByteMs });
    }
  };
  add('a', 'a', 10, 150);
  add('a', 'b', 10, 150);
  add('b', 'b', 40, 50);
  add('b', 'a', 40, 50);
  const [slice] = estimate.slices();
  // a: share 3/4, weight 4/3 x 150 = 200; b: share 1/4, weight 4 x 50 = 200.
  const effective = 400 ** 2 / ((4 / 3) ** 2 * 150 + 16 * 50);
  assert.ok(slice?.outcome.kind === 'estimate');
  assert.equal(slice.outcome.candidateMs, 25);
  assert.ok(Math.abs(slice.outcome.effectiveSampleSize - effective) < 1e-9);
  assert.equal(slice.recordedMs, (300 * 10 + 100 * 40) / 400);
  assert.equal(slice.uncongested, 400);
});

test('no estimate where the candidate goes to a backend that the log hardly knows', () => {
  const estimate = new OffPolicyEstimate();
  for (let i = 0; i < 2000; i++) {
    const logged = i % 250 === 0 ? 'b' : 'a';
    const candidate = i % 10 === 0 ? 'b' : 'a';
    const sample = { model: 'm', promptTokens: 10, choices: 0, firstByteMs: 5 };
    estimate.add({ ...sample, logged, candidate });
  }
  const outcome = estimate.slices()[0]?.outcome;
  assert.ok(outcome?.kind === 'refused');
  assert.match(outcome.words, /no overlap: the candidate sends 10\.0 % of this slice to b,/);
});

test('five per cent to an unknown backend is borne, a hair more is not', () => {
  for (const [toUnseen, kind] of [
    [50, 'estimate'],
    [51, 'refused'],
  ] as const) {
    const estimate = new OffPolicyEstimate();
    for (let i = 0; i < 1000; i++) {
      const candidate = i < toUnseen ? 'new' : 'a';
      const sample = { model: 'm', promptTokens: 1, choices: 0, firstByteMs: 5 };
      estimate.add({ ...sample, logged: 'a', candidate });
    }
    assert.equal(estimate.slices()[0]?.outcome.kind, kind);
  }
});

test('no estimate from fewer than a hundred effective decisions, or from none', () => {
  const estimate = new OffPolicyEstimate();
  for (let i = 0; i < 99; i++) {
    const sample = { promptTokens: 1, choices: 0, firstByteMs: 5 };
    estimate.add({ ...sample, model: 'few', logged: 'a', candidate: 'a' });
  }
  estimate.leaveOut('none', 4096);
  const [few, none] = estimate.slices();
  assert.ok(few?.outcome.kind === 'refused' && none?.outcome.kind === 'refused');
  assert.match(few.outcome.words, /effective sample size 99\.0 of 99 decisions, needs 100/);
  assert.match(none.outcome.words, /met congestion or has no outcome/);
  assert.deepEqual([none.decisions, none.uncongested, none.tokens], [1, 0, '4096-16383']);
});

test('sizes of prompts fall into buckets of powers of four', () => {
  const cases = [
    [0, '0-255'],
    [255, '0-255'],
    [256, '256-1023'],
    [1023, '256-1023'],
    [1024, '1024-4095'],
    [100_000, '65536-262143'],
  ] as const;
  for (const [tokens, words] of cases) assert.equal(bucketWords(tokenBucket(tokens)), words);
});

test('the order of the decisions does not matter', () => {
  const samples = Array.from({ length: 300 }, (_, i) => ({
    model: 'm',
    promptTokens: 10,
    logged: i % 3 === 0 ? 'a' : 'b',
    candidate: i % 2 === 0 ? 'a' : 'b',
    choices: 2,
    firstByteMs: i % 17,
  }));
  const [forth, back] = [samples, samples.toReversed()].map((ordered) => {
    const estimate = new OffPolicyEstimate();
    for (const sample of ordered) estimate.add(sample);
    return estimate.slices();
  });
  assert.deepEqual(forth, back);
});
