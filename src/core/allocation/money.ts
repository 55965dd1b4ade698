// How much money an operation of the allocator takes: amounts are USD doubles at its edges, and the
// product keeps micro-dollars as safe integers, so no amount may exceed these.

/** The largest amount in USD. Its cents and micro-dollars are exact integers. */
export const usdMax = Math.floor(Number.MAX_SAFE_INTEGER / 1_000_000);

/** Is it an amount from 0 to {@link usdMax}? False for NaN. */
export function isAmount(usd: number): boolean {
  return usd >= 0 && usd <= usdMax;
}

/** The bound that {@link isAmount} asks for, as words after "must be". */
export const amountBound = `within 0..${usdMax}`;
