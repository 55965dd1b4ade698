// Bench `memory`: what one allocate and one free cost with 10 000 blocks live, beside a list that is
// walked, and how high the addresses of the pool's best fit go on buffers with known lifetimes,
// beside first fit and beside sizes rounded up to powers of two.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Random, seededRandom } from '../../src/base/random.ts';
import { percentileOfRanked } from '../../src/core/statistics/percentile.ts';
import type { Benchmark, BenchmarkContext, Measured } from '../harness/benchmark.ts';
import { rounded } from '../harness/statistics.ts';
import {
  alignment,
  type Contender,
  clockNs,
  deviceBytes,
  listContender,
  poolContender,
  timedPairs,
} from './alloc-free.ts';
import { parseBuffers, peakAddress, peakLoad } from './lifetimes.ts';
import { listPlacer, poolPlacer, powerOfTwo } from './placers.ts';

const rounds = 5;
const liveBlocks = 10_000;
const seed = 20_261_121;
const traceNames = ['A', 'C', 'D', 'F', 'G', 'I', 'J'];

/** 512 B to 16 MiB, each doubling as likely as any other: many small tensors, a few large. */
function drawTensorSize(random: Random): number {
  return Math.floor(512 * 2 ** (15 * random.nextUnit()));
}

/** 1 B to 1 MiB, all alike: leaves more and smaller gaps. */
function drawUniformSize(random: Random): number {
  return 1 + random.nextBelow(2 ** 20);
}

const races = [
  { name: 'alloc_free', open: poolContender, drawSize: drawTensorSize, pairs: 200_000 },
  { name: 'alloc_free_uniform', open: poolContender, drawSize: drawUniformSize, pairs: 200_000 },
  { name: 'linear_alloc_free', open: listContender, drawSize: drawTensorSize, pairs: 1000 },
] as const;

export const memoryBenchmark: Benchmark = {
  name: 'memory',
  words: 'allocate and free at 10 000 live blocks, peak addresses of best fit on minimalloc',
  targets: { alloc_free_p50_ns: { op: '<=', value: 1000 } },
  run: (context) => Promise.resolve(run(context)),
};

function run({ say }: BenchmarkContext): Measured {
  const speed = speedMetrics(say);
  const peaks = peakMetrics(process.env['TENSORFORGE_TRACES'] ?? '../shared/data');
  return {
    metrics: { ...speed.metrics, ...peaks.metrics },
    config: {
      rounds,
      live_blocks: liveBlocks,
      alignment,
      device_bytes: deviceBytes,
      pairs: Object.fromEntries(races.map(({ name, pairs }) => [name, pairs])),
      sizes: { alloc_free: '512 B to 16 MiB, log-uniform', uniform: '1 B to 1 MiB' },
      linear: 'an array of the live blocks by address, walked for each question',
      free_blocks: speed.freeBlocks,
      // Reading the clock is part of each time; this much of it.
      clock_ns: rounded(clockNs(), 0),
      seed,
    },
    missing: peaks.missing,
  };
}

type Round = { readonly p50: number; readonly p99: number };

type Entry = {
  readonly race: (typeof races)[number];
  readonly contender: Contender;
  readonly measured: Round[];
};

function speedMetrics(say: (line: string) => void) {
  const random = seededRandom(seed);
  const entered = races.map((race): Entry => {
    return { race, contender: filled(race.open(), race, random), measured: [] };
  });
  // The first round warms up and is not counted.
  for (let round = 0; round <= rounds; round++) {
    for (const { race, contender, measured } of entered) {
      const times = timedPairs(contender, random, { ...race, live: liveBlocks });
      if (round === 0) continue;
      const one = { p50: percentileOfRanked(times, 50), p99: percentileOfRanked(times, 99) };
      measured.push(one);
      say(`round ${round} ${race.name}: p50 ${one.p50.toFixed(0)}, p99 ${one.p99.toFixed(0)} ns`);
    }
  }
  const metrics: Record<string, number> = {};
  const freeBlocks: Record<string, number> = {};
  for (const { race, contender, measured } of entered) {
    const middle = measured.toSorted((a, b) => a.p50 - b.p50)[rounds >> 1];
    metrics[`${race.name}_p50_ns`] = rounded(middle?.p50 ?? Number.NaN, 0);
    metrics[`${race.name}_p99_ns`] = rounded(middle?.p99 ?? Number.NaN, 0);
    freeBlocks[race.name] = contender.freeBlocks();
  }
  return { metrics, freeBlocks };
}

function filled(
  contender: Contender,
  { drawSize }: { readonly drawSize: (random: Random) => number },
  random: Random,
): Contender {
  for (let block = 0; block < liveBlocks; block++) contender.fill(drawSize(random));
  return contender;
}

/** Highest address over the largest simultaneous load: 1 is the least possible. */
function peakMetrics(folder: string) {
  const metrics: Record<string, number> = {};
  const missing: string[] = [];
  const ratios = new Map<string, number[]>();
  for (const name of traceNames) {
    const file = join(folder, 'minimalloc', `${name}.1048576.csv`);
    if (!existsSync(file)) {
      missing.push(`trace ${file}`);
      continue;
    }
    const buffers = parseBuffers(readFileSync(file, 'utf8'));
    const load = peakLoad(buffers);
    const peaks = {
      minimalloc: peakAddress(
        buffers,
        poolPlacer((size) => size),
      ),
      first_fit: peakAddress(buffers, listPlacer('first')),
      pow2: peakAddress(buffers, poolPlacer(powerOfTwo)),
    };
    for (const [placement, peak] of Object.entries(peaks)) {
      metrics[`${placement}_peak_ratio_${name}`] = rounded(peak / load, 4);
      ratios.set(placement, [...(ratios.get(placement) ?? []), peak / load]);
    }
  }
  for (const [placement, list] of ratios) {
    const logs = list.reduce((sum, ratio) => sum + Math.log(ratio), 0);
    metrics[`${placement}_peak_ratio_geomean`] = rounded(Math.exp(logs / list.length), 4);
  }
  return { metrics, missing };
}
