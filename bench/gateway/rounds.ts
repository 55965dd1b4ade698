// The measurements of bench gateway, one function each. All compare the gateway with something that
// runs at the same time on the same machine, in interleaved rounds.
import { setTimeout as delay } from 'node:timers/promises';
import { cpuTimeNs } from '../harness/process-usage.ts';
import type { Processes } from '../harness/processes.ts';
import { median } from '../harness/statistics.ts';
import {
  chatBody,
  type Endpoint,
  rawRequest,
  requestFile,
  type StreamShape,
  usualBodyBytes,
} from './requests.ts';
import { type LoadClient, type Mock, mockStats, runWrk } from './tools.ts';

export const rounds = 5;
export const roundSeconds = 3;
export const connections = 32;
export const sequentialRequests = 5000;
export const heldStreams = { count: 512, chunks: 64, intervalMs: 20, spreadMs: 200 } as const;
export const aborts = { count: 1000, atOnce: 32 } as const;

export type Contender = Endpoint & { readonly name: string; readonly pid: number };

export type Throughput = {
  /** CPU time of all threads of the process, per request, in microseconds. */
  readonly cpuUs: number;
  readonly rps: number;
  readonly failed: number;
  readonly p99Us: number;
};

export type ThroughputShape = {
  readonly bodyBytes: number;
  /** Counted rounds; one more warms up. */
  readonly rounds: number;
  readonly seconds: number;
};

const usualThroughput: ThroughputShape = {
  bodyBytes: usualBodyBytes,
  rounds,
  seconds: roundSeconds,
};

/** CPU per request and requests per second of each contender: the medians over the rounds. */
export async function throughput(
  processes: Processes,
  scratch: string,
  contenders: readonly Contender[],
  say: (line: string) => void,
  shape: ThroughputShape = usualThroughput,
): Promise<ReadonlyMap<string, Throughput>> {
  const { bodyBytes, seconds } = shape;
  const bodyFile = requestFile(scratch, `body-${bodyBytes}.json`, chatBody(undefined, bodyBytes));
  const samples = new Map<string, Throughput[]>(contenders.map(({ name }) => [name, []]));
  // The first round warms up and is not counted; each round begins with another contender, so
  // that none always runs in the wake of the same neighbour.
  for (let round = 0; round <= shape.rounds; round += 1) {
    for (let at = 0; at < contenders.length; at += 1) {
      const contender = contenders[(at + round) % contenders.length];
      if (contender === undefined) continue;
      const sample = await oneRound(processes, contender, { bodyFile, connections, seconds });
      if (round === 0) continue;
      samples.get(contender.name)?.push(sample);
      const figures = `${sample.cpuUs.toFixed(1)} us CPU, ${sample.rps.toFixed(0)} requests/s`;
      say(`round ${round} ${contender.name}: ${figures}, ${sample.failed} failed`);
    }
  }
  const middle = new Map<string, Throughput>();
  for (const [name, list] of samples) {
    middle.set(name, {
      cpuUs: median(list.map((sample) => sample.cpuUs)),
      rps: median(list.map((sample) => sample.rps)),
      p99Us: median(list.map((sample) => sample.p99Us)),
      failed: list.reduce((sum, sample) => sum + sample.failed, 0),
    });
  }
  return middle;
}

async function oneRound(
  processes: Processes,
  contender: Contender,
  load: Parameters<typeof runWrk>[2],
): Promise<Throughput> {
  const before = cpuTimeNs(contender.pid);
  const result = await runWrk(processes, contender, load);
  const usedUs = (cpuTimeNs(contender.pid) - before) / 1000;
  return {
    cpuUs: usedUs / result.requests,
    rps: result.requests / result.seconds,
    failed: result.failed,
    p99Us: result.p99Us,
  };
}

export type Added = { readonly p50Ms: number; readonly p99Ms: number; readonly failed: number };

/** What the gateway adds at one connection: percentile through it minus percentile without it. */
export async function addedLatency(
  client: LoadClient,
  scratch: string,
  mode: 'latency' | 'ttft',
  endpoints: { readonly direct: Endpoint; readonly through: Endpoint },
): Promise<Added> {
  const body = chatBody(mode === 'ttft' ? { chunks: 2, intervalMs: 0 } : undefined);
  const fileFor = (name: string, endpoint: Endpoint): string =>
    requestFile(scratch, `${mode}-${name}.http`, rawRequest(endpoint, body));
  const direct = fileFor('direct', endpoints.direct);
  const through = fileFor('through', endpoints.through);
  const p50Ms: number[] = [];
  const p99Ms: number[] = [];
  let failed = 0;
  for (let round = 0; round < rounds; round += 1) {
    const count = sequentialRequests;
    const bare = await client.sequential(mode, endpoints.direct.port, direct, count);
    const full = await client.sequential(mode, endpoints.through.port, through, count);
    failed += bare.failed + full.failed;
    p50Ms.push((full.time.p50_ns - bare.time.p50_ns) / 1e6);
    p99Ms.push((full.time.p99_ns - bare.time.p99_ns) / 1e6);
  }
  return { p50Ms: median(p50Ms), p99Ms: median(p99Ms), failed };
}

export type Held = {
  readonly held: number;
  readonly maxGapMs: number;
  readonly allAtOnce: boolean;
  /** p99 of the delays of chunks through it minus without it. */
  readonly addedPerChunkP99Us: number;
};

/** How many of the streams arrive whole and without a gap when all run at once. */
export async function streamsHeld(
  client: LoadClient,
  scratch: string,
  endpoints: { readonly direct: Endpoint; readonly through: Endpoint },
): Promise<Held> {
  const { chunks, intervalMs } = heldStreams;
  const body = chatBody({ chunks, intervalMs });
  const played = (endpoint: Endpoint, count: number) => {
    const file = requestFile(scratch, 'streams.http', rawRequest(endpoint, body));
    return client.streams(endpoint.port, file, { ...heldStreams, count });
  };
  await played(endpoints.through, 64);
  const direct = await played(endpoints.direct, heldStreams.count);
  const result = await played(endpoints.through, heldStreams.count);
  return {
    held: result.held,
    maxGapMs: result.max_gap_ns / 1e6,
    allAtOnce: result.all_at_once,
    addedPerChunkP99Us: (result.chunk.p99_ns - direct.chunk.p99_ns) / 1000,
  };
}

export type Leaked = {
  readonly openAtMock: number;
  readonly pending: number;
  readonly aborted: number;
  readonly failed: number;
};

/** What is still open one second after the last of many clients went away. */
export async function abortsLeaked(
  client: LoadClient,
  scratch: string,
  through: Endpoint,
  mock: Mock,
  pending: () => Promise<number>,
): Promise<Leaked> {
  const long: StreamShape = { chunks: 1000, intervalMs: 20 };
  const fileFor = (name: string, shape: StreamShape): string =>
    requestFile(scratch, `abort-${name}.http`, rawRequest(through, chatBody(shape)));
  const requests = {
    afterEvent: fileFor('after-event', long),
    beforeHead: fileFor('before-head', { ...long, headDelayTenths: 2 }),
  };
  const result = await client.aborts(through.port, requests, aborts.count, aborts.atOnce);
  await delay(1000); // The second that the definition of the metric grants.
  return {
    openAtMock: (await mockStats(mock)).open,
    pending: await pending(),
    aborted: result.after_event + result.before_head,
    failed: result.failed,
  };
}
