// Are enough members of a group well?

/** The share of healthy members is at least `fraction` (0 to 1). An empty group has no quorum. */
export function hasQuorum(healthy: readonly boolean[], fraction: number): boolean {
  if (healthy.length === 0) return false;
  return healthy.filter(Boolean).length / healthy.length >= fraction;
}
