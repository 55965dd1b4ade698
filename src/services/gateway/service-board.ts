// The thirteen services of one process: started so that each finds what it depends on, stopped in
// reverse, and asked for their health.

import { hasQuorum } from '../../core/resilience/health-quorum.ts';
import { topologicalOrder } from '../../core/topology/contracts.ts';
import type { ServiceDefinition } from '../../core/topology/service-catalog.ts';
import {
  gatewayHealth,
  type RecentWork,
  type ServiceHealth,
  type ServiceState,
  serviceHealth,
  serviceQuorumFraction,
} from '../../core/topology/service-health.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';

/** What a service does at its start and end, and what it did lately. */
export type ServiceLife = {
  readonly start?: () => Promise<void>;
  readonly stop?: () => Promise<void>;
  readonly recent?: () => RecentWork;
};

const idle: RecentWork = { requests: 0, errors: 0, performance: 1 };

type Entry = {
  readonly definition: ServiceDefinition;
  readonly life: ServiceLife;
  state: ServiceState;
};

export class ServiceBoard {
  readonly #entries: readonly Entry[];
  readonly #startedMs: number;
  readonly #monotonicMs: () => number;
  readonly #build: string;

  /** Throws `config_invalid`, naming the services, on a cycle or an unknown dependency. */
  constructor(
    definitions: readonly ServiceDefinition[],
    lives: Readonly<Record<string, ServiceLife>>,
    options: { readonly monotonicMs: () => number; readonly build: string },
  ) {
    const order = topologicalOrder(definitions);
    if (!order.ok) throw new TensorForgeError('config_invalid', order.error.message);
    const byId = new Map(definitions.map((definition) => [definition.id, definition]));
    this.#entries = order.value.map((id) => ({
      definition: byId.get(id) as ServiceDefinition,
      life: lives[id] ?? {},
      state: 'starting',
    }));
    this.#monotonicMs = options.monotonicMs;
    this.#startedMs = options.monotonicMs();
    this.#build = options.build;
  }

  get order(): readonly string[] {
    return this.#entries.map((entry) => entry.definition.id);
  }

  get isReady(): boolean {
    return this.#entries.every((entry) => entry.state === 'active');
  }

  async start(): Promise<void> {
    for (const entry of this.#entries) {
      await entry.life.start?.();
      entry.state = 'active';
    }
  }

  drain(): void {
    for (const entry of this.#entries) if (entry.state === 'active') entry.state = 'draining';
  }

  /** In reverse order; a service that fails to stop does not keep the others running. */
  async stop(onError: (id: string, error: unknown) => void): Promise<void> {
    for (const entry of [...this.#entries].reverse()) {
      try {
        await entry.life.stop?.();
      } catch (error) {
        onError(entry.definition.id, error);
      }
      entry.state = 'stopped';
    }
  }

  #healthOf(entry: Entry): ServiceHealth {
    return serviceHealth(entry.state, entry.life.recent?.() ?? idle);
  }

  #wire(entry: Entry, health: ServiceHealth) {
    return {
      service: entry.definition.id,
      status: health.status,
      level: health.level,
      state: health.state,
      version: entry.definition.version,
      build: this.#build,
      uptime_seconds: Math.floor((this.#monotonicMs() - this.#startedMs) / 1000),
      health_score: health.healthScore,
    };
  }

  /** One service; undefined for an unknown id. */
  health(id: string) {
    const entry = this.#entries.find((candidate) => candidate.definition.id === id);
    return entry === undefined ? undefined : this.#wire(entry, this.#healthOf(entry));
  }

  /** Every service with its place in the topology. */
  list() {
    return this.#entries.map((entry) => ({
      ...this.#wire(entry, this.#healthOf(entry)),
      depends_on: [...entry.definition.dependencies],
      port: entry.definition.port ?? null,
    }));
  }

  /** The gateway's own answer to `/health`: its figures, its backends', and all services. */
  gateway(backends: { readonly total: number; readonly healthy: number; readonly models: number }) {
    const statuses = this.list();
    const own = this.#entries.find((entry) => entry.definition.id === 'gateway') as Entry;
    const health = gatewayHealth(this.#healthOf(own), backends);
    return {
      ...this.#wire(own, health),
      backends: {
        total: backends.total,
        healthy: backends.healthy,
        unhealthy: backends.total - backends.healthy,
      },
      models: backends.models,
      services: Object.fromEntries(statuses.map(({ service, status }) => [service, status])),
      quorum: hasQuorum(
        statuses.map(({ status, state }) => status !== 'unhealthy' && state === 'active'),
        serviceQuorumFraction,
      ),
    };
  }
}
