// What happens to the serving mode, as control events of the stream `policy`. The ladder acts as
// `service:policy`, an operator under its own name, an expiry as `system`.

import type { Json } from '../../base/canonical.ts';
import { instant, toRfc3339 } from '../../base/time.ts';
import type { Evidence, LadderEffect } from '../../core/policy/ladder.ts';
import type { ModePin } from '../../core/policy/ladder-state.ts';
import type { ServingMode } from '../../core/policy/serving-mode.ts';
import type { LadderTick } from '../../core/policy/tick-evidence.ts';
import type { EventToAppend } from '../../io/postgres/control-events.ts';

function policyEvent(
  kind: string,
  at: number,
  actor: string,
  data: EventToAppend['data'],
): EventToAppend {
  const occurredAt = instant(at);
  return { stream: 'policy', kind, version: 1, occurredAt, actor, subject: 'mode:global', data };
}

function evidenceData(evidence: Evidence, tick: LadderTick): Json {
  const { requests, failures, slow } = tick.outcomes;
  const burn = tick.burn.map(({ name, longBurn, shortBurn, firing }) => {
    return [name, { long: longBurn, short: shortBurn, firing }] as const;
  });
  return {
    ...evidence,
    requests,
    failures,
    slow,
    trips: tick.trips,
    backends: tick.backends,
    burn: Object.fromEntries(burn),
  };
}

/** The event of what an evaluation did. */
export function effectEvent(effect: LadderEffect, tick: LadderTick): EventToAppend {
  const { kind } = effect;
  const evidence = evidenceData(effect.evidence, tick);
  const about =
    kind === 'mode_escalation_suppressed'
      ? { mode: effect.mode, cooldown_left_ms: effect.cooldownLeftMs, reason: 'cooldown' }
      : { from: effect.from, to: effect.to, reason: effect.reason };
  return policyEvent(kind, tick.at, 'service:policy', { ...about, evidence });
}

/** `from` is the mode that was in force before. */
export function pinnedEvent(pin: ModePin, from: ServingMode): EventToAppend {
  const until = pin.until === null ? null : toRfc3339(instant(pin.until));
  const data = { from, to: pin.mode, by: pin.by, until, reason: pin.reason };
  return policyEvent('mode_pinned', pin.since, pin.by, data);
}

export function unpinnedEvent(
  pin: ModePin,
  to: ServingMode,
  cause: { readonly by: string; readonly reason: string; readonly at: number },
): EventToAppend {
  const { by, reason, at } = cause;
  return policyEvent('mode_unpinned', at, by, { from: pin.mode, to, by, reason });
}
