// How evenly is something shared? Jain's index: R. Jain, D.-M. Chiu, W. Hawe, "A Quantitative Measure
// of Fairness and Discrimination for Resource Allocation in Shared Computer Systems", DEC-TR-301, 1984.

/**
 * (sum)^2 / (n x sum of squares) of what each has got: 1 when all have the same, 1/n when one has
 * everything. Nobody, or nothing given to anybody, is fair: 1.
 */
export function fairnessIndex(allocations: readonly number[]): number {
  // Shares of the largest, so that squares neither overflow nor vanish.
  const largest = allocations.reduce((most, given) => Math.max(most, given), 0);
  if (largest === 0) return 1;
  let sum = 0;
  let squares = 0;
  for (const given of allocations) {
    const share = given / largest;
    sum += share;
    squares += share * share;
  }
  return Math.min(1, (sum * sum) / (allocations.length * squares));
}
