// How loaded is a queue, as figures for people and rules. Platform specification A.9.

import { queueEmergencyRatio, queueWarnRatio } from './shedding.ts';

export type QueueStatus = 'healthy' | 'elevated' | 'warning' | 'critical';

export type QueueHealth = {
  readonly depth: number;
  readonly hardLimit: number;
  /** depth / hardLimit, above 1 for a queue over its limit. */
  readonly utilization: number;
  readonly status: QueueStatus;
};

/** The status changes at 1.0, 0.8 and 0.6, each bound included. A limit of 0 is critical. */
export function queueHealth(depth: number, hardLimit: number): QueueHealth {
  const utilization = queueLoadRatio(depth, hardLimit);
  return { depth, hardLimit, utilization, status: statusAt(utilization) };
}

function statusAt(utilization: number): QueueStatus {
  if (utilization >= 1) return 'critical';
  if (utilization >= queueEmergencyRatio) return 'warning';
  return utilization >= queueWarnRatio ? 'elevated' : 'healthy';
}

/** depth / limit and not more than 1; 1 for a limit of 0 (C6: rules use the clamped figure). */
export function queuePressure(depth: number, limit: number): number {
  return Math.min(1, queueLoadRatio(depth, limit));
}

/** depth / limit as it is, for dashboards (C6); 1 for a limit of 0. */
export function queueLoadRatio(depth: number, limit: number): number {
  return limit === 0 ? 1 : depth / limit;
}

/** Drained items in per cent of all; 0 when there were none. */
export function drainPercent(drained: number, total: number): number {
  return total === 0 ? 0 : (drained / total) * 100;
}
