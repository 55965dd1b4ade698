// How long to wait before the next attempt. All delays are milliseconds, all attempts count from 0,
// and no delay passes the largest safe integer, however many attempts there were. Nothing is drawn
// here: the spread of retries comes as an argument.

import { clamp } from '../../base/numbers.ts';

/** Above it, base x 2^attempt is past every bound; a base of 0 must not meet an infinity. */
const attemptMax = 1000;

function saturated(delayMs: number): number {
  return clamp(delayMs, 0, Number.MAX_SAFE_INTEGER);
}

/** baseMs x 2^attempt, at most the largest safe integer. (250, 4) -> 4000. */
export function retryDelay(baseMs: number, attempt: number): number {
  return saturated(baseMs * 2 ** Math.min(attempt, attemptMax));
}

/**
 * d + truncate(d x factor) with d = `retryDelay(baseMs, attempt)`. `factor` is a share, 0 to 1; in
 * production it is drawn from the seeded generator. (250, 3, 0.25) -> 2500.
 */
export function retryDelayWithJitter(baseMs: number, attempt: number, factor: number): number {
  const delayMs = retryDelay(baseMs, attempt);
  return saturated(delayMs + Math.trunc(delayMs * factor));
}

/** min(ceilingMs, baseMs x 2^attempt), also at attempts of 63 and more. (250, 6, 9000) -> 9000. */
export function backoff(baseMs: number, attempt: number, ceilingMs: number): number {
  return Math.min(ceilingMs, retryDelay(baseMs, attempt));
}
