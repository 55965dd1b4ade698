// What reading costs: a quantile of a full sketch, a merge, and an exact percentile by sorting.
import { LogSketch } from '../../src/core/statistics/log-sketch.ts';
import { percentile } from '../../src/core/statistics/percentile.ts';
import { median } from '../harness/statistics.ts';
import type { Peers } from './peers.ts';
import { inTurn } from './updates.ts';

const queryRounds = 7;
const queriesPerRound = 2000;
export const rankedCount = 100_000;

/** Microseconds for each quantile and merge, milliseconds for each exact percentile. */
export function queryCosts(
  values: Float64Array,
  { datadog, simple }: Peers,
): Readonly<Record<string, number>> {
  const sketch = new LogSketch();
  for (const value of values) sketch.add(value);
  const into = new LogSketch();
  const some = values.subarray(0, rankedCount);
  const plain = Array.from(some);
  const contenders = [
    { name: 'sketch_quantile_us', run: () => repeat(() => sketch.quantile(0.95)) },
    { name: 'sketch_merge_us', run: () => repeat(() => into.merge(sketch)) },
    { name: 'percentile_1e5_ms', run: () => percentile(some, 95) },
  ];
  if (datadog !== undefined) {
    const peer = new datadog();
    for (const value of values) peer.accept(value);
    const peerInto = new datadog();
    contenders.push(
      { name: 'datadog_quantile_us', run: () => repeat(() => peer.getValueAtQuantile(0.95)) },
      { name: 'datadog_merge_us', run: () => repeat(() => peerInto.merge(peer)) },
    );
  }
  if (simple !== undefined) {
    const run = () => simple.quantile(plain, 0.95);
    contenders.push({ name: 'simple_statistics_quantile_1e5_ms', run });
  }
  const samples = inTurn(contenders, queryRounds);
  return Object.fromEntries(
    [...samples].map(([name, ms]) => {
      return [name, median(ms) * (name.endsWith('_us') ? 1000 / queriesPerRound : 1)] as const;
    }),
  );
}

function repeat(query: () => unknown): void {
  for (let at = 0; at < queriesPerRound; at += 1) query();
}
