// What the server was made to do, so that a test can prove what probes never cause: generations,
// calls that a provider would bill, and which paths were asked how often.

import { BoundedMap } from '../../base/bounded-map.ts';

/** Paths that are counted one by one; the one not asked for the longest time is forgotten. */
const pathsMax = 256;

export class WorkCounts {
  /** Requests that reached the engine for output or embeddings. */
  generations = 0;
  /** Those of them that a provider bills. */
  paidCalls = 0;
  readonly #paths = new BoundedMap<string, number>(pathsMax);

  asked(method: string, path: string): void {
    const key = `${method} ${path}`;
    this.#paths.set(key, (this.#paths.get(key) ?? 0) + 1);
  }

  /** Requests by method and path, without the control paths. */
  paths(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#paths.entries());
  }
}
