// Bench `queue`: the lock-free priority queue and token bucket of shared memory beside twins that do
// the same under a mutex, at 1, 2, 4 and 8 threads, and the books of a million operations: nothing
// lost, nothing twice, nothing granted too much.
import { loadavg } from 'node:os';
import { stressBucket } from '../../src/io/shared-memory/testing/bucket-stress.ts';
import { stressQueue } from '../../src/io/shared-memory/testing/queue-stress.ts';
import { runThreads } from '../../src/io/shared-memory/testing/threads.ts';
import type { Benchmark, BenchmarkContext, Measured } from '../harness/benchmark.ts';
import { median, rounded } from '../harness/statistics.ts';
import {
  bucketOptions,
  type ContenderName,
  contenderNames,
  makePart,
  queueShape,
  requestsPerTick,
} from './contenders.ts';
import type { RunTask, RunTimes } from './worker.ts';

const threadCounts = [1, 2, 4, 8] as const;
const rounds = 5;
/** Of all threads together, in one run. */
const operations = 4_000_000;
const warmUp = 200_000;
const stress = { workers: 4, operations: 1_000_000, seed: 20_261_121 } as const;
const workerFile = new URL('./worker.ts', import.meta.url);

export const queueBenchmark: Benchmark = {
  name: 'queue',
  words: 'Lock-free queue and limiter beside their guarded twins, and their books',
  targets: {
    limiter_overgrant: { op: '==', value: 0 },
    lost: { op: '==', value: 0 },
    duplicated: { op: '==', value: 0 },
    hard_limit_exceeded: { op: '==', value: 0 },
  },
  run,
};

async function run({ say }: BenchmarkContext): Promise<Measured> {
  const loadBefore = loadavg()[0] ?? 0;
  const metrics: Record<string, number> = {};
  for (const threads of threadCounts) {
    Object.assign(metrics, throughputMetrics(threads, await throughput(threads, say)));
  }
  say(`${stress.operations} operations of ${stress.workers} threads with the books kept`);
  return {
    metrics: { ...metrics, ...(await books()) },
    config: {
      rounds,
      operations_per_run: operations,
      queue: queueShape,
      enqueue_share: 0.5,
      limiter: { ...bucketOptions, requests_per_tick: requestsPerTick },
      guarded: 'futex mutex in shared memory',
      books: stress,
      load_average: rounded(loadBefore, 2),
    },
    missing: [],
  };
}

/** Operations per second of each contender: the medians over the interleaved rounds. */
async function throughput(
  threads: number,
  say: (line: string) => void,
): Promise<ReadonlyMap<ContenderName, number>> {
  const samples = new Map<ContenderName, number[]>(contenderNames.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (let at = 0; at < contenderNames.length; at += 1) {
      // Each round begins with another contender.
      const name = contenderNames[(at + round) % contenderNames.length];
      if (name !== undefined) samples.get(name)?.push(await oneRun(name, threads));
    }
  }
  const medians = new Map([...samples].map(([name, list]) => [name, median(list)] as const));
  const words = [...medians].map(([name, perS]) => `${name} ${(perS / 1e6).toFixed(2)}`);
  say(`${threads} threads, million operations/s: ${words.join(', ')}`);
  return medians;
}

async function oneRun(name: ContenderName, threads: number): Promise<number> {
  const each = Math.floor(operations / threads);
  const shared = { name, part: makePart(name), threads, operations: each, warmUp };
  const gate = new SharedArrayBuffer(4);
  const tasks = Array.from({ length: threads }, (_, thread) => ({ ...shared, thread, gate }));
  const times = await runThreads<RunTask, RunTimes>(workerFile, tasks);
  const began = times.map((time) => time.began).reduce((a, b) => (a < b ? a : b));
  const ended = times.map((time) => time.ended).reduce((a, b) => (a > b ? a : b));
  return (each * threads * 1e9) / Number(ended - began);
}

function throughputMetrics(
  threads: number,
  perSecond: ReadonlyMap<ContenderName, number>,
): Readonly<Record<string, number>> {
  const of = (name: ContenderName): number => perSecond.get(name) ?? Number.NaN;
  return {
    [`queue_ops_per_s_${threads}`]: rounded(of('queue'), 0),
    [`queue_ratio_guarded_${threads}`]: rounded(of('queue') / of('guarded queue'), 3),
    [`limiter_ops_per_s_${threads}`]: rounded(of('limiter'), 0),
    [`limiter_ratio_guarded_${threads}`]: rounded(of('limiter') / of('guarded limiter'), 3),
  };
}

async function books(): Promise<Readonly<Record<string, number>>> {
  const queue = await stressQueue({ ...stress, hardLimit: 40, levels: queueShape.levels });
  const bucket = await stressBucket({ ...stress, capacity: 100, refillRate: 64 });
  return {
    limiter_overgrant: bucket.overgrant,
    limiter_granted: bucket.granted,
    lost: queue.lost,
    duplicated: queue.duplicated + queue.invented,
    hard_limit_exceeded: Math.max(0, queue.sizeMax - 40),
  };
}
