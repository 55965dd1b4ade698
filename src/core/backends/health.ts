// Health of one backend: what one probe result, or one word from traffic, does to its status and
// to the time of its next probe.
//
// The registry is the only holder of status. This machine keeps a `ProbeRun` (run counts and times)
// and is shown the status as it stands at that moment; it answers with the status to write. A copy
// here would disagree with the registry one day, and then a backend stays unroutable for ever.
//
//            success                     3 failures in a row
//   unknown ---------> healthy -------------------------------> unhealthy
//      |  ^              |    <-------------------------------     ^ |
//      |  '--------------'    2 successes in a row, more of who    | |
//      |                      went down often (`recoveryNeeded`)   | |
//      |     loading, rate limited                                 | | loading, rate limited:
//      '-----------------------------------------------------------' '-> unknown
//         1 failure; wrong configuration from anywhere
//
//   draining: set and lifted by operators; no probe result moves it.
//
// Invariants
//   I1  At most one of `failures` and `successes` is above zero.
//   I2  A probe never moves a draining backend, and never makes one drain.
//   I3  A healthy backend has no last error.
//   I4  A failure run grows only by probes: traffic can ask for a probe, not vote.
//   I5  The next probe is never earlier than `minGapMs` after the last one, unless an operator
//       demands it, and after an ordinary result never later than `backoffMaxMs` (a peer's
//       Retry-After may ask for up to an hour).
//   I6  Loading and rate limiting are neither success nor failure: both counts stay. Since only
//       `healthy` takes traffic, they make a backend `unknown`, from which one success is enough.
//   I7  A backend that answers well is back after `recoveryMax` successes in a row at the latest,
//       however often it went down.
//
// Times are milliseconds of one monotonic clock, so that a clock set back delays no probe.

import { assert } from '../../base/assert.ts';
import { saturatingDifference } from '../../base/numbers.ts';
import { backoff } from '../resilience/retry.ts';
import type { Backend, BackendStatus, Model, StatusReason } from './backend.ts';
import type { ModelRuntime } from './model-runtime.ts';

export type HealthConfig = {
  readonly intervalMs: number;
  /** Consecutive failures that make a healthy backend unhealthy. */
  readonly failureThreshold: number;
  /** Consecutive successes that make an unhealthy backend healthy. */
  readonly recoveryThreshold: number;
  /** Successes in a row that bring back even the one that flaps most. */
  readonly recoveryMax: number;
  /** After this much time without going down again, half of the counted flaps are forgiven. */
  readonly flapHalvingMs: number;
  /** Failures in a row after which the interval doubles with each further one. */
  readonly backoffAfter: number;
  readonly backoffMaxMs: number;
  /** Least time between two probes of one backend, whoever asks. */
  readonly minGapMs: number;
  /** Longest interval while a model is being loaded: an operator is waiting for that moment. */
  readonly warmingIntervalMs: number;
};

export const healthDefaults: HealthConfig = {
  intervalMs: 30_000,
  failureThreshold: 3,
  recoveryThreshold: 2,
  recoveryMax: 16,
  flapHalvingMs: 600_000,
  backoffAfter: 10,
  backoffMaxMs: 300_000,
  minGapMs: 1_000,
  warmingIntervalMs: 5_000,
};

/** A peer that asks for more patience than this is asked again all the same. */
export const retryAfterMaxMs = 3_600_000;

/** What the checker keeps of one backend. It holds no status. */
export type ProbeRun = {
  readonly failures: number;
  readonly successes: number;
  /** Times it went from healthy to unhealthy, as of `flappedAt`; time forgives them by halves. */
  readonly flaps: number;
  readonly flappedAt: number;
  /** Undefined until the first probe has ended. */
  readonly lastProbeAt: number | undefined;
  readonly nextProbeAt: number;
  /** Traffic reported a failure while a probe was under way; that probe may be older news. */
  readonly askedMeanwhile: boolean;
  readonly phase: 'waiting' | 'probing';
};

/** The registry's view at the moment of the step. */
export type SeenStatus = Pick<Backend, 'status' | 'statusReason' | 'lastError' | 'approved'>;

/** What a probe learned about a live backend; undefined members keep what is known. */
export type ProbeFacts = {
  readonly latencyMs: number;
  readonly models: readonly Model[] | undefined;
  /** Concurrent requests it can work on. */
  readonly capacity: number | undefined;
  readonly metadata: Readonly<Record<string, string>> | undefined;
  readonly runtime: readonly ModelRuntime[] | undefined;
  /** Alive, but every slot is taken. */
  readonly busy: boolean;
};

/** Chance and position come in from outside. */
export type Pace = {
  /** -0.1 to 0.1: share of the delay added to it. */
  readonly jitter: number;
  /** Above 0, at most 1: share of the first interval; spreads the probes after the common start. */
  readonly stagger: number;
};

export type HealthEvent =
  | { readonly type: 'ProbeStarted' }
  | { readonly type: 'ProbeSucceeded'; readonly facts: ProbeFacts; readonly pace: Pace }
  | { readonly type: 'ProbeFailed'; readonly words: string; readonly pace: Pace }
  | { readonly type: 'ModelLoading'; readonly pace: Pace }
  | { readonly type: 'RateLimited'; readonly retryAfterMs: number; readonly pace: Pace }
  | { readonly type: 'ConfigurationRefused'; readonly words: string; readonly pace: Pace }
  /** A request could not connect, or a stream broke: look at once. */
  | { readonly type: 'ConnectFailedInTraffic' }
  /** A request succeeded, or the backend was announced again: look at once. */
  | { readonly type: 'NewsOfLife' }
  /** An operator asked and waits for the answer. */
  | { readonly type: 'ProbeDemanded' }
  /** Approved, resumed after a drain, or changed: what was counted says nothing any more. */
  | { readonly type: 'StartedAfresh' };

/** What the registry is to write. Members that are undefined keep what is there. */
export type ProbeOutcome = {
  readonly status: BackendStatus;
  readonly statusReason: StatusReason | undefined;
  readonly lastError: string | undefined;
  /** Present on success only. */
  readonly facts: ProbeFacts | undefined;
};

export type HealthEffect = { readonly type: 'ApplyProbe'; readonly outcome: ProbeOutcome };

export type HealthStep = { readonly run: ProbeRun; readonly effects: readonly HealthEffect[] };

/** A run for a backend that was just added: its first probe is due at once. */
export function newProbeRun(nowMs: number): ProbeRun {
  return {
    failures: 0,
    successes: 0,
    flaps: 0,
    flappedAt: nowMs,
    lastProbeAt: undefined,
    nextProbeAt: nowMs,
    askedMeanwhile: false,
    phase: 'waiting',
  };
}

/** Flaps beyond this are not counted: nothing grows any more. */
const flapsMax = 16;

/** Flaps that still count: half of them are forgiven with each `flapHalvingMs` of calm. */
export function standingFlaps(run: ProbeRun, nowMs: number, config: HealthConfig): number {
  const halvings = Math.floor(saturatingDifference(nowMs, run.flappedAt) / config.flapHalvingMs);
  return Math.floor(run.flaps / 2 ** Math.min(halvings, 32));
}

/**
 * Successes in a row that make an unhealthy backend healthy: the threshold, doubled for every flap
 * after the first, at most `recoveryMax` (or the threshold where that is higher).
 */
export function recoveryNeeded(run: ProbeRun, nowMs: number, config: HealthConfig): number {
  const doublings = saturatingDifference(standingFlaps(run, nowMs, config), 1);
  const ceiling = Math.max(config.recoveryMax, config.recoveryThreshold);
  return Math.min(config.recoveryThreshold * 2 ** doublings, ceiling);
}

/** The interval after `failures` failures in a row, without jitter. */
export function probeIntervalMs(failures: number, config: HealthConfig): number {
  const ceiling = Math.max(config.backoffMaxMs, config.intervalMs);
  return backoff(config.intervalMs, saturatingDifference(failures, config.backoffAfter), ceiling);
}

/** The share of the first interval for backend `index` of `count`: evenly spread, >= 100 ms apart. */
export function staggerShare(index: number, count: number, intervalMs: number): number {
  assert(count >= 1, `stagger over ${count} backends`);
  const slots = Math.max(1, Math.min(count, Math.floor(intervalMs / 100)));
  return ((index % slots) + 1) / slots;
}

/** When the next probe is due, or undefined while one is under way. */
export function nextDeadline(run: ProbeRun): number | undefined {
  return run.phase === 'waiting' ? run.nextProbeAt : undefined;
}

function soon(run: ProbeRun, nowMs: number, config: HealthConfig): number {
  return run.lastProbeAt === undefined ? nowMs : Math.max(nowMs, run.lastProbeAt + config.minGapMs);
}

function delayMs(run: ProbeRun, baseMs: number, pace: Pace, config: HealthConfig): number {
  assert(pace.jitter >= -0.1 && pace.jitter <= 0.1, `jitter ${pace.jitter}`);
  assert(pace.stagger > 0 && pace.stagger <= 1, `stagger ${pace.stagger}`);
  const share = run.lastProbeAt === undefined ? pace.stagger : 1 + pace.jitter;
  return Math.max(config.minGapMs, Math.trunc(baseMs * share));
}

/** The run after a probe ended at `nowMs` with these counts. */
function ended(
  run: ProbeRun,
  counts: { readonly failures: number; readonly successes: number },
  waitMs: number,
  nowMs: number,
  config: HealthConfig,
): ProbeRun {
  assert(counts.failures === 0 || counts.successes === 0, 'I1: one run at a time');
  const wait = run.askedMeanwhile ? config.minGapMs : waitMs;
  return {
    ...run,
    ...counts,
    lastProbeAt: nowMs,
    nextProbeAt: nowMs + wait,
    askedMeanwhile: false,
    phase: 'waiting',
  };
}

function statusAfterSuccess(
  status: BackendStatus,
  successes: number,
  needed: number,
): BackendStatus {
  if (status === 'unhealthy') return successes >= needed ? 'healthy' : 'unhealthy';
  return status === 'unknown' ? 'healthy' : status;
}

function statusAfterFailure(
  status: BackendStatus,
  failures: number,
  config: HealthConfig,
): BackendStatus {
  if (status === 'healthy') return failures >= config.failureThreshold ? 'unhealthy' : 'healthy';
  return status === 'unknown' ? 'unhealthy' : status;
}

/** The outcome, made to keep I2 and I3 and the mark of a backend that nobody approved yet. */
function outcomeOf(
  seen: SeenStatus,
  status: BackendStatus,
  reason: StatusReason | undefined,
  lastError: string | undefined,
  facts?: ProbeFacts,
): HealthEffect {
  const isDraining = seen.status === 'draining';
  const written = isDraining ? 'draining' : status;
  assert(isDraining === (written === 'draining'), 'I2: probes do not drain');
  return {
    type: 'ApplyProbe',
    outcome: {
      status: written,
      statusReason: isDraining
        ? seen.statusReason
        : (reason ?? (seen.approved ? undefined : 'pending_approval')),
      lastError: written === 'healthy' ? undefined : lastError,
      facts,
    },
  };
}

function onSuccess(
  run: ProbeRun,
  seen: SeenStatus,
  event: Extract<HealthEvent, { type: 'ProbeSucceeded' }>,
  nowMs: number,
  config: HealthConfig,
): HealthStep {
  const counts = { failures: 0, successes: run.successes + 1 };
  const status = statusAfterSuccess(
    seen.status,
    counts.successes,
    recoveryNeeded(run, nowMs, config),
  );
  // One success on the way back to healthy does not take the cause from the operator's eyes.
  const lastError = seen.status === 'draining' ? undefined : seen.lastError;
  const isRecovering = status === 'unhealthy' && seen.statusReason === 'config_error';
  const reason = event.facts.busy ? 'busy' : isRecovering ? 'config_error' : undefined;
  const wait = delayMs(run, config.intervalMs, event.pace, config);
  return {
    run: ended(run, counts, wait, nowMs, config),
    effects: [outcomeOf(seen, status, reason, lastError, event.facts)],
  };
}

function onFailure(
  run: ProbeRun,
  seen: SeenStatus,
  failure: { readonly words: string; readonly isConfiguration: boolean; readonly pace: Pace },
  nowMs: number,
  config: HealthConfig,
): HealthStep {
  const counts = { failures: run.failures + 1, successes: 0 };
  // A refused credential is no flap: repeating it twice more would only fail more requests.
  const status = failure.isConfiguration
    ? 'unhealthy'
    : statusAfterFailure(seen.status, counts.failures, config);
  const base = probeIntervalMs(counts.failures, config);
  const wait = Math.min(
    delayMs(run, base, failure.pace, config),
    Math.max(config.backoffMaxMs, config.intervalMs),
  );
  const reason = failure.isConfiguration ? 'config_error' : undefined;
  const hasFlapped = seen.status === 'healthy' && status === 'unhealthy';
  const flaps = Math.min(flapsMax, standingFlaps(run, nowMs, config) + 1);
  const counted = hasFlapped ? { ...run, flaps, flappedAt: nowMs } : run;
  return {
    run: ended(counted, counts, wait, nowMs, config),
    effects: [outcomeOf(seen, status, reason, failure.words)],
  };
}

/** Neither success nor failure (I6). */
function onPause(
  run: ProbeRun,
  seen: SeenStatus,
  pause: { readonly reason: 'warming' | 'rate_limited'; readonly waitMs: number },
  nowMs: number,
  config: HealthConfig,
): HealthStep {
  const counts = { failures: run.failures, successes: run.successes };
  return {
    run: ended(run, counts, pause.waitMs, nowMs, config),
    effects: [outcomeOf(seen, 'unknown', pause.reason, undefined)],
  };
}

/**
 * Pure: the same run, view, event and time give the same step. Results for a run that is not
 * probing are a caller's bug; words from traffic are welcome at any time.
 */
export function stepHealth(
  run: ProbeRun,
  seen: SeenStatus,
  event: HealthEvent,
  nowMs: number,
  config: HealthConfig,
): HealthStep {
  switch (event.type) {
    case 'ProbeStarted':
      assert(run.phase === 'waiting', 'one outstanding probe per backend');
      return { run: { ...run, phase: 'probing', askedMeanwhile: false }, effects: [] };
    case 'ConnectFailedInTraffic':
      if (run.phase === 'probing') return { run: { ...run, askedMeanwhile: true }, effects: [] };
      return {
        run: { ...run, nextProbeAt: Math.min(run.nextProbeAt, soon(run, nowMs, config)) },
        effects: [],
      };
    case 'NewsOfLife': {
      // The back-off starts over: if this probe fails too, the next one is an ordinary interval away.
      const failures = Math.min(run.failures, config.backoffAfter);
      if (run.phase === 'probing') return { run: { ...run, failures }, effects: [] };
      const nextProbeAt = Math.min(run.nextProbeAt, soon(run, nowMs, config));
      return { run: { ...run, failures, nextProbeAt }, effects: [] };
    }
    case 'StartedAfresh': {
      const fresh = { ...run, failures: 0, successes: 0, flaps: 0 };
      if (run.phase === 'probing') return { run: { ...fresh, askedMeanwhile: true }, effects: [] };
      return { run: { ...fresh, nextProbeAt: soon(run, nowMs, config) }, effects: [] };
    }
    case 'ProbeDemanded':
      // Whoever asks while a probe is under way gets the answer of that one.
      if (run.phase === 'probing') return { run, effects: [] };
      return { run: { ...run, nextProbeAt: Math.min(run.nextProbeAt, nowMs) }, effects: [] };
    default:
      assert(run.phase === 'probing', `${event.type} without a probe under way`);
      return stepResult(run, seen, event, nowMs, config);
  }
}

type ResultEvent = Exclude<
  HealthEvent,
  {
    type:
      | 'ProbeStarted'
      | 'ConnectFailedInTraffic'
      | 'NewsOfLife'
      | 'ProbeDemanded'
      | 'StartedAfresh';
  }
>;

function stepResult(
  run: ProbeRun,
  seen: SeenStatus,
  event: ResultEvent,
  nowMs: number,
  config: HealthConfig,
): HealthStep {
  switch (event.type) {
    case 'ProbeSucceeded':
      return onSuccess(run, seen, event, nowMs, config);
    case 'ProbeFailed':
      return onFailure(run, seen, { ...event, isConfiguration: false }, nowMs, config);
    case 'ConfigurationRefused':
      return onFailure(run, seen, { ...event, isConfiguration: true }, nowMs, config);
    case 'ModelLoading': {
      const base = Math.min(config.intervalMs, config.warmingIntervalMs);
      const waitMs = delayMs(run, base, event.pace, config);
      return onPause(run, seen, { reason: 'warming', waitMs }, nowMs, config);
    }
    case 'RateLimited': {
      const asked = Math.min(retryAfterMaxMs, Math.max(0, event.retryAfterMs));
      const waitMs = Math.max(asked, delayMs(run, config.intervalMs, event.pace, config));
      return onPause(run, seen, { reason: 'rate_limited', waitMs }, nowMs, config);
    }
  }
}
