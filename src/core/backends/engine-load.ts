// How busy an engine says it is, as read from its metrics. A reading ages: older than its bound it is
// missing, which is not the same as idle.

import { elapsedMs, type Instant } from '../../base/time.ts';

export type EngineLoad = {
  /** Requests that are being worked on; undefined when the engine does not tell. */
  readonly running: number | undefined;
  /** Requests that wait inside the engine. */
  readonly waiting: number | undefined;
  /** Share of the key-value cache in use, 0 to 1. */
  readonly kvUse: number | undefined;
  readonly readAt: Instant;
};

/** The reading while it is not older than `maxAgeMs`, else undefined. */
export function currentLoad(
  load: EngineLoad | undefined,
  now: Instant,
  maxAgeMs: number,
): EngineLoad | undefined {
  return load !== undefined && elapsedMs(load.readAt, now) <= maxAgeMs ? load : undefined;
}
