// Goal: a minute never grants more than its limit and what it adds, a refusal says exactly how long to
// wait, and two threads in any order of their memory steps come to what one after the other would.
// Method: one thread first, a random walk against a plain bucket, then enumeration of interleavings.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { minuteUnits, RateMeter, unitsOf, unitsPerMs } from './rate-meter.ts';
import { createWordBlock, openWords } from './shared-words.ts';
import { explore } from './testing/interleavings.ts';
import { historyWords, isLinearizable, type Model } from './testing/linearizability.ts';
import type { Words } from './words.ts';

const words = openWords(createWordBlock(2));
const second = 1000 * unitsPerMs;

function empty(): RateMeter {
  const meter = new RateMeter(words, 0);
  meter.clear();
  return meter;
}

test('a limit is granted whole, then one by one as the minute goes', () => {
  for (const limit of [1, 7, 60, 24_000]) {
    const meter = empty();
    const one = unitsOf(1, limit);
    const at = 5 * second;
    let granted = 0;
    while (granted <= limit && meter.take(one, at) === 0) granted++;
    assert.equal(granted, limit);
    assert.equal(meter.left(limit, at), 0);
    const wait = meter.take(one, at);
    assert.ok(wait > 0);
    assert.ok(wait <= one);
    assert.equal(meter.take(one, at + wait - 1), 1, 'not a moment before');
    assert.equal(meter.take(one, at + wait), 0);
  }
});

test('what was taken for nothing comes back, and what was used beyond it is owed', () => {
  const meter = empty();
  const of = (tokens: number) => unitsOf(tokens, 600);
  assert.equal(meter.take(of(400), 0), 0);
  assert.equal(meter.left(600, 0), 200);
  meter.settle(of(400), of(100), 0);
  assert.equal(meter.left(600, 0), 500);
  assert.equal(meter.take(of(500), 0), 0);
  meter.settle(of(500), of(1100), 0);
  assert.equal(meter.left(600, 0), 0);
  // 1200 of 600 a minute are used: after a minute the first could be taken again.
  assert.equal(meter.take(of(10), 0), minuteUnits + of(10));
  assert.equal(meter.left(600, minuteUnits + of(10)), 10);
});

test('a minute later all is free, and more does not pile up', () => {
  const meter = empty();
  assert.equal(meter.take(minuteUnits, 0), 0);
  assert.equal(meter.used(minuteUnits), 0);
  meter.settle(minuteUnits, 0, 3 * minuteUnits);
  assert.equal(meter.take(minuteUnits, 3 * minuteUnits), 0);
  assert.ok(meter.take(1, 3 * minuteUnits) > 0);
});

test('nobody owes more than a day', () => {
  const meter = empty();
  assert.equal(unitsOf(2 ** 40, 1), 24 * 60 * minuteUnits);
  for (let i = 0; i < 3; i++) meter.settle(0, unitsOf(2 ** 40, 1), 0);
  assert.equal(meter.used(0), 24 * 60 * minuteUnits);
});

holds(
  'any requests are granted as a bucket that fills up in a minute grants them',
  fc.property(
    fc.integer({ min: 1, max: 500 }),
    fc.array(fc.tuple(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 1, max: 50 })), {
      maxLength: 40,
    }),
    (limit, steps) => {
      const meter = empty();
      let tokens = minuteUnits;
      let now = second;
      for (const [afterMs, count] of steps) {
        const passed = afterMs * unitsPerMs;
        now += passed;
        tokens = Math.min(minuteUnits, tokens + passed);
        const units = Math.min(minuteUnits, unitsOf(count, limit));
        const isGranted = tokens >= units;
        if (isGranted) tokens -= units;
        assert.equal(meter.take(units, now) === 0, isGranted);
        assert.equal(meter.used(now), minuteUnits - tokens);
      }
    },
  ),
);

type Call =
  | { readonly kind: 'take'; readonly units: number; readonly now: number }
  | { readonly kind: 'settle'; readonly taken: number; readonly used: number; readonly now: number }
  | { readonly kind: 'used'; readonly now: number };

function performer(shared: Words): (call: Call) => number {
  const meter = new RateMeter(shared, 0);
  return (call) => {
    if (call.kind === 'take') return meter.take(call.units, call.now);
    if (call.kind === 'used') return meter.used(call.now);
    meter.settle(call.taken, call.used, call.now);
    return 0;
  };
}

const model: Model<number, Call, number> = {
  initial: 0,
  step(full, call) {
    if (call.kind === 'used') return { state: full, answer: Math.max(0, full - call.now) };
    if (call.kind === 'settle') {
      const more = call.used - call.taken;
      const state = more < 0 ? Math.max(0, full + more) : Math.max(full, call.now) + more;
      return { state, answer: 0 };
    }
    const next = Math.max(full, call.now) + call.units;
    const wait = next - minuteUnits - call.now;
    return wait > 0 ? { state: full, answer: wait } : { state: next, answer: 0 };
  },
  isSameAnswer: (one, other) => one === other,
  keyOf: String,
};

/** Where the low half runs over, so that both halves change. */
const edge = 2 ** 32 - minuteUnits / 2;
const half = minuteUnits / 2;
const take = (units: number, now = edge): Call => ({ kind: 'take', units, now });
const cases: readonly (readonly [words: string, calls: readonly (readonly Call[])[]])[] = [
  ['two threads take what only one of them can have', [[take(half + 1)], [take(half + 1)]]],
  [
    'one settles while another takes and reads',
    [
      [take(half), { kind: 'settle', taken: half, used: 7, now: edge }],
      [take(half + 1), { kind: 'used', now: edge }],
    ],
  ],
];

for (const [title, calls] of cases) {
  test(title, (t) => {
    const { runs } = explore<Call, number>({
      memory: new Int32Array(2),
      programs: calls.map((own) => ({ open: performer, calls: own })),
      inspect: () => undefined,
      judge: (history) => {
        assert.ok(isLinearizable(model, history), historyWords(history));
      },
      stepsAlone: 40,
    });
    t.diagnostic(`${runs} histories`);
    assert.ok(runs > 0);
  });
}
