// Goal: the breaker does what its diagram says, and nothing else. Method: the whole truth table of
// (state, event) pairs as data, random event sequences against it, and stories for the additions.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { instant } from '../../base/time.ts';
import {
  type BreakerState,
  type BreakerTransition,
  breakerStates,
  type CallOutcome,
  CircuitBreaker,
} from './circuit-breaker.ts';

type Event = 'failure' | 'success' | 'reset';
const events: readonly Event[] = ['failure', 'success', 'reset'];

type Situation = {
  readonly state: BreakerState;
  readonly failures: number;
  readonly successes: number;
};

function situationOf(breaker: CircuitBreaker): Situation {
  const { state, failures, successes } = breaker;
  return { state, failures, successes };
}

function send(breaker: CircuitBreaker, event: Event): BreakerTransition | undefined {
  if (event === 'failure') return breaker.recordFailure();
  return event === 'success' ? breaker.recordSuccess() : breaker.attemptReset();
}

/**
 * What follows, by state and event, as the specification writes it; `reached` says whether the
 * counter that the event raises then stands at its threshold.
 */
const table: Readonly<
  Record<BreakerState, Record<Event, (s: Situation, reached: boolean) => Situation>>
> = {
  closed: {
    failure: (s, reached) => ({
      state: reached ? 'open' : 'closed',
      failures: s.failures + 1,
      successes: 0,
    }),
    success: (s) => ({ state: 'closed', failures: 0, successes: s.successes + 1 }),
    reset: (s) => s,
  },
  open: {
    failure: (s) => ({ state: 'open', failures: s.failures + 1, successes: 0 }),
    success: (s) => ({ state: 'open', failures: 0, successes: s.successes + 1 }),
    reset: () => ({ state: 'half_open', failures: 0, successes: 0 }),
  },
  half_open: {
    failure: (s) => ({ state: 'open', failures: s.failures + 1, successes: 0 }),
    success: (s, reached) => ({
      state: reached ? 'closed' : 'half_open',
      failures: 0,
      successes: reached ? 0 : s.successes + 1,
    }),
    reset: (s) => s,
  },
};

function expected(before: Situation, event: Event, [toOpen, toClose]: readonly [number, number]) {
  const reached =
    event === 'failure' ? before.failures + 1 >= toOpen : before.successes + 1 >= toClose;
  return table[before.state][event](before, reached);
}

holds(
  'random outcomes walk the breaker through its truth table, over every pair of state and event',
  fc.property(
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: 1, max: 3 }),
    fc.array(fc.constantFrom(...events), { maxLength: 40, size: 'max' }),
    (toOpen, toClose, walk) => {
      const told: BreakerTransition[] = [];
      const breaker = new CircuitBreaker(toOpen, toClose, { listeners: [(t) => told.push(t)] });
      for (const event of walk) {
        const before = situationOf(breaker);
        const tellings = told.length;
        const transition = send(breaker, event);
        const after = expected(before, event, [toOpen, toClose]);
        assert.deepEqual(situationOf(breaker), after);
        const moved = before.state !== after.state;
        const expectedTelling = { from: before.state, to: after.state, at: undefined };
        assert.deepEqual(transition, moved ? expectedTelling : undefined);
        assert.deepEqual(told.slice(tellings), moved ? [expectedTelling] : []);
        assert.equal(breaker.isCallPermitted(), after.state !== 'open');
      }
    },
  ),
);

/** A breaker with thresholds 3 and 2, brought into `state`. */
function breakerIn(state: BreakerState): CircuitBreaker {
  const breaker = new CircuitBreaker(3, 2);
  if (state !== 'closed') for (let i = 0; i < 3; i += 1) breaker.recordFailure();
  if (state === 'half_open') breaker.attemptReset();
  assert.equal(breaker.state, state);
  return breaker;
}

test('every pair of state and event is answered as the table says', () => {
  for (const state of breakerStates) {
    for (const event of events) {
      const breaker = breakerIn(state);
      const after = expected(situationOf(breaker), event, [3, 2]);
      send(breaker, event);
      assert.deepEqual(situationOf(breaker), after, `${event} while ${state}`);
    }
  }
});

test('it starts closed with both counters 0', () => {
  const breaker = new CircuitBreaker(3, 2);
  assert.deepEqual(situationOf(breaker), { state: 'closed', failures: 0, successes: 0 });
});

test('a success between failures starts the count again', () => {
  const breaker = new CircuitBreaker(3, 2);
  for (const event of ['failure', 'failure', 'success', 'failure', 'failure'] as const) {
    send(breaker, event);
  }
  assert.equal(breaker.state, 'closed');
  breaker.recordFailure();
  assert.equal(breaker.state, 'open');
});

test('a threshold of 0 acts like one of 1', () => {
  const breaker = new CircuitBreaker(0, 0);
  assert.equal(breaker.recordFailure()?.to, 'open');
  breaker.attemptReset();
  assert.equal(breaker.recordSuccess()?.to, 'closed');
});

test('without openMs it stays open however late it is', () => {
  const breaker = breakerIn('open');
  assert.equal(breaker.nextDeadline, undefined);
  assert.equal(breaker.advance(instant(1e15)), undefined);
  assert.equal(breaker.isCallPermitted(instant(1e15)), false);
  assert.equal(breaker.beginCall(instant(1e15)), undefined);
});

test('with openMs it half-opens by itself at its deadline, not before', () => {
  const breaker = new CircuitBreaker(1, 1, { openMs: 30_000 });
  breaker.recordFailure(instant(1000));
  assert.equal(breaker.nextDeadline, 31_000);
  breaker.recordFailure(instant(20_000));
  assert.equal(breaker.nextDeadline, 31_000, 'late failures do not prolong it');
  assert.equal(breaker.isCallPermitted(instant(30_999)), false);
  assert.equal(breaker.advance(instant(30_999)), undefined);
  assert.equal(breaker.advance(instant(500)), undefined, 'a clock that went back');
  assert.equal(breaker.isCallPermitted(instant(31_000)), true);
  assert.equal(breaker.state, 'open', 'asking changes nothing');
  const halfOpened = { from: 'open', to: 'half_open', at: 31_000 };
  assert.deepEqual(breaker.advance(instant(31_000)), halfOpened);
  assert.deepEqual(situationOf(breaker), { state: 'half_open', failures: 0, successes: 0 });
  assert.equal(breaker.nextDeadline, undefined);
  breaker.recordFailure(instant(32_000));
  assert.equal(breaker.nextDeadline, 62_000, 'each opening waits anew');
});

test('a timed breaker that is not told the time of a failure says so and changes nothing', () => {
  const breaker = new CircuitBreaker(1, 1, { openMs: 30_000 });
  assert.throws(() => breaker.recordFailure(), /told the time/);
  assert.deepEqual(situationOf(breaker), { state: 'closed', failures: 0, successes: 0 });
});

test('a half-open breaker lets through as many probes at once as it was given', () => {
  const breaker = new CircuitBreaker(1, 3, { openMs: 10, halfOpenProbes: 2 });
  breaker.recordFailure(instant(0));
  assert.equal(breaker.beginCall(instant(9)), undefined);
  const first = breaker.beginCall(instant(10));
  const second = breaker.beginCall(instant(10));
  assert.ok(first !== undefined && second !== undefined);
  assert.equal(breaker.state, 'half_open');
  assert.equal(breaker.beginCall(instant(10)), undefined);
  assert.equal(breaker.isCallPermitted(instant(10)), false);
  breaker.endCall(first, 'success', instant(11));
  assert.equal(breaker.isCallPermitted(instant(11)), true, 'an ended probe frees its place');
  assert.ok(breaker.beginCall(instant(11)));
  assert.equal(breaker.isCallPermitted(instant(11)), false);
  breaker.endCall(second, 'abandoned', instant(12));
  assert.equal(breaker.probesInFlight, 1, 'so does an abandoned one');
  assert.deepEqual(situationOf(breaker), { state: 'half_open', failures: 0, successes: 1 });
});

test('closed and open breakers do not count probes', () => {
  const breaker = new CircuitBreaker(2, 1, { halfOpenProbes: 1 });
  const calls = [1, 2, 3].map(() => breaker.beginCall());
  assert.ok(calls.every((call) => call !== undefined));
  assert.equal(breaker.probesInFlight, 0);
  for (const call of calls) if (call !== undefined) breaker.endCall(call, 'failure');
  assert.equal(breaker.state, 'open');
  assert.equal(breaker.failures, 2, 'the third outcome came after the transition');
});

test('the outcome of a call from before a transition neither counts nor frees a probe', () => {
  const breaker = new CircuitBreaker(1, 1, { halfOpenProbes: 1 });
  const slow = breaker.beginCall();
  breaker.recordFailure();
  breaker.attemptReset();
  const probe = breaker.beginCall();
  assert.ok(slow !== undefined && probe !== undefined);
  assert.equal(breaker.endCall(slow, 'failure'), undefined);
  assert.equal(breaker.state, 'half_open');
  assert.equal(breaker.probesInFlight, 1);
  assert.equal(breaker.endCall(probe, 'success')?.to, 'closed');
  assert.equal(breaker.endCall(probe, 'failure'), undefined, 'nor does a probe that ends twice');
  assert.deepEqual(situationOf(breaker), { state: 'closed', failures: 0, successes: 0 });
});

test('every listener is told of every transition, in order, after it happened', () => {
  const told: string[] = [];
  const breaker: CircuitBreaker = new CircuitBreaker(1, 1, {
    listeners: [
      ({ from, to, at }) => told.push(`1: ${from} -> ${to} at ${at}, now ${breaker.state}`),
      ({ to }) => told.push(`2: ${to}`),
    ],
  });
  breaker.recordFailure(instant(5));
  breaker.attemptReset(instant(6));
  breaker.attemptReset(instant(7));
  breaker.recordSuccess(instant(8));
  assert.deepEqual(told, [
    '1: closed -> open at 5, now open',
    '2: open',
    '1: open -> half_open at 6, now half_open',
    '2: half_open',
    '1: half_open -> closed at 8, now closed',
    '2: closed',
  ]);
});

test('numbers that are no counts are mistakes of the program', () => {
  assert.throws(() => new CircuitBreaker(-1, 1), /failure threshold -1/);
  assert.throws(() => new CircuitBreaker(1, Number.NaN), /success threshold NaN/);
  assert.throws(() => new CircuitBreaker(1, 1, { openMs: 0.5 }), /openMs 0.5/);
  assert.throws(() => new CircuitBreaker(1, 1, { halfOpenProbes: 0 }), /half-open probes 0/);
});

type Step =
  | { readonly kind: 'begin' | 'reset' }
  | { readonly kind: 'wait'; readonly ms: number }
  | {
      readonly kind: 'end';
      readonly pick: number;
      readonly outcome: CallOutcome;
    };

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constantFrom('begin' as const, 'begin' as const, 'reset' as const) }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(15) }),
    fc.record({
      kind: fc.constant('end' as const),
      pick: fc.nat(20),
      outcome: fc.constantFrom<CallOutcome>('failure', 'failure', 'success', 'abandoned'),
    }),
  ),
  { maxLength: 60, size: 'max' },
);

holds(
  'I4: however calls begin, end and overtake each other, probes stay within their number',
  fc.property(steps, fc.integer({ min: 1, max: 3 }), (walk, probesMax) => {
    const breaker = new CircuitBreaker(2, 2, { openMs: 10, halfOpenProbes: probesMax });
    const running: { call: { readonly term: number }; probing: boolean }[] = [];
    let now = instant(0);
    for (const step of walk) {
      if (step.kind === 'wait') now = instant(now + step.ms);
      if (step.kind === 'reset') breaker.attemptReset(now);
      if (step.kind === 'begin') {
        const permitted = breaker.isCallPermitted(now);
        const call = breaker.beginCall(now);
        assert.equal(call !== undefined, permitted, 'beginning and asking agree');
        if (call !== undefined) running.push({ call, probing: breaker.state === 'half_open' });
      }
      if (step.kind === 'end') {
        const [ended] = running.splice(step.pick % Math.max(1, running.length), 1);
        const before = breaker.state;
        const moved = ended && breaker.endCall(ended.call, step.outcome, now);
        assert.equal(moved !== undefined, breaker.state !== before);
      }
      assert.ok(breaker.probesInFlight <= probesMax);
      if (breaker.state !== 'half_open') assert.equal(breaker.probesInFlight, 0);
      const probing = running.filter(({ probing }) => probing).length;
      assert.ok(breaker.probesInFlight <= probing, 'a counted probe is one that runs');
    }
  }),
);
