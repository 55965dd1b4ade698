// Money inside the program is whole micro-USD, so that sums are exact in any order; USD with a decimal
// point exists only where people and clients read it.

/** Micro-USD in one USD. */
export const microUsdPerUsd = 1_000_000;

/** The nearest whole micro-USD; `usd` is 0 or more and at most 9e9. */
export function microUsdOf(usd: number): number {
  return Math.round(usd * microUsdPerUsd);
}

export function usdOf(microUsd: number): number {
  return microUsd / microUsdPerUsd;
}

/** With four decimals, as headers have it: `0.0125`. Rounded up, so that a cost never reads as none. */
export function headerUsd(microUsd: number): string {
  return (Math.ceil(microUsd / 100) / 10_000).toFixed(4);
}
