// The routes in force, one for each endpoint (platform specification A.11).
//
//   I1  At most one route for an endpoint.
//   I2  A route kept is a frozen copy: whoever gave or got one cannot change the table.

import { compareText } from '../../base/compare.ts';
import type { Route } from './route.ts';

export class RouteTable {
  readonly #routes = new Map<string, Route>();

  get count(): number {
    return this.#routes.size;
  }

  /** Writes the route of its endpoint, also over an older one. */
  upsert(route: Route): void {
    this.#routes.set(route.endpoint, Object.freeze({ ...route }));
  }

  get(endpoint: string): Route | undefined {
    return this.#routes.get(endpoint);
  }

  /** Returns the removed route; undefined when there was none. */
  remove(endpoint: string): Route | undefined {
    const removed = this.#routes.get(endpoint);
    this.#routes.delete(endpoint);
    return removed;
  }

  /** Ascending by endpoint, by code unit. */
  all(): readonly Route[] {
    return [...this.#routes.values()].sort((a, b) => compareText(a.endpoint, b.endpoint));
  }
}
