// Bench `replay`: what the decision log costs the thread that decides, how large it is, how fast sealed
// segments are decided again by the same code that runs behind `tensorforge replay`, and what the
// throughput of the gateway is with the log on against the log off, in interleaved rounds.
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDebian } from '../../scripts/debian.ts';
import { SnapshotDigester } from '../../src/core/decisions/snapshot-digester.ts';
import { nodeCrypto } from '../../src/io/credentials/crypto.ts';
import { SnapshotFiles } from '../../src/io/segments/snapshot-files.ts';
import { DecisionJournal } from '../../src/services/gateway/decision-journal.ts';
import { replayFolder } from '../../src/services/resilience/replay-here.ts';
import { startProduct } from '../gateway/product.ts';
import { connections, roundSeconds, rounds, throughput } from '../gateway/rounds.ts';
import { benchPrograms, startMock } from '../gateway/tools.ts';
import type { Benchmark, BenchmarkContext, Measured } from '../harness/benchmark.ts';
import { median, rounded } from '../harness/statistics.ts';
import {
  benchSnapshot,
  candidates,
  type DecidedRequest,
  decidedRequests,
} from './decided-requests.ts';

const requestsPerRound = 50_000;
const appendRounds = 5;
/** Requests between two looks at the clock: they are written right after they were decided. */
const batch = 10;
/** Batches between two turns of the event loop. */
const batchesPerTurn = 10;
const backendCount = 10;
const seed = 7;

export const replayBenchmark: Benchmark = {
  name: 'replay',
  words: 'decisions made again per second, cost and size of the decision log',
  targets: {
    decisions_per_s: { op: '>=', value: 300_000 },
    divergences: { op: '==', value: 0 },
    append_ns_hot_path: { op: '<=', value: 1500 },
    bytes_per_decision: { op: '<=', value: 400 },
    throughput_log_on_over_off: { op: '>=', value: 0.95 },
  },
  run,
};

type Written = { readonly folder: string; readonly requests: number; readonly appendNs: number };

function append(journal: DecisionJournal, { admission, facts, decision, settled }: DecidedRequest) {
  journal.admission(admission);
  journal.routing(facts, decision);
  journal.settled(settled);
}

function next(requests: Generator<DecidedRequest>): DecidedRequest {
  const { done, value } = requests.next();
  if (done === true) throw new Error('too few requests were made');
  return value;
}

/** Writes what a thread would write; ns per request for all of its three records. */
async function write(scratch: string): Promise<Written> {
  const folder = join(scratch, 'decisions');
  mkdirSync(folder, { recursive: true });
  const snapshot = benchSnapshot();
  const { digest, documents } = new SnapshotDigester(nodeCrypto.sha256Hex).digested(snapshot);
  const files = new SnapshotFiles(folder);
  for (const one of documents) files.put(one.digest, one.text);
  const settings = {
    folder,
    program: 'bench',
    segmentBytes: 16_000_000,
    queueBytes: 64_000_000,
    onFull: 'drop',
    sample: 1,
  } as const;
  const ports = {
    monotonicMs: () => performance.now(),
    wallMs: () => Date.now(),
    onSealed: () => {},
    onTrouble: (words: string) => {
      throw new Error(words);
    },
  };
  const journal = DecisionJournal.open(settings, 't0', ports);
  const perRequest: number[] = [];
  for (let round = 0; round <= appendRounds; round += 1) {
    const requests = decidedRequests(snapshot, digest, requestsPerRound, seed + round);
    const samples: number[] = [];
    for (let turn = 0; turn < requestsPerRound / batch / batchesPerTurn; turn += 1) {
      for (let at = 0; at < batchesPerTurn; at += 1) {
        const decided = Array.from({ length: batch }, () => next(requests));
        const begin = process.hrtime.bigint();
        for (const request of decided) append(journal, request);
        samples.push(Number(process.hrtime.bigint() - begin) / batch);
      }
      // As between requests; a block leaves when it is full.
      await new Promise((resolve) => setImmediate(resolve));
    }
    // The first round warms up.
    if (round > 0) perRequest.push(median(samples));
  }
  await journal.close();
  return {
    folder,
    requests: requestsPerRound * (appendRounds + 1),
    appendNs: median(perRequest),
  };
}

function bytesOf(folder: string): number {
  return readdirSync(folder, { recursive: true })
    .map((name) => statSync(join(folder, String(name))))
    .reduce((sum, stat) => sum + (stat.isFile() ? stat.size : 0), 0);
}

type Replayed = { readonly perSecond: number; readonly divergences: number };

function replayed({ folder, requests }: Written): Replayed {
  const perSecond: number[] = [];
  let divergences = 0;
  for (let round = 0; round <= appendRounds; round += 1) {
    const begin = performance.now();
    const report = replayFolder({ id: 'bench', folder, options: {} }, () => {});
    const seconds = (performance.now() - begin) / 1000;
    const undone = Object.values(report.skipped).reduce((sum, count) => sum + count, 0);
    divergences += report.divergences + report.faults.length + undone;
    if (report.by_kind['routed'] !== requests) {
      throw new Error(`${report.by_kind['routed']} of ${requests} decisions were replayed`);
    }
    if (round > 0) perSecond.push(report.decisions / seconds);
  }
  return { perSecond: median(perSecond), divergences };
}

type OnOff = { readonly on: number; readonly off: number; readonly failed: number };

async function onOverOff(context: BenchmarkContext): Promise<OnOff | undefined> {
  const { processes, scratch, say } = context;
  const states = await ensureDebian(['wrk', 'gcc']);
  const programs = await benchPrograms(processes);
  if (programs === undefined || states.get('wrk') === 'absent') return undefined;
  const mock = await startMock(processes, programs.mock, backendCount, `${scratch}/mock.log`);
  const contenders = [];
  for (const enabled of [true, false]) {
    const own = join(scratch, enabled ? 'on' : 'off');
    mkdirSync(own);
    const settings = { decisions: { enabled } };
    const product = await startProduct({ processes, scratch: own, backends: mock.ports, settings });
    contenders.push({ name: enabled ? 'on' : 'off', ...product });
  }
  const figures = await throughput(processes, scratch, contenders, say);
  const on = figures.get('on');
  const off = figures.get('off');
  if (on === undefined || off === undefined) return undefined;
  return { on: on.rps, off: off.rps, failed: on.failed + off.failed };
}

async function run(context: BenchmarkContext): Promise<Measured> {
  const { say, scratch } = context;
  say(`writing ${requestsPerRound * (appendRounds + 1)} requests`);
  const written = await write(scratch);
  say('deciding them again');
  const { perSecond, divergences } = replayed(written);
  const bytes = bytesOf(join(written.folder, 't0')) / written.requests;
  say('gateway with the log on and off');
  const gateway = await onOverOff(context);
  return {
    metrics: {
      decisions_per_s: rounded(perSecond, 0),
      divergences,
      append_ns_hot_path: rounded(written.appendNs, 0),
      bytes_per_decision: rounded(bytes, 1),
      ...(gateway === undefined
        ? {}
        : {
            throughput_log_on_over_off: rounded(gateway.on / gateway.off, 3),
            rps_log_on: rounded(gateway.on, 0),
            rps_log_off: rounded(gateway.off, 0),
            failed_requests: gateway.failed,
          }),
    },
    config: {
      requests: written.requests,
      candidates,
      records_per_request: 3,
      append_of: 'admission, routing and settled record of one request together',
      rounds,
      round_seconds: roundSeconds,
      connections,
      seed,
    },
    missing: gateway === undefined ? ['wrk'] : [],
  };
}
