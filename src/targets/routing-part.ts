// The routing service, wired: fleet, health checker, operator, discovery, simulated engines.

import type { OwnListener } from '../base/backend-url.ts';
import { refuseAddress } from '../base/network-address.ts';
import { seededRandom } from '../base/random.ts';
import { Secret } from '../base/secret.ts';
import type { Configuration } from '../config/options.ts';
import { createProbeClient } from '../io/http/probe/probe-client.ts';
import type { Logger } from '../io/log/logger.ts';
import type { Sql } from '../io/postgres/connection.ts';
import type { ControlEvents } from '../io/postgres/control-events.ts';
import type { Arena } from '../io/shared-memory/arena.ts';
import { detectType } from '../services/routing/adapters/detect-type.ts';
import { createProbeBackend } from '../services/routing/adapters/probe-backend.ts';
import { statusWords } from '../services/routing/backend-view.ts';
import { type PortReport, scanLoopback } from '../services/routing/discovery.ts';
import { Fleet, type FleetDelta, type StatusMoved } from '../services/routing/fleet.ts';
import { postgresFleetStore } from '../services/routing/fleet-store.ts';
import { HealthChecker } from '../services/routing/health-checker.ts';
import { FleetOperator } from '../services/routing/operator.ts';
import { type Clock, monotonicMs, now } from './clock.ts';
import {
  allConfiguredFacts,
  insertFound,
  insertKnown,
  insertSimulated,
  reconcileConfigured,
} from './fleet-start.ts';
import { type SimulatedEngines, startSimulatedEngines } from './simulated-engines.ts';

export type RoutingPartOptions = {
  readonly config: Configuration;
  readonly arena: Arena;
  readonly sql: Sql;
  readonly events: ControlEvents;
  readonly log: Logger;
  readonly clock: Clock;
  readonly ownListeners: () => readonly OwnListener[];
  readonly onDelta: (delta: FleetDelta) => void;
  readonly onStatus: (moved: StatusMoved) => void;
  readonly onProbe: (isGood: boolean) => void;
};

/** What a start heard on the usual ports and which simulated engines it started. */
export type FleetStart = {
  readonly heard: readonly PortReport[];
  readonly simulated: readonly string[];
};

/** The first verdicts are part of being ready, but one slow backend must not hold the start. */
const firstVerdictsMs = 1000;

export type RoutingPart = {
  readonly fleet: Fleet;
  readonly checker: HealthChecker;
  readonly operator: FleetOperator;
  start(): Promise<FleetStart>;
  stop(): Promise<void>;
  /**
   * Checks a configuration that was read again and returns what brings the configured backends in
   * line with it. Throws `config_invalid` and changes nothing when it does not hold.
   */
  prepare(config: Configuration): () => void;
};

export function routingPart(options: RoutingPartOptions): RoutingPart {
  const { config, log, clock } = options;
  const fleet = new Fleet(
    options.arena,
    {
      onDelta: options.onDelta,
      onStatus: ({ before, after }) => {
        const facts = { backend: after.id, from: before.status, to: after.status };
        const isBad = after.status === 'unhealthy';
        log[isBad ? 'warn' : 'info'](facts, statusWords(after, now()));
        options.onStatus({ before, after });
      },
      onProbe: options.onProbe,
    },
    now,
  );
  const client = createProbeClient({
    monotonicMs,
    mayContact: (address) => refuseAddress(address) === undefined,
  });
  const probe = createProbeBackend({
    client,
    timeoutMs: config.healthCheck.timeoutSeconds * 1000,
    readCredential: (name) => {
      const value = process.env[name];
      return value === undefined ? undefined : new Secret(value);
    },
  });
  const checker = new HealthChecker({
    registry: fleet,
    clock,
    probe,
    random: seededRandom(now()),
    config: config.healthCheck,
    onAdapterError: (id, error) => {
      log.error({ backend: id, error: String(error) }, 'a probe adapter failed');
    },
  });
  const sync = (): void => {
    if (config.healthCheck.enabled) checker.sync();
  };
  const store = postgresFleetStore(options.sql, options.events, now);
  const operator = new FleetOperator({
    fleet,
    store,
    ownListeners: options.ownListeners,
    detect: (url) => detectType(client, url),
    probeNow: (id) => checker.probeNow(id),
    sync,
  });
  let simulated: SimulatedEngines | undefined;

  const discover = async (): Promise<readonly PortReport[]> => {
    if (!config.discovery.enabled) return [];
    const heard = await scanLoopback({
      client,
      probe,
      monotonicMs,
      ports: config.discovery.ports,
      ownPorts: options.ownListeners().map((listener) => listener.port),
      ownUid: process.getuid?.() ?? 0,
    });
    insertFound(fleet, heard);
    return heard;
  };

  const firstVerdicts = async (): Promise<void> => {
    checker.sync();
    const probes = fleet
      .listBackends()
      .map((backend) => checker.probeNow(backend.id).catch(() => undefined));
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise((resolve) => {
      timer = setTimeout(resolve, firstVerdictsMs);
    });
    await Promise.race([Promise.all(probes), patience]);
    clearTimeout(timer);
  };

  return {
    fleet,
    checker,
    operator,
    async start() {
      const obsolete = insertKnown(fleet, config, await store.load(), options.ownListeners());
      for (const row of obsolete) await store.forget(row.id);
      const heard = await discover();
      const wanted =
        config.simulate === 'auto' ? fleet.listBackends().length === 0 : config.simulate;
      if (wanted) {
        simulated = await startSimulatedEngines();
        insertSimulated(fleet, simulated.engines);
      }
      if (config.healthCheck.enabled) await firstVerdicts();
      return { heard, simulated: simulated?.engines.map((engine) => engine.name) ?? [] };
    },
    async stop() {
      await checker.stop();
      await simulated?.stop();
    },
    prepare(next) {
      const wanted = allConfiguredFacts(next, options.ownListeners());
      return () => {
        reconcileConfigured(fleet, wanted);
        sync();
      };
    },
  };
}
