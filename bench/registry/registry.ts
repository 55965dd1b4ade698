// Bench `registry`: 1000 backends of ten models each. What a query and a counter cost, how many bytes a
// backend takes, how long a change is on its way to every thread, and how long a cycle of probes takes
// of which a fifth gets no answer. Targets hold idle; what one hammering thread does to them is beside.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SnapshotFiles } from '../../src/io/segments/snapshot-files.ts';
import type { ArenaHandle } from '../../src/io/shared-memory/arena.ts';
import { ToldModels } from '../../src/services/gateway/told-models.ts';
import {
  type NamedChange,
  SnapshotPublisher,
} from '../../src/services/resilience/snapshot-publisher.ts';
import type { Fleet } from '../../src/services/routing/fleet.ts';
import type { Benchmark, BenchmarkContext, Measured } from '../harness/benchmark.ts';
import { median, rounded } from '../harness/statistics.ts';
import type { Bytes } from './bytes.ts';
import { Crew } from './crew.ts';
import {
  applyProbe,
  backendCount,
  backendName,
  buildFleet,
  modelsEach,
  modelsOf,
  routing,
  type Shape,
  shapes,
  threadCount,
} from './fleets.ts';
import { probeConcurrency, probeCycle, probeTimeoutMs } from './probe-cycle.ts';
import {
  incrementNs,
  increments,
  ownerQueries,
  ownerQueriesUnderChange,
  type Percentiles,
  percentiles,
  queriedOf,
  queries,
  threadQueries,
} from './queries.ts';

const rounds = 5;
/** Changes that are followed to the last thread in one round. */
const changes = 200;
/** Every so many of them is one of a list of models, the others of a status. */
const modelChangeEvery = 10;
/** Changes of status whose way through the arena is timed in one round. */
const sightings = 500;
const reads = 10_000;

export const registryBenchmark: Benchmark = {
  name: 'registry',
  words: '1000 backends: queries, counters, bytes, propagation to threads, a cycle of probes',
  targets: {
    query_p99_us_same: { op: '<=', value: 50 },
    query_p99_us_distinct: { op: '<=', value: 10 },
    increment_ns: { op: '<=', value: 60 },
    reads_10000_ms: { op: '<=', value: 50 },
    bytes_per_backend: { op: '<=', value: 10_240 },
    propagate_p99_ms: { op: '<=', value: 20 },
    status_visible_p99_ms: { op: '<=', value: 1 },
    probe_cycle_ms: { op: '<=', value: 6000 },
    probe_cycle_wrong: { op: '==', value: 0 },
  },
  run,
};

type Metrics = Record<string, number>;

/** The round whose 99th percentile is the median one. */
function medianRound(all: readonly Percentiles[]): Percentiles {
  const sorted = all.toSorted((a, b) => a.p99 - b.p99);
  return sorted[Math.floor(sorted.length / 2)] ?? { p50: Number.NaN, p99: Number.NaN };
}

/** `measure` in each of the rounds, in turns over the shapes. */
async function interleaved<Result>(
  measure: (shape: Shape) => Result | Promise<Result>,
): Promise<ReadonlyMap<Shape, readonly Result[]>> {
  const results = new Map<Shape, Result[]>(shapes.map((shape) => [shape, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const shape of shapes) {
      const result = await measure(shape);
      // The first round warms up.
      if (round > 0) results.get(shape)?.push(result);
    }
  }
  return results;
}

function handlesOf(fleet: Fleet): readonly ArenaHandle[] {
  return fleet.targets().map(({ slot, generation }) => ({ slot, generation }));
}

async function queryMetrics(crew: Crew, handles: readonly ArenaHandle[]): Promise<Metrics> {
  const metrics: Metrics = {};
  const subjects = new Map(
    shapes.map((shape) => [shape, queriedOf(buildFleet({ shape }).fleet, shape)] as const),
  );
  const kinds = [
    ['query', ownerQueries],
    ['query_changing', ownerQueriesUnderChange],
    ['query_thread', threadQueries],
  ] as const;
  const keep = async (suffix: string): Promise<void> => {
    for (const [name, ask] of kinds) {
      const results = await interleaved((shape) => {
        const subject = subjects.get(shape);
        if (subject === undefined) throw new Error(`no fleet ${shape}`);
        return ask(subject);
      });
      for (const [shape, all] of results) {
        const { p50, p99 } = medianRound(all);
        metrics[`${name}_p50_us_${shape}${suffix}`] = rounded(p50, 2);
        metrics[`${name}_p99_us_${shape}${suffix}`] = rounded(p99, 2);
      }
    }
  };
  await keep('');
  await crew.hammered(handles, () => keep('_hammered'));
  return metrics;
}

async function counterMetrics(crew: Crew, fleet: Fleet, arena: Parameters<typeof incrementNs>[0]) {
  const handles = handlesOf(fleet);
  const figures = (): readonly number[] =>
    Array.from({ length: rounds + 1 }, () => incrementNs(arena, handles)).slice(1);
  const idle = median(figures());
  const hammered = await crew.hammered(handles, () => median(figures()));
  return { increment_ns: rounded(idle, 1), increment_ns_hammered: rounded(hammered, 1) };
}

async function readMetrics(crew: Crew): Promise<Metrics> {
  const each = reads / threadCount;
  const ids = (thread: number): readonly string[] =>
    Array.from({ length: each }, (_, i) => backendName((i * 7 + thread) % backendCount));
  const times: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const ms = await crew.read(ids);
    if (round > 0) times.push(ms);
  }
  return { reads_10000_ms: rounded(median(times), 2) };
}

/** A fleet whose changes go the way of the product: named, stored, shortened, told. */
async function publishedFleet(scratch: string) {
  const folder = join(scratch, 'decisions');
  mkdirSync(folder, { recursive: true });
  const files = new SnapshotFiles(folder);
  const told = new ToldModels();
  let send: (change: NamedChange) => void = () => {};
  const publisher = new SnapshotPublisher(routing, {
    put: (digest, text) => files.put(digest, text),
    send: (change) => send(change),
    later: setImmediate,
    onTrouble: (error) => {
      throw error;
    },
  });
  const { fleet, arena } = buildFleet({
    shape: 'same',
    onDelta: (delta) => publisher.changed(delta),
  });
  const crew = await Crew.start(arena.parts, threadCount);
  const first = Promise.withResolvers<void>();
  let applied: Promise<Awaited<ReturnType<Crew['apply']>>> = Promise.resolve([]);
  let sent = Promise.withResolvers<void>();
  send = (change) => {
    applied = crew.apply(told.shortened(change));
    applied.then(() => first.resolve(), first.reject);
    sent.resolve();
  };
  publisher.open();
  await first.promise;
  /** Resolves when the last thread has what `change` did to the fleet. */
  const followed = async (change: () => void) => {
    sent = Promise.withResolvers<void>();
    const began = process.hrtime.bigint();
    change();
    await sent.promise;
    const all = await applied;
    const last = all.map(({ at }) => at).reduce((a, b) => (a > b ? a : b));
    return { ms: Number(last - began) / 1e6, applyUs: all.map(({ us }) => us) };
  };
  return { fleet, arena, crew, followed };
}

type Published = Awaited<ReturnType<typeof publishedFleet>>;

async function propagationRound({ fleet, followed }: Published, round: number) {
  const times: number[] = [];
  const applyUs: number[] = [];
  for (let i = 0; i < changes; i++) {
    const backend = (i * 37 + round) % backendCount;
    const isList = i % modelChangeEvery === 0;
    const before = fleet.listBackends()[backend];
    const status = isList || before?.status !== 'healthy' ? 'healthy' : 'unhealthy';
    const models = isList ? modelsOf('distinct', backend + round * backendCount) : undefined;
    const result = await followed(() => applyProbe(fleet, backend, status, models));
    times.push(result.ms);
    applyUs.push(...result.applyUs);
  }
  return { times: percentiles(times), apply: percentiles(applyUs) };
}

async function propagationMetrics(published: Published): Promise<Metrics> {
  const all = [];
  for (let round = 0; round <= rounds; round++) {
    const result = await propagationRound(published, round);
    if (round > 0) all.push(result);
  }
  const times = medianRound(all.map((result) => result.times));
  const apply = medianRound(all.map((result) => result.apply));
  return {
    propagate_p50_ms: rounded(times.p50, 2),
    propagate_p99_ms: rounded(times.p99, 2),
    apply_p50_us: rounded(apply.p50, 0),
    apply_p99_us: rounded(apply.p99, 0),
  };
}

async function visibilityMetrics({ fleet, crew }: Published): Promise<Metrics> {
  const all: Percentiles[] = [];
  for (let round = 0; round <= rounds; round++) {
    const places = Array.from({ length: sightings }, (_, i) => (i * 2 + round) % backendCount);
    for (const backend of places) applyProbe(fleet, backend, 'healthy');
    const targets = new Map(fleet.targets().map((target) => [target.id as string, target.slot]));
    const slots = places.map((backend) => targets.get(backendName(backend)) ?? -1);
    const ns = await crew.seen(slots, (place) =>
      applyProbe(fleet, places[place] ?? 0, 'unhealthy'),
    );
    if (round > 0) all.push(percentiles(ns.map((value) => value / 1e6)));
  }
  const { p50, p99 } = medianRound(all);
  return { status_visible_p50_ms: rounded(p50, 4), status_visible_p99_ms: rounded(p99, 4) };
}

async function byteMetrics({ processes }: BenchmarkContext): Promise<Metrics> {
  const metrics: Metrics = {};
  const file = fileURLToPath(new URL('./bytes.ts', import.meta.url));
  for (const shape of shapes) {
    const args = ['--expose-gc', file, shape];
    const text = await processes.run(process.execPath, args, { timeoutMs: 60_000 });
    const { owner, copy, arena, log }: Bytes = JSON.parse(text);
    metrics[`bytes_per_backend_${shape}`] = owner + copy + arena;
    metrics[`bytes_owner_${shape}`] = owner;
    metrics[`bytes_thread_copy_${shape}`] = copy;
    metrics[`bytes_decision_log_${shape}`] = log;
  }
  // The shape in which nothing can be shared.
  return { bytes_per_backend: metrics['bytes_per_backend_distinct'] ?? Number.NaN, ...metrics };
}

async function probeMetrics(): Promise<Metrics> {
  const cycles = [];
  for (let round = 0; round < 3; round++) cycles.push(await probeCycle());
  return {
    probe_cycle_ms: rounded(median(cycles.map(({ ms }) => ms)), 0),
    probe_cycle_cpu_ms: rounded(median(cycles.map(({ cpuMs }) => cpuMs)), 0),
    probe_cycle_wrong: Math.max(...cycles.map(({ right }) => backendCount - right)),
  };
}

async function run(context: BenchmarkContext): Promise<Measured> {
  const { say, scratch } = context;
  say('bytes');
  const bytes = await byteMetrics(context);
  say('cycles of probes');
  const probes = await probeMetrics();
  say('changes on their way to the threads');
  const published = await publishedFleet(scratch);
  const { fleet, arena, crew } = published;
  try {
    const reading = await readMetrics(crew);
    const propagation = await propagationMetrics(published);
    const visibility = await visibilityMetrics(published);
    say('queries and counters');
    const asked = await queryMetrics(crew, handlesOf(fleet));
    const counted = await counterMetrics(crew, fleet, arena);
    return {
      metrics: {
        ...asked,
        ...counted,
        ...reading,
        ...bytes,
        ...propagation,
        ...visibility,
        ...probes,
      },
      config: {
        backends: backendCount,
        models_each: modelsEach,
        rounds,
        queries,
        increments,
        threads: threadCount,
        propagate_of: 'named, stored on disk, told to every thread',
        changes,
        sightings,
        probe_concurrency: probeConcurrency,
        probe_timeout_ms: probeTimeoutMs,
        probe_rounds: 3,
        silent_backends: 200,
      },
      missing: [],
    };
  } finally {
    await crew.end();
  }
}
