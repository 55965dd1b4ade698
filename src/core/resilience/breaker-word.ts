// A circuit breaker in one 32-bit word and the time of its last transition in another, so that many
// threads can change it together by one compare-and-exchange of both. It does what CircuitBreaker of
// circuit-breaker.ts does with openMs and halfOpenProbes; a property test holds the two equal.
//
//   bits  0-1    state: 0 closed, 1 open, 2 half open
//         2-8    failures in a row while closed, successes in a row while half open
//         9-15   probes that are out
//        16-29   term: how many transitions there were, modulo 2^14
//
// Whoever lets a call through keeps the term of that moment and ends the call with it: the outcome of a
// call that began before the last transition tells of another time, and changes nothing.
//
//   W1  A step that is no transition leaves the term; a transition moves it on by one.
//   W2  Probes are out only while half open, and never more than the rule allows.
//   W3  An open word counts nothing.
//
// Times are milliseconds modulo 2^32. Two of them can be told apart for 24 days; an open breaker is
// half-opened long before that (control-breakers.ts).

import { assert } from '../../base/assert.ts';
import type { BreakerState } from './circuit-breaker.ts';

/** All four are whole numbers; counts from 1 to 100, openMs from 1 to 3 600 000. */
export type BreakerRule = {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** Successes in a row that close it again. */
  readonly successes: number;
  readonly openMs: number;
  /** Calls that may try it at once while it is half open. */
  readonly probes: number;
};

/** What a breaker says to somebody who wants to send a request. */
export const breakerReadings = {
  closed: 0,
  open: 1,
  /** Half open, or open for long enough, and a probe may go. */
  probe: 2,
  /** Half open, and its probes are out. */
  probing: 3,
} as const;
export type BreakerReading = (typeof breakerReadings)[keyof typeof breakerReadings];

const closed = 0;
const open = 1;
const halfOpen = 2;
const stateMask = 0b11;
const countUnit = 1 << 2;
const probeUnit = 1 << 9;
const sevenBits = 0x7f;
const termShift = 16;
/** Terms are below this. */
export const termsMax = 1 << 14;
const termMask = termsMax - 1;
const countMax = 100;
const openMsMax = 3_600_000;

/** Answer of a step that is refused. No word is negative. */
export const refusedWord = -1;

const states: readonly BreakerState[] = ['closed', 'open', 'half_open'];

export type BreakerFacts = {
  readonly state: BreakerState;
  /** Failures in a row; told while closed. */
  readonly failures: number;
  /** Successes in a row; told while half open. */
  readonly successes: number;
  readonly probesOut: number;
  readonly term: number;
};

function countOf(word: number): number {
  return (word >> 2) & sevenBits;
}

function probesOf(word: number): number {
  return (word >> 9) & sevenBits;
}

export function termOf(word: number): number {
  return (word >> termShift) & termMask;
}

export function isClosedWord(word: number): boolean {
  return (word & stateMask) === closed;
}

/** Closed, and without a failure counted: a success changes nothing. */
export function isSpotlessWord(word: number): boolean {
  return (word & (stateMask | (sevenBits * countUnit))) === closed;
}

export function isOpenWord(word: number): boolean {
  return (word & stateMask) === open;
}

export function breakerFacts(word: number): BreakerFacts {
  const state = states[word & stateMask] ?? 'closed';
  const count = countOf(word);
  return {
    state,
    failures: state === 'closed' ? count : 0,
    successes: state === 'half_open' ? count : 0,
    probesOut: probesOf(word),
    term: termOf(word),
  };
}

/** A breaker in a new state: counts and probes are 0, and the term is the next one. */
function entering(word: number, state: number): number {
  return (((termOf(word) + 1) & termMask) << termShift) | state;
}

/** Closed, with nothing counted, in a new term: for a new owner of the word, and for a reset. */
export function closedWord(word: number): number {
  return entering(word, closed);
}

/** Half open in a new term, whatever it was: an open one that was kept over a restart. */
export function halfOpenWord(word: number): number {
  return entering(word, halfOpen);
}

/**
 * The time from `since` to `now`, ms. A clock that went back counts as no time, until it went back
 * further than the breaker stays open: then nobody knows, and it is tried.
 */
function isDue(openMs: number, since: number, now: number): boolean {
  const elapsed = (now - since) | 0;
  return elapsed >= openMs || elapsed < -openMs;
}

/** The word after; `refusedWord` where the step is refused; the same word where nothing happens. */
export type BreakerStep = (word: number, since: number, now: number, term: number) => number;

export type BreakerSteps = {
  readonly rule: BreakerRule;
  /** What a request would hear at `now`; changes nothing. */
  readonly reading: (word: number, since: number, now: number) => BreakerReading;
  /** Lets a call through, as a probe when half open; refused when it may not go. */
  readonly take: BreakerStep;
  /** The outcome of a call that began in `term`. */
  readonly success: BreakerStep;
  readonly failure: BreakerStep;
  /** The call ended and told nothing of the backend. */
  readonly giveBack: BreakerStep;
  /** Time has passed: half-opens what has been open for long enough. */
  readonly advance: BreakerStep;
  /** An operator: an open one is tried now; a half-open one forgets its probes and successes. */
  readonly reset: BreakerStep;
  /** A thread died and may have held probes: none is out, and what was out is no longer heard. */
  readonly forgetProbes: BreakerStep;
};

function takeFrom(rule: BreakerRule, word: number, since: number, now: number): number {
  const state = word & stateMask;
  if (state === closed) return word;
  if (state === open) {
    return isDue(rule.openMs, since, now) ? entering(word, halfOpen) + probeUnit : refusedWord;
  }
  return probesOf(word) < rule.probes ? word + probeUnit : refusedWord;
}

function afterSuccess({ successes }: BreakerRule, word: number): number {
  const state = word & stateMask;
  if (state === closed) return word & ~(sevenBits * countUnit);
  if (state === open) return word;
  const left = word - probeUnit;
  return countOf(word) + 1 >= successes ? entering(word, closed) : left + countUnit;
}

function afterFailure({ failures }: BreakerRule, word: number): number {
  const state = word & stateMask;
  if (state === open) return word;
  if (state === halfOpen) return entering(word, open);
  return countOf(word) + 1 >= failures ? entering(word, open) : word + countUnit;
}

function afterGivenBack(word: number): number {
  return (word & stateMask) === halfOpen ? word - probeUnit : word;
}

function assertRule({ failures, successes, openMs, probes }: BreakerRule): void {
  for (const count of [failures, successes, probes]) {
    assert(Number.isInteger(count) && count >= 1 && count <= countMax, `breaker count ${count}`);
  }
  assert(
    Number.isInteger(openMs) && openMs >= 1 && openMs <= openMsMax,
    `breaker openMs ${openMs}`,
  );
}

/** The steps of all breakers that follow `rule`. */
export function breakerSteps(rule: BreakerRule): BreakerSteps {
  assertRule(rule);
  return {
    rule,
    reading(word, since, now) {
      const state = word & stateMask;
      if (state === closed) return breakerReadings.closed;
      if (state === open) {
        return isDue(rule.openMs, since, now) ? breakerReadings.probe : breakerReadings.open;
      }
      return probesOf(word) < rule.probes ? breakerReadings.probe : breakerReadings.probing;
    },
    take: (word, since, now) => takeFrom(rule, word, since, now),
    success: (word, _since, _now, term) =>
      termOf(word) === term ? afterSuccess(rule, word) : word,
    failure: (word, _since, _now, term) =>
      termOf(word) === term ? afterFailure(rule, word) : word,
    giveBack: (word, _since, _now, term) => (termOf(word) === term ? afterGivenBack(word) : word),
    advance: (word, since, now) =>
      isOpenWord(word) && isDue(rule.openMs, since, now) ? entering(word, halfOpen) : word,
    reset: (word) => (isClosedWord(word) ? word : entering(word, halfOpen)),
    forgetProbes: (word) =>
      probesOf(word) === 0 ? word : entering(word, halfOpen) + countOf(word) * countUnit,
  };
}
