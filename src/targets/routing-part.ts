// The routing service, wired: fleet, health checker, operator, discovery, simulated engines.

import type { OwnListener } from '../base/backend-url.ts';
import { elapsedWords } from '../base/duration-words.ts';
import { refuseAddress } from '../base/network-address.ts';
import { seededRandom } from '../base/random.ts';
import { Secret } from '../base/secret.ts';
import type { Configuration } from '../config/options.ts';
import type { BreakerGate } from '../core/backends/breaker-gate.ts';
import { sameEndpoint } from '../core/backends/discovered.ts';
import { ReplicaLag } from '../core/routing/replica-lag.ts';
import type { ControlRoute } from '../io/http/control-route.ts';
import { createProbeClient } from '../io/http/probe/probe-client.ts';
import type { Logger } from '../io/log/logger.ts';
import { ownAddressReader } from '../io/mdns/own-addresses.ts';
import type { Sql } from '../io/postgres/connection.ts';
import type { ControlEvents } from '../io/postgres/control-events.ts';
import type { Arena } from '../io/shared-memory/arena.ts';
import type { Attention } from '../services/gateway/overview.ts';
import { detectType } from '../services/routing/adapters/detect-type.ts';
import { createProbeBackend } from '../services/routing/adapters/probe-backend.ts';
import { createScrapeBackend } from '../services/routing/adapters/scrape-backend.ts';
import { explainRoute, StatusChronicle } from '../services/routing/backend-reasons.ts';
import { statusWords } from '../services/routing/backend-view.ts';
import type { PortReport } from '../services/routing/discovery.ts';
import { Fleet, type FleetDelta, type StatusMoved } from '../services/routing/fleet.ts';
import { postgresFleetStore } from '../services/routing/fleet-store.ts';
import { HealthChecker } from '../services/routing/health-checker.ts';
import { LoadScraper } from '../services/routing/load-scraper.ts';
import { ObservedEvents } from '../services/routing/observed-events.ts';
import { FleetOperator } from '../services/routing/operator.ts';
import { type Clock, monotonicMs, now } from './clock.ts';
import { discoveryPart } from './discovery-part.ts';
import {
  allConfiguredFacts,
  insertKnown,
  insertSimulated,
  reconcileConfigured,
} from './fleet-start.ts';
import { lifecyclePart } from './lifecycle-part.ts';
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
  /** Models that a backend no longer lists. */
  readonly onModelsGone: (id: string, models: readonly string[]) => void;
  readonly describeBreaker: (id: string, models: readonly string[]) => BreakerGate | undefined;
  readonly onProbe: (isGood: boolean) => void;
  /** Resolves when the gateway threads act on what was changed before. */
  readonly settled: () => Promise<void>;
  /** An operation on a model began, moved on or ended. */
  readonly onOperation: () => void;
};

/** What a start heard on the usual ports and which simulated engines it started. */
export type FleetStart = {
  readonly heard: readonly PortReport[];
  readonly simulated: readonly string[];
};

/** The first verdicts are part of being ready, but one slow backend must not hold the start. */
const firstVerdictsMs = 1000;
/** A thread whose copy of the fleet is further behind than this is told to people. */
const lagMaxMs = 1000;

export type RoutingPart = {
  readonly fleet: Fleet;
  readonly checker: HealthChecker;
  readonly operator: FleetOperator;
  /** A gateway thread has applied that version of the fleet. */
  applied(thread: number, version: number): void;
  threadGone(thread: number): void;
  /** Version of the fleet that each gateway thread decides on. */
  appliedVersions(): ReadonlyMap<number, number>;
  notices(): readonly Attention[];
  /** Routes beside those of the backends themselves. */
  routes(): readonly ControlRoute[];
  /** Requests of a model went to a backend. */
  served(modelId: string, atMs: number, requests: number): void;
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
  const chronicle = new StatusChronicle();
  const ownAddresses = ownAddressReader(monotonicMs);
  const lag = new ReplicaLag();
  const observed = new ObservedEvents({
    append: async (events) => {
      await options.sql.begin((tx) => options.events.append(tx, events));
    },
    now,
    after: clock.after,
    onFailed: (error) =>
      log.warn({ error: String(error) }, 'observations of backends could not be written yet'),
    onLost: (events) => log.error({ events }, 'observations of backends were let go unwritten'),
  });
  const fleet = new Fleet(
    options.arena,
    {
      onDelta: (delta) => {
        lag.published(delta.version, monotonicMs());
        options.onDelta(delta);
      },
      onStatus: ({ before, after }) => {
        const facts = { backend: after.id, from: before.status, to: after.status };
        const isBad = after.status === 'unhealthy';
        log[isBad ? 'warn' : 'info'](facts, statusWords(after, now()));
        chronicle.moved(before, after, now());
        observed.statusMoved({ before, after });
        options.onStatus({ before, after });
      },
      onProbe: options.onProbe,
      onModels: (moved) => {
        observed.modelsMoved(moved);
        const present = new Set(moved.after.models.map(({ id }) => id));
        const gone = moved.before.models.map(({ id }) => id).filter((id) => !present.has(id));
        if (gone.length > 0) options.onModelsGone(moved.after.id, gone);
      },
      onRebuilt: (faults) => log.error({ faults }, 'the model index was wrong and was made anew'),
    },
    now,
    {
      loadMaxAgeMs: 3000 * Math.max(1, config.healthCheck.loadSeconds),
      sameEndpoint: (a, b) => sameEndpoint(a, b, ownAddresses()),
    },
  );
  const client = createProbeClient({
    monotonicMs,
    mayContact: (address) => refuseAddress(address) === undefined,
  });
  const readCredential = (name: string): Secret | undefined => {
    const value = process.env[name];
    return value === undefined ? undefined : new Secret(value);
  };
  const probe = createProbeBackend({
    client,
    timeoutMs: config.healthCheck.timeoutSeconds * 1000,
    readCredential,
    modelOverrides: config.discovery.modelFacts,
  });
  const scraper = new LoadScraper({
    listBackends: () => fleet.listBackends(),
    setLoad: (id, load) => fleet.setLoad(id, load),
    clock,
    random: seededRandom(now()),
    scrape: createScrapeBackend({ client, readCredential }),
    intervalMs: config.healthCheck.loadSeconds * 1000,
    onReaderError: (id, error) =>
      log.error({ backend: id, error: String(error) }, 'a reading of load failed'),
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
  const lifecycle = lifecyclePart({
    config,
    sql: options.sql,
    events: options.events,
    log,
    clock,
    fleet,
    applied: options.settled,
    refresh: (id) => void checker.probeNow(id).catch(() => undefined),
    onChange: options.onOperation,
  });
  let simulated: SimulatedEngines | undefined;

  const discovery = discoveryPart({
    config,
    fleet,
    client,
    probe,
    clock,
    log,
    ownListeners: options.ownListeners,
    ownAddresses,
    sync,
    probeNow: (id) => checker.probeNow(id),
  });

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
    applied(thread, version) {
      fleet.acknowledged(thread, version);
      lag.applied(thread, version);
    },
    threadGone(thread) {
      fleet.threadGone(thread);
      lag.gone(thread);
    },
    appliedVersions: () => lag.versions(),
    notices: () =>
      lag.lagging(monotonicMs(), lagMaxMs).map(({ thread, version, behindMs }) => ({
        level: 'bad',
        words: `gateway thread ${thread} decides on version ${version} of the fleet, ${elapsedWords(behindMs)} behind`,
        action: 'tensorforge doctor',
      })),
    served: lifecycle.served,
    routes: () => [
      ...lifecycle.routes(),
      explainRoute({
        fleet,
        chronicle,
        now,
        describeProbes: (id) => (config.healthCheck.enabled ? checker.describe(id) : undefined),
        describeBreaker: options.describeBreaker,
      }),
    ],
    async start() {
      const obsolete = insertKnown(fleet, config, await store.load(), options.ownListeners());
      for (const row of obsolete) await store.forget(row.id);
      const heard = await discovery.start();
      const wanted =
        config.simulate === 'auto' ? fleet.listBackends().length === 0 : config.simulate;
      if (wanted) {
        simulated = await startSimulatedEngines();
        insertSimulated(fleet, simulated.engines);
      }
      await lifecycle.start();
      if (config.healthCheck.enabled) await firstVerdicts();
      scraper.start();
      return { heard, simulated: simulated?.engines.map((engine) => engine.name) ?? [] };
    },
    async stop() {
      await discovery.stop();
      await lifecycle.stop();
      await scraper.stop();
      await checker.stop();
      await observed.stop();
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
