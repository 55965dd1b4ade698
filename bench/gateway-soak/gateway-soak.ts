// Bench `gateway-soak`: does a gateway stay as small as it was? Its memory after 1 500 000 requests over
// its memory after the first 300 000, with the decision log held to 64 MB on disk, so that segments are
// written, sealed and thrown away all the while.
import { setTimeout as delay } from 'node:timers/promises';
import { ensureDebian } from '../../scripts/debian.ts';
import { gatewayThreads, type Product, raisedLimits, startProduct } from '../gateway/product.ts';
import { chatBody, requestFile } from '../gateway/requests.ts';
import { connections } from '../gateway/rounds.ts';
import { benchPrograms, runWrk, startMock } from '../gateway/tools.ts';
import type { Benchmark, BenchmarkContext, Measured } from '../harness/benchmark.ts';
import { residentBytes } from '../harness/process-usage.ts';
import { median, rounded } from '../harness/statistics.ts';

const decisionLogMb = 64;
const segmentMb = 4;
const backendCount = 10;
const loadSeconds = 5;
/** What the load may take; the start and the end of the product come on top, within five minutes. */
const limitMs = 250_000;
/** Readings of the memory at rest, and what lies between two of them. */
const readings = { count: 5, everyMs: 400 } as const;

export type SoakCounts = {
  /** Requests after which memory is first read, and at the end. */
  readonly first: number;
  readonly last: number;
};

const usualCounts: SoakCounts = { first: 300_000, last: 1_500_000 };

export const gatewaySoakBenchmark: Benchmark = {
  name: 'gateway-soak',
  words: 'memory after 1 500 000 requests over that after 300 000',
  targets: {
    rss_ratio: { op: '<=', value: 1.05 },
    failed_requests: { op: '==', value: 0 },
  },
  run: (context) => soak(context, usualCounts),
};

/** Answers with what it came to; a count that time did not allow stands in `missing`. */
export async function soak(context: BenchmarkContext, counts: SoakCounts): Promise<Measured> {
  const { processes, scratch, say } = context;
  const states = await ensureDebian(['wrk', 'gcc']);
  const programs = await benchPrograms(processes);
  if (programs === undefined || states.get('wrk') === 'absent') {
    return { metrics: {}, config: {}, missing: ['wrk or a C compiler'] };
  }
  const mock = await startMock(processes, programs.mock, backendCount, `${scratch}/mock.log`);
  const decisions = { disk_mb: decisionLogMb, segment_mb: segmentMb };
  const product = await startProduct({
    processes,
    scratch,
    backends: mock.ports,
    settings: { decisions },
  });
  const load = new Load(context, product, performance.now() + limitMs);
  await load.until(counts.first);
  const firstMb = await residentMb(product);
  say(`${load.sent} requests: ${firstMb.toFixed(1)} MB`);
  const atFirst = load.sent;
  await load.until(counts.last);
  const lastMb = await residentMb(product);
  say(`${load.sent} requests: ${lastMb.toFixed(1)} MB`);
  const isWhole = load.sent >= counts.last;
  return {
    metrics: {
      ...(isWhole ? { rss_ratio: rounded(lastMb / firstMb, 4) } : {}),
      rss_mb_first: rounded(firstMb, 1),
      rss_mb_last: rounded(lastMb, 1),
      requests_first: atFirst,
      requests_last: load.sent,
      failed_requests: load.failed,
    },
    config: {
      counts,
      connections,
      gateway_threads: gatewayThreads,
      backends: backendCount,
      decisions,
      raised: raisedLimits,
    },
    missing: isWhole ? [] : [`${counts.last} requests within ${limitMs / 1000} s`],
  };
}

/** Requests in short rounds, counted, until there were enough or the time is over. */
class Load {
  readonly #context: BenchmarkContext;
  readonly #product: Product;
  readonly #deadlineMs: number;
  readonly #bodyFile: string;
  sent = 0;
  failed = 0;

  constructor(context: BenchmarkContext, product: Product, deadlineMs: number) {
    this.#context = context;
    this.#product = product;
    this.#deadlineMs = deadlineMs;
    this.#bodyFile = requestFile(context.scratch, 'body.json', chatBody());
  }

  async until(count: number): Promise<void> {
    const load = { bodyFile: this.#bodyFile, connections, seconds: loadSeconds };
    while (this.sent < count && performance.now() < this.#deadlineMs) {
      const { requests, failed } = await runWrk(this.#context.processes, this.#product, load);
      this.sent += requests;
      this.failed += failed;
    }
  }
}

/** VmRSS at rest, MB: the median of a few readings, so that one collection does not decide. */
async function residentMb(product: Product): Promise<number> {
  const seen: number[] = [];
  for (let at = 0; at < readings.count; at++) {
    await delay(readings.everyMs);
    seen.push(residentBytes(product.pid) / 1e6);
  }
  return median(seen);
}
