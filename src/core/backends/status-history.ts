// The states of one backend over the last day: stretches of time, each with its reason, the present one
// open at its end. Bounded: what is older than a day, or beyond the cap, is let go, oldest first.

import { elapsedMs, type Instant } from '../../base/time.ts';
import type { Backend, BackendStatus, StatusReason } from './backend.ts';

export type StatusSpan = {
  readonly from: Instant;
  /** Undefined while it lasts. */
  readonly to: Instant | undefined;
  readonly status: BackendStatus;
  readonly reason: StatusReason | undefined;
  /** The class of the failure that began it; empty without one. */
  readonly words: string;
};

export const historyMs = 86_400_000;
export const spansMax = 200;

type Seen = Pick<Backend, 'status' | 'statusReason' | 'lastError'>;

/** The history with a further state from `at` on; the same one when the state has not changed. */
export function withStatus(
  spans: readonly StatusSpan[],
  { status, statusReason, lastError }: Seen,
  at: Instant,
): readonly StatusSpan[] {
  const last = spans.at(-1);
  if (last?.status === status && last.reason === statusReason) return spans;
  const ended = last === undefined ? [] : [...spans.slice(0, -1), { ...last, to: at }];
  const begun: StatusSpan = {
    from: at,
    to: undefined,
    status,
    reason: statusReason,
    words: lastError ?? '',
  };
  const kept = ended.filter(({ to }) => to === undefined || elapsedMs(to, at) < historyMs);
  return [...kept, begun].slice(-spansMax);
}

/** What of it lies within the last day, oldest first. */
export function spansOfDay(spans: readonly StatusSpan[], now: Instant): readonly StatusSpan[] {
  return spans.filter(({ to }) => to === undefined || elapsedMs(to, now) < historyMs);
}
