// When is a queue too full to take one more? Platform specification A.9. Each queue is judged by its
// own limit: 1000 is that of jobs, the gateway's queue has a shorter one (ruling 18).

/** Items that may wait when nothing else is configured. */
export const queueHardLimit = 1000;

/** Load ratio from which a queue is in an emergency: shed under it, a warning on the dashboard. */
export const queueEmergencyRatio = 0.8;

/** Load ratio from which a queue is elevated. */
export const queueWarnRatio = 0.6;

/**
 * Is the arriving item, which `depth` counts, to be turned away? Without an emergency beyond the
 * limit, so a depth equal to it is not shed; in an emergency from floor(8/10 of the limit) on. With
 * the limit 0 always.
 */
export function shouldShed(depth: number, hardLimit: number, emergency: boolean): boolean {
  if (hardLimit === 0) return true;
  if (emergency && depth >= Math.floor((hardLimit * 8) / 10)) return true;
  return depth > hardLimit;
}
