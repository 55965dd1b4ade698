// After a change the mode rests: escalations that come too soon are suppressed, and told as such
// (RP3). Stepping down knows no cooldown. Rows of the platform specification A.8 and F.2; times are
// in any one unit of one clock.

import { saturatingDifference } from '../../base/numbers.ts';
import { cooldownMultiplier, escalate, type ServingMode } from './serving-mode.ts';

/** What is left of a cooldown of `duration`, never negative. A clock set back leaves all of it. */
export function cooldownRemaining(lastChange: number, now: number, duration: number): number {
  return Math.max(0, duration - saturatingDifference(now, lastChange));
}

/** How long `mode` rests after a change: `minCooldown` times its multiplier. */
export function effectiveCooldown(mode: string, minCooldown: number): number {
  return minCooldown * cooldownMultiplier(mode);
}

type EscalationVerdict =
  /** The burst is too small, or there is no stricter mode. */
  | { readonly kind: 'unmoved' }
  | { readonly kind: 'escalated'; readonly to: ServingMode }
  /**
   * The burst would have escalated, had the cooldown ended; `cooldownLeft` in the unit of `now`.
   */
  | { readonly kind: 'suppressed'; readonly cooldownLeft: number };

/**
 * What a burst does to the mode. The time elapsed since the last change counts, not the clock:
 * exactly `minCooldown` later the mode may move again.
 */
export function judgeEscalation(
  mode: string,
  failureBurst: number,
  lastChange: number,
  now: number,
  minCooldown: number,
): EscalationVerdict {
  const to = escalate(mode, failureBurst);
  const asItWas = escalate(mode, 0);
  if (to === asItWas) return { kind: 'unmoved' };
  if (now - lastChange < minCooldown) {
    return { kind: 'suppressed', cooldownLeft: cooldownRemaining(lastChange, now, minCooldown) };
  }
  return { kind: 'escalated', to };
}

/** The mode after {@link judgeEscalation}: one step stricter, or as it was. */
export function escalateWithCooldown(
  mode: string,
  failureBurst: number,
  lastChange: number,
  now: number,
  minCooldown: number,
): ServingMode {
  const verdict = judgeEscalation(mode, failureBurst, lastChange, now, minCooldown);
  return verdict.kind === 'escalated' ? verdict.to : escalate(mode, 0);
}
