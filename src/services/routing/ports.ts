// What the health checker and discovery need from the rest of the routing service.

import type { BackendId } from '../../base/brand.ts';
import type { Instant } from '../../base/time.ts';
import type { Backend } from '../../core/backends/backend.ts';
import type { ProbeOutcome } from '../../core/backends/health.ts';

/** The only holder of status. All calls are synchronous: what is read is what will be written over. */
export interface ProbeRegistry {
  /** In insertion order. */
  listBackends(): readonly Backend[];
  getBackend(id: BackendId): Backend | undefined;
  /**
   * Writes the status, reason and last error as given, `lastHealthCheck` = `at`, and what `facts`
   * holds: a latency sample, models unless undefined, capacity and metadata unless undefined.
   */
  applyProbe(id: BackendId, outcome: ProbeOutcome, at: Instant): void;
}

/** Time, from outside, so that tests hold it in their hands. */
export interface Clock {
  /** Wall clock, for what people read. */
  now(): Instant;
  /** Never goes back, ms, for what is scheduled. */
  monotonicMs(): number;
  /** Calls back once after `delayMs`; the returned function cancels. */
  after(delayMs: number, callback: () => void): () => void;
}
