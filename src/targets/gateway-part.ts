// The gateway service, wired: threads, control server, live socket, figures.

import { mkdtempSync, rmSync } from 'node:fs';
import { getCompileCacheDir } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Secret } from '../base/secret.ts';
import type { Loaded } from '../config/load.ts';
import type { Configuration } from '../config/options.ts';
import type { EndedRequests } from '../core/policy/ended-requests.ts';
import type { RoutingSettings } from '../core/routing/snapshot.ts';
import { attemptKey } from '../core/security/rules.ts';
import type { PlainSketch } from '../core/statistics/sketch-plain.ts';
import type { ControlRoute } from '../io/http/control-route.ts';
import type { Logger } from '../io/log/logger.ts';
import type { SealedSegment } from '../io/segments/segment-writer.ts';
import type { Arena } from '../io/shared-memory/arena.ts';
import type { SharedCounts } from '../io/shared-memory/shared-counts.ts';
import { clearBoard, WaitingBoard } from '../io/shared-memory/waiting-board.ts';
import type { DecisionWire, LiveUpdate, OverviewWire } from '../protocol/control/schemas.ts';
import { allocatorRoutes } from '../services/allocator/allocator-routes.ts';
import { analyticsRoutes } from '../services/analytics/analytics-routes.ts';
import type { AuthAudit } from '../services/audit/auth-audit.ts';
import { Authenticator } from '../services/gateway/authenticator.ts';
import { ControlServer } from '../services/gateway/control-server.ts';
import type { JournalReport, JournalSettings } from '../services/gateway/decision-journal.ts';
import { gatewayRoutes } from '../services/gateway/gateway-routes.ts';
import { LiveSocket } from '../services/gateway/live-socket.ts';
import type { Serving } from '../services/gateway/messages.ts';
import { type Attention, overviewOf } from '../services/gateway/overview.ts';
import type { ServiceBoard } from '../services/gateway/service-board.ts';
import type { ShadowReport } from '../services/gateway/shadow-ticket.ts';
import { StaticFiles } from '../services/gateway/static-files.ts';
import { noticeOf, ThreadDesk } from '../services/gateway/thread-desk.ts';
import { ThreadPool } from '../services/gateway/thread-pool.ts';
import { Traffic } from '../services/gateway/traffic.ts';
import type { Identity } from '../services/identity/identity.ts';
import { identityRoutes } from '../services/identity/identity-routes.ts';
import type { HealthAlerts } from '../services/notifications/health-alerts.ts';
import { backendList, backendRoutes } from '../services/routing/backend-routes.ts';
import { isRoutable, statusWords } from '../services/routing/backend-view.ts';
import type { BreakerPart } from './breaker-part.ts';
import { monotonicMs, now, nowSeconds } from './clock.ts';
import { configRoutes, type Reloaded } from './config-routes.ts';
import { gatewaySettings, type TlsPair } from './gateway-settings.ts';
import type { LimitPart } from './limit-part.ts';
import { ProcessMetrics, type TrustFigures } from './process-metrics.ts';
import type { RoutingPart } from './routing-part.ts';
import type { UsagePart } from './usage-part.ts';

export type GatewayPartOptions = {
  readonly config: Configuration;
  readonly port: number;
  readonly arena: Arena;
  readonly counts: SharedCounts;
  readonly pepper: Secret;
  readonly identity: Identity;
  readonly audit: AuthAudit;
  readonly routing: RoutingPart;
  readonly breakers: BreakerPart;
  readonly usage: UsagePart;
  readonly limits: LimitPart;
  readonly board: ServiceBoard;
  readonly log: Logger;
  readonly build: string;
  readonly controlSocketFolder: string;
  readonly dashboardFolder: string | undefined;
  readonly configurationFile: string | undefined;
  readonly loaded: () => Loaded;
  /** Those in force. */
  readonly routingSettings: () => RoutingSettings;
  /** The pair in force. */
  readonly tls: () => TlsPair | undefined;
  readonly reload: () => Reloaded;
  readonly serving: () => Serving;
  readonly isStopping: () => boolean;
  readonly isDatabaseThere: () => Promise<boolean>;
  readonly alerts: HealthAlerts;
  readonly onKeyUsed: (keyId: string, unixSeconds: number) => void;
  /** How the threads write the decision log; undefined when none is kept. */
  readonly decisions: JournalSettings | undefined;
  readonly snapshotDigest: () => string;
  /** Sends the threads what they have not heard of the fleet yet. */
  readonly settleTargets: () => void;
  /** What requests of one thread came to, for the serving mode. */
  readonly onOutcomes: (counts: EndedRequests) => void;
  /** What copies of requests came to on one thread. */
  readonly onShadows: (report: ShadowReport | undefined) => void;
  /** Metrics of what is not wired here. */
  readonly metricsText: () => string;
  /** First tokens of interactive streams on one thread. */
  readonly onFirstTokens: (seen: PlainSketch | undefined) => void;
  readonly onJournal: (stream: string, report: JournalReport) => void;
  readonly onSealed: (sealed: SealedSegment) => void;
  /** What wants a person besides backends and services. */
  readonly notices: () => readonly Attention[];
  readonly newestDecisions: (limit: number) => Promise<readonly DecisionWire[]>;
  readonly trustFigures: () => TrustFigures;
  /** Routes of the services that are not wired here. */
  readonly routes: () => readonly ControlRoute[];
};

const liveEveryMs = 1000;
/** The path of a Unix socket may have about 107 bytes. */
const socketPathMax = 100;
/** A longer update is not sent; the dashboard reads the lists instead, this often at most. */
const updateBytesMax = 65_536;
const resyncEveryMs = 10_000;

export type BackendBriefs = {
  readonly id: string;
  readonly routable: boolean;
  readonly status: string;
  readonly approved: boolean;
  readonly simulated: boolean;
  readonly statusWords: string;
  readonly models: readonly string[];
};

export type GatewayPart = {
  readonly controlSocket: string;
  readonly pool: ThreadPool;
  readonly traffic: Traffic;
  briefs(): readonly BackendBriefs[];
  pushBackends(): void;
  start(): Promise<void>;
  stop(): Promise<void>;
};

/** In the data directory where that is short enough, else in a private folder of its own. */
function controlSocketPath(folder: string): { readonly path: string; readonly owned?: string } {
  const path = join(folder, 'control.sock');
  if (Buffer.byteLength(path) <= socketPathMax) return { path };
  const owned = mkdtempSync(join(tmpdir(), 'tensorforge-'));
  return { path: join(owned, 'control.sock'), owned };
}

export function gatewayPart(options: GatewayPartOptions): GatewayPart {
  const { config, arena, counts, identity, audit, routing, board, log } = options;
  const { fleet } = routing;
  const startedMs = monotonicMs();
  const socket = controlSocketPath(options.controlSocketFolder);
  const traffic = new Traffic();
  const live = new LiveSocket();
  const metrics = new ProcessMetrics();
  const build = `tensorforge/${options.build}`;
  let liveTimer: NodeJS.Timeout | undefined;
  let isWatched = false;

  const briefs = (): BackendBriefs[] =>
    fleet.listBackends().map((backend) => ({
      id: backend.id,
      routable: isRoutable(backend),
      status: backend.status,
      approved: backend.approved,
      simulated: backend.simulated,
      statusWords: statusWords(backend, now()),
      models: backend.models.map((model) => model.id),
    }));
  const uptimeSeconds = (): number => Math.floor((monotonicMs() - startedMs) / 1000);
  const overview = (): OverviewWire =>
    overviewOf({
      now: now(),
      uptimeSeconds: uptimeSeconds(),
      inFlight: arena.inFlight(),
      backends: briefs(),
      alerts: options.alerts.standing(),
      notices: options.notices(),
      traffic,
    });
  const backendsUpdate = (): LiveUpdate => ({
    update_type: 'BackendStatus',
    data: backendList(fleet, now()),
  });
  let resyncedMs = Number.NEGATIVE_INFINITY;
  const broadcast = (update: LiveUpdate): void => {
    if (!live.hasClients) return;
    if (JSON.stringify(update).length <= updateBytesMax) {
      live.broadcast(update);
    } else if (monotonicMs() - resyncedMs >= resyncEveryMs) {
      resyncedMs = monotonicMs();
      live.broadcast({ update_type: 'Resync', data: {} });
    }
  };

  const settings = gatewaySettings(config, {
    port: options.port,
    controlSocket: socket.path,
    build,
    tls: options.tls(),
    decisions: options.decisions,
  });
  const desk = ThreadDesk.create(config.server.threads, now());
  const waiting = WaitingBoard.create(config.server.threads);
  const pool = new ThreadPool({
    arena,
    startOf: (thread) => ({
      thread,
      settings: { ...settings, tls: options.tls() },
      arena: arena.parts,
      counts: counts.buffer,
      desk: desk.parts,
      spend: options.usage.block,
      spendRules: options.usage.rules(),
      limits: options.limits.shares(),
      ...options.breakers.shares,
      waiting,
      pepper: options.pepper.reveal(),
      keys: identity.records,
      version: fleet.version,
      targets: fleet.targets(),
      routing: options.routingSettings(),
      isWatched,
      snapshotDigest: options.snapshotDigest(),
      serving: options.serving(),
      compileCache: getCompileCacheDir(),
    }),
    onReport: (report) => {
      traffic.add(report, nowSeconds());
      options.usage.note(report.usage);
      options.limits.note(report.usage);
      options.onOutcomes(report.outcomes);
      options.onFirstTokens(report.firstToken);
      options.onShadows(report.shadows);
      if (report.journal !== undefined) options.onJournal(`t${report.thread}`, report.journal);
      for (const [model, requests] of report.served) routing.served(model, now(), requests);
      for (const [id, seconds] of report.lastUsed) options.onKeyUsed(id, seconds);
      if (report.rejections.length > 0) audit.note(report.rejections);
      if (report.decisions.length === 0) return;
      broadcast({
        update_type: 'RequestComplete',
        data: { decisions: report.decisions.slice(-20) },
      });
    },
    onApplied: (thread, version) => routing.applied(thread, version),
    onBreaker: options.breakers.told,
    onNotices: () => {
      const ids = new Map(fleet.targets().map((target) => [noticeOf(target), target.id]));
      for (const notice of desk.takeUnreachable()) {
        const id = ids.get(notice);
        if (id !== undefined) routing.checker.passiveFailure(id);
      }
    },
    release: (thread) => {
      desk.release(thread);
      options.usage.release(thread);
      options.limits.limits.release(thread);
      clearBoard(waiting, thread);
    },
    onSealed: options.onSealed,
    onTrouble: (thread, words) => log.error({ thread }, words),
    onDied: (thread, words, reclaimed) => {
      routing.threadGone(thread);
      options.breakers.threadDied();
      log.error({ thread, reclaimed }, `a gateway thread died and is started again: ${words}`);
    },
  });

  /** Tells the threads whether somebody looks on live, when that has changed. */
  const watch = (): void => {
    if (isWatched === live.hasClients) return;
    isWatched = live.hasClients;
    pool.broadcast({ type: 'watch', isWatched });
  };
  const rejected = (address: string, path: string, reason: string): number => {
    if (desk.mayAudit(now())) audit.note([{ address, path, reason, count: 1 }]);
    return counts.rejectionDelaySeconds(
      attemptKey(address, path),
      nowSeconds(),
      config.limits.authAttemptsPerMinute,
    );
  };
  const backendsApplied = (): Promise<void> => {
    options.settleTargets();
    return pool.flush();
  };
  const backendCounts = () => {
    const all = fleet.listBackends();
    return { total: all.length, healthy: all.filter(isRoutable).length, models: fleet.modelCount };
  };
  const stats = () => ({
    uptime_seconds: uptimeSeconds(),
    requests: {
      total: traffic.totals.total,
      success: traffic.totals.succeeded,
      errors: traffic.totals.failed,
    },
    backends: fleet.listBackends().map((backend) => {
      const figures = fleet.counters(backend.id);
      return {
        id: backend.id,
        name: backend.name,
        requests: figures.totalRequests,
        average_latency_ms: figures.avgLatencyMs,
        pending: figures.pendingRequests,
        ...(figures.firstByteSamples === 0 ? {} : { avg_ttft_ms: figures.firstByteMs }),
      };
    }),
    models: [...new Set(fleet.listBackends().flatMap((b) => b.models.map((model) => model.id)))],
    budget: options.usage.budget(),
  });
  const control: ControlServer = new ControlServer({
    socketPath: socket.path,
    bodyBytesMax: config.server.controlBodyBytes,
    routes: [
      ...gatewayRoutes({
        board,
        traffic,
        backends: backendCounts,
        overview,
        stats,
        newestDecisions: options.newestDecisions,
        flush: () => pool.flush(),
        processMetrics: async () =>
          options.usage.metricsText() +
          options.metricsText() +
          (await metrics.text({
            backends: fleet.listBackends().map((backend) => ({
              id: backend.id,
              isHealthy: isRoutable(backend),
              pending: fleet.counters(backend.id).pendingRequests,
            })),
            models: fleet.modelCount,
            connections: arena.openConnections(),
            queueDepth: arena.queueDepth(),
            appliedVersions: routing.appliedVersions(),
            buildVersion: options.build,
            trust: options.trustFigures(),
            breakers: options.breakers.figures(),
          })),
        isMetricsPublic: config.metrics.public,
        isDatabaseThere: options.isDatabaseThere,
        isStopping: options.isStopping,
        openapi: () => control.openapi(),
      }),
      ...backendRoutes({ fleet, operator: routing.operator, now, applied: backendsApplied }),
      ...identityRoutes({
        applied: () => pool.flush(),
        identity,
        nowSeconds,
        rejected: (address) => rejected(address, '/api/v1/session', 'sign_in'),
      }),
      ...allocatorRoutes(),
      ...analyticsRoutes({
        now,
        flush: () => pool.flush(),
        recent: (seconds) => traffic.recent(seconds, nowSeconds()),
        firstByte: (seconds) => traffic.firstByte(seconds, nowSeconds()),
        services: () => board.list(),
        alerts: () => options.alerts.standing(),
      }),
      ...routing.routes(),
      ...options.routes(),
      ...configRoutes({
        current: options.loaded,
        file: options.configurationFile,
        reload: options.reload,
      }),
    ],
    files: new StaticFiles(config.dashboard.enabled ? options.dashboardFolder : undefined),
    authenticator: new Authenticator({
      keys: identity.keys,
      sessionKey: (cookie) => identity.sessionKey(cookie),
      nowSeconds,
      rejected,
      onKeyUsed: options.onKeyUsed,
    }),
    build: options.build,
    limitHeaders: (principal) => options.limits.limits.headersOf(principal),
    onSocket: (request, stream, head) => {
      live.accept(request, stream, head, {
        snapshots: () => [backendsUpdate(), { update_type: 'Overview', data: overview() }],
        caughtUp: () => {
          watch();
          return pool.written();
        },
      });
    },
    onStoreAway: (words) => log.warn({ error: words }, 'control requests cannot be served'),
    onFault: (error, path) => {
      const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
      log.error({ path, error: words }, 'a control request failed');
    },
  });

  return {
    controlSocket: socket.path,
    pool,
    traffic,
    briefs,
    pushBackends: () => broadcast(backendsUpdate()),
    async start() {
      await control.start();
      await pool.start(config.server.threads);
      liveTimer = setInterval(() => {
        watch();
        if (!live.hasClients) return;
        broadcast({ update_type: 'Overview', data: overview() });
        broadcast(backendsUpdate());
      }, liveEveryMs);
    },
    async stop() {
      clearInterval(liveTimer);
      live.close();
      await pool.terminate();
      await control.close();
      if (socket.owned !== undefined) rmSync(socket.owned, { recursive: true, force: true });
    },
  };
}
