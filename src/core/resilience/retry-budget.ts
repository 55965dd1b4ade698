// How many failed attempts may be followed by another one: a share of the requests, and a floor for
// every second. Without it a fleet that fails is asked two or three times as often as one that works,
// which keeps it from recovering (gateways survey, section 5, rule 17: 20 % of requests + 10/s).
//
// The floor is a token bucket. What requests earn is one number, in hundredths of a retry, because a
// percent of a request is the smallest part that an operator can ask for.
//
//   R1  Retries granted by the share over any run of n requests are at most n x percent / 100 + burst.

import { assert } from '../../base/assert.ts';

export type RetryBudgetRule = {
  /** Retries per hundred requests, 0 to 1000. */
  readonly percent: number;
  /** Retries per second beside them, 0 or more. */
  readonly floorPerSecond: number;
};

/** Hundredths of one retry. */
const unitsPerRetry = 100;
/** What requests of calm times may save up, in retries. */
const burst = 100;

/**
 * Seconds of the floor that calm times save up: an engine that dies with a hundred requests in flight
 * has them all served elsewhere. Finagle and Linkerd count over the same ten seconds.
 */
const floorSeconds = 10;

/** Retries that the floor may grant at once. */
export function floorBurst({ floorPerSecond }: RetryBudgetRule): number {
  return Math.ceil(floorPerSecond * floorSeconds);
}

/** What has been earned, after `requests` more requests; at most a burst of 100 retries. */
export function earnedAfter(rule: RetryBudgetRule, earned: number, requests: number): number {
  assert(requests >= 0, `${requests} requests`);
  return Math.min(burst * unitsPerRetry, earned + requests * rule.percent);
}

/** What is left after one retry; undefined when there is not enough for it. */
export function earnedLess(earned: number): number | undefined {
  return earned >= unitsPerRetry ? earned - unitsPerRetry : undefined;
}
