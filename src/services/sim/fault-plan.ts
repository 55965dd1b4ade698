// Which fault strikes which request. Faults stand in the order they were added; the first that
// covers the path and passes its chance strikes and is counted down. Chance comes from the seed.

import { seededRandom } from '../../base/random.ts';
import type { SimFault } from '../../protocol/sim/schemas.ts';

/** Faults that may stand at once; one more pushes out the oldest. */
const faultsMax = 64;

type Standing = { readonly fault: SimFault; left: number; readonly endsMs: number };

export class FaultPlan {
  readonly #random;
  #standing: Standing[] = [];

  constructor(seed: number) {
    this.#random = seededRandom(seed ^ 0x5fa17);
  }

  add(fault: SimFault, nowMs: number): void {
    const endsMs = fault.duration_ms === undefined ? Infinity : nowMs + fault.duration_ms;
    this.#standing.push({ fault, left: fault.count ?? Infinity, endsMs });
    if (this.#standing.length > faultsMax) this.#standing.shift();
  }

  clear(): void {
    this.#standing = [];
  }

  /** The fault that strikes a request for `path`, if any; `inference` tells which kind of path. */
  strike(path: string, inference: boolean, nowMs: number): SimFault | undefined {
    for (const standing of this.#current(nowMs)) {
      const { fault } = standing;
      const covered =
        fault.paths?.some((prefix) => path.startsWith(prefix)) ??
        (inference || fault.kind === 'loading');
      if (!covered) continue;
      if (fault.probability !== undefined && this.#random.nextUnit() >= fault.probability) continue;
      standing.left--;
      return fault;
    }
    return undefined;
  }

  /** Faults that still hold, counts as they are now. */
  list(nowMs: number): SimFault[] {
    return this.#current(nowMs).map(({ fault, left }) =>
      left === Infinity ? fault : { ...fault, count: left },
    );
  }

  #current(nowMs: number): readonly Standing[] {
    this.#standing = this.#standing.filter(({ left, endsMs }) => left > 0 && endsMs > nowMs);
    return this.#standing;
  }
}
