// Goal: batch lines use what is left over, and step back as soon as interactive requests feel them.
// Method: the table of the header row by row, its invariants over random readings, and a small model of
// a machine whose first tokens come later the more lines run beside them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import {
  firstLane,
  type LaneReading,
  type LaneState,
  mayStartLine,
  stepLane,
} from './batch-lane.ts';

const limitMax = 32;

function reading(more: Partial<LaneReading> = {}): LaneReading {
  return {
    nowMs: 10_000,
    inFlight: 8,
    turnedAway: 0,
    waiting: 0,
    firstTokens: undefined,
    isShared: false,
    isOpen: true,
    ...more,
  };
}

function lane(more: Partial<LaneState> = {}): LaneState {
  return { limit: 8, reason: 'filling', ownMs: 40, restUntilMs: 0, doubleUpTo: 0, ...more };
}

const tokens = (p75Ms: number) => ({ isShared: true, firstTokens: { count: 10, p75Ms } });

test('with nobody beside it the lane doubles until it is full', () => {
  let state = firstLane();
  const limits: number[] = [];
  for (let i = 0; i < 7; i++) {
    state = stepLane(state, reading({ inFlight: state.limit }), limitMax);
    limits.push(state.limit);
  }
  assert.deepEqual(limits, [2, 4, 8, 16, 32, 32, 32]);
  assert.equal(state.reason, 'full');
  assert.ok(mayStartLine(state, 31));
  assert.ok(!mayStartLine(state, 32));
});

test('it grows by one while first tokens stay where they were, and not without having seen any', () => {
  assert.equal(stepLane(lane(), reading(tokens(45)), limitMax).limit, 9);
  assert.equal(stepLane(lane(), reading({ isShared: true }), limitMax).limit, 8);
  assert.equal(stepLane(lane(), reading({ inFlight: 7 }), limitMax).limit, 8);
  assert.equal(stepLane(lane(), reading({ ...tokens(45), inFlight: 9 }), limitMax).limit, 8);
  const half = lane({ doubleUpTo: 16 });
  assert.equal(stepLane(half, reading(tokens(45)), limitMax).limit, 16);
});

test('it halves at once when first tokens come later, and rests before it judges them again', () => {
  const once = stepLane(lane(), reading(tokens(80)), limitMax);
  assert.deepEqual([once.limit, once.reason, once.ownMs], [4, 'first_tokens', 40]);
  const within = stepLane(once, reading({ ...tokens(80), nowMs: 11_999, inFlight: 8 }), limitMax);
  assert.equal(within.limit, 4);
  assert.equal(stepLane(once, reading({ ...tokens(80), nowMs: 12_000 }), limitMax).limit, 2);
});

test('it halves each time that somebody waits, down to nothing', () => {
  let state = lane({ limit: 5 });
  const limits: number[] = [];
  for (let i = 0; i < 4; i++) {
    state = stepLane(state, reading({ waiting: 1, inFlight: 5 }), limitMax);
    limits.push(state.limit);
  }
  assert.deepEqual(limits, [2, 1, 0, 0]);
  const rested = stepLane(state, reading({ nowMs: 12_000, inFlight: 0 }), limitMax);
  assert.equal(rested.limit, 1);
});

test('it takes what the backends took when lines come back', () => {
  const state = stepLane(lane({ limit: 20 }), reading({ turnedAway: 3, inFlight: 12 }), limitMax);
  assert.deepEqual([state.limit, state.reason], [12, 'no_room']);
});

test('the first interactive streams beside a full lane are met by going down to learn', () => {
  const unlearned = lane({ ownMs: undefined, doubleUpTo: 1000 });
  const down = stepLane(unlearned, reading({ isShared: true }), limitMax);
  assert.deepEqual([down.limit, down.ownMs, down.reason], [1, undefined, 'first_tokens']);
  const draining = stepLane(
    down,
    reading({ ...tokens(300), nowMs: 20_000, inFlight: 3 }),
    limitMax,
  );
  assert.deepEqual([draining.limit, draining.ownMs], [1, undefined]);
  const alone = stepLane(
    draining,
    reading({ ...tokens(60), nowMs: 20_000, inFlight: 1 }),
    limitMax,
  );
  assert.deepEqual([alone.limit, alone.ownMs], [2, 60]);
});

test('a mode without batch work closes it, and one with it starts it anew', () => {
  const closed = stepLane(lane(), reading({ isOpen: false }), limitMax);
  assert.deepEqual([closed.limit, closed.reason], [0, 'serving_mode']);
  assert.equal(stepLane(closed, reading({ inFlight: 0 }), limitMax).limit, 1);
});

test('it settles where first tokens begin to move', () => {
  // 50 ms on their own; each line beyond the tenth costs 4 ms more.
  const p75Of = (inFlight: number): number => 50 + Math.max(0, inFlight - 10) * 4;
  let state = firstLane();
  const limits: number[] = [];
  for (let tick = 0; tick < 2000; tick++) {
    const inFlight = state.limit;
    const nowMs = tick * 250;
    state = stepLane(state, reading({ nowMs, inFlight, ...tokens(p75Of(inFlight)) }), limitMax);
    limits.push(state.limit);
  }
  const settled = limits.slice(200);
  // 50 * 1.25 + 10 = 72.5 ms is reached with 16 lines.
  assert.ok(Math.max(...settled) <= 16, `${Math.max(...settled)} lines`);
  assert.ok(Math.min(...settled) >= 7, `${Math.min(...settled)} lines`);
});

test('a slow change that batches did not make is learned at the bottom', () => {
  let state = lane({ limit: 16, ownMs: 50 });
  for (let tick = 0; tick < 400; tick++) {
    const nowMs = 10_000 + tick * 250;
    state = stepLane(state, reading({ nowMs, inFlight: state.limit, ...tokens(120) }), limitMax);
  }
  assert.equal(state.limit, limitMax);
});

const anyReading = fc.record({
  nowMs: fc.nat(1_000_000),
  inFlight: fc.nat(64),
  turnedAway: fc.nat(3),
  waiting: fc.nat(3),
  firstTokens: fc.option(fc.record({ count: fc.integer({ min: 1 }), p75Ms: fc.nat(2000) }), {
    nil: undefined,
  }),
  isShared: fc.boolean(),
  isOpen: fc.boolean(),
});

holds(
  'the limit stays within 0 and its maximum, and grows only when all of it is used',
  fc.property(
    fc.array(anyReading, { maxLength: 40 }),
    fc.integer({ min: 1, max: 64 }),
    (list, max) => {
      let state = firstLane();
      for (const next of list) {
        const before = state;
        state = stepLane(before, next, max);
        assert.ok(state.limit >= 0 && state.limit <= Math.max(max, before.limit));
        if (state.limit > before.limit) {
          assert.equal(next.inFlight, Math.min(before.limit, max));
          assert.ok(next.nowMs >= before.restUntilMs);
          assert.equal(next.waiting + next.turnedAway, 0);
          assert.ok(next.isOpen);
        }
      }
    },
  ),
);
