// Metrics of the process and the fleet in the Prometheus text format, by prom-client.

import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

export type FleetFigures = {
  readonly backends: readonly {
    readonly id: string;
    readonly isHealthy: boolean;
    readonly pending: number;
  }[];
  readonly models: number;
  readonly connections: number;
  /** Requests that wait for a backend. */
  readonly queueDepth: number;
  /** Version of the fleet that each gateway thread decides on. */
  readonly appliedVersions: ReadonlyMap<number, number>;
  readonly buildVersion: string;
  readonly trust: TrustFigures;
  readonly breakers: BreakerFigures;
};

type BreakerFigure = {
  readonly backend: string;
  /** Empty for the breaker of the whole backend. */
  readonly model: string;
  /** 0 closed, 1 half open, 2 open. */
  readonly state: number;
};

/** Figures of circuit breakers. */
export type BreakerFigures = {
  readonly backends: readonly BreakerFigure[];
  /** Those of single models that are not closed. */
  readonly models: readonly BreakerFigure[];
  /** Since the start, by the state that they led to. */
  readonly transitions: Readonly<Record<string, number>>;
};

/** Figures of serving mode and decision log. */
export type TrustFigures = {
  /** 0 for normal to 3 for halted. */
  readonly modeIndex: number;
  /** Since the start, over all streams. */
  readonly decisionRecords: number;
  readonly decisionsDropped: number;
  /** Bytes that the decision log takes on disk. */
  readonly decisionBytes: number;
};

export class ProcessMetrics {
  readonly #registry = new Registry();
  readonly #total: Gauge;
  readonly #healthy: Gauge;
  readonly #models: Gauge;
  readonly #pending: Gauge;
  readonly #connections: Gauge;
  readonly #queueDepth: Gauge;
  readonly #applied: Gauge;
  readonly #build: Gauge;
  readonly #mode: Gauge;
  readonly #decisionRecords: Gauge;
  readonly #decisionsDropped: Gauge;
  readonly #decisionBytes: Gauge;
  readonly #breakers: Gauge;
  readonly #breakerMoves: Counter;

  constructor() {
    const registers = [this.#registry];
    const gauge = (name: string, help: string, labelNames: string[] = []): Gauge =>
      new Gauge({ name: `tensorforge_${name}`, help, labelNames, registers });
    collectDefaultMetrics({ register: this.#registry });
    this.#total = gauge('backends_total', 'Backends registered.');
    this.#healthy = gauge('backends_healthy', 'Backends that take requests.');
    this.#models = gauge('models_available', 'Distinct models that backends list.');
    this.#pending = gauge('pending_requests', 'Requests a backend works on.', ['backend']);
    this.#connections = gauge('client_connections', 'Open client connections.');
    this.#queueDepth = gauge('queue_depth', 'Requests that wait for a backend.');
    this.#applied = gauge(
      'applied_fleet_version',
      'Version of the fleet that a gateway thread decides on.',
      ['thread'],
    );
    this.#mode = gauge('serving_mode', 'Serving mode in force: 0 normal to 3 halted.');
    this.#decisionRecords = gauge('decision_log_records', 'Decision records made since the start.');
    this.#decisionsDropped = gauge(
      'decision_log_dropped_records',
      'Decision records that the disk could not take, since the start.',
    );
    this.#decisionBytes = gauge('decision_log_bytes', 'Disk that the decision log takes.');
    this.#breakers = gauge(
      'breaker_state',
      'Circuit breaker of a backend, or of a model on it where that is not closed: 0 closed, 1 half open, 2 open.',
      ['backend', 'model'],
    );
    this.#breakerMoves = new Counter({
      name: 'tensorforge_breaker_transitions_total',
      help: 'Transitions of circuit breakers, by the state that they led to.',
      labelNames: ['to'],
      registers,
    });
    this.#build = gauge('build_info', 'Always 1; the label is the version.', ['version']);
  }

  text(figures: FleetFigures): Promise<string> {
    this.#total.set(figures.backends.length);
    this.#healthy.set(figures.backends.filter((backend) => backend.isHealthy).length);
    this.#models.set(figures.models);
    this.#connections.set(figures.connections);
    this.#queueDepth.set(figures.queueDepth);
    this.#build.set({ version: figures.buildVersion }, 1);
    this.#mode.set(figures.trust.modeIndex);
    this.#decisionRecords.set(figures.trust.decisionRecords);
    this.#decisionsDropped.set(figures.trust.decisionsDropped);
    this.#decisionBytes.set(figures.trust.decisionBytes);
    this.#breakers.reset();
    for (const { state, ...labels } of [...figures.breakers.backends, ...figures.breakers.models]) {
      this.#breakers.set(labels, state);
    }
    this.#breakerMoves.reset();
    for (const [to, count] of Object.entries(figures.breakers.transitions)) {
      this.#breakerMoves.inc({ to }, count);
    }
    this.#applied.reset();
    for (const [thread, version] of figures.appliedVersions) {
      this.#applied.set({ thread: String(thread) }, version);
    }
    this.#pending.reset();
    for (const { id, pending } of figures.backends) this.#pending.set({ backend: id }, pending);
    return this.#registry.metrics();
  }
}
