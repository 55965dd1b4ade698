// Does a demand fit, and is a resource full? "Exactly full" fits but is already over (A.5).

/** demand <= capacity, in one unit. */
export function fitsCapacity(demand: number, capacity: number): boolean {
  return demand <= capacity;
}

/** used >= total; a total of 0 is always over. */
export function atOrOverCapacity(used: number, total: number): boolean {
  return total === 0 || used >= total;
}
