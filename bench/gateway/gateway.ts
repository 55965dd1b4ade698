// Bench `gateway`: what the data plane costs beside HAProxy, what it adds in latency, whether it
// holds many streams, forgets aborted ones, stays small and starts fast. The full pipeline is on:
// key check, routing among ten backends, counters, metrics, decision in the in-memory ring.
import { loadavg } from 'node:os';
import { ensureDebian, findProgram } from '../../scripts/debian.ts';
import type { Benchmark, BenchmarkContext, Measured } from '../harness/benchmark.ts';
import { versionOf } from '../harness/machine.ts';
import { residentBytes } from '../harness/process-usage.ts';
import type { Started } from '../harness/processes.ts';
import { median, rounded } from '../harness/statistics.ts';
import { haproxyThreads, startBareHaproxy, startSameFeaturesHaproxy } from './haproxy.ts';
import {
  gatewayThreads,
  type Product,
  pendingRequests,
  raisedLimits,
  startProduct,
} from './product.ts';
import {
  aborts,
  abortsLeaked,
  addedLatency,
  type Contender,
  connections,
  heldStreams,
  roundSeconds,
  rounds,
  sequentialRequests,
  streamsHeld,
  type Throughput,
  throughput,
} from './rounds.ts';
import { benchPrograms, LoadClient, startMock } from './tools.ts';

const backendCount = 10;
const starts = 5;
const stopGraceMs = 40_000;
const peerGraceMs = 5_000;

export const gatewayBenchmark: Benchmark = {
  name: 'gateway',
  words: 'CPU per request beside HAProxy, added latency, streams, aborts, memory, start',
  targets: {
    cpu_ratio_haproxy: { op: '<=', value: 2.5 },
    added_p99_ms: { op: '<=', value: 0.5 },
    ttft_added_p99_ms: { op: '<=', value: 1 },
    streams_held: { op: '==', value: heldStreams.count },
    aborts_leaked: { op: '==', value: 0 },
    failed_requests: { op: '==', value: 0 },
    rss_mb: { op: '<=', value: 350 },
    start_ms: { op: '<=', value: 2500 },
  },
  run,
};

async function run(context: BenchmarkContext): Promise<Measured> {
  const { processes, scratch, say } = context;
  const loadBefore = loadavg()[0] ?? 0;
  const states = await ensureDebian(['wrk', 'haproxy', 'gcc']);
  const missing = [...states].filter(([, state]) => state === 'absent').map(([name]) => name);
  const programs = await benchPrograms(processes);
  if (programs === undefined || missing.includes('wrk')) {
    return { metrics: {}, config: {}, missing };
  }
  const client = new LoadClient(processes, programs.load);
  const mock = await startMock(processes, programs.mock, backendCount, `${scratch}/mock.log`);

  const { product, startMs } = await startedProduct(context, mock.ports);
  const peers = await startedPeers(context, mock.ports, missing);
  const contenders = [{ name: 'tensorforge', ...product }, ...peers];
  const figures = await throughput(processes, scratch, contenders, say);
  // The yardsticks have done their part; what follows compares with the bare mock.
  for (const { started } of peers) await processes.stop(started.child, peerGraceMs);

  const direct = { port: mock.ports[0] ?? 0, key: undefined };
  const endpoints = { direct, through: product };
  say('added latency at one connection');
  const latency = await addedLatency(client, scratch, 'latency', endpoints);
  const ttft = await addedLatency(client, scratch, 'ttft', endpoints);
  say(`${heldStreams.count} streams at once`);
  const held = await streamsHeld(client, scratch, product);
  say(`${aborts.count} aborted requests`);
  const leaked = await abortsLeaked(client, scratch, product, mock, () => pendingRequests(product));

  const own = figures.get('tensorforge');
  const failed = (own?.failed ?? 0) + latency.failed + ttft.failed + leaked.failed;
  return {
    metrics: {
      ...throughputMetrics(figures),
      added_p50_ms: rounded(latency.p50Ms, 3),
      added_p99_ms: rounded(latency.p99Ms, 3),
      ttft_added_p50_ms: rounded(ttft.p50Ms, 3),
      ttft_added_p99_ms: rounded(ttft.p99Ms, 3),
      streams_held: held.held,
      stream_max_gap_ms: rounded(held.maxGapMs, 1),
      aborts_leaked: leaked.openAtMock + leaked.pending,
      failed_requests: failed,
      rss_mb: rounded(residentBytes(product.pid) / 1e6, 1),
      start_ms: rounded(startMs, 0),
    },
    config: {
      ...configuration(loadBefore),
      streams_all_at_once: held.allAtOnce,
      aborted: leaked.aborted,
    },
    missing,
  };
}

/** The first start initialises the data directory; of the following the median counts. */
async function startedProduct(
  context: BenchmarkContext,
  backends: readonly number[],
): Promise<{ readonly product: Product; readonly startMs: number }> {
  const { processes, scratch, say } = context;
  let product = await startProduct({ processes, scratch, backends });
  say(`first start, with an empty data directory: ${product.startMs.toFixed(0)} ms`);
  const startMs: number[] = [];
  for (let at = 0; at < starts; at += 1) {
    await processes.stop(product.started.child, stopGraceMs);
    product = await startProduct({ processes, scratch, backends });
    startMs.push(product.startMs);
  }
  say(`starts: ${startMs.map((ms) => ms.toFixed(0)).join(', ')} ms`);
  return { product, startMs: median(startMs) };
}

async function startedPeers(
  context: BenchmarkContext,
  backends: readonly number[],
  missing: readonly string[],
): Promise<readonly (Contender & { readonly started: Started })[]> {
  const { processes, scratch } = context;
  if (missing.includes('haproxy')) return [];
  const bare = await startBareHaproxy(processes, scratch, backends[0] ?? 0);
  const same = await startSameFeaturesHaproxy(processes, scratch, backends);
  return [
    { name: 'haproxy', ...bare },
    { name: 'haproxy, same features', ...same },
  ];
}

function throughputMetrics(
  figures: ReadonlyMap<string, Throughput>,
): Readonly<Record<string, number>> {
  const own = figures.get('tensorforge');
  const bare = figures.get('haproxy');
  const same = figures.get('haproxy, same features');
  const metrics: Record<string, number> = {};
  if (own === undefined) return metrics;
  metrics['cpu_us_per_request'] = rounded(own.cpuUs, 2);
  metrics['rps'] = rounded(own.rps, 0);
  if (bare !== undefined) {
    metrics['haproxy_cpu_us_per_request'] = rounded(bare.cpuUs, 2);
    metrics['haproxy_rps'] = rounded(bare.rps, 0);
    metrics['cpu_ratio_haproxy'] = rounded(own.cpuUs / bare.cpuUs, 3);
  }
  if (same !== undefined) {
    metrics['haproxy_same_features_cpu_us_per_request'] = rounded(same.cpuUs, 2);
    metrics['cpu_ratio_haproxy_same_features'] = rounded(own.cpuUs / same.cpuUs, 3);
  }
  return metrics;
}

function configuration(loadBefore: number): Readonly<Record<string, unknown>> {
  return {
    rounds,
    round_seconds: roundSeconds,
    connections,
    request_bytes: 1024,
    answer_bytes: 512,
    backends: backendCount,
    gateway_threads: gatewayThreads,
    haproxy_threads: haproxyThreads,
    haproxy: versionOf(findProgram('haproxy') ?? 'haproxy', '-v'),
    wrk: versionOf('wrk', '-v'),
    sequential_requests: sequentialRequests,
    streams: heldStreams,
    aborts,
    starts,
    raised: raisedLimits,
    load_average: rounded(loadBefore, 2),
  };
}
