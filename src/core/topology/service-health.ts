// What a service says about itself: three words that differ on purpose. `level` grades the recent
// error rate in five steps, `status` is what a load balancer needs, `state` is where it stands in
// its life. `health_score` is the figure that alerts watch.

import { type DegradationLevel, degradationLevel } from '../resilience/degradation.ts';
import { errorRate, healthScore } from '../telemetry/health-score.ts';

export const healthStatuses = ['healthy', 'degraded', 'unhealthy'] as const;
export type HealthStatus = (typeof healthStatuses)[number];

export const serviceStates = ['starting', 'active', 'draining', 'stopped'] as const;
export type ServiceState = (typeof serviceStates)[number];

/** What the service did recently. */
export type RecentWork = {
  readonly requests: number;
  /** Those that failed by our fault. */
  readonly errors: number;
  /** Share of requests, 0 to 1, that were as fast as promised; 1 when nothing was asked. */
  readonly performance: number;
};

export type ServiceHealth = {
  readonly status: HealthStatus;
  readonly level: DegradationLevel;
  readonly state: ServiceState;
  /** 0 to 1. */
  readonly healthScore: number;
};

/** healthy, minor -> healthy; warning, degraded -> degraded; critical -> unhealthy. */
export function statusOfLevel(level: DegradationLevel): HealthStatus {
  if (level === 'critical') return 'unhealthy';
  return level === 'healthy' || level === 'minor' ? 'healthy' : 'degraded';
}

export function worseStatus(a: HealthStatus, b: HealthStatus): HealthStatus {
  return healthStatuses.indexOf(a) >= healthStatuses.indexOf(b) ? a : b;
}

/**
 * Health from the recent error rate. A stopped service is critical and scores 0, whatever it did
 * before; one that starts or drains is judged by its work.
 */
export function serviceHealth(state: ServiceState, recent: RecentWork): ServiceHealth {
  if (state === 'stopped') {
    return { status: 'unhealthy', level: 'critical', state, healthScore: 0 };
  }
  const rate = errorRate(recent.requests, recent.errors);
  const level = degradationLevel(rate);
  const performance = Math.min(1, Math.max(0, recent.performance));
  return {
    status: statusOfLevel(level),
    level,
    state,
    healthScore: healthScore(1 - rate, performance),
  };
}

/** Can it answer requests at all? Only when not does `/health` answer 503. */
export function canServe(health: ServiceHealth): boolean {
  return health.state === 'active' || health.state === 'draining';
}

/** All backends healthy, some, none; none at all is unhealthy, though control still works. */
export function backendsStatus(total: number, healthy: number): HealthStatus {
  if (healthy <= 0) return 'unhealthy';
  return healthy >= total ? 'healthy' : 'degraded';
}

/** The gateway's own health, and as status the worse of that and of its backends'. */
export function gatewayHealth(
  own: ServiceHealth,
  backends: { readonly total: number; readonly healthy: number },
): ServiceHealth {
  const status = worseStatus(own.status, backendsStatus(backends.total, backends.healthy));
  return { ...own, status };
}

/** Share of services that must be healthy for the `quorum` flag of the gateway. */
export const serviceQuorumFraction = 0.75;
