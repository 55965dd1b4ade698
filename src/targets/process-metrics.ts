// Metrics of the process and the fleet in the Prometheus text format, by prom-client.

import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

export type FleetFigures = {
  readonly backends: readonly {
    readonly id: string;
    readonly isHealthy: boolean;
    readonly pending: number;
  }[];
  readonly models: number;
  readonly connections: number;
  /** Version of the fleet that each gateway thread decides on. */
  readonly appliedVersions: ReadonlyMap<number, number>;
  readonly buildVersion: string;
  readonly trust: TrustFigures;
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
  readonly #applied: Gauge;
  readonly #build: Gauge;
  readonly #mode: Gauge;
  readonly #decisionRecords: Gauge;
  readonly #decisionsDropped: Gauge;
  readonly #decisionBytes: Gauge;

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
    this.#build = gauge('build_info', 'Always 1; the label is the version.', ['version']);
  }

  text(figures: FleetFigures): Promise<string> {
    this.#total.set(figures.backends.length);
    this.#healthy.set(figures.backends.filter((backend) => backend.isHealthy).length);
    this.#models.set(figures.models);
    this.#connections.set(figures.connections);
    this.#build.set({ version: figures.buildVersion }, 1);
    this.#mode.set(figures.trust.modeIndex);
    this.#decisionRecords.set(figures.trust.decisionRecords);
    this.#decisionsDropped.set(figures.trust.decisionsDropped);
    this.#decisionBytes.set(figures.trust.decisionBytes);
    this.#applied.reset();
    for (const [thread, version] of figures.appliedVersions) {
      this.#applied.set({ thread: String(thread) }, version);
    }
    this.#pending.reset();
    for (const { id, pending } of figures.backends) this.#pending.set({ backend: id }, pending);
    return this.#registry.metrics();
  }
}
