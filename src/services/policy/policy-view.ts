// The serving mode as the API shows it: where it stands, what leads up and down, how the error budget
// burns, and what each mode changes.

import { type Instant, instant, toRfc3339 } from '../../base/time.ts';
import { budgetLeft, burnPairs, burnPoints } from '../../core/policy/burn-rate.ts';
import { effectiveCooldown } from '../../core/policy/cooldown.ts';
import { readCalm } from '../../core/policy/ladder.ts';
import { modeInForce } from '../../core/policy/ladder-state.ts';
import { gatesOf } from '../../core/policy/mode-gates.ts';
import {
  burstThreshold,
  calmStreak,
  isServingMode,
  maxRetries,
  modeMetadata,
  modes,
  type ServingMode,
} from '../../core/policy/serving-mode.ts';
import { minutesWords, riskOf } from '../../core/policy/tick-evidence.ts';
import type { StoredEvent } from '../../io/postgres/control-events.ts';
import type { PolicyHistoryWire, PolicyViewWire } from '../../protocol/control/trust-schemas.ts';
import type { ModeKeeper } from './mode-keeper.ts';
import { verdictOf } from './verdict.ts';

/** What the page says of the configuration besides the ladder's own settings. */
export type PolicyPlan = {
  readonly tickSeconds: number;
  readonly firstByteMs: number;
  readonly periodDays: number;
};

function effectsOf(mode: ServingMode, minCooldownMs: number): PolicyViewWire['effects'][number] {
  const gates = gatesOf(mode);
  return {
    mode,
    description: modeMetadata(mode)?.description ?? '',
    retries: maxRetries(mode),
    least_class: gates.leastClass,
    emergency_shedding: gates.emergencyShedding,
    experiments: gates.experiments,
    shadow_share: gates.shadowShare,
    canary_promotion: gates.canaryPromotion,
    deployments: gates.deployments,
    batching: gates.batching,
    batch_wait_share: gates.batchWaitShare,
    openai_batches: gates.openAiBatches,
    suite_runs: gates.suiteRuns,
    calm_ticks: calmStreak(mode) ?? null,
    cooldown_seconds: effectiveCooldown(mode, minCooldownMs) / 1000,
  };
}

function rfc(at: number): string {
  return toRfc3339(instant(at));
}

function pinView(keeper: ModeKeeper): PolicyViewWire['pin'] {
  const { pin } = keeper.state;
  if (pin === null) return null;
  const until = pin.until === null ? null : rfc(pin.until);
  return { mode: pin.mode, by: pin.by, reason: pin.reason, since: rfc(pin.since), until };
}

function burnView(keeper: ModeKeeper, now: Instant): PolicyViewWire['burn'] {
  const readings = keeper.burn(now);
  return burnPairs.map((pair, index) => ({
    name: pair.name,
    factor: pair.factor,
    long_seconds: pair.longMinutes * 60,
    short_seconds: pair.shortMinutes * 60,
    long_burn: readings[index]?.longBurn ?? null,
    short_burn: readings[index]?.shortBurn ?? null,
    firing: readings[index]?.firing ?? false,
    moves: pair.moves,
  }));
}

function burningWords(keeper: ModeKeeper, now: Instant): string | undefined {
  const firing = keeper.burn(now).find((pair) => pair.firing);
  if (firing === undefined) return undefined;
  return `budget burns ${(firing.longBurn ?? 0).toFixed(1)}x over ${minutesWords(firing.longMinutes)}`;
}

function sloView(keeper: ModeKeeper, plan: PolicyPlan, now: Instant): PolicyViewWire['slo'] {
  const { objective } = keeper.settings.slo;
  const period = keeper.period(now, plan.periodDays);
  return {
    words: `streams begin within ${plan.firstByteMs} ms, no server error`,
    first_byte_ms: plan.firstByteMs,
    objective,
    period_days: plan.periodDays,
    budget_left: budgetLeft(period, objective),
    requests: period.total,
    bad: period.bad,
  };
}

export function policyView(keeper: ModeKeeper, plan: PolicyPlan, now: Instant): PolicyViewWire {
  const { state, settings } = keeper;
  const burn = keeper.burn(now);
  const calm = readCalm(settings, state, burn, now);
  const slo = sloView(keeper, plan, now);
  const streakNeeded = calmStreak(state.mode) ?? null;
  const { tickSeconds, periodDays } = plan;
  const burning = burningWords(keeper, now);
  const shown = { state, now, calm, streakNeeded, tickSeconds, periodDays, burning };
  const verdict = verdictOf({ ...shown, budgetLeft: slo.budget_left });
  return {
    at: toRfc3339(now),
    mode: modeInForce(state),
    since: rfc(state.pin?.since ?? state.since),
    verdict: verdict.words,
    verdict_level: verdict.level,
    pin: pinView(keeper),
    ladder_mode: state.mode,
    no_data_since: state.noDataSince === null ? null : rfc(state.noDataSince),
    up: {
      burst: state.runs.failureBurst,
      burst_needed: burstThreshold,
      risk: riskOf(keeper.fleet(now)),
      risk_threshold: settings.riskThreshold,
      cooldown_left_seconds: Math.ceil(keeper.cooldownLeftMs(now) / 1000),
      suppressed: state.suppressed,
    },
    down: {
      streak: state.runs.successStreak,
      streak_needed: streakNeeded,
      hold_left_seconds: Math.ceil(calm.holdLeftMs / 1000),
      recovered: calm.burnRecovered && calm.outcomesRecovered,
    },
    slo,
    burn: burnView(keeper, now),
    effects: modes().map((mode) => effectsOf(mode, settings.minCooldownMs)),
  };
}

function modeOf(value: unknown): ServingMode | null {
  return typeof value === 'string' && isServingMode(value) ? value : null;
}

function isEvidence(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function moveView(event: StoredEvent): PolicyHistoryWire['moves'][number] {
  const { from, to, mode, reason, evidence, ...rest } = event.data;
  return {
    sequence: event.sequence,
    at: toRfc3339(event.occurredAt),
    kind: event.kind,
    from: modeOf(from ?? mode),
    to: modeOf(to),
    reason: typeof reason === 'string' ? reason : '',
    actor: event.actor,
    evidence: isEvidence(evidence) ? evidence : rest,
  };
}

/** Minutes of the chart: six hours, as long as the longest window in it. */
const chartMinutes = 360;

export async function policyHistory(
  keeper: ModeKeeper,
  limit: number,
  now: Instant,
): Promise<PolicyHistoryWire> {
  const moves = (await keeper.moves(limit)).map(moveView);
  const points = burnPoints(keeper.minutes, now, chartMinutes, keeper.settings.slo);
  return {
    count: moves.length,
    moves,
    burn: points.map(({ atMs, fiveMinutes, hour, sixHours }) => ({
      t: atMs / 1000,
      five_minutes: fiveMinutes,
      hour,
      six_hours: sixHours,
    })),
  };
}
