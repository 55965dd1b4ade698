// May a request come in? The gate before its body is read: the limits that hold for it, then the
// serving mode, then the load of the installation. Ruling 19 and section 5 of the overview give the order;
// the mode's part is F.2 of the platform specification.
//
// A pure function of what was read once, so that the decision log can make it again.

import type { PriorityClass } from '../jobs/priority-class.ts';
import { shouldShed } from '../queue/shedding.ts';
import { admits, admitsRetry, gatesOf } from './mode-gates.ts';
import type { ServingMode } from './serving-mode.ts';
import type { LimitScope } from './usage-limit.ts';

/** A limit of installation, group or key that says no. */
export type AdmissionLimit = {
  readonly scope: LimitScope;
  readonly kind: 'requests' | 'tokens' | 'concurrency';
  /** The limit itself. */
  readonly bound: number;
  /** What is left of it before this request, whole units. */
  readonly left: number;
  /** Milliseconds until it would be admitted. */
  readonly retryMs: number;
};

export type AdmissionReading = {
  readonly mode: ServingMode;
  /** Requests of the installation in flight, this one among them. */
  readonly inFlight: number;
  /** Requests that may be in flight at once. */
  readonly inFlightMax: number;
  /** Requests of the key in flight, this one among them. */
  readonly keyInFlight: number;
  /** Requests of one key that may be in flight at once; 0 sets no limit. */
  readonly keyInFlightMax: number;
  /** Which limit of key, group or installation says no; undefined: all admit, or none is set. */
  readonly limit?: AdmissionLimit | undefined;
};

export type AdmissionVerdict =
  | 'admitted'
  /** A limit of the key, its group or the installation: `rate_limit_exceeded`. */
  | 'key_limit'
  /** The serving mode admits more urgent classes only: `mode_restricted`. */
  | 'mode'
  /** The installation is full, or in an emergency nearly so: `overloaded`. */
  | 'shed';

export function judgeAdmission(
  priorityClass: PriorityClass,
  reading: AdmissionReading,
): AdmissionVerdict {
  const { mode, inFlight, inFlightMax, keyInFlight, keyInFlightMax, limit } = reading;
  if (limit !== undefined) return 'key_limit';
  if (keyInFlightMax > 0 && keyInFlight > keyInFlightMax) return 'key_limit';
  if (!admits(mode, priorityClass)) return 'mode';
  if (shouldShed(inFlight, inFlightMax, gatesOf(mode).emergencyShedding)) return 'shed';
  return 'admitted';
}

/**
 * May another attempt follow after so many? `retriesMax` is the configured number of retries; the
 * serving mode may grant fewer (ruling 19: the smaller of both).
 */
export function mayAttemptAgain(attempts: number, retriesMax: number, mode: ServingMode): boolean {
  return attempts <= retriesMax && admitsRetry(mode, attempts - 1);
}
