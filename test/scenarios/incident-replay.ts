// The five incidents as recordings: what was given, when, and what the platform must answer. A step
// is decided again by the product's own functions; the clock of a recording is fixed, and everything
// that happens at a time happens so long after it.

import type { Json } from '../../src/base/canonical.ts';
import { instant } from '../../src/base/time.ts';
import { atOrOverCapacity } from '../../src/core/allocation/capacity.ts';
import { estimateCost } from '../../src/core/allocation/cost-estimate.ts';
import { normalizeUrgency, priorityPerSlot } from '../../src/core/allocation/figures.ts';
import { type SlotReservation, slotUtilization } from '../../src/core/allocation/reservation.ts';
import { detectGaps } from '../../src/core/events/gaps.ts';
import type { TimedEvent } from '../../src/core/events/timed-event.ts';
import { countByKind, inTimeWindow, sortByTime } from '../../src/core/events/timeline.ts';
import { dedupeKeepEarliest } from '../../src/core/events/timeline-merge.ts';
import { meetsSlo } from '../../src/core/policy/risk.ts';
import { escalate } from '../../src/core/policy/serving-mode.ts';
import { countTick, noRuns } from '../../src/core/policy/tick-runs.ts';
import { TokenBucket } from '../../src/core/queue/token-bucket.ts';
import { replay } from '../../src/core/resilience/replay.ts';
import type { ReplayEvent } from '../../src/core/resilience/replay-event.ts';
import { replayWithGaps } from '../../src/core/resilience/replay-gaps.ts';
import {
  inSequenceWindow,
  orderedSequenceWindow,
} from '../../src/core/resilience/sequence-window.ts';
import { type Route, selectRoute } from '../../src/core/routing/route.ts';
import {
  isTokenWellFormed,
  passwordStrength,
  rateLimitKey,
} from '../../src/core/security/rules.ts';
import { TokenStore } from '../../src/core/security/token-store.ts';
import { shouldAlert, withinTolerance } from '../../src/core/telemetry/alert-level.ts';
import {
  healthScoreThreshold,
  healthWatchStart,
  stepHealthWatch,
} from '../../src/core/telemetry/health-alert.ts';
import { errorRate, healthScore } from '../../src/core/telemetry/health-score.ts';
import { type MetricSample, meanByName } from '../../src/core/telemetry/metric.ts';
import { throughput, uptimePercent } from '../../src/core/telemetry/service-level.ts';
import { nodeCrypto } from '../../src/io/credentials/crypto.ts';

type RouteFacts = { readonly endpoint: string; readonly latency_ms: number };
type Selection = { readonly routes: readonly RouteFacts[]; readonly blocked: readonly string[] };

type Inputs = {
  readonly select_route: Selection;
  readonly judge_latencies: {
    readonly latencies_ms: readonly number[];
    readonly budget_ms: number;
  };
  readonly decision_log: { readonly decisions: readonly Selection[] };
  readonly token_format: { readonly token: string };
  readonly tokens: {
    readonly stored: readonly {
      readonly id: string;
      readonly token: string;
      readonly issued_after_s: number;
      readonly ttl_seconds: number;
    }[];
    readonly revoked: readonly string[];
    readonly attempts: readonly {
      readonly id: string;
      readonly token: string;
      readonly after_s: number;
    }[];
  };
  readonly attempts: {
    readonly capacity: number;
    readonly window_seconds: number;
    readonly attempts: readonly {
      readonly address: string;
      readonly path: string;
      readonly after_s: number;
    }[];
  };
  readonly password_strength: { readonly password: string };
  readonly estimate_cost: { readonly total_cost: number; readonly quantity: number };
  readonly slot_utilization: {
    readonly reservations: readonly {
      readonly slot_id: string;
      readonly start_hour: number;
      readonly end_hour: number;
      readonly occupied: boolean;
    }[];
  };
  readonly normalized_urgency: { readonly raw: number; readonly max: number };
  readonly priority_per_slot: { readonly urgency: number; readonly slots: number };
  readonly at_or_over_capacity: { readonly used: number; readonly total: number };
  readonly health_score: { readonly availability: number; readonly performance: number };
  readonly health_watch: {
    readonly service: string;
    readonly scores: readonly { readonly after_ms: number; readonly score: number }[];
  };
  readonly error_rate: { readonly total: number; readonly errors: number };
  readonly throughput: { readonly count: number; readonly duration_ms: number };
  readonly should_alert: { readonly value: number; readonly threshold: number };
  readonly uptime_percent: { readonly total: number; readonly down: number };
  readonly mean_by_name: { readonly samples: readonly MetricSample[] };
  readonly within_tolerance: {
    readonly value: number;
    readonly target: number;
    readonly tolerance: number;
  };
  readonly sequence_window: {
    readonly sequences: readonly number[];
    readonly min: number;
    readonly max: number;
  };
  readonly sort_by_time: { readonly timestamps: readonly number[] };
  readonly dedupe: { readonly events: readonly RecordedEvent[] };
  readonly time_window: {
    readonly timestamps: readonly number[];
    readonly start: number;
    readonly end: number;
  };
  readonly count_by_kind: { readonly kinds: readonly (readonly [id: string, kind: string])[] };
  readonly replay: { readonly events: readonly ReplayEvent[] };
  readonly replay_with_gaps: {
    readonly events: readonly ReplayEvent[];
    readonly from: number;
    readonly to: number;
  };
  readonly silences: { readonly timestamps: readonly number[]; readonly threshold: number };
};

type RecordedEvent = TimedEvent & { readonly payload: Json };
type Operation = keyof Inputs;

type StepOf<K extends Operation> = {
  /** The row of the incident's table. */
  readonly row: number;
  readonly operation: K;
  readonly input: Inputs[K];
  readonly expected: Json;
};
type Step = { readonly [K in Operation]: StepOf<K> }[Operation];

export type Recording = {
  readonly scenario: string;
  readonly title: string;
  /** Milliseconds since 1970. */
  readonly clock: number;
  readonly steps: readonly Step[];
};

function routeOf({ endpoint, latency_ms }: RouteFacts): Route {
  return { endpoint, latencyMs: latency_ms };
}

function selected({ routes, blocked }: Selection): Route | undefined {
  return selectRoute(routes.map(routeOf), new Set(blocked));
}

/** What a decision leaves in the log: enough to ask whether a faster route was there. */
function decisionRecord(selection: Selection) {
  const { routes, blocked } = selection;
  const open = routes.filter(({ endpoint }) => !blocked.includes(endpoint));
  const latencies = open.map(({ latency_ms }) => latency_ms);
  return {
    selected_latency_ms: selected(selection)?.latencyMs ?? null,
    minimum_latency_ms: latencies.length === 0 ? null : Math.min(...latencies),
  };
}

/** The times as events, each named for its time. */
function eventsAt(timestamps: readonly number[]): readonly TimedEvent[] {
  return timestamps.map((timestamp) => {
    return { id: `event-${timestamp}`, timestamp, kind: 'routed', payload: null };
  });
}

function timesOf(events: readonly TimedEvent[]): readonly number[] {
  return events.map(({ timestamp }) => timestamp);
}

type Decisions = { readonly [K in Operation]: (input: Inputs[K], clock: number) => Json };

const decisions: Decisions = {
  select_route: (input) => {
    const route = selected(input);
    return route === undefined ? null : { endpoint: route.endpoint, latency_ms: route.latencyMs };
  },
  judge_latencies: ({ latencies_ms, budget_ms }) => {
    const met = latencies_ms.map((latency) => meetsSlo(latency, budget_ms));
    const runs = met.reduce((before, isMet) => countTick(before, isMet ? 'good' : 'bad'), noRuns);
    return {
      violations: met.filter((isMet) => !isMet).length,
      burst: runs.failureBurst,
      mode: escalate('normal', runs.failureBurst),
    };
  },
  decision_log: (input) => {
    const records = input.decisions.map(decisionRecord);
    const slower = records.filter(
      (record) => (record.selected_latency_ms ?? 0) > (record.minimum_latency_ms ?? 0),
    );
    return { records, slower_than_needed: slower.length };
  },
  token_format: ({ token }) => isTokenWellFormed(token),
  tokens: ({ stored, revoked, attempts }, clock) => {
    const start = clock / 1000;
    const store = new TokenStore(nodeCrypto);
    for (const { id, token, issued_after_s, ttl_seconds } of stored) {
      store.store(id, token, start + issued_after_s, ttl_seconds);
    }
    for (const id of revoked) store.revoke(id);
    const accepted = attempts.map(({ id, token, after_s }) =>
      store.validate(id, token, start + after_s),
    );
    const ends = stored.map(({ issued_after_s, ttl_seconds }) => issued_after_s + ttl_seconds);
    return { accepted, cleaned_up_at_end: store.cleanup(start + Math.max(...ends)) };
  },
  attempts: ({ capacity, window_seconds, attempts }) => {
    const buckets = new Map<string, TokenBucket>();
    const allowed = attempts.map(({ address, path, after_s }) => {
      const key = rateLimitKey(address, path);
      const bucket = buckets.get(key) ?? new TokenBucket(capacity, capacity / window_seconds);
      buckets.set(key, bucket);
      return bucket.tryAcquire(after_s);
    });
    return { allowed, keys: [...buckets.keys()].sort() };
  },
  password_strength: ({ password }) => passwordStrength(password),
  estimate_cost: ({ total_cost, quantity }) => {
    const estimate = estimateCost({ totalCost: total_cost, quantity });
    if (!estimate.ok) return { refused: estimate.error.code };
    const { costPerUnit, totalEstimate, currency } = estimate.value;
    return { cost_per_unit: costPerUnit, total_estimate: totalEstimate, currency };
  },
  slot_utilization: ({ reservations }) =>
    slotUtilization(
      reservations.map(({ slot_id, start_hour, end_hour, occupied }): SlotReservation => {
        return { slotId: slot_id, startHour: start_hour, endHour: end_hour, occupied };
      }),
    ),
  normalized_urgency: ({ raw, max }) => normalizeUrgency(raw, max),
  priority_per_slot: ({ urgency, slots }) => priorityPerSlot(urgency, slots),
  at_or_over_capacity: ({ used, total }) => atOrOverCapacity(used, total),
  health_score: ({ availability, performance }) => {
    const score = healthScore(availability, performance);
    return { score, below_line: score < healthScoreThreshold };
  },
  health_watch: ({ service, scores }, clock) => {
    let watch = healthWatchStart;
    return scores.flatMap(({ after_ms, score }) => {
      const step = stepHealthWatch(watch, service, score, instant(clock + after_ms));
      watch = step.watch;
      if (step.effect === undefined) return [];
      return [{ after_ms, kind: step.effect.kind, ...step.effect.alert }];
    });
  },
  error_rate: ({ total, errors }) => errorRate(total, errors),
  throughput: ({ count, duration_ms }) => throughput(count, duration_ms),
  should_alert: ({ value, threshold }) => shouldAlert(value, threshold),
  uptime_percent: ({ total, down }) => uptimePercent(total, down),
  mean_by_name: ({ samples }) => Object.fromEntries(meanByName(samples)),
  within_tolerance: ({ value, target, tolerance }) => withinTolerance(value, target, tolerance),
  sequence_window: ({ sequences, min, max }) => {
    const events = sequences.map((sequence) => ({ id: `event-${sequence}`, sequence }));
    const ordered = orderedSequenceWindow(events, min, max).map(({ sequence }) => sequence);
    return { count: inSequenceWindow(events, min, max).length, ordered };
  },
  sort_by_time: ({ timestamps }) => timesOf(sortByTime(eventsAt(timestamps))),
  dedupe: ({ events }) => dedupeKeepEarliest(events),
  time_window: ({ timestamps, start, end }) =>
    timesOf(inTimeWindow(eventsAt(timestamps), start, end)),
  count_by_kind: ({ kinds }) =>
    Object.fromEntries(
      countByKind(kinds.map(([id, kind], at) => ({ id, timestamp: at, kind, payload: null }))),
    ),
  replay: ({ events }) => {
    const state = replay(events);
    return state.ok ? state.value : { refused: state.error.code };
  },
  replay_with_gaps: ({ events, from, to }) => {
    const state = replayWithGaps(events, { from, to });
    if (!state.ok) return { refused: state.error.code };
    return {
      kind: state.value.kind,
      gaps: state.value.kind === 'complete' ? [] : state.value.gaps,
    };
  },
  silences: ({ timestamps, threshold }) =>
    detectGaps(eventsAt(timestamps), threshold).map((gap) => timesOf(gap)),
};

/** What the platform answers to the step today. */
export function answerTo<K extends Operation>(step: StepOf<K>, clock: number): Json {
  return decisions[step.operation](step.input, clock);
}
