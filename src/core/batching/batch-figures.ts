// How well batching works: how full batches are, how long they take, how many items a second come
// back, and why batches went out.

import { ResponseTimeTracker } from '../statistics/response-time-tracker.ts';
import { throughput } from '../telemetry/service-level.ts';
import type { FlushCause } from './batch-request.ts';

/** Batches whose latencies the percentiles are of. */
const latencyWindow = 1024;

export type BatchFigures = {
  readonly batches: number;
  readonly failed: number;
  /** Items of good batches. */
  readonly items: number;
  /** Mean of size / limit over all batches that went out, 0 to 1; 0 before the first. */
  readonly fillRate: number;
  /** From the sending to the answer of a good batch, ms; 0 before the first. */
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number };
  /** Items of good batches for each second from the first sending to the last answer. */
  readonly itemsPerSecond: number;
  readonly causes: Readonly<Record<FlushCause, number>>;
};

export class BatchStatistics {
  readonly #latencies = new ResponseTimeTracker(latencyWindow);
  readonly #causes: Record<FlushCause, number> = { full: 0, timeout: 0, priority: 0 };
  #batches = 0;
  #failed = 0;
  #items = 0;
  #fillSum = 0;
  #firstSentMs: number | undefined;
  #lastAnswerMs = 0;

  sent(size: number, limit: number, cause: FlushCause, nowMs: number): void {
    this.#batches += 1;
    this.#fillSum += size / limit;
    this.#causes[cause] += 1;
    this.#firstSentMs ??= nowMs;
  }

  answered(size: number, sentMs: number, nowMs: number): void {
    this.#items += size;
    this.#latencies.add(nowMs - sentMs);
    this.#lastAnswerMs = nowMs;
  }

  failed(): void {
    this.#failed += 1;
  }

  figures(): BatchFigures {
    const spanMs = this.#lastAnswerMs - (this.#firstSentMs ?? this.#lastAnswerMs);
    const latencies = this.#latencies;
    return {
      batches: this.#batches,
      failed: this.#failed,
      items: this.#items,
      fillRate: this.#batches === 0 ? 0 : this.#fillSum / this.#batches,
      latencyMs: { p50: latencies.p50(), p95: latencies.p95(), p99: latencies.p99() },
      itemsPerSecond: throughput(this.#items, spanMs),
      causes: { ...this.#causes },
    };
  }
}
