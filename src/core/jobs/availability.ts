// Availability of parts that need each other. A row of the platform specification A.7.

/**
 * The availability of a service that fails whenever its upstream does: the product of both
 * fractions. Not the formula of redundant parts, of which one suffices.
 */
export function compositeAvailability(upstream: number, own: number): number {
  return upstream * own;
}
