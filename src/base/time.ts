// Time is an argument. An Instant is whole milliseconds since 1970 UTC; a shell supplies it.

import type { Brand } from './brand.ts';

export type Instant = Brand<number, 'Instant'>;

export function instant(ms: number): Instant {
  return Math.trunc(ms) as Instant;
}

/** RFC 3339 UTC with milliseconds and `Z`. */
export function toRfc3339(at: Instant): string {
  return new Date(at).toISOString();
}

/** Reads RFC 3339 with 0 to 9 fractional digits; undefined for anything else. */
export function parseRfc3339(text: string): Instant | undefined {
  const shape = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;
  if (!shape.test(text)) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : instant(ms);
}

/** later - earlier, saturating at 0. */
export function elapsedMs(earlier: Instant, later: Instant): number {
  return Math.max(0, later - earlier);
}
