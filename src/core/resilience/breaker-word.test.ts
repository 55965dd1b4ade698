// Goal: a breaker in a word does what CircuitBreaker does. Method: random histories of calls that
// begin, end in any order, are given back, of resets and of time that passes, on both at once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { type Instant, instant } from '../../base/time.ts';
import {
  type BreakerRule,
  breakerFacts,
  breakerReadings,
  breakerSteps,
  closedWord,
  halfOpenWord,
  refusedWord,
  termOf,
  termsMax,
} from './breaker-word.ts';
import { type BreakerCall, type CallOutcome, CircuitBreaker } from './circuit-breaker.ts';

type Happening =
  | { readonly kind: 'begin' | 'reset' | 'advance' }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'end'; readonly which: number; readonly outcome: CallOutcome };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Happening>({ kind: 'begin' }) },
  { weight: 1, arbitrary: fc.constantFrom<Happening>({ kind: 'reset' }, { kind: 'advance' }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait'), ms: fc.nat({ max: 60 }) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('end'),
      which: fc.nat({ max: 20 }),
      outcome: fc.constantFrom<CallOutcome>('success', 'failure', 'failure', 'abandoned'),
    }),
  },
);

const rule: fc.Arbitrary<BreakerRule> = fc.record({
  failures: fc.integer({ min: 1, max: 5 }),
  successes: fc.integer({ min: 1, max: 3 }),
  openMs: fc.integer({ min: 1, max: 50 }),
  probes: fc.integer({ min: 1, max: 3 }),
});

type Call = { readonly real: BreakerCall; readonly term: number };

/** Both breakers and the calls that run; every step is compared. */
class Pair {
  readonly #real: CircuitBreaker;
  readonly #steps;
  readonly #calls: Call[] = [];
  #word: number;
  #since = 0;
  #now: number;

  constructor(given: BreakerRule, startMs: number, term: number) {
    const { failures, successes, openMs, probes } = given;
    this.#real = new CircuitBreaker(failures, successes, { openMs, halfOpenProbes: probes });
    this.#steps = breakerSteps(given);
    this.#word = term << 16;
    this.#now = startMs;
  }

  #instant(): Instant {
    return instant(this.#now);
  }

  #become(next: number): void {
    if (termOf(next) !== termOf(this.#word)) this.#since = this.#now | 0;
    this.#word = next;
  }

  happen(what: Happening): void {
    const { take, success, failure, giveBack, reset, advance } = this.#steps;
    const now = this.#now | 0;
    switch (what.kind) {
      case 'wait':
        this.#now += what.ms;
        break;
      case 'reset':
        if (this.#real.state !== 'open') break;
        this.#real.attemptReset(this.#instant());
        this.#become(reset(this.#word, this.#since, now, 0));
        break;
      case 'advance':
        this.#real.advance(this.#instant());
        this.#become(advance(this.#word, this.#since, now, 0));
        break;
      case 'begin': {
        const real = this.#real.beginCall(this.#instant());
        const next = take(this.#word, this.#since, now, 0);
        assert.equal(next === refusedWord, real === undefined, 'permits differ');
        if (real === undefined) break;
        this.#become(next);
        this.#calls.push({ real, term: termOf(next) });
        break;
      }
      case 'end': {
        const [call] = this.#calls.splice(what.which % Math.max(1, this.#calls.length), 1);
        if (call === undefined) break;
        this.#real.endCall(call.real, what.outcome, this.#instant());
        const steps = { success, failure, abandoned: giveBack };
        this.#become(steps[what.outcome](this.#word, this.#since, now, call.term));
        break;
      }
    }
    this.#compare();
  }

  #compare(): void {
    const facts = breakerFacts(this.#word);
    assert.equal(facts.state, this.#real.state);
    assert.equal(facts.probesOut, this.#real.probesInFlight);
    if (facts.state === 'closed') assert.equal(facts.failures, this.#real.failures);
    if (facts.state === 'half_open') assert.equal(facts.successes, this.#real.successes);
    assert.ok(this.#word >= 0, 'a word is negative');
    const reading = this.#steps.reading(this.#word, this.#since, this.#now | 0);
    const mayGo = reading === breakerReadings.closed || reading === breakerReadings.probe;
    assert.equal(mayGo, this.#real.isCallPermitted(this.#instant()));
    assert.equal(reading === breakerReadings.closed, facts.state === 'closed');
  }
}

holds(
  'every history of calls, resets and time gives what CircuitBreaker gives, over the wrap of times and terms',
  fc.property(
    rule,
    fc.constantFrom(0, 2 ** 31 - 100, 2 ** 32 - 100, 1_790_000_000_000),
    fc.constantFrom(0, termsMax - 2),
    fc.array(happening, { maxLength: 120, size: 'max' }),
    (given, startMs, term, happenings) => {
      const pair = new Pair(given, startMs, term);
      for (const what of happenings) pair.happen(what);
    },
  ),
);

const usual = breakerSteps({ failures: 5, successes: 2, openMs: 30_000, probes: 1 });

function opened(): number {
  let word = 0;
  for (let i = 0; i < 5; i++) word = usual.failure(word, 0, 0, termOf(word));
  return word;
}

test('five failures open it for 30 s, one probe goes at a time, two successes close it', () => {
  const open = opened();
  assert.equal(breakerFacts(open).state, 'open');
  assert.equal(usual.reading(open, 0, 29_999), breakerReadings.open);
  assert.equal(usual.take(open, 0, 29_999, 0), refusedWord);
  assert.equal(usual.reading(open, 0, 30_000), breakerReadings.probe);
  const probing = usual.take(open, 0, 30_000, 0);
  assert.equal(usual.reading(probing, 0, 30_000), breakerReadings.probing);
  assert.equal(usual.take(probing, 0, 30_000, 0), refusedWord);
  const one = usual.success(probing, 0, 30_000, termOf(probing));
  const next = usual.take(one, 0, 30_000, 0);
  const closed = usual.success(next, 0, 30_000, termOf(next));
  assert.deepEqual(
    { ...breakerFacts(closed), term: undefined },
    { state: 'closed', failures: 0, successes: 0, probesOut: 0, term: undefined },
  );
});

test('a failed call of before it opened does not end the probe that runs', () => {
  const probing = usual.take(opened(), 0, 30_000, 0);
  assert.equal(usual.failure(probing, 0, 30_000, 0), probing);
  assert.equal(usual.giveBack(probing, 0, 30_000, 0), probing);
});

test('a clock that goes back for longer than a breaker is open does not hold it open', () => {
  const open = opened();
  assert.equal(usual.reading(open, 1_000_000, 999_000), breakerReadings.open);
  assert.equal(usual.reading(open, 1_000_000, 1_000_000 - 30_001), breakerReadings.probe);
});

test('the probe of a thread that died is free again, and its outcome is no longer heard', () => {
  const probing = usual.take(opened(), 0, 30_000, 0);
  const freed = usual.forgetProbes(probing, 0, 30_000, 0);
  assert.equal(usual.reading(freed, 0, 30_000), breakerReadings.probe);
  assert.equal(usual.failure(freed, 0, 30_000, termOf(probing)), freed);
  const none = halfOpenWord(0);
  assert.equal(usual.forgetProbes(none, 0, 0, 0), none);
});

test('a new owner of a word finds it closed, in a term that no earlier call has', () => {
  const word = closedWord(opened());
  assert.equal(breakerFacts(word).state, 'closed');
  assert.notEqual(termOf(word), termOf(opened()));
});
