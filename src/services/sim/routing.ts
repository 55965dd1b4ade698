// Which route a request is for.

import type { Route } from './simulation.ts';

export type RouteMatch = {
  readonly route: Route | undefined;
  /** The path is known, for this method or another. */
  readonly isKnownPath: boolean;
};

export function routeFor(routes: readonly Route[], method: string, path: string): RouteMatch {
  const onPath = routes.filter((route) => matches(route, path));
  const wanted = method === 'HEAD' ? 'GET' : method;
  const route = onPath.find((candidate) => candidate.method === wanted);
  return { route, isKnownPath: onPath.length > 0 };
}

function matches(route: Route, path: string): boolean {
  if (route.path.length > 1 && route.path.endsWith('/')) {
    return path.startsWith(route.path) && path.length > route.path.length;
  }
  return path === route.path;
}

/** What follows the route's path, decoded; as it stands when it is not validly encoded. */
export function restOf(route: Route, path: string): string {
  const rest = path.slice(route.path.length);
  try {
    return decodeURIComponent(rest);
  } catch {
    return rest;
  }
}

/** A question that no fault strikes by itself and that is not counted as a request. */
export function get(path: string, handle: Route['handle'], open = false): Route {
  return { method: 'GET', path, inference: false, open, handle };
}
