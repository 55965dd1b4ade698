// Model consistency: the same arrivals on virtual time and as real requests, through a real gateway
// to real `tensorforge sim` processes, at 70 % of the capacity that the routing benchmark defines.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom } from '../../src/base/random.ts';
import type { SimulationRun } from '../../src/core/simulation/fleet-simulation.ts';
import { percentile } from '../../src/core/statistics/percentile.ts';
import type { Arrival } from '../../src/core/workload/traces/arrivals.ts';
import { scaledArrivals } from '../../src/core/workload/traces/scaled-arrivals.ts';
import { freePort } from '../gateway/free-port.ts';
import { startProduct } from '../gateway/product.ts';
import type { BenchmarkContext } from '../harness/benchmark.ts';
import { median, rounded } from '../harness/statistics.ts';
import { type PlayedRequest, playOver } from './http-load.ts';
import { capacityOf, firstByteMs, fleetOf, model, planned } from './plan.ts';

const engines = 2;
const profile = 'a100-7b';
const loadShare = 0.7;
/**
 * Queues are chaotic: of a minute and a half, arrivals that are 2 ms later give p95 first bytes from
 * 350 to 540 ms. Of four minutes they are within some per cent of each other.
 */
const playedSeconds = 240;
/** Simulated runs, each with arrivals as late as real ones are sent; their median counts. */
const simulatedRuns = 5;
const lateUsMax = 2000;
const seed = 20_261_121;
const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

type Consistency = {
  readonly metrics: Readonly<Record<string, number>>;
  readonly config: Readonly<Record<string, unknown>>;
};

export async function measureConsistency(
  context: BenchmarkContext,
  trace: readonly Arrival[],
): Promise<Consistency> {
  const fleet = fleetOf(engines, profile);
  const slice = trace.filter(({ atUs }) => atUs < playedSeconds * 1e6);
  const at = (rate: number) => scaledArrivals(slice, { speed: 1, rate, seed });
  const capacity = capacityOf(fleet, at);
  const arrivals = at(capacity * loadShare);
  context.say(`${arrivals.length} requests in ${playedSeconds} s, 70 % of the capacity`);
  const runs = Array.from({ length: simulatedRuns }, (_, run) =>
    planned(fleet, late(arrivals, run)),
  );
  const simulated = (of: (run: SimulationRun) => number): number => median(runs.map(of));
  const ports = await startEngines(context);
  const product = await startProduct({ ...context, backends: ports });
  const played = await playOver(product, model, arrivals);
  const first = answered(played).map((one) => one.firstMs);
  const total = answered(played).map((one) => one.totalMs);
  const failed = played.length - first.length;
  const statuses = [...new Set(played.filter(({ ok }) => !ok).map(({ status }) => status))];
  context.say(`${first.length} answered, ${failed} failed ${statuses.join(', ')}`);
  const firstMs = (pct: number): number => simulated((run) => firstByteMs(run, pct));
  const totalMs = simulated((run) => percentile(run.log.totalUs, 95) / 1000);
  return {
    metrics: {
      p95_ttft_error_vs_measured: errorOf(firstMs(95), percentile(first, 95)),
      p50_ttft_error_vs_measured: errorOf(firstMs(50), percentile(first, 50)),
      p99_ttft_error_vs_measured: errorOf(firstMs(99), percentile(first, 99)),
      p95_total_error_vs_measured: errorOf(totalMs, percentile(total, 95)),
      p95_ttft_simulated_ms: rounded(firstMs(95), 1),
      p95_ttft_measured_ms: rounded(percentile(first, 95), 1),
      measured_failed: failed,
    },
    config: {
      engines,
      profile,
      requests: arrivals.length,
      seconds: playedSeconds,
      simulated_runs: simulatedRuns,
      arrivals_late_us: lateUsMax,
      capacity_per_s: rounded((capacity * slice.length) / playedSeconds, 2),
      load_share: loadShare,
      strategy: 'smart',
      gateway: 'between, 2 threads',
      sent_late_p99_ms: rounded(
        percentile(
          played.map(({ lateMs }) => lateMs),
          99,
        ),
        1,
      ),
    },
  };
}

function late(arrivals: readonly Arrival[], run: number): readonly Arrival[] {
  const random = seededRandom(run);
  return arrivals
    .map((arrival) => ({ ...arrival, atUs: arrival.atUs + random.nextBelow(lateUsMax) }))
    .sort((a, b) => a.atUs - b.atUs);
}

function errorOf(simulated: number, measured: number): number {
  return rounded(Math.abs(simulated - measured) / measured, 4);
}

function answered(played: readonly PlayedRequest[]): readonly PlayedRequest[] {
  return played.filter(({ ok }) => ok);
}

async function startEngines({ processes, scratch }: BenchmarkContext): Promise<number[]> {
  const ports: number[] = [];
  for (let at = 0; at < engines; at++) {
    const port = await freePort();
    const flags = ['--as', 'vllm', '--port', String(port), '--model', model, '--profile', profile];
    const args = [main, 'sim', ...flags, '--name', `bench-${at}`, '--seed', String(at + 1)];
    processes.start(process.execPath, args, { log: join(scratch, `engine-${at}.log`) });
    await listening(port);
    ports.push(port);
  }
  return ports;
}

async function listening(port: number): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/health`);
      await answer.arrayBuffer();
      if (answer.ok) return;
    } catch {
      // Nobody listens yet.
    }
    if (performance.now() > deadline) throw new Error(`no engine on port ${port} within 30 s`);
    await delay(20);
  }
}
