// The times that Usage shows. They begin at whole hours or days of UTC, as the books do.

export const usageRanges = ['24h', '7d', 'month'] as const;
export type UsageRange = (typeof usageRanges)[number];

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Where the window of `range` up to now begins, RFC 3339. */
export function usageFrom(range: UsageRange, nowMs: number): string {
  const now = new Date(nowMs);
  const beginMs = {
    '24h': Math.floor(nowMs / hourMs) * hourMs - 23 * hourMs,
    '7d': Math.floor(nowMs / dayMs) * dayMs - 6 * dayMs,
    month: Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1),
  }[range];
  return new Date(beginMs).toISOString();
}
