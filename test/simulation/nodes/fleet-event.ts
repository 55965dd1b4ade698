// How the fleet travels from the control node to the gateways: one event per backend that changed,
// and one id for the routing settings, each with the version that it makes. A state is what the
// events of a history amount to, which is the production's `replay` (keep rule: highest sequence).
//
//   event 41 {id: b-03, healthy}   event 42 {id: settings}   event 43 {id: b-03, removed}

import type { Json } from '../../../src/base/canonical.ts';
import type { ReplayEvent } from '../../../src/core/resilience/replay-event.ts';
import type { RoutingSettings, Target } from '../../../src/core/routing/snapshot.ts';

const settingsId = 'settings';

export type FleetEvent = ReplayEvent & {
  /** What to do; the payload is what is compared and digested. */
  readonly change:
    | { readonly kind: 'target'; readonly target: Target }
    | { readonly kind: 'removed' }
    | { readonly kind: 'settings'; readonly settings: RoutingSettings };
};

/** What tells two targets apart, as a payload. */
function payloadOf(target: Target): Json {
  const { status, statusReason, slot, generation, priority, approved, models } = target;
  return {
    status,
    statusReason: statusReason ?? null,
    slot,
    generation,
    priority,
    approved,
    models: models.map(({ id, contextLength }) => ({ id, contextLength })),
  };
}

export function targetEvent(sequence: number, target: Target): FleetEvent {
  const change = { kind: 'target', target } as const;
  return { id: target.id, sequence, payload: payloadOf(target), change };
}

export function removalEvent(sequence: number, id: string): FleetEvent {
  return { id, sequence, payload: { removed: true }, change: { kind: 'removed' } };
}

export function settingsEvent(sequence: number, settings: RoutingSettings): FleetEvent {
  const { strategy, weights, maxRetries, aliases } = settings;
  const payload: Json = { strategy, weights: { ...weights }, maxRetries, aliases: { ...aliases } };
  return { id: settingsId, sequence, payload, change: { kind: 'settings', settings } };
}

/** The events with these (id, sequence), taken back from what a rule of replay has kept. */
export function fleetEventsOf(
  kept: readonly ReplayEvent[],
  all: readonly FleetEvent[],
): readonly FleetEvent[] {
  const wanted = new Set(kept.map(({ sequence }) => sequence));
  return all.filter(({ sequence }) => wanted.has(sequence));
}
