// The newest samples of all metrics together (platform specification A.4).
//
//   I1  count <= capacity; beyond it the oldest sample falls out.
//   I2  Every sample kept is finite; one that is not is dropped and counted (specification 0.3).
//   I3  A sample kept is a frozen copy: whoever gave or got one cannot change the collector.

import { Ring } from '../../base/ring.ts';
import type { MetricSample } from './metric.ts';

export class MetricsCollector {
  /** Absent for a capacity of 0, which keeps nothing. */
  readonly #ring: Ring<MetricSample> | undefined;
  #dropped = 0;

  constructor(capacity: number) {
    this.#ring = capacity === 0 ? undefined : new Ring(capacity);
  }

  get count(): number {
    return this.#ring?.size ?? 0;
  }

  /** Samples that were not finite since the collector was made. */
  get dropped(): number {
    return this.#dropped;
  }

  record(sample: MetricSample): void {
    if (Number.isFinite(sample.value) && Number.isFinite(sample.timestamp)) {
      this.#ring?.push(Object.freeze({ ...sample }));
    } else {
      this.#dropped += 1;
    }
  }

  /** The samples of one metric, in the order of recording. */
  getByName(name: string): readonly MetricSample[] {
    return this.#ring?.toArray().filter((sample) => sample.name === name) ?? [];
  }

  /** Forgets the samples; what was dropped stays counted. */
  clear(): void {
    this.#ring?.clear();
  }
}
