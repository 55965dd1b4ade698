// Bench `decision`: one call of the decision on a full snapshot, warm, without I/O, the reasons of all
// that are excluded included. The figures are read from the real arena and the real breakers, as a
// gateway thread reads them; about a tenth of the backends is ill or full, and a few are slow.

import { hash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { BackendId } from '../../src/base/brand.ts';
import { seededRandom } from '../../src/base/random.ts';
import { type Strategy, strategies } from '../../src/base/routing-words.ts';
import { decide } from '../../src/core/routing/decide.ts';
import {
  type CounterSource,
  noHints,
  type RouteFeatures,
} from '../../src/core/routing/decision-input.ts';
import {
  buildSnapshot,
  type RoutingSnapshot,
  type Target,
  usualSettings,
} from '../../src/core/routing/snapshot.ts';
import { Arena } from '../../src/io/shared-memory/arena.ts';
import { ThreadCounters } from '../../src/services/gateway/thread-counters.ts';
import type { Benchmark, Measured } from '../harness/benchmark.ts';
import { median, rounded } from '../harness/statistics.ts';

const sizes = [50, 1000] as const;
const rounds = 5;
const calls = { 50: 40_000, 1000: 4000 } as const;
const warmUp = 3000;
const wallMs = 1_790_000_000_000;

type Bench = { readonly snapshot: RoutingSnapshot; readonly counters: CounterSource };

function targetOf(slot: number, generation: number): Target {
  const name = `backend-${String(slot).padStart(4, '0')}`;
  return {
    id: name as BackendId,
    name,
    url: `http://${name}:8000`,
    backendType: 'vllm',
    status: 'healthy',
    statusReason: undefined,
    approved: true,
    priority: 50,
    zone: slot % 10 === 0 ? 'open' : 'restricted',
    tier: 1 + (slot % 5),
    slot,
    generation,
    models: [
      {
        id: 'm',
        name: 'm',
        contextLength: 32_768,
        supportsVision: slot % 4 === 0,
        supportsTools: true,
        supportsJsonMode: true,
        maxOutputTokens: undefined,
      },
    ],
    closures: [],
    apiKeyEnv: undefined,
    simulated: false,
    loadedModels: slot % 2 === 0 ? ['m'] : [],
  };
}

/** A fleet of this size with figures in a real arena. */
function benchOf(size: number, strategy: Strategy): Bench {
  const random = seededRandom(size);
  const arena = Arena.create({ capacity: size, threads: 1 });
  const targets = Array.from({ length: size }, (_, slot) => {
    const handle = arena.open(slot, slot % 3 === 0 ? 32 : 0);
    arena.setStatus(handle, random.nextBelow(20) === 0 ? 'unhealthy' : 'healthy');
    const inFlight = random.nextBelow(34);
    for (let i = 0; i < inFlight; i++) arena.increment(handle, 0);
    arena.recordFirstByte(handle, 20 + random.nextBelow(400));
    arena.recordPeak(handle, 20 + random.nextBelow(400), wallMs - random.nextBelow(20_000));
    arena.addTokens(handle, random.nextBelow(20_000), 0);
    return targetOf(slot, handle.generation);
  });
  const snapshot = buildSnapshot(1, targets, { ...usualSettings, strategy });
  return {
    snapshot,
    counters: new ThreadCounters(
      arena,
      () => wallMs,
      () => 0,
    ),
  };
}

function featuresOf(i: number): RouteFeatures {
  return {
    model: 'm',
    resolvedModel: 'm',
    operation: 'chat',
    estimatedTokens: 200 + (i % 7) * 100,
    maxOutputTokens: i % 3 === 0 ? 512 : undefined,
    needsVision: false,
    needsTools: i % 5 === 0,
    needsJsonMode: false,
    remoteMedia: false,
    ...noHints,
    prefixKey: Math.imul(i, 0x9e3779b1) >>> 0,
    affinityKey: Math.imul(i, 0x85ebca6b) >>> 0,
  };
}

let sink = 0;

function once({ snapshot, counters }: Bench, i: number): void {
  const input = { tried: [], cursor: i, seed: Math.imul(i, 7919) >>> 0, budget: 'Normal' } as const;
  const decision = decide(snapshot, counters, featuresOf(i), input);
  if (decision.kind === 'route') sink += decision.target.slot;
}

/** us of each call. */
function timed(bench: Bench, count: number): readonly number[] {
  const samples: number[] = [];
  for (let i = 0; i < count; i++) {
    const began = process.hrtime.bigint();
    once(bench, i);
    samples.push(Number(process.hrtime.bigint() - began) / 1000);
  }
  return samples.sort((a, b) => a - b);
}

function percentileOf(sorted: readonly number[], share: number): number {
  return sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
}

/** Heap bytes of one decision, over calls between which nothing is collected. */
function bytesOf(bench: Bench, count: number): number {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < count; i++) once(bench, i);
  return (process.memoryUsage().heapUsed - before) / count;
}

function measureSize(size: (typeof sizes)[number], strategy: Strategy) {
  const bench = benchOf(size, strategy);
  for (let i = 0; i < warmUp; i++) once(bench, i);
  const all = Array.from({ length: rounds }, () => timed(bench, calls[size]));
  return {
    p50: median(all.map((samples) => percentileOf(samples, 0.5))),
    p99: median(all.map((samples) => percentileOf(samples, 0.99))),
    bytes: bytesOf(bench, size === 50 ? 200 : 20),
  };
}

export const decisionBenchmark: Benchmark = {
  name: 'decision',
  words: 'one routing decision at 50 and 1000 backends, each policy',
  targets: {
    decide_p99_us_50: { op: '<=', value: 20 },
    decide_p99_us_1000: { op: '<=', value: 300 },
  },
  async run({ say }): Promise<Measured> {
    const metrics: Record<string, number> = {};
    for (const size of sizes) {
      const usual = measureSize(size, 'smart');
      metrics[`decide_p50_us_${size}`] = rounded(usual.p50, 2);
      metrics[`decide_p99_us_${size}`] = rounded(usual.p99, 2);
      metrics[`bytes_per_decision_heap_${size}`] = Math.round(usual.bytes);
    }
    for (const strategy of strategies) {
      const { p99 } = measureSize(50, strategy);
      metrics[`${strategy}_p99_us_50`] = rounded(p99, 2);
      say(`${strategy}: p99 ${rounded(p99, 2)} us at 50 backends`);
    }
    const config = {
      rounds,
      calls,
      strategy: 'smart',
      sink: hash('sha256', String(sink)).slice(0, 8),
    };
    return { metrics, config, missing: [] };
  },
};
