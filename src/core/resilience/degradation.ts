// How bad an error rate is, in five words.

export const degradationLevels = ['healthy', 'minor', 'warning', 'degraded', 'critical'] as const;
export type DegradationLevel = (typeof degradationLevels)[number];

/** `errorRate` is a share, 0 to 1. All bounds are strict: 0.25 itself is still `minor`. */
export function degradationLevel(errorRate: number): DegradationLevel {
  if (errorRate > 0.75) return 'critical';
  if (errorRate > 0.5) return 'degraded';
  if (errorRate > 0.25) return 'warning';
  return errorRate > 0 ? 'minor' : 'healthy';
}
