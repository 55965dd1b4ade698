// What a scope may use: an installation, a group or a key. Several hold for one request, those of its
// key, its group and the installation, and every one of them must admit it. A member that is undefined
// sets no limit.

import type { PrivacyZone } from '../backends/backend.ts';
import type { PriorityClass } from '../jobs/priority-class.ts';

export const limitScopes = ['installation', 'group', 'key'] as const;
export type LimitScope = (typeof limitScopes)[number];

export type UsageLimit = {
  /** 1 to {@link limitMax}. */
  readonly requestsPerMinute: number | undefined;
  /** Tokens in and out, 1 to {@link limitMax}. */
  readonly tokensPerMinute: number | undefined;
  /** Requests in flight at once, 1 to {@link limitMax}. */
  readonly concurrentRequests: number | undefined;
  /** Micro-USD of a calendar month, UTC; 0 or more. */
  readonly monthBudgetMicroUsd: number | undefined;
  /** The most urgent class; class 5 needs its permission beside. */
  readonly maxPriorityClass: PriorityClass | undefined;
  /** Globs of model ids; empty means every model. */
  readonly models: readonly string[];
  /** Zones of backends; empty means every zone. It cannot be open without restricted. */
  readonly zones: readonly PrivacyZone[];
};

/** Requests or tokens in a minute, or requests at once: the greatest limit. */
export const limitMax = 1_000_000_000;

/** The class that is left of `asked` under a scope's limit. */
export function classWithin(asked: PriorityClass, max: PriorityClass | undefined): PriorityClass {
  return max !== undefined && max < asked ? max : asked;
}

/** May only backends of the restricted zone serve it? */
export function isRestrictedOnly(zones: readonly PrivacyZone[]): boolean {
  return zones.length > 0 && !zones.includes('open');
}

const minuteMs = 60_000;

/** `1m30s` for the whole seconds of a time, rounded up, `250ms` below one; `0s` for none. */
export function durationText(ms: number): string {
  if (ms <= 0) return '0s';
  if (ms < 1000) return `${Math.ceil(ms)}ms`;
  const seconds = Math.ceil(ms / 1000);
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds * 1000) / minuteMs) % 60;
  const parts = [
    [hours, 'h'],
    [minutes, 'm'],
    [seconds % 60, 's'],
  ] as const;
  const text = parts.map(([count, unit]) => (count === 0 ? '' : `${count}${unit}`)).join('');
  return text;
}
