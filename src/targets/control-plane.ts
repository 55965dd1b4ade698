// The composition root of `serve --target all`: every service in one process, wired by functions.
//
//   data directory locked -> port probed -> database migrated -> services in topological order
//   (gateway threads answer 503 `starting` until all are active) -> serving
//
// Stopping runs the other way: threads drain within their grace, services stop in reverse, the
// database closes, the lock is given back.

import { existsSync } from 'node:fs';
import { refuseAddress } from '../base/network-address.ts';
import type { Secret } from '../base/secret.ts';
import type { Loaded } from '../config/load.ts';
import { configurationView } from '../config/view.ts';
import { chainEvents } from '../core/events/control-event.ts';
import { modes } from '../core/policy/serving-mode.ts';
import { serviceCatalog } from '../core/topology/service-catalog.ts';
import { TensorForgeError } from '../errors/tensorforge-error.ts';
import { type DataDirectory, openDataDirectory } from '../io/files/data-directory.ts';
import { readSecretFile } from '../io/files/private-file.ts';
import { createLogger, type Logger } from '../io/log/logger.ts';
import { readOwnAddresses } from '../io/mdns/own-addresses.ts';
import { controlEvents } from '../io/postgres/control-events.ts';
import { type Database, openDatabase } from '../io/postgres/database.ts';
import { Arena } from '../io/shared-memory/arena.ts';
import { SharedCounts } from '../io/shared-memory/shared-counts.ts';
import { AuthAudit } from '../services/audit/auth-audit.ts';
import { strangersOn } from '../services/gateway/listener-guard.ts';
import type { Serving } from '../services/gateway/messages.ts';
import { ServiceBoard } from '../services/gateway/service-board.ts';
import { ToldModels } from '../services/gateway/told-models.ts';
import { Identity } from '../services/identity/identity.ts';
import { HealthAlerts } from '../services/notifications/health-alerts.ts';
import { isRoutable } from '../services/routing/backend-view.ts';
import { auditPart } from './audit-part.ts';
import { batchPart } from './batch-part.ts';
import { breakerPart } from './breaker-part.ts';
import { monotonicMs, now, nowSeconds, systemClock } from './clock.ts';
import type { Reloaded } from './config-routes.ts';
import { gatewayPart } from './gateway-part.ts';
import { readTls, routingSettings } from './gateway-settings.ts';
import { limitPart } from './limit-part.ts';
import { policyPart } from './policy-part.ts';
import { probePort } from './port-probe.ts';
import { resiliencePart } from './resilience-part.ts';
import { type FleetStart, routingPart } from './routing-part.ts';
import { shadowPart } from './shadow-part.ts';
import { usagePart } from './usage-part.ts';

export type ControlPlaneOptions = {
  readonly dataDirectory: string;
  readonly loaded: Loaded;
  /** Reads the configuration again, with the same flags. Throws `config_invalid` with all faults. */
  readonly reload: () => Loaded;
  readonly configurationFile: string | undefined;
  readonly dashboardFolder: string | undefined;
  readonly build: string;
};

/** What a start found out, for the first lines that a person reads. */
export type StartReport = FleetStart & {
  readonly url: string;
  readonly databaseWords: string;
  readonly threads: number;
  /** The address it listens on when that is not the one in the URL. */
  readonly listensOn: string | undefined;
  readonly backends: readonly {
    readonly id: string;
    readonly words: string;
    readonly models: readonly string[];
    readonly isRoutable: boolean;
  }[];
  /** The text of the first admin key, only at the start that made it. */
  readonly firstKey: Secret | undefined;
  readonly adminKeyFile: string;
  readonly hasAdminKeyFile: boolean;
};

export type ControlPlane = {
  readonly report: StartReport;
  readonly log: Logger;
  /** Resolves with words when it cannot go on: the database is lost, or threads keep dying. */
  readonly lost: Promise<string>;
  reload(): Reloaded;
  /** Drains within `graceMs`, stops everything; the number of requests that were cut. */
  stop(graceMs: number): Promise<number>;
};

const adminKeyFileName = 'admin.key';
const housekeepingEveryMs = 5000;

/** Options that take effect without a restart. */
const appliedLive =
  /^(routing\.(?!retry_budget)|quality\.|breaker\.ejected_percent$|budget\.|prices\.file$|backends$|logging\.level$)/;
const tlsPath = /^server\.tls_(cert|key)$/;

export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const directory = await openDataDirectory(options.dataDirectory);
  try {
    return await startIn(directory, options);
  } catch (error) {
    directory.release();
    throw error;
  }
}

async function startIn(
  directory: DataDirectory,
  options: ControlPlaneOptions,
): Promise<ControlPlane> {
  const { config } = options.loaded;
  const log = createLogger(config.logging);
  const port = await probePort(config.server.host, config.server.port);
  const database = await openDatabase({
    source:
      config.database.url === undefined
        ? { kind: 'embedded', directory }
        : { kind: 'url', url: config.database.url },
    maxConnections: config.database.maxConnections,
    log: (words) => log.debug(words),
  });
  try {
    return await startWith(directory, database, log, port, options);
  } catch (error) {
    await database.close();
    throw error;
  }
}

function pepperOf(directory: DataDirectory, file: string | undefined): Secret {
  if (file === undefined) return directory.secret('pepper', 32);
  const pepper = readSecretFile(file);
  if (pepper === undefined) {
    throw new TensorForgeError('config_invalid', `security.pepper_file: there is no file ${file}`);
  }
  return pepper;
}

function urlOf(host: string, port: number, isTls: boolean): string {
  const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `${isTls ? 'https' : 'http'}://${shown.includes(':') ? `[${shown}]` : shown}:${port}`;
}

async function startWith(
  directory: DataDirectory,
  database: Database,
  log: Logger,
  port: number,
  options: ControlPlaneOptions,
): Promise<ControlPlane> {
  let loaded = options.loaded;
  const { config } = loaded;
  let tls = readTls(config);
  let routingNow = routingSettings(config);
  let serving: Serving = 'starting';
  let stopping = false;
  let fleetStart: FleetStart = { heard: [], simulated: [] };
  let firstKey: Secret | undefined;
  const used = new Map<string, number>();

  const arena = Arena.create({ threads: config.server.threads });
  const counts = new SharedCounts();
  const pepper = pepperOf(directory, config.security.pepperFile);
  const events = controlEvents(chainEvents);
  const onAuditError = (error: unknown): void => {
    log.error({ error: String(error) }, 'rejected credentials could not be written to the audit');
  };
  const audit = new AuthAudit({ sql: database.sql, events, now, onError: onAuditError });
  const alerts = new HealthAlerts((event) => {
    log.warn({ alert: event.kind, ...event.data }, `${event.subject}: ${event.kind}`);
    database.sql
      .begin((tx) => events.append(tx, [event]))
      .catch((error: unknown) => {
        log.error({ error: String(error) }, 'an alert could not be written to the audit');
      });
  });
  const identity = new Identity({
    sql: database.sql,
    events,
    pepper,
    now,
    onKeys: (change) => {
      gateway.pool.broadcast({ type: 'keys', ...change });
      limits.limits.keysGone(change.remove);
    },
  });
  const told = new ToldModels();
  const resilience = await resiliencePart({
    config,
    dataFolder: directory.path,
    build: options.build,
    sql: database.sql,
    events,
    log,
    onTargets: (change) => gateway.pool.broadcast({ type: 'targets', ...told.shortened(change) }),
    flush: () => gateway.pool.flush(true),
    recent: {
      list: (limit) => gateway.traffic.decisions(limit),
      find: (id) => gateway.traffic.decision(id),
    },
  });
  const trail = auditPart({
    dataFolder: directory.path,
    sql: database.sql,
    events,
    log,
    decisions: () => resilience.verify(),
  });
  let isDatabaseAway = false;
  const policy = policyPart({
    config,
    arena,
    sql: database.sql,
    events,
    log,
    fleet: () => {
      const wanted = routing.fleet
        .listBackends()
        .filter(({ approved, status }) => approved && status !== 'draining');
      return {
        backends: {
          known: wanted.length,
          routable: wanted.filter((one) => isRoutable(one) && !breakers.isOpen(one.id)).length,
        },
        gateway: gateway.pool.size === 0 ? 1 : gateway.pool.serving / gateway.pool.size,
        databaseThere: !isDatabaseAway,
      };
    },
    record: resilience.record,
  });
  const breakers = breakerPart({
    config,
    sql: database.sql,
    events,
    log,
    fleet: () => routing.fleet.listBackends(),
    onOpened: policy.tripped,
  });
  const usage = usagePart({
    config,
    sql: database.sql,
    events,
    log,
    flush: () => gateway.pool.flush(),
  });
  const limits = limitPart({
    config,
    sql: database.sql,
    events,
    settleUsage: async () => {
      await gateway.pool.written();
      await usage.settled();
    },
    tell: (message) => {
      gateway.pool.broadcast(message);
      return gateway.pool.written();
    },
    onAlarm: usage.alarm,
  });
  const batches = batchPart({
    config,
    dataFolder: directory.path,
    sql: database.sql,
    events,
    log,
    keys: identity.keys,
    fleet: () => ({
      targets: routing.fleet.targets(),
      settings: routingSettings(loaded.config),
    }),
    servingMode: () => modes()[arena.servingModeIndex()] ?? 'normal',
    queueDepth: () => arena.queueDepth(),
    controlSocket: () => gateway.controlSocket,
    isStopping: () => stopping,
  });
  const shadows = shadowPart({
    sql: database.sql,
    log,
    config: () => loaded.config,
    flush: () => gateway.pool.flush(),
  });
  // Whoever listens on every address is met at each of them.
  const listensEverywhere = refuseAddress(config.server.host) === 'unspecified';
  const ownListeners = () =>
    [config.server.host, ...(listensEverywhere ? readOwnAddresses() : [])].map((address) => ({
      address,
      port,
    }));
  const routing = routingPart({
    config,
    arena,
    sql: database.sql,
    events,
    log,
    clock: systemClock,
    ownListeners,
    onDelta: (delta) => {
      resilience.publisher.changed(delta);
      breakers.backendsGone(delta.remove);
    },
    onModelsGone: breakers.modelsGone,
    describeBreaker: breakers.gateOf,
    onStatus: ({ before, after }) => {
      if (isRoutable(before) && after.status === 'unhealthy') policy.tripped(after.id);
      gateway.pushBackends();
    },
    onProbe: policy.probed,
    settled: () => {
      resilience.publisher.settle();
      return gateway.pool.flush();
    },
    onOperation: () => gateway.pushBackends(),
  });

  const reload = (): Reloaded => {
    const next = options.reload();
    // Everything that can refuse comes first; from `loaded = next` on nothing can.
    const applyBackends = routing.prepare(next.config);
    const nextTls = readTls(next.config);
    const spending = usage.prepare(next.config);
    const nextRouting = routingSettings(next.config);
    const before = configurationView(loaded.config);
    const after = configurationView(next.config);
    const changed = Object.keys(after).filter(
      (path) => JSON.stringify(before[path]) !== JSON.stringify(after[path]),
    );
    // The list may have changed in a file whose name has not.
    if (spending.hasNewPrices && !changed.includes('prices.file')) changed.push('prices.file');
    // A listener does not change between clear text and TLS while it runs.
    const isLive = (path: string): boolean =>
      appliedLive.test(path) || (tlsPath.test(path) && tls !== undefined && nextTls !== undefined);
    loaded = next;
    log.level = next.config.logging.level;
    applyBackends();
    routingNow = nextRouting;
    const snapshotDigest = resilience.publisher.reconfigured(nextRouting);
    gateway.pool.broadcast({ type: 'routing', routing: nextRouting, snapshotDigest });
    gateway.pool.broadcast({ type: 'spend', rules: spending.apply() });
    if (tls !== undefined && nextTls !== undefined) {
      tls = nextTls;
      gateway.pool.broadcast({ type: 'tls', ...nextTls });
    }
    const applied = changed.filter(isLive);
    const needsRestart = changed.filter((path) => !isLive(path));
    log.info({ applied, needs_restart: needsRestart }, 'configuration read again');
    return { applied, needsRestart, warnings: next.warnings };
  };

  const isDatabaseThere = async (): Promise<boolean> => {
    try {
      await database.sql`select 1`;
      isDatabaseAway = false;
    } catch {
      isDatabaseAway = true;
    }
    return !isDatabaseAway;
  };
  /** Services that cannot work without the database say so in their health. */
  const databaseWork = () => ({ requests: 1, errors: isDatabaseAway ? 1 : 0, performance: 1 });

  const board: ServiceBoard = new ServiceBoard(
    serviceCatalog(),
    {
      gateway: {
        start: async () => {
          await usage.start();
          await limits.limits.start();
          shadows.start();
          await batches.sweep();
          await gateway.start();
        },
        stop: async () => {
          await batches.stop();
          await gateway.stop();
          await shadows.stop();
          await usage.stop();
        },
        recent: () => ({ ...gateway.traffic.recent(60, nowSeconds()), performance: 1 }),
      },
      audit: {
        recent: databaseWork,
        stop: async () => {
          audit.sweep();
          await audit.settled();
          await trail.stop();
        },
      },
      policy: { recent: databaseWork, start: () => policy.start(), stop: () => policy.stop() },
      resilience: {
        start: async () => {
          resilience.start();
          await breakers.start();
        },
        stop: async () => {
          await breakers.stop();
          await resilience.stop();
        },
      },
      identity: {
        recent: databaseWork,
        start: async () => {
          firstKey = await identity.start();
          if (firstKey !== undefined)
            directory.writePrivate(adminKeyFileName, `${firstKey.reveal()}\n`);
          gateway.pool.broadcast({ type: 'keys', upsert: identity.records, remove: [] });
        },
        stop: async () => {
          await identity.touch(used);
        },
      },
      routing: {
        start: async () => {
          fleetStart = await routing.start();
        },
        stop: () => routing.stop(),
      },
    },
    { monotonicMs, build: options.build },
  );
  const gateway = gatewayPart({
    config,
    port,
    arena,
    counts,
    pepper,
    identity,
    audit,
    routing,
    breakers,
    usage,
    limits,
    board,
    log,
    build: options.build,
    controlSocketFolder: directory.path,
    dashboardFolder: options.dashboardFolder,
    configurationFile: options.configurationFile,
    loaded: () => loaded,
    routingSettings: () => routingNow,
    tls: () => tls,
    reload,
    serving: () => serving,
    isStopping: () => stopping,
    isDatabaseThere,
    alerts,
    decisions: resilience.settings,
    snapshotDigest: () => resilience.publisher.digest(),
    settleTargets: () => resilience.publisher.settle(),
    onOutcomes: policy.note,
    onFirstTokens: batches.saw,
    metricsText: batches.metricsText,
    onShadows: shadows.note,
    onJournal: resilience.reported,
    onSealed: resilience.sealed,
    notices: () => [
      ...routing.notices(),
      ...trail.notices(),
      ...policy.notices(),
      ...resilience.notices(),
      ...usage.notices(),
    ],
    newestDecisions: resilience.newest,
    trustFigures: () => ({ modeIndex: policy.modeIndex(), ...resilience.figures() }),
    routes: () => [
      ...policy.routes(),
      ...trail.routes(),
      ...resilience.routes(),
      ...breakers.routes(),
      ...usage.routes((principal) => limits.limits.viewsOf(principal)),
      ...limits.routes(),
      ...shadows.routes(),
      ...batches.routes(),
    ],
    onKeyUsed: (id, seconds) => used.set(id, seconds),
  });

  const setServing = (state: Serving): void => {
    if (serving === state) return;
    serving = state;
    if (state === 'open') resilience.publisher.open();
    gateway.pool.broadcast({ type: 'serve', state });
  };
  const guard = (): void => {
    const strangers = strangersOn(port);
    if (strangers > 0 && serving !== 'stranger') {
      log.fatal(
        { port, strangers },
        'another process listens on our port: nothing is served until it is gone',
      );
    }
    setServing(strangers > 0 ? 'stranger' : 'open');
  };

  await board.start().catch(async (error: unknown) => {
    await gateway.pool.terminate();
    await board.stop(() => {});
    throw error;
  });
  guard();
  trail.check();
  await batches.start();
  const housekeeping = setInterval(() => {
    guard();
    void isDatabaseThere();
    arena.beat(nowSeconds());
    alerts.evaluate(new Map(board.list().map((one) => [one.service, one.health_score])), now());
    audit.sweep();
    trail.sweep();
    if (used.size === 0) return;
    const batch = new Map(used);
    used.clear();
    identity.touch(batch).catch((error: unknown) => {
      for (const [id, seconds] of batch) if (!used.has(id)) used.set(id, seconds);
      log.warn({ error: String(error) }, 'when keys were last used could not be written yet');
    });
  }, housekeepingEveryMs);

  const url = urlOf(config.server.host, port, config.server.tlsCert !== undefined);
  directory.describe({ url, port });
  return {
    log,
    lost: Promise.race([
      database.lost.then((words) => `database lost: ${words}`),
      gateway.pool.lost,
    ]),
    reload,
    report: {
      ...fleetStart,
      url,
      databaseWords: `${database.kind === 'embedded' ? 'embedded ' : ''}PostgreSQL ${database.serverVersion}`,
      threads: config.server.threads,
      backends: gateway.briefs().map(({ id, statusWords, models, routable }) => ({
        id,
        words: statusWords,
        models,
        isRoutable: routable,
      })),
      listensOn: url.includes(config.server.host) ? undefined : config.server.host,
      firstKey,
      adminKeyFile: directory.file(adminKeyFileName),
      hasAdminKeyFile: existsSync(directory.file(adminKeyFileName)),
    },
    async stop(graceMs) {
      stopping = true;
      clearInterval(housekeeping);
      board.drain();
      const cut = await gateway.pool.drain(graceMs);
      await board.stop((id, error) =>
        log.error({ service: id, error: String(error) }, 'a service did not stop'),
      );
      await database.close();
      directory.release();
      return cut;
    },
  };
}
