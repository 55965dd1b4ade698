// Replays a log, with or without a candidate policy. It runs to its end without waiting: in a worker
// thread beside a server, or in the process of the command line without one. Memory is bounded by
// one block, the snapshots in use and what the tiers keep.
//
//   control stream ──> modes over time, as recorded and under the candidate
//   every stream ──┬─> each decision again ──> same | differs | undecidable
//                  └─> under the candidate ──> tier 1 (diff), tier 2 (estimate), tier 3 (simulation)
//
//   P1  Damage is kept with its place; what follows it is still replayed, and said to be.
//   P2  The same log and options give the same report but for its id and seconds.

import type { Fault } from '../../base/fault.ts';
import type { PolicyBundle } from '../../config/policy-bundle.ts';
import type { DecisionRecord } from '../../core/decisions/decision-record.ts';
import { decides, type Redecider } from '../../core/decisions/redecide.ts';
import { modeRecordName } from '../../core/policy/mode-record.ts';
import { CandidateDiff } from '../../core/replay/candidate-diff.ts';
import { LadderReplay, type ReplayableOptions } from '../../core/replay/ladder-replay.ts';
import { type RecordPlace, ReplayRun } from '../../core/replay/replay-run.ts';
import { type SimulatedTier, simulateBoth } from '../../core/replay/simulated-tier.ts';
import { WorkloadLog } from '../../core/replay/workload-log.ts';
import type { RoutingSettings } from '../../core/routing/snapshot.ts';
import type { LogBlock, LogFault, LogSource, LogWindow } from './log-source.ts';
import type { Redeciders } from './redeciders.ts';
import { RequestJoin } from './request-join.ts';
import { windowOfRequest } from './request-time.ts';

export type ReplayOptions = {
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  readonly requestId?: string | undefined;
  readonly bundle?: PolicyBundle | undefined;
};

const faultsKept = 100;
const controlStream = 'control';
type Candidate = {
  readonly diff: CandidateDiff;
  readonly ladder: LadderReplay;
  readonly join: RequestJoin;
  readonly routing: Partial<RoutingSettings>;
};

export class FolderReplay {
  readonly run = new ReplayRun();
  readonly faults: LogFault[] = [];
  readonly #source: LogSource;
  readonly #redeciders: Redeciders;
  readonly #options: ReplayOptions;
  readonly #window: LogWindow;
  readonly #lastAtMs = new Map<string, number>();
  readonly #candidate: Candidate | undefined;
  /** Of the block at hand. */
  #redecider: Redecider | undefined;
  #bytes = 0;
  #bytesAll = 0;
  #faultCount = 0;
  #simulated: SimulatedTier | undefined;

  constructor(source: LogSource, redeciders: Redeciders, options: ReplayOptions) {
    this.#source = source;
    this.#redeciders = redeciders;
    this.#options = options;
    this.#window = windowOf(options);
    this.#candidate = options.bundle === undefined ? undefined : this.#candidateOf(options.bundle);
  }

  /** 0 to 1, by bytes read. */
  get progress(): number {
    return this.#bytesAll === 0 ? 0 : Math.min(1, this.#bytes / this.#bytesAll);
  }

  /** All places of damage; `faults` has the first hundred. */
  get faultCount(): number {
    return this.#faultCount;
  }

  get diff(): CandidateDiff | undefined {
    return this.#candidate?.diff;
  }

  get ladder(): LadderReplay | undefined {
    return this.#candidate?.ladder;
  }

  get simulated(): SimulatedTier | undefined {
    return this.#simulated;
  }

  /** Each step reads one block; whoever drives it may report or stop between two. */
  *steps(): Generator<void> {
    this.#bytesAll = this.#source.bytes();
    yield* this.#readModes();
    for (const item of this.#source.blocks(this.#window)) {
      if (item.kind === 'fault') this.#fault(item);
      else this.#block(item);
      yield;
    }
    for (const fault of this.#source.snapshotFaults()) this.#fault(fault);
    if (this.#candidate !== undefined) this.#simulated = this.#simulate(this.#candidate);
    this.#bytes = this.#bytesAll;
    yield;
  }

  /** The modes of the whole window come first: every other stream is read against them. */
  *#readModes(): Generator<void> {
    if (this.#candidate === undefined) return;
    for (const item of this.#source.blocks({ ...this.#window, stream: controlStream })) {
      if (item.kind === 'fault') continue;
      const records = this.#source.decode(item);
      if (!records.ok) continue;
      for (const record of records.value) {
        if (record.kind === 'control') this.#candidate.ladder.add(record);
      }
      yield;
    }
  }

  #candidateOf(bundle: PolicyBundle): Candidate {
    const ladder = new LadderReplay(replayable(bundle));
    const diff = new CandidateDiff(bundle.routing, ladder.timeline, {
      snapshotOf: (digest) => this.#source.snapshotOf(digest),
      redecideWith: (record, transform) => this.#redecider?.redecideWith(record, transform),
    });
    const snapshotOf = (digest: string) => this.#source.snapshotOf(digest);
    const join = new RequestJoin(new WorkloadLog(), snapshotOf);
    return { diff, ladder, join, routing: bundle.routing };
  }

  #block(block: LogBlock): void {
    this.#bytes += block.payload.length;
    const before = this.#lastAtMs.get(block.stream) ?? block.firstAtMs;
    this.run.dropped(block.stream, block.dropped, before, block.firstAtMs);
    this.#lastAtMs.set(block.stream, block.lastAtMs);
    const redecider = this.#redeciders(block.behaviour);
    if (!redecider.ok) {
      this.#fault(blockFault(block, redecider.error));
      return;
    }
    this.#redecider = redecider.value;
    if (this.#options.requestId === undefined) this.#whole(block, redecider.value);
    else this.#oneRequest(block, this.#options.requestId, redecider.value);
  }

  /** Every decision of the block within the window; their records only where something asks for them. */
  #whole(block: LogBlock, redecider: Redecider): void {
    const { fromMs = 0, toMs = Number.POSITIVE_INFINITY } = this.#window;
    const tally = redecider.redecideBlock(block, { fromMs, toMs });
    if (!tally.ok) {
      this.#fault(blockFault(block, tally.error));
      return;
    }
    const { byKind, undecidable, differing } = tally.value;
    this.run.cover(Math.max(fromMs, block.firstAtMs), Math.min(toMs, block.lastAtMs));
    for (const [kind, count] of byKind) this.run.decided(kind, count);
    for (const [reason, count] of undecidable) this.run.skip(reason, count);
    for (const { index, record, difference } of differing) {
      this.run.diverged(record, placeOf(block, index), difference);
    }
    if (this.#candidate === undefined && block.stream !== controlStream) return;
    for (const record of this.#recordsOf(block)) {
      if (record.at >= fromMs && record.at <= toMs) this.#look(block, record);
    }
  }

  #look(block: LogBlock, record: DecisionRecord): void {
    if (record.kind === 'control') {
      if (record.name === modeRecordName) this.run.evaluated(block.stream, record.at);
      return;
    }
    this.#candidate?.diff.add(record);
    this.#candidate?.join.add(record);
  }

  #oneRequest(block: LogBlock, requestId: string, redecider: Redecider): void {
    for (const [index, record] of this.#recordsOf(block).entries()) {
      if (record.kind === 'control' || record.requestId !== requestId) continue;
      if (decides(record)) {
        this.run.add(record, placeOf(block, index), redecider.redecide(record));
      }
      this.#look(block, record);
    }
  }

  #recordsOf(block: LogBlock): readonly DecisionRecord[] {
    const records = this.#source.decode(block);
    if (records.ok) return records.value;
    this.#fault(blockFault(block, records.error));
    return [];
  }

  #simulate({ join, routing }: Candidate): SimulatedTier {
    if (Object.keys(routing).length === 0) {
      const words = 'the candidate names no routing; of its thresholds tier 1 has the moves';
      return { kind: 'refused', words };
    }
    const snapshots = join
      .digests()
      .map((digest) => this.#source.snapshotOf(digest))
      .filter((snapshot) => snapshot !== undefined);
    const newest = snapshots.at(-1);
    if (newest === undefined) return { kind: 'refused', words: 'no routed request in the window' };
    return simulateBoth(join.workload, snapshots, join.capacities(), newest.settings, routing);
  }

  #fault(fault: LogFault): void {
    this.#faultCount++;
    if (this.faults.length < faultsKept) this.faults.push(fault);
  }
}

function placeOf({ stream, name, offset, sequence }: LogBlock, index: number): RecordPlace {
  return { stream, segment: name, offset, sequence: sequence + index };
}

/** A block whose frame is whole and whose content cannot be read. */
function blockFault(block: LogBlock, { code, message }: Fault): LogFault {
  const { name, sequence, offset } = block;
  const place = { name, sequence, offset, reason: code };
  return { kind: 'fault', where: 'segments', ...place, expected: null, found: message };
}

function windowOf(options: ReplayOptions): LogWindow {
  const { fromMs, toMs, requestId } = options;
  return requestId === undefined ? { fromMs, toMs } : windowOfRequest(requestId);
}

/** The thresholds that recorded evaluations can be made again with. */
function replayable({ policy }: PolicyBundle): ReplayableOptions {
  const { failurePercent, cooldownSeconds, holdSeconds, riskPercent, graceSeconds } = policy;
  return {
    ...(failurePercent === undefined ? {} : { failurePercent }),
    ...(cooldownSeconds === undefined ? {} : { cooldownSeconds }),
    ...(holdSeconds === undefined ? {} : { holdSeconds }),
    ...(riskPercent === undefined ? {} : { riskPercent }),
    ...(graceSeconds === undefined ? {} : { graceSeconds }),
  };
}
