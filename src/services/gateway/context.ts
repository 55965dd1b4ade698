// What every request on a gateway thread can reach. One object per thread.

import type { SwapList, SwapListMember } from '../../base/swap-list.ts';
import type { RequestOutcome } from '../../core/policy/ended-requests.ts';
import type { ServingMode } from '../../core/policy/serving-mode.ts';
import type { CounterSource } from '../../core/routing/decision-input.ts';
import type { RoutingSnapshot, Target } from '../../core/routing/snapshot.ts';
import type { Refusal } from '../../errors/tensorforge-error.ts';
import type { KeyTable } from '../../io/credentials/key-table.ts';
import type { UpstreamPool } from '../../io/http/upstream/upstream.ts';
import type { Arena } from '../../io/shared-memory/arena.ts';
import type { SharedCounts } from '../../io/shared-memory/shared-counts.ts';
import type { JsonLimits } from '../../protocol/openai/json-scan.ts';
import type { AffinityKeys } from './affinity-key.ts';
import type { AnswerCache } from './answer-cache.ts';
import type { Breakers } from './breakers.ts';
import type { Lingering } from './connection.ts';
import type { DecisionJournal } from './decision-journal.ts';
import type { Hedging } from './hedging.ts';
import type { JointRoom } from './joint-seat.ts';
import type { GatewaySettings } from './messages.ts';
import type { Settlements } from './settle.ts';
import type { ShadowDesk } from './shadow-ticket.ts';
import type { ThreadLimits } from './thread-limits.ts';
import type { ThreadMetrics } from './thread-metrics.ts';
import type { ThreadSpend } from './thread-spend.ts';
import type { UsageAccount } from './usage-account.ts';
import type { WaitingRoom } from './waiting-room.ts';

/** A request that is being worked on, as the thread sees it. */
export interface ActiveRequest extends SwapListMember {
  readonly keyId: string;
  /** Only the last bytes are still on their way to the client. */
  readonly isAnswered: boolean;
  /** Has a limit passed? Called every 100 ms. */
  sweep(nowMs: number): void;
  /** Ends it from outside: key revoked, or the grace of a drain is over. */
  end(cause: Refusal): void;
  /** The limits of keys, groups or the installation are others now. */
  limitsChanged?(): void;
}

export type GatewayContext = {
  readonly thread: number;
  readonly settings: GatewaySettings;
  readonly arena: Arena;
  readonly counts: SharedCounts;
  readonly keys: KeyTable;
  readonly metrics: ThreadMetrics;
  readonly settlements: Settlements;
  readonly spend: ThreadSpend;
  /** Of keys, groups and the installation. */
  readonly limits: ThreadLimits;
  readonly usage: UsageAccount;
  readonly journal: DecisionJournal;
  readonly breakers: Breakers;
  /** Live figures for decisions. */
  readonly counters: CounterSource;
  readonly affinity: AffinityKeys;
  readonly lingering: Lingering;
  /** Copies of requests to what is being tried out. */
  readonly shadows: ShadowDesk;
  /** Answers for when no backend is left. */
  readonly answers: AnswerCache;
  /** Requests that wait for a backend. */
  readonly waiting: WaitingRoom;
  readonly jsonLimits: JsonLimits;
  /** Requests that are being worked on, for time-outs, revocation and drain. */
  readonly active: SwapList<ActiveRequest>;
  /** The present snapshot; a request keeps the one it began with. */
  snapshot(): RoutingSnapshot;
  /** Names the present snapshot in decision records. */
  snapshotDigest(): string;
  /** The serving mode in force. */
  servingMode(): ServingMode;
  /** What is left of the cooldown of the mode, whole seconds. */
  modeCooldownSeconds(): number;
  /** The connections to a backend. */
  poolOf(target: Target): UpstreamPool;
  /** Headers that carry our credential to this backend, flat; empty for most. */
  credentialOf(target: Target): readonly string[];
  /** A connect failure in traffic, in the `attempt` of a request: the health checker looks at once. */
  connectFailed(target: Target, attempt: number): void;
  /** When and how often a second backend is asked beside a slow one; undefined where none is. */
  readonly hedging: Hedging | undefined;
  /** A retry of the budget that all threads share: may another attempt follow one that failed? */
  mayRetry(): boolean;
  /** Requests that go out together; undefined where none do. */
  readonly microBatches: JointRoom | undefined;
  /** A batch failed on its backend: the serving mode hears of it as of one failed request. */
  batchFailed(): void;
  /** One request is settled. */
  finished(outcome: RequestOutcome, isBatch: boolean): void;
  /** No new requests: the process starts or stops, or a stranger listens on the port. */
  refusing(): 'starting' | 'shutting_down' | 'internal_error' | undefined;
  /** Milliseconds of a monotonic clock, fractions included. */
  monotonicMs(): number;
  /** Unix milliseconds. */
  wallMs(): number;
};
