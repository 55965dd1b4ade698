// What the gateway threads need of the configuration.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { Configuration } from '../config/options.ts';
import type { RoutingSettings } from '../core/routing/snapshot.ts';
import { TensorForgeError } from '../errors/tensorforge-error.ts';
import type { JournalSettings } from '../services/gateway/decision-journal.ts';
import type { GatewaySettings, WaitingSettings } from '../services/gateway/messages.ts';
import { readPrices } from './prices.ts';

/** Throws `config_invalid` where the strategy goes by prices and their file does not hold. */
export function routingSettings(config: Configuration): RoutingSettings {
  const { strategy } = config.routing;
  return {
    ...config.routing,
    quality: { ttftPenaltyMs: config.quality.ttftPenaltyThresholdMs },
    hardLimitAction: config.budget.hardLimitAction,
    ejectedPercent: config.breaker.ejectedPercent,
    prices: strategy === 'cost' ? readPrices(config).rules : [],
  };
}

/** The loopback names, the bound address and what the operator added; lower case. */
export function allowedHosts(config: Configuration, port: number): string[] {
  const { host } = config.server;
  const bound = host.includes(':') ? `[${host}]` : host;
  const loopback = ['localhost', '127.0.0.1', '[::1]'];
  const wildcard = host === '0.0.0.0' || host === '::';
  const own = wildcard ? [] : [bound, `${bound}:${port}`];
  return [...loopback, ...own, ...config.server.allowedHosts].map((name) => name.toLowerCase());
}

export type TlsPair = { readonly cert: string; readonly key: string };

/** The pair of the configuration, which fits together. Throws `config_invalid` when it does not. */
export function readTls(config: Configuration): TlsPair | undefined {
  const { tlsCert, tlsKey } = config.server;
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  try {
    const pair = { cert: readFileSync(tlsCert, 'utf8'), key: readFileSync(tlsKey, 'utf8') };
    // The context takes an empty text for a certificate, and the pair apart for a pair.
    const fits = new X509Certificate(pair.cert).checkPrivateKey(createPrivateKey(pair.key));
    if (!fits) throw new Error('the key does not belong to the certificate');
    createSecureContext(pair);
    return pair;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TensorForgeError(
      'config_invalid',
      `server.tls_cert ${tlsCert} and server.tls_key ${tlsKey} are no usable pair: ${why}`,
      { cause },
    );
  }
}

export function gatewaySettings(
  config: Configuration,
  bound: {
    readonly port: number;
    readonly controlSocket: string;
    readonly build: string;
    readonly tls: TlsPair | undefined;
    readonly decisions: JournalSettings | undefined;
  },
): GatewaySettings {
  const { server, upstream } = config;
  return {
    host: server.host,
    port: bound.port,
    reusePort: server.threads > 1,
    controlSocket: bound.controlSocket,
    allowedHosts: allowedHosts(config, bound.port),
    tls: bound.tls,
    trustedProxies: server.trustedProxies,
    tlsMinVersion: server.tlsMinVersion,
    behindTlsProxy: server.behindTlsProxy,
    build: bound.build,
    limits: {
      connections: server.connections,
      connectionsPerAddress: server.connectionsPerAddress,
      connectionsReserved: Math.floor(
        (server.connections * server.connectionsReservedPercent) / 100,
      ),
      concurrentRequests: server.maxConcurrentRequests,
      requestsPerKey: config.limits.keyConcurrency,
      authAttemptsPerMinute: config.limits.authAttemptsPerMinute,
      pipelined: server.pipelinedRequests,
      headBytes: server.headBytes,
      headLines: server.headLines,
      targetBytes: server.targetBytes,
      bodyBytes: server.bodyBytes,
      bodyChunks: server.bodyChunks,
      uploadBytes: config.limits.fileBytes + formBytes,
      bodyMinBytesPerSecond: server.bodyMinBytesPerSecond,
      json: {
        depth: server.jsonDepth,
        containers: server.jsonContainers,
        members: server.jsonMembers,
      },
      upstream: {
        idleSockets: upstream.idleSockets,
        headBytes: upstream.headBytes,
        interimAnswers: upstream.interimAnswers,
        eventBytes: upstream.eventBytes,
        bodyBytes: upstream.bodyBytes,
      },
    },
    timeouts: {
      headMs: server.headTimeoutSeconds * 1000,
      bodyMs: server.bodyTimeoutSeconds * 1000,
      bodyGraceMs: server.bodyGraceSeconds * 1000,
      keepAliveMs: server.keepAliveSeconds * 1000,
      slowReaderMs: server.slowReaderSeconds * 1000,
      checkMs: server.connectionCheckSeconds * 1000,
      connectMs: upstream.connectSeconds * 1000,
      firstByteMs: upstream.firstByteSeconds * 1000,
      idleMs: upstream.idleSeconds * 1000,
      totalMs: server.requestTimeoutSeconds * 1000,
    },
    queue: queueSettings(config),
    hedging: {
      afterMs: config.routing.hedgeAfterMs,
      budgetPercent: config.routing.hedgeBudgetPercent,
    },
    batching: config.batching.models,
    firstByteObjectiveMs: config.policy.firstByteMs,
    decisions: bound.decisions,
  };
}

function queueSettings({ queue }: Configuration): WaitingSettings {
  return {
    sizeMax: queue.enabled ? queue.maxSize : 0,
    waitMsMax: queue.maxWaitSeconds * 1000,
    ageingMs: queue.ageingSeconds * 1000,
    pingMs: queue.pingSeconds * 1000,
  };
}

/** What a form has beside its file. */
const formBytes = 65_536;
const mb = 1_000_000;

/** How the decision log is written; undefined when none is. */
export function journalSettings(
  { decisions }: Configuration,
  folder: string,
  program: string,
): JournalSettings | undefined {
  if (!decisions.enabled) return undefined;
  return {
    folder,
    program,
    segmentBytes: decisions.segmentMb * mb,
    queueBytes: decisions.queueMb * mb,
    onFull: decisions.onFull,
    sample: decisions.sample,
  };
}
