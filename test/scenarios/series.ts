// Variation without chance: whole numbers derived from an index by remainders alone, so that every
// case of the matrix is the same on every machine. The recurrence is Park and Miller's minimal
// standard with the multiplier 48 271; its products stay below 2^53.

const modulus = 2_147_483_647;
const multiplier = 48_271;

/** The next whole number from 0 to `bound` - 1. */
export type Series = (bound: number) => number;

/** The series of one index, 0 to 2^31 - 3. Neighbouring indices give unlike series. */
export function series(index: number): Series {
  let state = index + 1;
  const step = (): number => {
    state = (state * multiplier) % modulus;
    return state;
  };
  step();
  step();
  return (bound) => step() % bound;
}

/** `length` numbers of the series, each from `least` to `least + bound - 1`. */
export function numbers(next: Series, length: number, bound: number, least = 0): number[] {
  return Array.from({ length }, () => least + next(bound));
}

/** The items in another order; `items` is not changed (Fisher and Yates). */
export function shuffled<T>(items: readonly T[], next: Series): T[] {
  const out = [...items];
  for (let last = out.length - 1; last > 0; last -= 1) {
    const other = next(last + 1);
    const kept = out[last];
    const moved = out[other];
    if (kept === undefined || moved === undefined) continue;
    out[last] = moved;
    out[other] = kept;
  }
  return out;
}
