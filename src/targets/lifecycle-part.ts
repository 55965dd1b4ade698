// Operations on models and advice on them, wired.

import { randomUUID } from 'node:crypto';
import { refuseAddress } from '../base/network-address.ts';
import { Secret } from '../base/secret.ts';
import type { Configuration } from '../config/options.ts';
import type { ControlRoute } from '../io/http/control-route.ts';
import { createLineClient } from '../io/http/probe/line-client.ts';
import { createProbeClient } from '../io/http/probe/probe-client.ts';
import type { Logger } from '../io/log/logger.ts';
import type { Sql } from '../io/postgres/connection.ts';
import type { ControlEvents } from '../io/postgres/control-events.ts';
import { demandStore } from '../io/postgres/demand-store.ts';
import { operationStore } from '../io/postgres/operation-store.ts';
import type { Fleet } from '../services/routing/fleet.ts';
import { FleetAdvice } from '../services/routing/fleet-advice.ts';
import type { LifecyclePorts } from '../services/routing/lifecycle-ports.ts';
import { LifecycleService } from '../services/routing/lifecycle-service.ts';
import { createModelControl } from '../services/routing/model-control/model-control.ts';
import { operationRoutes } from '../services/routing/operation-routes.ts';
import { type Clock, monotonicMs } from './clock.ts';

export type LifecyclePartOptions = {
  readonly config: Configuration;
  readonly sql: Sql;
  readonly events: ControlEvents;
  readonly log: Logger;
  readonly clock: Clock;
  readonly fleet: Fleet;
  /** Resolves when the gateway threads act on what was changed before. */
  readonly applied: () => Promise<void>;
  readonly refresh: LifecyclePorts['refresh'];
  readonly onChange: LifecyclePorts['onChange'];
};

export function lifecyclePart(options: LifecyclePartOptions) {
  const { config, sql, log, clock, fleet } = options;
  const clientOptions = {
    monotonicMs,
    mayContact: (address: string) => refuseAddress(address) === undefined,
  };
  const lifecycle = new LifecycleService({
    fleet,
    store: operationStore(sql, options.events),
    control: createModelControl({
      client: createProbeClient(clientOptions),
      postForLines: createLineClient(clientOptions),
      readCredential: (name) => {
        const value = process.env[name];
        return value === undefined ? undefined : new Secret(value);
      },
      lookMs: config.healthCheck.timeoutSeconds * 1000,
      after: clock.after,
    }),
    rules: config.lifecycle,
    clock,
    newId: randomUUID,
    // All requests of the backend: those of one model are not counted apart.
    inFlight: async (id) => fleet.counters(id).pendingRequests,
    applied: options.applied,
    refresh: options.refresh,
    onChange: options.onChange,
    onWarning: (words) => log.warn(words),
    onWriteFailed: (error) =>
      log.warn({ error: String(error) }, 'an operation on a model could not be written yet'),
  });
  const advice = new FleetAdvice({
    isEnabled: config.fleet.enabled,
    rules: { ...config.fleet, ...config.lifecycle },
    analysisIntervalMs: config.fleet.analysisIntervalSeconds * 1000,
    store: demandStore(sql),
    backends: () => fleet.listBackends(),
    clock,
    onFailed: (error) =>
      log.warn({ error: String(error) }, 'the demand of models could not be kept or read yet'),
    onWarning: (words) => log.warn(words),
  });
  return {
    served: (modelId: string, atMs: number, requests: number): void =>
      advice.served(modelId, atMs, requests),
    routes: (): readonly ControlRoute[] => operationRoutes({ lifecycle, advice }),
    /** After the backends are in the fleet, before requests are served. */
    async start(): Promise<void> {
      await lifecycle.start();
      await advice.start();
    },
    async stop(): Promise<void> {
      await lifecycle.stop();
      await advice.stop();
    },
  };
}
