// The batch scheduler of the platform specification D.1: groups compatible requests, so that engines run
// full batches, and lets nothing urgent wait for it. It is told what came and what time it is, and
// answers with the batches to send; it never waits and never looks at a clock.
//
//   submit --> waiting --tick--> sent --success--> over
//                 ^                |
//                 |                +--failure--> backing off, until the mode allows no more --> given up
//                 +------------------------------------+
//
// A group goes out when it reached its limit, when the first of it has waited for `maxWaitMs`, or when
// one of it is at or above the threshold: that one leaves at the next tick with whatever waits, at
// most the limit.
//
//   S1  A batch holds requests of one key only, and never more items than its limit: the least of
//       `maxBatchSize` and what the free memory holds.
//   S2  After a tick nobody waits who has waited for `maxWaitMs` or is at or above the threshold, unless
//       there is no memory for it now or it backs off.
//   S3  A request is sent, refused or given up once; after `withdraw` it is none of them.
//   S4  The same calls give the same batches in the same order.
//
// What the serving mode says of batching is asked at every tick: whether groups without an urgent
// request are batched at all, which share of the wait is left, how often a failed batch is tried again.

import { assert } from '../../base/assert.ts';
import { compareNumbers, compareText } from '../../base/compare.ts';
import { instant } from '../../base/time.ts';
import { admitsBatch, gatesOf } from '../policy/mode-gates.ts';
import type { PolicyEngine } from '../policy/policy-engine.ts';
import { maxRetries, mayDeescalate } from '../policy/serving-mode.ts';
import { type QueueHealth, queueHealth } from '../queue/queue-load.ts';
import { shouldShed } from '../queue/shedding.ts';
import { type BreakerCall, CircuitBreaker } from '../resilience/circuit-breaker.ts';
import { backoff } from '../resilience/retry.ts';
import { type BatchFigures, BatchStatistics } from './batch-figures.ts';
import { BatchGroup, type Pending } from './batch-group.ts';
import {
  type BatchRequest,
  compatibilityKey,
  type FlushCause,
  itemsOf,
  type MicroBatch,
} from './batch-request.ts';

export type BatchSettings = {
  /** Items of a batch, at least 1. */
  readonly maxBatchSize: number;
  /** How long a request waits for others, ms. */
  readonly maxWaitMs: number;
  /** The class from which on a request does not wait; 4. */
  readonly highPriorityThreshold?: number;
  /** After so long a request goes before all others of its group; ten times the wait. */
  readonly starvationMs?: number;
  /** Do sequences of different lengths go together, when they are padded to the same? */
  readonly allowPadding?: boolean;
  /** Requests that wait at once. */
  readonly waitingMax: number;
  readonly breaker: {
    readonly failures: number;
    readonly successes: number;
    readonly openMs: number;
    readonly halfOpenProbes: number;
  };
  /** The first wait after a failed batch, and the longest, ms. */
  readonly retryMs: number;
  readonly retryCeilingMs: number;
};

export type BatchPorts = {
  /** Bytes that are free now; infinite where nobody knows. Batches that were sent are off it. */
  readonly memoryBudget: () => number;
  /** The serving mode, and who hears of failures in a row. */
  readonly policy: Pick<PolicyEngine, 'current' | 'escalate' | 'deescalate'>;
  /** Fewer retries than the mode allows; absent: as many. */
  readonly retriesMax?: () => number;
  /** May the members of a batch that failed come again? Asked once for a batch; absent: they may. */
  readonly mayRetry?: () => boolean;
};

/** Why a request is not batched. */
export type BatchRefusal =
  /** More of its items than a batch may have. */
  | 'size'
  /** Not even alone does it fit into the free memory. */
  | 'memory'
  /** Too many wait. */
  | 'shed'
  /** Too many batches of its model failed. */
  | 'breaker_open'
  /** The serving mode batches no more, or urgent requests only. */
  | 'mode';

export type BatchEffect<Request extends BatchRequest> =
  | { readonly kind: 'send'; readonly batch: MicroBatch<Request> }
  /** It waits no more, and is in no batch. */
  | { readonly kind: 'refuse'; readonly request: Request; readonly reason: BatchRefusal }
  /** Every batch with it failed, and no more are tried. */
  | { readonly kind: 'give_up'; readonly request: Request };

/** `refused`: the engine judged what it was asked, so nothing is wrong with it. */
export type BatchOutcome = 'success' | 'failure' | 'refused' | 'abandoned';

type Sent<Request extends BatchRequest> = {
  readonly members: readonly Pending<Request>[];
  readonly modelId: string;
  readonly size: number;
  readonly call: BreakerCall;
  readonly sentMs: number;
};

type Delayed<Request extends BatchRequest> = {
  readonly pending: Pending<Request>;
  readonly dueMs: number;
};

export class BatchScheduler<Request extends BatchRequest = BatchRequest> {
  readonly #settings: Required<BatchSettings>;
  readonly #ports: BatchPorts;
  readonly #groups = new Map<string, BatchGroup<Request>>();
  readonly #delayed = new Map<string, Delayed<Request>>();
  readonly #sent = new Map<number, Sent<Request>>();
  /** Ids of everybody who waits or backs off. */
  readonly #keys = new Map<string, string>();
  readonly #breakers = new Map<string, CircuitBreaker>();
  readonly #statistics = new BatchStatistics();
  #number = 0;
  #failuresInRow = 0;
  #successesInRow = 0;

  constructor(settings: BatchSettings, ports: BatchPorts) {
    assert(settings.maxBatchSize >= 1, `batches of ${settings.maxBatchSize} items`);
    this.#settings = {
      highPriorityThreshold: 4,
      starvationMs: 10 * settings.maxWaitMs,
      allowPadding: false,
      ...settings,
    };
    this.#ports = ports;
  }

  /** How many wait, those that back off among them. */
  get depth(): number {
    return this.#keys.size;
  }

  get health(): QueueHealth {
    return queueHealth(this.depth, this.#settings.waitingMax);
  }

  figures(): BatchFigures {
    return this.#statistics.figures();
  }

  /** Lets a request wait for others; says why not. Its id is not in use. */
  submit(request: Request, nowMs: number): BatchRefusal | undefined {
    assert(!this.#keys.has(request.id), `request ${request.id} waits already`);
    const refused = this.#refusalOf(request, nowMs);
    if (refused !== undefined) return refused;
    const { id, priorityClass } = request;
    return this.#join({ id, priority: priorityClass, request, failures: 0 }) ? undefined : 'shed';
  }

  #refusalOf(request: Request, nowMs: number): BatchRefusal | undefined {
    const { maxBatchSize, waitingMax } = this.#settings;
    const mode = this.#ports.policy.current;
    if (!admitsBatch(mode, this.#isUrgent(request.priorityClass))) return 'mode';
    if (itemsOf(request) > maxBatchSize) return 'size';
    if (request.memoryBytes > this.#ports.memoryBudget()) return 'memory';
    if (shouldShed(this.depth + 1, waitingMax, gatesOf(mode).emergencyShedding)) return 'shed';
    const isPermitted = this.#breakerOf(request.modelId).isCallPermitted(instant(nowMs));
    return isPermitted ? undefined : 'breaker_open';
  }

  #isUrgent(priority: number): boolean {
    return priority >= this.#settings.highPriorityThreshold;
  }

  #join(pending: Pending<Request>): boolean {
    const key = compatibilityKey(pending.request, this.#settings.allowPadding);
    const group =
      this.#groups.get(key) ??
      new BatchGroup<Request>(pending.request.modelId, this.#settings.waitingMax);
    if (!group.add(pending)) return false;
    this.#groups.set(key, group);
    this.#keys.set(pending.id, key);
    return true;
  }

  #breakerOf(modelId: string): CircuitBreaker {
    const known = this.#breakers.get(modelId);
    if (known !== undefined) return known;
    const { failures, successes, openMs, halfOpenProbes } = this.#settings.breaker;
    const breaker = new CircuitBreaker(failures, successes, { openMs, halfOpenProbes });
    this.#breakers.set(modelId, breaker);
    return breaker;
  }

  /** It wants nothing more. False when it did not wait: then it was sent, or never came. */
  withdraw(id: string): boolean {
    const key = this.#keys.get(id);
    if (key === undefined) return false;
    this.#keys.delete(id);
    if (this.#delayed.delete(id)) return true;
    const group = this.#groups.get(key);
    const waited = group?.remove(id) === true;
    if (group?.size === 0) this.#groups.delete(key);
    return waited;
  }

  /** When to tick next; infinite while nobody waits. One that lacks memory is due already. */
  nextDeadlineMs(): number {
    const waitMs = this.#waitMs();
    let next = Number.POSITIVE_INFINITY;
    for (const group of this.#groups.values()) {
      const dueMs = this.#isUrgent(group.priorityMax) ? group.oldestMs : group.dueMs(waitMs);
      next = Math.min(next, dueMs);
    }
    for (const { dueMs } of this.#delayed.values()) next = Math.min(next, dueMs);
    return next;
  }

  #waitMs(): number {
    return this.#settings.maxWaitMs * gatesOf(this.#ports.policy.current).batchWaitShare;
  }

  // ---- sending -----------------------------------------------------------------------------

  /** What is to be done at `nowMs`: groups by their highest class, then by who came first. */
  tick(nowMs: number): readonly BatchEffect<Request>[] {
    this.#rejoin(nowMs);
    const effects: BatchEffect<Request>[] = [];
    const groups = [...this.#groups].map(([key, group]) => {
      group.promote(nowMs - this.#settings.starvationMs);
      return { key, group, priority: group.priorityMax, oldestMs: group.oldestMs };
    });
    groups.sort(
      (a, b) =>
        compareNumbers(b.priority, a.priority) ||
        compareNumbers(a.oldestMs, b.oldestMs) ||
        compareText(a.key, b.key),
    );
    const memory = { freeBytes: this.#ports.memoryBudget(), usedBytes: 0 };
    for (const { key, group } of groups) {
      this.#flush(group, memory, nowMs, effects);
      if (group.size === 0) this.#groups.delete(key);
    }
    return effects;
  }

  /** Who has backed off for long enough waits again, as of its first arrival. */
  #rejoin(nowMs: number): void {
    for (const [id, { pending, dueMs }] of [...this.#delayed]) {
      if (dueMs > nowMs || !this.#join(pending)) continue;
      this.#delayed.delete(id);
    }
  }

  #flush(
    group: BatchGroup<Request>,
    memory: { readonly freeBytes: number; usedBytes: number },
    nowMs: number,
    effects: BatchEffect<Request>[],
  ): void {
    for (let next = group.first(); next !== undefined; next = group.first()) {
      const { request } = next;
      if (request.memoryBytes > memory.freeBytes) {
        this.#refuse(group, request, 'memory', effects);
        continue;
      }
      const limit = this.#limitOf(group, memory.freeBytes - memory.usedBytes);
      const cause = this.#causeOf(group, limit, nowMs);
      // Batches of this tick hold the memory that it needs: it goes with the next one.
      if (cause === undefined || itemsOf(request) > limit) return;
      const call = this.#breakerOf(group.modelId).beginCall(instant(nowMs));
      if (call === undefined) {
        this.#refuse(group, request, 'breaker_open', effects);
        continue;
      }
      const members = group.take(limit);
      for (const { request: sent } of members) memory.usedBytes += sent.memoryBytes;
      effects.push(this.#send(group.modelId, members, { limit, cause, call }, nowMs));
    }
  }

  /** Effective limit: what a batch of this group may have, given what memory is left. */
  #limitOf({ itemBytes }: BatchGroup<Request>, leftBytes: number): number {
    const { maxBatchSize } = this.#settings;
    if (itemBytes === 0) return maxBatchSize;
    return Math.min(maxBatchSize, Math.floor(Math.max(0, leftBytes) / itemBytes));
  }

  #causeOf(group: BatchGroup<Request>, limit: number, nowMs: number): FlushCause | undefined {
    if (group.items >= limit) return 'full';
    if (this.#isUrgent(group.priorityMax)) return 'priority';
    return group.dueMs(this.#waitMs()) <= nowMs ? 'timeout' : undefined;
  }

  #refuse(
    group: BatchGroup<Request>,
    request: Request,
    reason: BatchRefusal,
    effects: BatchEffect<Request>[],
  ): void {
    group.remove(request.id);
    this.#keys.delete(request.id);
    effects.push({ kind: 'refuse', request, reason });
  }

  #send(
    modelId: string,
    members: readonly Pending<Request>[],
    how: { readonly limit: number; readonly cause: FlushCause; readonly call: BreakerCall },
    nowMs: number,
  ): BatchEffect<Request> {
    const { limit, cause, call } = how;
    const requests = members.map(({ request }) => request);
    const size = requests.reduce((sum, request) => sum + itemsOf(request), 0);
    assert(size > 0, 'S1: a batch has items');
    assert(size <= limit, `S1: ${size} items in a batch of at most ${limit}`);
    for (const { id } of members) this.#keys.delete(id);
    this.#number += 1;
    this.#sent.set(this.#number, { members, modelId, size, call, sentMs: nowMs });
    this.#statistics.sent(size, limit, cause, nowMs);
    return { kind: 'send', batch: { number: this.#number, members: requests, size, limit, cause } };
  }

  // ---- what came of a batch ----------------------------------------------------------------

  /** Tells what came of a batch, once. Of a failed one, answers with whom is given up. */
  settle(number: number, outcome: BatchOutcome, nowMs: number): readonly BatchEffect<Request>[] {
    const sent = this.#sent.get(number);
    assert(sent !== undefined, `batch ${number} is not out`);
    this.#sent.delete(number);
    const now = instant(nowMs);
    const breaker = this.#breakerOf(sent.modelId);
    const isGood = outcome === 'success' || outcome === 'refused';
    breaker.endCall(sent.call, isGood ? 'success' : outcome, now);
    if (outcome === 'failure') return this.#failed(sent, nowMs);
    if (outcome === 'success') this.#succeeded(sent, nowMs);
    return [];
  }

  #succeeded({ size, sentMs }: Sent<Request>, nowMs: number): void {
    const { policy } = this.#ports;
    this.#statistics.answered(size, sentMs, nowMs);
    this.#failuresInRow = 0;
    this.#successesInRow += 1;
    if (!mayDeescalate(this.#successesInRow, policy.current)) return;
    policy.deescalate();
    this.#successesInRow = 0;
  }

  #failed({ members }: Sent<Request>, nowMs: number): readonly BatchEffect<Request>[] {
    const { policy } = this.#ports;
    this.#statistics.failed();
    this.#successesInRow = 0;
    this.#failuresInRow += 1;
    policy.escalate(this.#failuresInRow);
    const retries = Math.min(
      maxRetries(policy.current),
      this.#ports.retriesMax?.() ?? Number.POSITIVE_INFINITY,
    );
    const isAllowed = (pending: Pending<Request>): boolean => pending.failures < retries;
    // Nobody is left to come again: no retry of a budget is spent on it.
    const mayRetry = members.some(isAllowed) && (this.#ports.mayRetry?.() ?? true);
    const effects: BatchEffect<Request>[] = [];
    for (const pending of members) {
      if (mayRetry && isAllowed(pending)) this.#delay(pending, nowMs);
      else effects.push({ kind: 'give_up', request: pending.request });
    }
    return effects;
  }

  #delay(pending: Pending<Request>, nowMs: number): void {
    const { retryMs, retryCeilingMs } = this.#settings;
    const dueMs = nowMs + backoff(retryMs, pending.failures, retryCeilingMs);
    const again = { ...pending, failures: pending.failures + 1 };
    this.#keys.set(pending.id, compatibilityKey(pending.request, this.#settings.allowPadding));
    this.#delayed.set(pending.id, { pending: again, dueMs });
  }
}
