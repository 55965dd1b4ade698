// Checkpoints by a metric that was measured with them, such as the loss on held-out data.

import { compareText } from '../../base/compare.ts';
import type { TrainingCheckpoint } from './training-checkpoint.ts';

export type MetricOrder = {
  readonly metricKey: string;
  /** True: lower is better. */
  readonly ascending: boolean;
};

/** The value; absent when it was not measured and when it is NaN, which has no rank. */
function metricOf({ metrics }: TrainingCheckpoint, key: string): number | undefined {
  const value = Object.hasOwn(metrics, key) ? metrics[key] : undefined;
  return value === undefined || Number.isNaN(value) ? undefined : value;
}

/** Best first, ties by id; those without the metric are left out. */
export function rankByMetric(
  checkpoints: Iterable<TrainingCheckpoint>,
  { metricKey, ascending }: MetricOrder,
): readonly TrainingCheckpoint[] {
  const ranked: { readonly checkpoint: TrainingCheckpoint; readonly value: number }[] = [];
  for (const checkpoint of checkpoints) {
    const value = metricOf(checkpoint, metricKey);
    if (value !== undefined) ranked.push({ checkpoint, value });
  }
  return ranked
    .sort((a, b) => {
      if (a.value !== b.value) return a.value < b.value === ascending ? -1 : 1;
      return compareText(a.checkpoint.checkpointId, b.checkpoint.checkpointId);
    })
    .map(({ checkpoint }) => checkpoint);
}

/** Those whose metric is strictly better than `threshold`, best first; none when it is NaN. */
export function betterThan(
  checkpoints: Iterable<TrainingCheckpoint>,
  threshold: number,
  order: MetricOrder,
): readonly TrainingCheckpoint[] {
  return rankByMetric(checkpoints, order).filter((checkpoint) => {
    const value = metricOf(checkpoint, order.metricKey);
    if (value === undefined) return false;
    return order.ascending ? value < threshold : value > threshold;
  });
}
