// What one update costs: nanoseconds for each of a million, ours and the peers' in turn, and whether
// that stays so as the stream grows.
import { LogSketch } from '../../src/core/statistics/log-sketch.ts';
import { Moments } from '../../src/core/statistics/moments.ts';
import { MovingAverage } from '../../src/core/statistics/moving-average.ts';
import { ResponseTimeTracker } from '../../src/core/statistics/response-time-tracker.ts';
import { median } from '../harness/statistics.ts';
import type { Peers } from './peers.ts';

export const updateRounds = 7;
export const updatesPerRound = 1_000_000;
export const trackerWindow = 1000;
export const trackerLargeWindow = 100_000;
/** Peers that count whole numbers get microseconds, the same values times this. */
const wholeScale = 1000;
/** HdrHistogram is told its range: up to an hour in microseconds. */
const hdrHighest = 3_600_000_000;

type Contender = { readonly name: string; readonly run: () => void };

/** Each has a loop of its own, so that what one compiles to does not depend on the others. */
function updateContenders(values: Float64Array, peers: Peers): readonly Contender[] {
  const whole = values.map((value) => Math.max(1, Math.round(value * wholeScale)));
  return [
    ...ownContenders(values),
    ...datadogContenders(values, peers),
    ...hdrContenders(whole, peers),
    ...digestContenders(values, peers),
    {
      name: 'node_histogram_add_ns',
      run: () => {
        const histogram = peers.histogram();
        for (let at = 0; at < whole.length; at += 1) histogram.record(whole[at] ?? 0);
      },
    },
  ];
}

function ownContenders(values: Float64Array): readonly Contender[] {
  return [
    {
      name: 'sketch_add_ns',
      run: () => {
        const sketch = new LogSketch();
        for (let at = 0; at < values.length; at += 1) sketch.add(values[at] ?? 0);
      },
    },
    {
      name: 'tracker_add_ns',
      run: () => {
        const tracker = new ResponseTimeTracker(trackerWindow);
        for (let at = 0; at < values.length; at += 1) tracker.add(values[at] ?? 0);
      },
    },
    {
      name: 'tracker_large_add_ns',
      run: () => {
        const tracker = new ResponseTimeTracker(trackerLargeWindow);
        for (let at = 0; at < values.length; at += 1) tracker.add(values[at] ?? 0);
      },
    },
    {
      name: 'moving_average_add_ns',
      run: () => {
        const average = new MovingAverage(trackerWindow);
        for (let at = 0; at < values.length; at += 1) average.add(values[at] ?? 0);
      },
    },
    {
      name: 'moments_add_ns',
      run: () => {
        const moments = new Moments();
        for (let at = 0; at < values.length; at += 1) moments.add(values[at] ?? 0);
      },
    },
  ];
}

function datadogContenders(values: Float64Array, { datadog }: Peers): readonly Contender[] {
  if (datadog === undefined) return [];
  return [
    {
      name: 'datadog_add_ns',
      run: () => {
        const sketch = new datadog();
        for (let at = 0; at < values.length; at += 1) sketch.accept(values[at] ?? 0);
      },
    },
  ];
}

function hdrContenders(whole: Float64Array, { hdr }: Peers): readonly Contender[] {
  if (hdr === undefined) return [];
  const request = {
    highestTrackableValue: hdrHighest,
    numberOfSignificantValueDigits: 2,
    autoResize: false,
  } as const;
  return [
    {
      name: 'hdr_add_ns',
      run: () => {
        const histogram = hdr(request);
        for (let at = 0; at < whole.length; at += 1) histogram.recordValue(whole[at] ?? 0);
      },
    },
    {
      name: 'hdr_wasm_add_ns',
      run: () => {
        const histogram = hdr({ ...request, useWebAssembly: true });
        for (let at = 0; at < whole.length; at += 1) histogram.recordValue(whole[at] ?? 0);
        histogram.destroy();
      },
    },
  ];
}

function digestContenders(values: Float64Array, { digest }: Peers): readonly Contender[] {
  if (digest === undefined) return [];
  return [
    {
      name: 'tdigest_add_ns',
      run: () => {
        const sketch = new digest();
        for (let at = 0; at < values.length; at += 1) sketch.push(values[at] ?? 0);
      },
    },
  ];
}

/** Milliseconds that `run` takes. */
export function elapsedMs(run: () => void): number {
  const startedAt = performance.now();
  run();
  return performance.now() - startedAt;
}

/**
 * The milliseconds of each round, by name. A round before them warms up and is not counted; each
 * begins with another contender.
 */
export function inTurn(
  contenders: readonly Contender[],
  rounds: number,
): ReadonlyMap<string, readonly number[]> {
  const samples = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (let at = 0; at < contenders.length; at += 1) {
      const contender = contenders[(at + round) % contenders.length];
      if (contender === undefined) continue;
      const ms = elapsedMs(contender.run);
      if (round > 0) samples.get(contender.name)?.push(ms);
    }
  }
  return samples;
}

/** Nanoseconds for each update, by contender. */
export function updateCosts(values: Float64Array, peers: Peers): Readonly<Record<string, number>> {
  const samples = inTurn(updateContenders(values, peers), updateRounds);
  const nsPerUpdate = 1e6 / values.length;
  return Object.fromEntries(
    [...samples].map(([name, ms]) => [name, median(ms) * nsPerUpdate] as const),
  );
}

/** Cost of the tenth million updates of one sketch over that of the second. */
export function lateUpdateRatio(values: Float64Array): number {
  const ratios = Array.from({ length: updateRounds }, () => {
    const sketch = new LogSketch();
    const addAll = () => {
      for (let at = 0; at < values.length; at += 1) sketch.add(values[at] ?? 0);
    };
    const ms = Array.from({ length: 10 }, () => elapsedMs(addAll));
    return (ms[9] ?? Number.NaN) / (ms[1] ?? Number.NaN);
  });
  return median(ratios);
}
