// A decision log on disk for tests: traffic of a small fleet, decided by the production functions and
// written by the production encoder and writer. The same seed writes the same bytes.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { Json } from '../../base/canonical.ts';
import { type Random, seededRandom } from '../../base/random.ts';
import { currentBehaviour } from '../../core/decisions/behaviour.ts';
import type { AdmissionRecord, SettledRecord } from '../../core/decisions/decision-record.ts';
import { currentCodec, RecordEncoder } from '../../core/decisions/record-encoder.ts';
import { SnapshotDigester } from '../../core/decisions/snapshot-digester.ts';
import { judgeAdmission } from '../../core/policy/admission.ts';
import { stepLadder } from '../../core/policy/ladder.ts';
import { ladderSettings } from '../../core/policy/ladder-settings.ts';
import { initialLadder, modeInForce } from '../../core/policy/ladder-state.ts';
import { type ModeEvaluation, modeRecord } from '../../core/policy/mode-record.ts';
import type { ServingMode } from '../../core/policy/serving-mode.ts';
import type { LadderTick } from '../../core/policy/tick-evidence.ts';
import { decide } from '../../core/routing/decide.ts';
import { type Figures, features, fleetOf, target } from '../../core/routing/fleet.test-support.ts';
import type { RoutingSettings } from '../../core/routing/snapshot.ts';
import { nodeCrypto } from '../../io/credentials/crypto.ts';
import { SegmentWriter } from '../../io/segments/segment-writer.ts';
import { SnapshotFiles } from '../../io/segments/snapshot-files.ts';

export const logStartMs = Date.UTC(2026, 10, 21, 12);

/** A folder that is removed when the tests of the file are over. */
export function logFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tensorforge-log-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A UUID of version 7 of that time, numbered. */
export function requestIdOf(atMs: number, number: number): string {
  const time = atMs.toString(16).padStart(12, '0');
  const tail = number.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${tail}`;
}

/** Writes records of one stream, a block for every so many. */
export class LogStream {
  readonly encoder = new RecordEncoder();
  readonly #writer: SegmentWriter;
  readonly #blockRecords: number;

  constructor(folder: string, stream: string, blockRecords: number, segmentBytes = 1 << 20) {
    this.#blockRecords = blockRecords;
    this.#writer = SegmentWriter.open({
      folder,
      stream,
      segmentBytes,
      queueBytes: 1 << 28,
      onFull: 'drop',
      program: 'tensorforge 0.1.0',
      now: () => logStartMs,
      onSealed: () => {},
      onTrouble: (words) => {
        throw new Error(words);
      },
    });
  }

  /** To be called after each record. */
  wrote(): void {
    if (this.encoder.records >= this.#blockRecords) this.#flush();
  }

  #flush(): void {
    const block = this.encoder.take();
    if (block === undefined) return;
    this.#writer.write({ ...block, codec: currentCodec, behaviour: currentBehaviour });
  }

  async close(): Promise<void> {
    this.#flush();
    await this.#writer.close();
  }

  /** What is written can be read; the segment stays open. */
  async settle(): Promise<void> {
    this.#flush();
    await this.#writer.settled();
  }
}

export type TrafficOptions = {
  readonly requests: number;
  readonly seed: number;
  readonly stream?: string;
  readonly routing?: Partial<RoutingSettings>;
  readonly groups?: readonly string[];
  readonly blockRecords?: number;
  readonly segmentBytes?: number;
  /** Ms between two requests. */
  readonly everyMs?: number;
  /** Share of requests whose first attempt fails. */
  readonly failing?: number;
  readonly mode?: (at: number) => ServingMode;
};

export type WrittenRequest = {
  readonly requestId: string;
  readonly at: number;
  readonly groupName: string;
  readonly backendId: string | undefined;
  readonly attempts: number;
  readonly admitted: boolean;
};

const baseMs: Readonly<Record<string, number>> = { 'sim-a': 80, 'sim-b': 140, 'sim-c': 260 };

function fleet(random: Random, routing: Partial<RoutingSettings>) {
  const figures = (latencyMs: number): Partial<Figures> => ({
    pending: random.nextBelow(3),
    latencyMs: latencyMs + random.nextBelow(120),
  });
  return fleetOf(
    [
      target('sim-a', {}, figures(60)),
      target('sim-b', {}, figures(90)),
      target('sim-c', {}, figures(140)),
      target('sim-d', {}, { status: 2 }),
    ],
    routing,
  );
}

/** Writes the traffic; resolves with what became of each request. */
export async function writeTraffic(
  folder: string,
  options: TrafficOptions,
): Promise<readonly WrittenRequest[]> {
  const { requests, seed, stream = 't0', everyMs = 50, routing = {} } = options;
  const log = new LogStream(folder, stream, options.blockRecords ?? 60, options.segmentBytes);
  const random = seededRandom(seed);
  const digester = new SnapshotDigester(nodeCrypto.sha256Hex);
  const snapshots = new SnapshotFiles(folder);
  const { digest, documents } = digester.digested(fleet(seededRandom(1), routing).snapshot);
  for (const one of documents) snapshots.put(one.digest, one.text);
  const written: WrittenRequest[] = [];
  for (let i = 0; i < requests; i++) {
    const at = logStartMs + i * everyMs;
    const groups = options.groups ?? ['ml'];
    const groupName = groups[i % groups.length] ?? 'ml';
    const requestId = requestIdOf(at, seed * 1_000_000 + i);
    const request = { requestId, at, groupName, digest, random, options };
    written.push(writeRequest(log, request, fleet(random, routing)));
  }
  await log.close();
  return written;
}

type Request = {
  readonly requestId: string;
  readonly at: number;
  readonly groupName: string;
  readonly digest: string;
  readonly random: Random;
  readonly options: TrafficOptions;
};

function writeRequest(
  log: LogStream,
  request: Request,
  { snapshot, counters }: ReturnType<typeof fleet>,
): WrittenRequest {
  const { requestId, at, groupName, digest, random, options } = request;
  const mode = options.mode?.(at) ?? 'normal';
  const isOverLimit = random.nextBelow(50) === 0;
  const admitted = writeAdmission(log, { requestId, at, groupName, mode, isOverLimit });
  if (!admitted) {
    writeSettled(log, {
      requestId,
      at: at + 1,
      status: 429,
      code: 'rate_limit_exceeded',
      attempts: 0,
    });
    return { requestId, at, groupName, backendId: undefined, attempts: 0, admitted };
  }
  const promptTokens = 20 + random.nextBelow(200);
  const asked = features({ estimatedTokens: promptTokens });
  const tried: string[] = [];
  const offers = snapshot.byModel.get('m') ?? [];
  const attempts = random.nextUnit() < (options.failing ?? 0.05) ? 2 : 1;
  let backendId: string | undefined;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const input = {
      tried,
      cursor: random.nextUint32(),
      seed: random.nextUint32(),
      budget: 'Normal' as const,
    };
    const decision = decide(snapshot, counters, asked, input);
    const places = tried.map((id) => offers.findIndex((offer) => offer.target.id === id));
    const facts = { requestId, at: at + attempt, attempt, mode, snapshotDigest: digest };
    log.encoder.routing({ ...facts, features: asked, ...input, tried: places }, decision);
    log.wrote();
    backendId = decision.kind === 'route' ? decision.target.id : undefined;
    if (backendId !== undefined) tried.push(backendId);
  }
  const firstByteMs = (baseMs[backendId ?? ''] ?? 0) + promptTokens * 0.2 + random.nextBelow(40);
  writeSettled(log, {
    requestId,
    at: at + 1000,
    status: 200,
    code: undefined,
    attempts,
    backendId,
    firstByteMs,
    totalMs: firstByteMs + 50 * 10,
    promptTokens,
    completionTokens: 51,
  });
  return { requestId, at, groupName, backendId, attempts, admitted };
}

function writeAdmission(
  log: LogStream,
  request: Pick<Request, 'requestId' | 'at' | 'groupName'> & {
    readonly mode: ServingMode;
    readonly isOverLimit: boolean;
  },
): boolean {
  const { requestId, at, groupName, mode, isOverLimit } = request;
  const keyInFlight = isOverLimit ? 65 : 2;
  const reading = { mode, inFlight: 7, inFlightMax: 1000, keyInFlight, keyInFlightMax: 64 };
  const verdict = judgeAdmission(3, reading);
  const record: AdmissionRecord = {
    kind: verdict === 'admitted' ? 'admitted' : 'refused',
    requestId,
    at,
    keyId: 'key_ana',
    groupName,
    path: '/v1/chat/completions',
    priorityClass: 3,
    reading,
    code:
      verdict === 'admitted'
        ? undefined
        : verdict === 'mode'
          ? 'mode_restricted'
          : 'rate_limit_exceeded',
  };
  log.encoder.admission(record);
  log.wrote();
  return verdict === 'admitted';
}

function writeSettled(
  log: LogStream,
  facts: Partial<SettledRecord> & Pick<SettledRecord, 'requestId' | 'at' | 'status' | 'attempts'>,
): void {
  log.encoder.settled({
    kind: 'settled',
    code: undefined,
    backendId: undefined,
    stream: true,
    firstByteMs: undefined,
    totalMs: 1,
    overheadMs: 0.2,
    promptTokens: 0,
    completionTokens: 0,
    ...facts,
  });
  log.wrote();
}

const ladder = ladderSettings({
  failurePercent: 5,
  cooldownSeconds: 60,
  holdSeconds: 120,
  riskPercent: 60,
  graceSeconds: 0,
  objective: 0.99,
  minRequests: 50,
  minBad: 10,
});

function tickOf(at: number, failures: number): LadderTick {
  return {
    at,
    uptimeMs: 3_600_000,
    outcomes: { requests: 100, failures, slow: 0 },
    probes: { good: 1, failed: 0 },
    trips: [],
    backends: { known: 4, routable: 4 },
    gateway: 1,
    databaseThere: true,
    burn: [],
  };
}

/** Evaluations of the serving mode, ten seconds apart but where `pauseMs` says; `failures` of each. */
export async function writeEvaluations(
  folder: string,
  failures: readonly number[],
  pauseMs: (index: number) => number = () => 0,
): Promise<readonly { readonly at: number; readonly mode: ServingMode }[]> {
  const log = new LogStream(folder, 'control', 20);
  let state = initialLadder(logStartMs - 10_000);
  let at = logStartMs;
  const modes: { at: number; mode: ServingMode }[] = [];
  for (const [index, failed] of failures.entries()) {
    at += 10_000 + pauseMs(index);
    const input: ModeEvaluation = { settings: ladder, state, tick: tickOf(at, failed) };
    const output = stepLadder(input.settings, input.state, input.tick);
    const record = modeRecord(input, output);
    log.encoder.control({
      kind: 'control',
      at,
      name: record.name,
      version: record.version,
      input: record.input as unknown as Json,
      output: record.output as unknown as Json,
    });
    log.wrote();
    state = output.state;
    modes.push({ at, mode: modeInForce(state) });
  }
  await log.close();
  return modes;
}
