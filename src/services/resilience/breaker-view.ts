// A breaker as the control API shows it.

import { type Instant, instant, toRfc3339 } from '../../base/time.ts';
import type { BreakerFacts, BreakerRule } from '../../core/resilience/breaker-word.ts';
import type { BreakerWire } from '../../protocol/control/breaker-schemas.ts';

export type ShownBreaker = {
  readonly id: string;
  readonly backend: string;
  readonly model: string | undefined;
  readonly facts: BreakerFacts;
  /** Of the last transition, Unix ms. */
  readonly since: number | undefined;
  readonly known:
    | { readonly openedAt: number | undefined; readonly lastFailure: string | undefined }
    | undefined;
  readonly rule: BreakerRule;
};

function timeOf(ms: number | undefined): string | null {
  const at: Instant | undefined = ms === undefined ? undefined : instant(ms);
  return at === undefined ? null : toRfc3339(at);
}

export function breakerWire({ facts, since, known, rule, ...shown }: ShownBreaker): BreakerWire {
  const isOpen = facts.state === 'open';
  return {
    id: shown.id,
    backend: shown.backend,
    model: shown.model ?? null,
    state: facts.state,
    since: timeOf(since),
    opened_at: facts.state === 'closed' ? null : timeOf(isOpen ? since : known?.openedAt),
    failures: facts.failures,
    successes: facts.successes,
    probes_out: facts.probesOut,
    last_failure: known?.lastFailure ?? null,
    probe_at: isOpen && since !== undefined ? timeOf(since + rule.openMs) : null,
  };
}
