// Picking one of several routes by latency (platform specification A.11, incident 001). A route is a
// candidate target with its figures; lower latency is better, and the endpoint's name breaks ties,
// so that the order in which routes are listed decides nothing except in a failover.
//
// What a latency of 0 means differs on purpose (ruling C7): a selection admits it, a score and the
// question of availability take it for "no measurement". Callers filter with `isAvailable` before
// they select, and give an endpoint without a measurement an initial latency instead of 0.

import { compareNumbers, compareText } from '../../base/compare.ts';

export type Route = {
  readonly endpoint: string;
  /** Whole milliseconds. */
  readonly latencyMs: number;
};

/** Latency ascending, then endpoint by code unit. Latencies are numbers, not NaN. */
export function compareRoutes(a: Route, b: Route): number {
  return compareNumbers(a.latencyMs, b.latencyMs) || compareText(a.endpoint, b.endpoint);
}

/** The route with the lowest latency, then the first endpoint; a NaN latency is left out. */
export function bestRoute(routes: readonly Route[]): Route | undefined {
  return routes
    .filter(({ latencyMs }) => !Number.isNaN(latencyMs))
    .reduce<Route | undefined>(
      (best, route) => (best === undefined || compareRoutes(route, best) < 0 ? route : best),
      undefined,
    );
}

/**
 * The best route that is neither blocked nor has a negative latency; 0 is admissible. Undefined when
 * none is left: a blocked endpoint is never the answer.
 */
export function selectRoute(
  routes: readonly Route[],
  blocked: ReadonlySet<string>,
): Route | undefined {
  return bestRoute(
    routes.filter(({ endpoint, latencyMs }) => latencyMs >= 0 && !blocked.has(endpoint)),
  );
}

/** The first route, in the order of preference given, whose endpoint is not `primary`. */
export function failover(routes: readonly Route[], primary: string): Route | undefined {
  return routes.find(({ endpoint }) => endpoint !== primary);
}

/** Not blocked, and measured: a latency of 0 means that there is no measurement. */
export function isAvailable(route: Route, blocked: ReadonlySet<string>): boolean {
  return route.latencyMs > 0 && !blocked.has(route.endpoint);
}
