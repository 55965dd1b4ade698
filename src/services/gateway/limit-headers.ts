// `x-ratelimit-*`: of the scopes that hold, the one with the least left.

import { durationText } from '../../core/policy/usage-limit.ts';
import { unitsPerMs } from '../../io/shared-memory/rate-meter.ts';
import type { LimitedScope } from './thread-limits.ts';

/**
 * Limit, rest and the time until all of it is free, of requests or tokens a minute; flat, empty where
 * no scope limits them. `now`: units since the origin of the meters.
 */
export function limitHeaders(
  scopes: readonly LimitedScope[],
  kind: 'requests' | 'tokens',
  now: number,
): readonly string[] {
  let least: LimitedScope | undefined;
  let left = Number.POSITIVE_INFINITY;
  for (const scope of scopes) {
    const bound = boundOf(scope, kind);
    const rest = bound === undefined ? left : scope.words[kind].left(bound, now);
    if (rest >= left) continue;
    least = scope;
    left = rest;
  }
  if (least === undefined) return [];
  return [
    `x-ratelimit-limit-${kind}`,
    String(boundOf(least, kind)),
    `x-ratelimit-remaining-${kind}`,
    String(left),
    `x-ratelimit-reset-${kind}`,
    durationText(least.words[kind].used(now) / unitsPerMs),
  ];
}

function boundOf({ limit }: LimitedScope, kind: 'requests' | 'tokens'): number | undefined {
  return kind === 'requests' ? limit.requestsPerMinute : limit.tokensPerMinute;
}
