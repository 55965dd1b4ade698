// Bench `gateway`: what the data plane costs beside HAProxy, what it adds in latency, whether it
// holds many streams, forgets aborted ones, stays small and starts fast. The full pipeline is on:
// key check, routing among ten backends, counters, metrics, decision log.
import { availableParallelism, loadavg } from 'node:os';
import { ensureDebian, findProgram } from '../../scripts/debian.ts';
import type { Benchmark, BenchmarkContext, Measured } from '../harness/benchmark.ts';
import { versionOf } from '../harness/machine.ts';
import { residentBytes } from '../harness/process-usage.ts';
import type { Started } from '../harness/processes.ts';
import { median, rounded } from '../harness/statistics.ts';
import { addedPerChunk, chunkCosts, costedStreams, timedStreams } from './chunks.ts';
import {
  haproxyThreads,
  largeBufferBytes,
  startBareHaproxy,
  startSameFeaturesHaproxy,
} from './haproxy.ts';
import { portkeyVersion, startPortkey } from './portkey.ts';
import {
  gatewayThreads,
  type Product,
  pendingRequests,
  raisedLimits,
  startProduct,
} from './product.ts';
import { usualBodyBytes } from './requests.ts';
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
  type ThroughputShape,
  throughput,
} from './rounds.ts';
import { benchPrograms, LoadClient, startMock } from './tools.ts';

const backendCount = 10;
const starts = 5;
const stopGraceMs = 40_000;
const peerGraceMs = 5_000;
/** Of the measurements that stand beside the main one: five minutes do not hold more. */
const shortRoundCount = 3;
const shortRoundSeconds = 2;
const largerKilobytes = [10, 100] as const;
const shortRoundsOf = 'requests of 10 and 100 KB, and beside Portkey';

export const gatewayBenchmark: Benchmark = {
  name: 'gateway',
  words: 'CPU per request beside HAProxy, added latency, streams, aborts, memory, start',
  targets: {
    cpu_ratio_haproxy: { op: '<=', value: 2.2 },
    cpu_ratio_haproxy_same_features: { op: '<=', value: 1.8 },
    sse_chunk_ratio_haproxy_no_delay: { op: '<=', value: 2.3 },
    rps_ratio_portkey: { op: '>=', value: 12 },
    added_p99_ms: { op: '<=', value: 0.28 },
    ttft_added_p99_ms: { op: '<=', value: 0.25 },
    added_per_chunk_p99_us: { op: '<=', value: 300 },
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
  const own = { name: 'tensorforge', ...product };
  const portkeyRatio = await measurePortkey(context, own, mock.ports[0] ?? 0, missing);
  const peers = await startedPeers(context, mock.ports, missing);
  const contenders = [own, ...peers];
  const figures = await throughput(processes, scratch, contenders, say);
  const bare = peers.filter(({ name }) => name === 'haproxy');
  const larger = await largerRequests(context, [own, ...bare], mock.ports);
  say(`CPU of a chunk, ${costedStreams.count} streams`);
  const chunks = await chunkCosts(client, scratch, [own, ...bare]);
  // The yardsticks have done their part; what follows compares with the bare mock.
  for (const { started } of peers) await processes.stop(started.child, peerGraceMs);

  const direct = { port: mock.ports[0] ?? 0, key: undefined };
  const endpoints = { direct, through: product };
  say('added latency at one connection');
  const latency = await addedLatency(client, scratch, 'latency', endpoints);
  const ttft = await addedLatency(client, scratch, 'ttft', endpoints);
  say(`${heldStreams.count} streams at once`);
  const held = await streamsHeld(client, scratch, endpoints);
  const perChunkUs = await addedPerChunk(client, scratch, endpoints);
  say(`${aborts.count} aborted requests`);
  const leaked = await abortsLeaked(client, scratch, product, mock, () => pendingRequests(product));

  const failedAtOnce = figures.get(own.name)?.failed ?? 0;
  const failed = failedAtOnce + larger.failed + latency.failed + ttft.failed + leaked.failed;
  return {
    metrics: {
      ...throughputMetrics(figures),
      ...larger.metrics,
      ...chunkMetrics(chunks),
      ...portkeyRatio,
      added_p50_ms: rounded(latency.p50Ms, 3),
      added_p99_ms: rounded(latency.p99Ms, 3),
      ttft_added_p50_ms: rounded(ttft.p50Ms, 3),
      ttft_added_p99_ms: rounded(ttft.p99Ms, 3),
      streams_held: held.held,
      stream_max_gap_ms: rounded(held.maxGapMs, 1),
      added_per_chunk_p99_us: rounded(perChunkUs, 1),
      added_per_chunk_p99_us_512: rounded(held.addedPerChunkP99Us, 1),
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

/**
 * Requests a second over those of Portkey, by turns, with nothing else running. Both have all cores of the
 * machine, and so have the backend and the load: on two cores there is nowhere else for them.
 */
async function measurePortkey(
  context: BenchmarkContext,
  own: Contender,
  backend: number,
  missing: string[],
): Promise<Readonly<Record<string, number>>> {
  const { processes, scratch, say } = context;
  const portkey = await startPortkey(processes, scratch, backend, say);
  if (portkey === undefined) {
    missing.push(`portkey ${portkeyVersion}`);
    return {};
  }
  const figures = await throughput(processes, scratch, [own, portkey], say, shortRounds());
  await processes.stop(portkey.started.child, peerGraceMs);
  const ours = figures.get(own.name);
  const theirs = figures.get(portkey.name);
  if (ours === undefined || theirs === undefined) return {};
  return {
    rps_ratio_portkey: rounded(ours.rps / theirs.rps, 2),
    portkey_rps: rounded(theirs.rps, 0),
    portkey_cpu_us_per_request: rounded(theirs.cpuUs, 2),
    portkey_failed_requests: theirs.failed,
  };
}

/** The CPU ratios at 10 and 100 KB, reported only. */
async function largerRequests(
  context: BenchmarkContext,
  plain: readonly Contender[],
  backends: readonly number[],
): Promise<{ readonly metrics: Readonly<Record<string, number>>; readonly failed: number }> {
  const { processes, scratch, say } = context;
  const hasHaproxy = plain.some(({ name }) => name === 'haproxy');
  const same = hasHaproxy
    ? await startSameFeaturesHaproxy(processes, scratch, backends, largeBufferBytes)
    : undefined;
  const contenders =
    same === undefined ? plain : [...plain, { name: 'haproxy, same features', ...same }];
  const metrics: Record<string, number> = {};
  let failed = 0;
  for (const kilobytes of largerKilobytes) {
    const shape = shortRounds(kilobytes * 1024);
    const figures = await throughput(processes, scratch, contenders, say, shape);
    failed += figures.get('tensorforge')?.failed ?? 0;
    const ratios = throughputMetrics(figures);
    for (const name of ['cpu_ratio_haproxy', 'cpu_ratio_haproxy_same_features']) {
      const ratio = ratios[name];
      if (ratio !== undefined) metrics[`${name}_${kilobytes}kb`] = ratio;
    }
    metrics[`cpu_us_per_request_${kilobytes}kb`] = ratios['cpu_us_per_request'] ?? Number.NaN;
  }
  if (same !== undefined) await processes.stop(same.started.child, peerGraceMs);
  return { metrics, failed };
}

function shortRounds(bodyBytes: number = usualBodyBytes): ThroughputShape {
  return { bodyBytes, rounds: shortRoundCount, seconds: shortRoundSeconds };
}

function chunkMetrics(costs: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  const own = costs.get('tensorforge');
  const bare = costs.get('haproxy');
  if (own === undefined || bare === undefined) return {};
  return {
    sse_chunk_ratio_haproxy_no_delay: rounded(own / bare, 3),
    cpu_us_per_chunk: rounded(own, 2),
    haproxy_cpu_us_per_chunk: rounded(bare, 2),
  };
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
    short_rounds: { rounds: shortRoundCount, seconds: shortRoundSeconds, of: shortRoundsOf },
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
    streams_cpu: costedStreams,
    streams_delay: timedStreams,
    portkey: `${portkeyVersion}, one process, all ${availableParallelism()} cores as the gateway`,
    haproxy_buffer_bytes_of_larger_requests: largeBufferBytes,
    aborts,
    starts,
    raised: raisedLimits,
    load_average: rounded(loadBefore, 2),
  };
}
