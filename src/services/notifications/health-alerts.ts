// The standing alert of each service: its health is looked at now and then, and a score that stays
// low for five minutes becomes one alert, written to the audit trail when it is raised and when it
// is cleared. What an alert is, and when, is the rule of core/telemetry/health-alert.ts.

import { compareText } from '../../base/compare.ts';
import { type Instant, toRfc3339 } from '../../base/time.ts';
import {
  type HealthAlert,
  type HealthAlertEffect,
  type HealthWatch,
  healthWatchStart,
  stepHealthWatch,
} from '../../core/telemetry/health-alert.ts';
import type { EventToAppend } from '../../io/postgres/control-events.ts';
import type { AlertWire } from '../../protocol/control/platform-schemas.ts';

type Standing = { readonly alert: HealthAlert; readonly since: Instant };

export class HealthAlerts {
  readonly #watches = new Map<string, HealthWatch>();
  readonly #standing = new Map<string, Standing>();
  readonly #record: (event: EventToAppend) => void;

  /** `record` keeps an event; it is called once per alert raised or cleared. */
  constructor(record: (event: EventToAppend) => void) {
    this.#record = record;
  }

  /** Judges the health scores (0 to 1) by service as they are at `now`. */
  evaluate(scores: ReadonlyMap<string, number>, now: Instant): void {
    for (const [service, score] of scores) {
      const before = this.#watches.get(service) ?? healthWatchStart;
      const { watch, effect } = stepHealthWatch(before, service, score, now);
      this.#watches.set(service, watch);
      if (effect !== undefined) this.#apply(effect, service, watch, now);
    }
  }

  #apply(effect: HealthAlertEffect, service: string, watch: HealthWatch, now: Instant): void {
    const { alert } = effect;
    if (effect.kind === 'alert_cleared') this.#standing.delete(service);
    else {
      const since = watch.kind === 'well' ? now : watch.since;
      this.#standing.set(service, { alert, since });
    }
    this.#record({
      stream: 'alerts',
      kind: effect.kind,
      version: 1,
      occurredAt: now,
      actor: 'system',
      subject: `service:${service}`,
      data: {
        name: alert.name,
        level: alert.level,
        value: alert.value,
        threshold: alert.threshold,
      },
    });
  }

  /** The alerts that stand now, by name. */
  standing(): readonly AlertWire[] {
    return [...this.#standing.values()]
      .map(({ alert, since }) => ({ ...alert, since: toRfc3339(since) }))
      .sort((a, b) => compareText(a.name, b.name));
  }
}
