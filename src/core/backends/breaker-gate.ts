// The gate that the circuit breakers of a backend make: words for what they say now.

import { elapsedWords } from '../../base/duration-words.ts';
import { elapsedMs, type Instant } from '../../base/time.ts';
import type { BreakerState } from '../resilience/circuit-breaker.ts';

/** What the breakers of a backend say. */
export type BreakerGate = {
  /** Of the breaker of the whole backend. */
  readonly state: BreakerState;
  /** Since when; undefined while it is closed. */
  readonly since: Instant | undefined;
  /** From when on a request may try it; undefined unless it is open. */
  readonly probeAt: Instant | undefined;
  /** Failed attempts in a row, while closed. */
  readonly failures: number;
  /** What opened it last. */
  readonly lastFailure: string | undefined;
  /** Models whose own breaker is not closed. */
  readonly modelsOut: readonly string[];
};

const namesShown = 5;

function namesOf(models: readonly string[]): string {
  if (models.length <= namesShown) return models.join(', ');
  return `${models.slice(0, namesShown).join(', ')} and ${models.length - namesShown} more`;
}

/** Requests pass unless the breaker of the backend is open: a half-open one lets its probes through. */
export function breakerWords(breaker: BreakerGate, models: number, now: Instant): string {
  const { state, since, probeAt, failures, lastFailure, modelsOut } = breaker;
  const out =
    modelsOut.length === 0
      ? ''
      : `${modelsOut.length} of ${models} models out: ${namesOf(modelsOut)}`;
  if (state === 'closed') {
    if (out !== '') return out;
    return failures === 0 ? 'closed' : `closed, ${failures} failed in a row`;
  }
  const span = since === undefined ? '' : ` for ${elapsedWords(elapsedMs(since, now))}`;
  const cause = lastFailure === undefined ? '' : `: ${lastFailure}`;
  if (state === 'half_open') return `half open${span}, one request at a time tries it${cause}`;
  const wait = probeAt === undefined ? 0 : elapsedMs(now, probeAt);
  const next = wait === 0 ? 'the next request tries it' : `tried again in ${elapsedWords(wait)}`;
  return `open${span}${cause}; ${next}`;
}
