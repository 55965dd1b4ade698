// The standing alert rule (platform specification A.4): a service whose health score stays below 0.7
// for five minutes raises one warning, which is cleared when the score is back at 0.7. A short dip
// alerts nobody, and an alert is told once, not at every evaluation.
//
//            score < 0.7               still below after 5 min
//    well ───────────────> low(since) ─────────────────────────> alerting(since)
//     ^  score >= 0.7         │                                     │
//     └───────────────────────┴──────────── score >= 0.7 ───────────┘ AlertCleared
//
//   I1  Between two AlertRaised of a service there is an AlertCleared, and the other way round.
//   I2  A service is alerting only after an unbroken row of scores below the threshold over 5 min.
//   I3  A score that is no number is no news: it neither raises, nor clears, nor breaks a row.

import { unreachable } from '../../base/assert.ts';
import { elapsedMs, type Instant } from '../../base/time.ts';

export const healthScoreThreshold = 0.7;
export const healthAlertAfterMs = 5 * 60_000;

export type HealthWatch =
  | { readonly kind: 'well' }
  /** `since` is when the first score of the row below the threshold was seen. */
  | { readonly kind: 'low'; readonly since: Instant }
  | { readonly kind: 'alerting'; readonly since: Instant };

/** What the alert says; named for the service. */
export type HealthAlert = {
  readonly name: string;
  readonly level: 'warning';
  /** The health score met, 0 to 1. */
  readonly value: number;
  readonly threshold: number;
};

export type HealthAlertEffect =
  | { readonly kind: 'alert_raised'; readonly alert: HealthAlert }
  | { readonly kind: 'alert_cleared'; readonly alert: HealthAlert };

export type HealthWatchStep = {
  readonly watch: HealthWatch;
  readonly effect: HealthAlertEffect | undefined;
};

/** The state of a service about which nothing is known yet. */
export const healthWatchStart: HealthWatch = Object.freeze({ kind: 'well' });

/** The state after the health score of `service` was evaluated at `now`, and what to tell. */
export function stepHealthWatch(
  watch: HealthWatch,
  service: string,
  score: number,
  now: Instant,
): HealthWatchStep {
  if (Number.isNaN(score)) return { watch, effect: undefined };
  const alert: HealthAlert = {
    name: service,
    level: 'warning',
    value: score,
    threshold: healthScoreThreshold,
  };
  if (score < healthScoreThreshold) return stepBelow(watch, alert, now);
  const effect =
    watch.kind === 'alerting' ? ({ kind: 'alert_cleared', alert } as const) : undefined;
  return { watch: healthWatchStart, effect };
}

function stepBelow(watch: HealthWatch, alert: HealthAlert, now: Instant): HealthWatchStep {
  switch (watch.kind) {
    case 'well':
      return { watch: { kind: 'low', since: now }, effect: undefined };
    case 'low': {
      // A clock that went back makes the row shorter than it was, never an alert too early.
      if (elapsedMs(watch.since, now) < healthAlertAfterMs) return { watch, effect: undefined };
      const effect = { kind: 'alert_raised', alert } as const;
      return { watch: { kind: 'alerting', since: watch.since }, effect };
    }
    case 'alerting':
      return { watch, effect: undefined };
    default:
      return unreachable(watch);
  }
}
