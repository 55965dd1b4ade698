// What one gateway thread counts. Plain adds on objects that only this thread touches; a report
// four times a second carries the increments to the control thread, which sums and prints them.

import type { MetricDelta } from './messages.ts';

export const requestSeconds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300] as const;
export const firstByteSeconds = [0.05, 0.1, 0.5, 1, 5] as const;
export const overheadSeconds = [
  0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
] as const;

export const queueSeconds = [0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30] as const;

/** Items of a batch over its limit. */
export const batchFill = [0.1, 0.25, 0.5, 0.75, 0.9, 1] as const;
export const batchSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

/** One counter, for who counts the same thing often: adding to it builds no key. */
export type CounterCell = { value: number };

/** One histogram; see {@link record}. */
export type HistogramCell = {
  readonly bounds: readonly number[];
  readonly counts: number[];
  sum: number;
};

/** Adds one observation to a histogram. */
export function record(histogram: HistogramCell, value: number): void {
  const { bounds, counts } = histogram;
  let bucket = 0;
  while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++;
  counts[bucket] = (counts[bucket] as number) + 1;
  histogram.sum += value;
}

/** Escapes a label value for the Prometheus text format. */
export function labelValue(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

export class ThreadMetrics {
  readonly #counters = new Map<string, CounterCell>();
  readonly #histograms = new Map<string, HistogramCell>();
  readonly #gauges = new Map<string, { value: number; told: number }>();

  /** `key` is the metric's name and its labels as they will be printed. */
  counter(key: string): CounterCell {
    let cell = this.#counters.get(key);
    if (cell === undefined) {
      cell = { value: 0 };
      this.#counters.set(key, cell);
    }
    return cell;
  }

  histogram(key: string, bounds: readonly number[]): HistogramCell {
    let cell = this.#histograms.get(key);
    if (cell === undefined) {
      cell = { bounds, counts: new Array<number>(bounds.length + 1).fill(0), sum: 0 };
      this.#histograms.set(key, cell);
    }
    return cell;
  }

  count(key: string, by = 1): void {
    this.counter(key).value += by;
  }

  /** What it is now. */
  gauge(key: string, value: number): void {
    const known = this.#gauges.get(key);
    if (known === undefined) this.#gauges.set(key, { value, told: 0 });
    else known.value = value;
  }

  observe(key: string, bounds: readonly number[], value: number): void {
    record(this.histogram(key, bounds), value);
  }

  /** The increments since the last call, and the gauges that have changed; 0 until told otherwise. */
  drain(): MetricDelta[] {
    const deltas: MetricDelta[] = [];
    for (const [key, cell] of this.#counters) {
      if (cell.value === 0) continue;
      deltas.push({ kind: 'counter', key, value: cell.value });
      cell.value = 0;
    }
    for (const [key, gauge] of this.#gauges) {
      if (gauge.value === gauge.told) continue;
      gauge.told = gauge.value;
      deltas.push({ kind: 'gauge', key, value: gauge.value });
    }
    for (const [key, histogram] of this.#histograms) {
      if (histogram.counts.every((count) => count === 0)) continue;
      deltas.push({
        kind: 'histogram',
        key,
        counts: [...histogram.counts],
        sum: histogram.sum,
      });
      histogram.counts.fill(0);
      histogram.sum = 0;
    }
    return deltas;
  }
}
