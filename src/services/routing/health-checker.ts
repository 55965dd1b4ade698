// The one health checker: decides by core/backends/health.ts, asks by the adapters, writes to the
// registry. It keeps run counts and times, no status.
//
// Invariants
//   H1  At most one outstanding probe per backend, at most `concurrency` in all.
//   H2  One timer, set to the earliest deadline; none while nothing waits.
//   H3  A result is applied only to the very backend it was asked of: one that was removed, or
//       removed and added again meanwhile, discards it.
//   H4  After `stop` nothing is written and no probe starts.
// Backends are read from the registry whenever a probe is due, so that adding and removing need no
// protocol; `sync` reads it now.

import type { BackendId } from '../../base/brand.ts';
import type { Random } from '../../base/random.ts';
import { Ring } from '../../base/ring.ts';
import type { Instant } from '../../base/time.ts';
import type { Backend } from '../../core/backends/backend.ts';
import {
  type HealthConfig,
  type HealthEvent,
  healthDefaults,
  newProbeRun,
  nextDeadline,
  type Pace,
  type ProbeOutcome,
  type ProbeRun,
  recoveryNeeded,
  staggerShare,
  stepHealth,
} from '../../core/backends/health.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import type { ProbeBackend } from './adapters/probe-backend.ts';
import type { ProbeResult } from './adapters/probe-result.ts';
import type { Clock, ProbeRegistry } from './ports.ts';

export type HealthCheckerConfig = {
  readonly intervalSeconds: number;
  readonly failureThreshold: number;
  readonly recoveryThreshold: number;
  /** Probes under way at the same time. */
  readonly concurrency: number;
};

export const healthCheckerDefaults: HealthCheckerConfig = {
  intervalSeconds: 30,
  failureThreshold: 3,
  recoveryThreshold: 2,
  concurrency: 256,
};

/** What one probe came to, told to whoever asked and to the log. */
export type ProbeReport = {
  readonly id: BackendId;
  readonly result: ProbeResult;
  readonly outcome: ProbeOutcome;
  readonly statusBefore: Backend['status'];
};

export type HealthCheckerOptions = {
  readonly registry: ProbeRegistry;
  readonly clock: Clock;
  readonly probe: ProbeBackend;
  readonly random: Random;
  readonly config?: Partial<HealthCheckerConfig>;
  /** Hears of every applied probe: transitions for the log, latencies for metrics. */
  readonly onReport?: (report: ProbeReport) => void;
  /** Hears of an adapter that threw, which is a bug of ours; the probe counts as failed. */
  readonly onAdapterError?: (id: BackendId, error: unknown) => void;
};

type Waiter = {
  readonly resolve: (report: ProbeReport) => void;
  readonly reject: (error: TensorForgeError) => void;
};

/** One watched backend. */
type Watched = {
  readonly id: BackendId;
  /** Its place among all that were ever watched: spreads the probes. */
  readonly order: number;
  /** The record when it was last looked at. */
  seen: Backend;
  run: ProbeRun;
  readonly waiters: Waiter[];
  readonly entries: Ring<ProbeEntry>;
};

/** One probe of the past, as people read it. */
export type ProbeEntry = {
  readonly at: Instant;
  readonly kind: ProbeResult['kind'];
  /** The class of a failure; empty for a good probe. */
  readonly words: string;
  readonly latencyMs: number | undefined;
  readonly status: Backend['status'];
};

/** What the checker knows of one backend. */
export type ProbeDescription = {
  readonly failures: number;
  readonly successes: number;
  readonly recoveryNeeded: number;
  /** ms until the next probe; undefined while one is under way. */
  readonly nextProbeInMs: number | undefined;
  /** Newest first. */
  readonly entries: readonly ProbeEntry[];
};

const entriesMax = 50;

/** A backend of the same id at another address or with another credential is another backend. */
function isSameServer(a: Backend, b: Backend): boolean {
  return a.url === b.url && a.backendType === b.backendType && a.apiKeyEnv === b.apiKeyEnv;
}

/** Approved or not, drained or not: a change starts the counts afresh. */
function standsAlike(a: Backend, b: Backend): boolean {
  return a.approved === b.approved && (a.status === 'draining') === (b.status === 'draining');
}

function wordsOf(result: ProbeResult): string {
  return result.kind === 'unhealthy' || result.kind === 'config_error' ? result.words : '';
}

function eventOf(result: ProbeResult, pace: Pace): HealthEvent {
  switch (result.kind) {
    case 'healthy': {
      const { models, capacity, version, metadata, runtime, busy } = result;
      // The arena keeps whole milliseconds.
      const latencyMs = Math.trunc(result.latencyMs);
      const known = version === undefined ? metadata : { ...metadata, version };
      return {
        type: 'ProbeSucceeded',
        facts: { latencyMs, models, capacity, metadata: known, runtime, busy: busy === true },
        pace,
      };
    }
    case 'unhealthy':
      return { type: 'ProbeFailed', words: result.words, pace };
    case 'loading':
      return { type: 'ModelLoading', pace };
    case 'rate_limited':
      return { type: 'RateLimited', retryAfterMs: result.retryAfterS * 1000, pace };
    case 'config_error':
      return { type: 'ConfigurationRefused', words: result.words, pace };
  }
}

export class HealthChecker {
  readonly #options: HealthCheckerOptions;
  readonly #health: HealthConfig;
  readonly #concurrency: number;
  readonly #watched = new Map<BackendId, Watched>();
  #watchedEver = 0;
  /** Outstanding probes; a removed backend's stays until it settles, so that the limit holds. */
  readonly #outstanding = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  #cancelTimer: (() => void) | undefined;

  constructor(options: HealthCheckerOptions) {
    const config = { ...healthCheckerDefaults, ...options.config };
    this.#options = options;
    this.#concurrency = config.concurrency;
    this.#health = {
      ...healthDefaults,
      intervalMs: config.intervalSeconds * 1000,
      failureThreshold: config.failureThreshold,
      recoveryThreshold: config.recoveryThreshold,
    };
  }

  /** How many backends are watched and how many probes are under way. */
  get load(): { readonly watched: number; readonly outstanding: number } {
    return { watched: this.#watched.size, outstanding: this.#outstanding.size };
  }

  /**
   * Reads the registry and starts what is due: new backends at once, all others by their time.
   * Call it to start, and after adding, removing, approving, draining or resuming a backend.
   */
  sync(): void {
    if (this.#stopping.signal.aborted) return;
    this.#readRegistry();
    this.#turn();
  }

  /** A request could not connect to it, or its stream broke: probes it at once. */
  passiveFailure(id: BackendId): void {
    this.#tell(id, { type: 'ConnectFailedInTraffic' });
  }

  /** A request to it succeeded, or it was announced again: ends its back-off. */
  passiveSuccess(id: BackendId): void {
    this.#tell(id, { type: 'NewsOfLife' });
  }

  /**
   * Probes now, or joins the probe under way, and tells what it came to. Rejects with
   * `backend_not_found` (also when it is removed meanwhile) and `shutting_down`.
   */
  probeNow(id: BackendId): Promise<ProbeReport> {
    if (this.#stopping.signal.aborted) return Promise.reject(shuttingDown());
    this.#readRegistry();
    const watched = this.#watched.get(id);
    if (watched === undefined) return Promise.reject(notFound(id));
    const { promise, resolve, reject } = Promise.withResolvers<ProbeReport>();
    watched.waiters.push({ resolve, reject });
    this.#tell(id, { type: 'ProbeDemanded' });
    return promise;
  }

  /** Undefined for a backend that is not watched. */
  describe(id: BackendId): ProbeDescription | undefined {
    const watched = this.#watched.get(id);
    if (watched === undefined) return undefined;
    const nowMs = this.#options.clock.monotonicMs();
    const deadline = nextDeadline(watched.run);
    return {
      failures: watched.run.failures,
      successes: watched.run.successes,
      recoveryNeeded: recoveryNeeded(watched.run, nowMs, this.#health),
      nextProbeInMs: deadline === undefined ? undefined : Math.max(0, deadline - nowMs),
      entries: watched.entries.toArray().reverse(),
    };
  }

  /** Ends all probes; resolves when the last one has let go of its socket. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    for (const watched of this.#watched.values()) settleAll(watched, shuttingDown());
    this.#watched.clear();
    await Promise.all(this.#outstanding);
  }

  #readRegistry(): void {
    const backends = this.#options.registry.listBackends();
    const present = new Set<BackendId>();
    const nowMs = this.#options.clock.monotonicMs();
    for (const backend of backends) {
      present.add(backend.id);
      this.#watch(backend, nowMs);
    }
    for (const [id, watched] of this.#watched) {
      if (present.has(id)) continue;
      this.#watched.delete(id);
      settleAll(watched, notFound(id));
    }
  }

  #watch(backend: Backend, nowMs: number): void {
    const watched = this.#watched.get(backend.id);
    if (watched?.seen === backend) return;
    if (watched === undefined || !isSameServer(watched.seen, backend)) {
      if (watched !== undefined) settleAll(watched, notFound(backend.id));
      this.#watched.set(backend.id, {
        id: backend.id,
        order: this.#watchedEver++,
        seen: backend,
        run: newProbeRun(nowMs),
        waiters: [],
        entries: new Ring(entriesMax),
      });
      return;
    }
    const isAlike = standsAlike(watched.seen, backend);
    watched.seen = backend;
    if (!isAlike) this.#step(watched, backend, { type: 'StartedAfresh' });
  }

  #tell(id: BackendId, event: HealthEvent): void {
    const watched = this.#watched.get(id);
    const backend = this.#options.registry.getBackend(id);
    if (watched === undefined || backend === undefined) return;
    this.#step(watched, backend, event);
    this.#turn();
  }

  #step(watched: Watched, backend: Backend, event: HealthEvent): ProbeOutcome | undefined {
    const nowMs = this.#options.clock.monotonicMs();
    const step = stepHealth(watched.run, backend, event, nowMs, this.#health);
    watched.run = step.run;
    for (const { outcome } of step.effects) {
      this.#options.registry.applyProbe(watched.id, outcome, this.#options.clock.now());
    }
    return step.effects[0]?.outcome;
  }

  /** Starts what is due while there is room, and sets the timer to what comes next. */
  #turn(): void {
    if (this.#stopping.signal.aborted) return;
    const nowMs = this.#options.clock.monotonicMs();
    // Without room, the rest starts when a running probe ends, which is a turn of its own.
    while (this.#outstanding.size < this.#concurrency) {
      const next = this.#first();
      const deadline = next === undefined ? undefined : nextDeadline(next.run);
      if (next === undefined || deadline === undefined || deadline > nowMs) {
        this.#setTimer(deadline === undefined ? undefined : deadline - nowMs);
        return;
      }
      const probing: Promise<void> = this.#probe(next).finally(() => {
        this.#outstanding.delete(probing);
        this.#turn();
      });
      this.#outstanding.add(probing);
    }
    this.#setTimer(undefined);
  }

  /** Whom someone waits for before whom has been due for longest; undefined when all are being probed. */
  #first(): Watched | undefined {
    let first: Watched | undefined;
    for (const watched of this.#watched.values()) {
      if (nextDeadline(watched.run) === undefined) continue;
      if (first === undefined || comesBefore(watched, first)) first = watched;
    }
    return first;
  }

  #setTimer(delayMs: number | undefined): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (delayMs === undefined) return;
    this.#cancelTimer = this.#options.clock.after(Math.max(0, delayMs), () => {
      this.#cancelTimer = undefined;
      this.sync();
    });
  }

  async #probe(watched: Watched): Promise<void> {
    const { registry, probe } = this.#options;
    const asked = registry.getBackend(watched.id);
    if (asked === undefined) return;
    this.#step(watched, asked, { type: 'ProbeStarted' });
    let result: ProbeResult;
    try {
      result = await probe(asked, this.#stopping.signal);
    } catch (error) {
      this.#options.onAdapterError?.(watched.id, error);
      result = { kind: 'unhealthy', words: 'agent error: probe broke', class: 'invalid_response' };
    }
    if (this.#stopping.signal.aborted) return;
    const present = registry.getBackend(watched.id);
    const isWatched = this.#watched.get(watched.id) === watched;
    if (present !== undefined && isWatched && isSameServer(asked, present)) {
      this.#conclude(watched, present, result);
    } else {
      // H3: news of somebody who is gone; whoever is there now is another backend.
      this.#readRegistry();
    }
  }

  #conclude(watched: Watched, present: Backend, result: ProbeResult): void {
    const outcome = this.#step(watched, present, eventOf(result, this.#pace(watched)));
    if (outcome === undefined) return;
    watched.entries.push({
      at: this.#options.clock.now(),
      kind: result.kind,
      words: wordsOf(result),
      latencyMs: result.kind === 'healthy' ? result.latencyMs : undefined,
      status: outcome.status,
    });
    const report = { id: watched.id, result, outcome, statusBefore: present.status };
    for (const waiter of watched.waiters.splice(0)) waiter.resolve(report);
    this.#options.onReport?.(report);
  }

  #pace({ order }: Watched): Pace {
    return {
      jitter: this.#options.random.nextUnit() * 0.2 - 0.1,
      stagger: staggerShare(order, this.#watched.size, this.#health.intervalMs),
    };
  }
}

function comesBefore(a: Watched, b: Watched): boolean {
  const isAwaited = a.waiters.length > 0;
  if (isAwaited !== b.waiters.length > 0) return isAwaited;
  return a.run.nextProbeAt < b.run.nextProbeAt;
}

function settleAll(watched: Watched, error: TensorForgeError): void {
  for (const waiter of watched.waiters.splice(0)) waiter.reject(error);
}

function notFound(id: BackendId): TensorForgeError {
  return new TensorForgeError('backend_not_found', `backend not found: ${id}`);
}

function shuttingDown(): TensorForgeError {
  return new TensorForgeError('shutting_down', 'The health checker is stopping.');
}
