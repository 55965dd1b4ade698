// Samples of named metrics, and what can be told about a list of them (platform specification A.4).

import { compareText } from '../../base/compare.ts';
import { mean } from '../statistics/central.ts';

export type MetricSample = {
  readonly name: string;
  readonly value: number;
  readonly timestamp: number;
};

/** The distinct names, ascending by code unit. */
export function metricNames(samples: readonly MetricSample[]): readonly string[] {
  return [...new Set(samples.map(({ name }) => name))].sort(compareText);
}

/** The arithmetic mean (not the sum) of each metric; names ascend. */
export function meanByName(samples: readonly MetricSample[]): ReadonlyMap<string, number> {
  const groups = Map.groupBy(samples, ({ name }) => name);
  const means = [...groups].map(([name, own]): [string, number] => {
    return [name, mean(own.map(({ value }) => value))];
  });
  return new Map(means.sort(([a], [b]) => compareText(a, b)));
}

/** `{name}={value}{unit}` with two decimals: `latency=12.50ms`. For values below 1e21. */
export function formatMetric(name: string, value: number, unit: string): string {
  return `${name}=${value.toFixed(2)}${unit}`;
}
