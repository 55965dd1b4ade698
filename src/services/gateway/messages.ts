// What the control thread and a gateway thread tell each other. Structure goes down as deltas with
// a version; figures come up as batched reports, never one message per request.

import type { EndedRequests } from '../../core/policy/ended-requests.ts';
import type { RoutingSettings, Target } from '../../core/routing/snapshot.ts';
import type { TargetsDelta } from '../../core/routing/snapshot-replica.ts';
import type { PlainSketch } from '../../core/statistics/sketch-plain.ts';
import type { UsageRow } from '../../core/usage/usage-sums.ts';
import type { KeyRecord } from '../../io/credentials/key-table.ts';
import type { SealedSegment } from '../../io/segments/segment-writer.ts';
import type { ArenaParts } from '../../io/shared-memory/arena.ts';
import type { WordBlock } from '../../io/shared-memory/shared-words.ts';
import type { BoardParts } from '../../io/shared-memory/waiting-board.ts';
import type { DecisionWire } from '../../protocol/control/schemas.ts';
import type { BreakerMoved, BreakerParts } from './breakers.ts';
import type { JournalReport, JournalSettings } from './decision-journal.ts';
import type { HedgingSettings } from './hedging.ts';
import type { RetryBudgetParts } from './retry-budget.ts';
import type { ShadowReport } from './shadow-ticket.ts';
import type { DeskParts } from './thread-desk.ts';
import type { LimitShares, ScopeLimit } from './thread-limits.ts';
import type { SpendRules } from './thread-spend.ts';

/** Models whose requests may go out together. */
export type BatchRule = {
  /** Glob of the models that serve. */
  readonly model: string;
  /** Items of a batch, 2 to 2048. */
  readonly maxBatchSize: number;
  readonly maxWaitMs: number;
};

/** How the queue is configured, times in ms. */
export type WaitingSettings = {
  /** Requests that wait at once, of all threads; 0 lets nobody wait. */
  readonly sizeMax: number;
  readonly waitMsMax: number;
  readonly ageingMs: number;
  readonly pingMs: number;
};

/** What a gateway thread is started with. Times in ms, sizes in bytes. */
export type GatewaySettings = {
  readonly host: string;
  readonly port: number;
  readonly reusePort: boolean;
  readonly controlSocket: string;
  readonly allowedHosts: readonly string[];
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly tlsMinVersion: '1.2' | '1.3';
  readonly behindTlsProxy: boolean;
  /** Addresses and networks whose x-forwarded-for is believed. */
  readonly trustedProxies: readonly string[];
  readonly build: string;
  readonly limits: {
    readonly connections: number;
    readonly connectionsPerAddress: number;
    /** Of all connections, those kept for clients that have shown a valid credential. */
    readonly connectionsReserved: number;
    readonly concurrentRequests: number;
    /** Inference requests of one key in flight at once; 0 sets no limit. */
    readonly requestsPerKey: number;
    /** Rejected credentials of one address in a minute that are answered 401. */
    readonly authAttemptsPerMinute: number;
    readonly pipelined: number;
    readonly headBytes: number;
    readonly headLines: number;
    readonly targetBytes: number;
    readonly bodyBytes: number;
    readonly bodyChunks: number;
    /** Of a form with a file for `/v1/files`. */
    readonly uploadBytes: number;
    readonly bodyMinBytesPerSecond: number;
    readonly json: {
      readonly depth: number;
      readonly containers: number;
      readonly members: number;
    };
    readonly upstream: {
      readonly idleSockets: number;
      readonly headBytes: number;
      readonly interimAnswers: number;
      readonly eventBytes: number;
      readonly bodyBytes: number;
    };
  };
  readonly timeouts: {
    readonly headMs: number;
    readonly bodyMs: number;
    /** Time before the speed of a body counts. */
    readonly bodyGraceMs: number;
    readonly keepAliveMs: number;
    readonly slowReaderMs: number;
    /** How often the time-outs of client connections are looked at. */
    readonly checkMs: number;
    readonly connectMs: number;
    readonly firstByteMs: number;
    readonly idleMs: number;
    readonly totalMs: number;
  };
  readonly queue: WaitingSettings;
  readonly hedging: HedgingSettings;
  /** Of the first rule whose model matches. */
  readonly batching: readonly BatchRule[];
  /** First byte within which a stream meets the service-level objective. */
  readonly firstByteObjectiveMs: number;
  readonly decisions: JournalSettings | undefined;
};

export type ThreadStart = {
  readonly thread: number;
  readonly settings: GatewaySettings;
  readonly arena: ArenaParts;
  readonly counts: SharedArrayBuffer;
  readonly desk: DeskParts;
  readonly breakers: BreakerParts;
  readonly retries: RetryBudgetParts;
  /** The month's spend. */
  readonly spend: WordBlock;
  readonly spendRules: SpendRules;
  readonly limits: LimitShares;
  readonly waiting: BoardParts;
  readonly pepper: string;
  readonly keys: readonly KeyRecord[];
  readonly version: number;
  readonly targets: readonly Target[];
  readonly routing: RoutingSettings;
  readonly isWatched: boolean;
  /** Names the snapshot of these targets and settings in decision records; empty until it opens. */
  readonly snapshotDigest: string;
  readonly serving: Serving;
  /** Folder of the compile cache; undefined without one. */
  readonly compileCache: string | undefined;
};

/** `stranger`: another process listens on our port, so nothing is served (ruling R8). */
export type Serving = 'starting' | 'open' | 'stranger';

export type ToThread =
  | ({ readonly type: 'targets'; readonly snapshotDigest: string } & TargetsDelta)
  | {
      readonly type: 'routing';
      readonly routing: RoutingSettings;
      readonly snapshotDigest: string;
    }
  | {
      readonly type: 'keys';
      readonly upsert: readonly KeyRecord[];
      readonly remove: readonly string[];
    }
  | { readonly type: 'spend'; readonly rules: SpendRules }
  /** All limits of keys, groups and the installation. */
  | { readonly type: 'limits'; readonly list: readonly ScopeLimit[] }
  | { readonly type: 'tls'; readonly cert: string; readonly key: string }
  | { readonly type: 'serve'; readonly state: Serving }
  /** Somebody looks on live: the newest decisions come with every report, else only when flushed. */
  | { readonly type: 'watch'; readonly isWatched: boolean }
  | { readonly type: 'drain'; readonly graceMs: number }
  /** Report now what there is, with the journal on disk where that is asked, then say `flushed`. */
  | { readonly type: 'flush'; readonly id: number; readonly withJournal: boolean };

/** A metric's delta since the last report: counter increments and histogram bucket increments. */
export type MetricDelta =
  | { readonly kind: 'counter'; readonly key: string; readonly value: number }
  /** What it is now, where that has changed; its labels name the thread. */
  | { readonly kind: 'gauge'; readonly key: string; readonly value: number }
  | {
      readonly kind: 'histogram';
      readonly key: string;
      readonly counts: readonly number[];
      readonly sum: number;
    };

export type ThreadReport = {
  readonly type: 'report';
  readonly thread: number;
  readonly finished: number;
  readonly failed: number;
  /** What the serving mode goes by. */
  readonly outcomes: EndedRequests;
  /** The log of this thread; undefined when none is kept. */
  readonly journal: JournalReport | undefined;
  /** First-byte latencies since the last report, ms; undefined without any. */
  readonly firstByte: PlainSketch | undefined;
  /** Those of streams alone, without lines of batches. */
  readonly firstToken: PlainSketch | undefined;
  readonly metrics: readonly MetricDelta[];
  /**
   * Newest decisions since they were told last, oldest first, at most 100. Empty while unwatched,
   * but for the answer to a flush where no log is kept.
   */
  readonly decisions: readonly DecisionWire[];
  /** Requests that went to a backend, by model. */
  readonly served: readonly (readonly [model: string, requests: number])[];
  /** What settled requests used. */
  readonly usage: readonly UsageRow[];
  readonly lastUsed: readonly (readonly [keyId: string, unixSeconds: number])[];
  readonly rejections: readonly AuthRejection[];
  /** What copies came to; undefined where none was made. */
  readonly shadows: ShadowReport | undefined;
};

export type AuthRejection = {
  readonly address: string;
  readonly path: string;
  readonly reason: string;
  readonly count: number;
};

export type FromThread =
  | { readonly type: 'listening'; readonly thread: number; readonly port: number }
  | { readonly type: 'applied'; readonly thread: number; readonly version: number }
  /** The desk has notices of unreachable backends. */
  | { readonly type: 'notices' }
  /** This thread opened, half-opened or closed a breaker. */
  | ({ readonly type: 'breaker' } & BreakerMoved)
  | { readonly type: 'drained'; readonly thread: number; readonly cut: number }
  | { readonly type: 'flushed'; readonly thread: number; readonly id: number }
  /** A segment of the decision log is complete. */
  | ({ readonly type: 'sealed'; readonly thread: number } & SealedSegment)
  /** The decision log cannot be written, or can be again. */
  | { readonly type: 'trouble'; readonly thread: number; readonly words: string }
  | { readonly type: 'fatal'; readonly thread: number; readonly words: string }
  | ThreadReport;
