// Writes decision records into blocks, on the thread that decides. It is handed the live objects of
// a request and leaves nothing behind but bytes: a request of ten candidates costs some 0.9 us and
// some 140 bytes. block-layout.ts draws what it writes, record-decoder.ts reads it.
//
// A caller takes the block about every 250 ms or at 64 KiB; names and requests are told again in the
// next one, so that any block decodes alone.

import { assert, present } from '../../base/assert.ts';
import { canonicalJson } from '../../base/canonical.ts';
import type { AdmissionLimit } from '../policy/admission.ts';
import type { ServingMode } from '../policy/serving-mode.ts';
import type { Consideration, Decision } from '../routing/decide.ts';
import {
  type BudgetStatus,
  budgetStatuses,
  type RouteFeatures,
} from '../routing/decision-input.ts';
import type { SplitAssignment } from '../routing/split.ts';
import {
  budgetShift,
  candidateBits,
  candidateBytesMax,
  hintBits,
  kindCodes,
  kvUnit,
  laterTag,
  limitKindCodes,
  limitScopeCodes,
  modeCodes,
  needsBits,
  needsMore,
  needsSplit,
  operationCodes,
  operationShift,
  reasonCodes,
  recordBytesMax,
  routingTag,
  settledTag,
  stageCodes,
} from './block-layout.ts';
import { BlockWriter, isWord } from './block-writer.ts';
import { columnBits, columnsOf } from './candidate-columns.ts';
import type {
  AdmissionRecord,
  ControlRecord,
  LaterRecord,
  RecordHead,
  SettledRecord,
} from './decision-record.ts';
import { laterBytesMax, writeLater } from './later-writer.ts';
import { lane, lanes, microseconds } from './record-lanes.ts';

/** The codec of the blocks that are written here; record-decoder.ts reads it and those before. */
export const currentCodec = 3;

/** What {@link decide} was given, besides what it says that it read. */
export type RoutingFacts = RecordHead & {
  /** 1 for the first attempt. */
  readonly attempt: number;
  readonly mode: ServingMode;
  readonly snapshotDigest: string;
  readonly features: RouteFeatures;
  /** Indices into the candidates of the backends that this request has tried. */
  readonly tried: readonly number[];
  readonly cursor: number;
  readonly seed: number;
  readonly budget: BudgetStatus;
};

export type EncodedBlock = {
  /** The caller's own. */
  readonly payload: Uint8Array;
  readonly records: number;
  /** Least and greatest time of its records, Unix ms; clocks may jump back between two records. */
  readonly firstAtMs: number;
  readonly lastAtMs: number;
};

/** Does `signed` hold it as a whole number? Minus zero is none. */
function isWholeScore(score: number): boolean {
  return (score | 0) === score && (score !== 0 || 1 / score > 0);
}

function needsOf(features: RouteFeatures): number {
  return (
    (features.needsVision ? needsBits.vision : 0) |
    (features.needsTools ? needsBits.tools : 0) |
    (features.needsJsonMode ? needsBits.jsonMode : 0) |
    (features.remoteMedia ? needsBits.remoteMedia : 0) |
    (operationCodes[features.operation] << operationShift)
  );
}

/** What the request says of where it wants to go, with the state of the budget. */
function hintsOf(features: RouteFeatures, budget: BudgetStatus): number {
  return (
    (features.prefixKey === undefined ? 0 : hintBits.prefix) |
    (features.affinityKey === undefined ? 0 : hintBits.affinity) |
    (features.region === undefined ? 0 : hintBits.region) |
    (features.mayUseLowerTier ? hintBits.lowerTier : 0) |
    (features.restrictedOnly ? hintBits.restricted : 0) |
    (features.isFallback ? hintBits.fallback : 0) |
    (budgetStatuses.indexOf(budget) << budgetShift)
  );
}

/** The columns that any of the candidates needs. */
function moreOf(considered: readonly Consideration[]): number {
  let columns = 0;
  for (let i = 0; i < considered.length; i++) {
    columns |= columnsOf((considered[i] as Consideration).reading);
  }
  return columns;
}

export class RecordEncoder {
  readonly #writer = new BlockWriter(lanes);
  #records = 0;
  #firstAt = 0;
  #lastAt = 0;

  /** Bytes of the block so far. */
  get size(): number {
    return this.#writer.length;
  }

  /** Records of the block so far. */
  get records(): number {
    return this.#records;
  }

  admission(record: AdmissionRecord): void {
    const { kind, reading, code } = record;
    const writer = this.#writer;
    this.#begin(
      kindCodes[kind] | (record.priorityClass << 3) | (modeCodes[reading.mode] << 6),
      record.at,
      recordBytesMax,
    );
    writer.request(record.requestId);
    writer.text(lane.key, record.keyId);
    writer.text(lane.group, record.groupName);
    writer.text(lane.path, record.path);
    writer.varint(reading.inFlight);
    writer.varint(reading.inFlightMax);
    writer.varint(reading.keyInFlight);
    writer.varint(reading.keyInFlightMax);
    if (kind !== 'admitted')
      writer.text(lane.code, present(code, `code of a record that is ${kind}`));
    if (kind === 'refused') this.#limit(reading.limit);
    else assert(reading.limit === undefined, 'a limit that says no refuses');
    writer.end();
  }

  /** A record of a kind that only some requests leave. */
  later(record: LaterRecord): void {
    this.#begin(laterTag(record.kind), record.at, laterBytesMax(record));
    this.#writer.request(record.requestId);
    writeLater(this.#writer, record);
    this.#writer.end();
  }

  /** `routed` for the first attempt, `failed_over` for a later one. */
  routing(facts: RoutingFacts, decision: Decision): void {
    const { features, tried } = facts;
    const { considered } = decision;
    const { estimatedTokens, maxOutputTokens, split } = features;
    const isPlain = isWord(estimatedTokens) && isWord(maxOutputTokens ?? 0);
    const hints = hintsOf(features, facts.budget);
    const columns = moreOf(considered);
    const hasMore = hints !== 0 || columns !== 0;
    const writer = this.#writer;
    this.#begin(
      (facts.attempt > 1 ? kindCodes.failed_over : kindCodes.routed) |
        (modeCodes[facts.mode] << 3) |
        (maxOutputTokens === undefined ? 0 : routingTag.hasOutputLimit) |
        (isPlain ? 0 : routingTag.hasDoubles) |
        (tried.length > 0 ? routingTag.hasTried : 0),
      facts.at,
      recordBytesMax + candidateBytesMax * considered.length + 8 * tried.length,
    );
    writer.request(facts.requestId);
    writer.byte(
      needsOf(features) | (hasMore ? needsMore : 0) | (split === undefined ? 0 : needsSplit),
    );
    writer.varint(facts.attempt);
    writer.text(lane.digest, facts.snapshotDigest);
    writer.text(lane.model, features.model);
    writer.text(lane.resolved, features.resolvedModel);
    this.#tokens(estimatedTokens, isPlain);
    if (maxOutputTokens !== undefined) this.#tokens(maxOutputTokens, isPlain);
    if (tried.length > 0) this.#indices(tried);
    if (hasMore) this.#more(features, hints, columns);
    if (split !== undefined) this.#split(split);
    writer.cursor(facts.cursor);
    writer.word(facts.seed);
    writer.varint(considered.length);
    for (let i = 0; i < considered.length; i++) this.#candidate(considered[i] as Consideration);
    if (columns !== 0) this.#columns(considered, columns);
    this.#outcome(decision);
    writer.end();
  }

  settled(record: SettledRecord): void {
    const { code, backendId, firstByteMs } = record;
    const writer = this.#writer;
    this.#begin(
      kindCodes.settled |
        (record.stream ? settledTag.stream : 0) |
        (code === undefined ? 0 : settledTag.code) |
        (backendId === undefined ? 0 : settledTag.backend) |
        (firstByteMs === undefined ? 0 : settledTag.firstByte),
      record.at,
      recordBytesMax,
    );
    writer.request(record.requestId);
    writer.varint(record.status);
    if (code !== undefined) writer.text(lane.code, code);
    writer.varint(record.attempts);
    if (backendId !== undefined) writer.text(lane.backend, backendId);
    if (firstByteMs !== undefined) writer.varint(microseconds(firstByteMs));
    writer.varint(microseconds(record.totalMs));
    writer.varint(microseconds(record.overheadMs));
    writer.varint(record.promptTokens);
    writer.varint(record.completionTokens);
    writer.end();
  }

  control(record: ControlRecord): void {
    const writer = this.#writer;
    this.#begin(kindCodes.control, record.at, recordBytesMax);
    writer.text(lane.name, record.name);
    writer.varint(record.version);
    writer.long(canonicalJson(record.input));
    writer.long(canonicalJson(record.output));
    writer.end();
  }

  /** The block, undefined without a record; a new one begins. */
  take(): EncodedBlock | undefined {
    if (this.#records === 0) return undefined;
    const block = {
      payload: this.#writer.take(),
      records: this.#records,
      firstAtMs: this.#firstAt,
      lastAtMs: this.#lastAt,
    };
    this.#records = 0;
    return block;
  }

  #begin(tag: number, at: number, bytesMax: number): void {
    this.#firstAt = this.#records === 0 ? at : Math.min(this.#firstAt, at);
    this.#lastAt = this.#records === 0 ? at : Math.max(this.#lastAt, at);
    this.#records += 1;
    this.#writer.begin(bytesMax);
    this.#writer.byte(tag);
    this.#writer.time(at);
  }

  #tokens(count: number, isPlain: boolean): void {
    if (isPlain) this.#writer.varint(count);
    else this.#writer.double(count);
  }

  #more({ prefixKey, affinityKey, region }: RouteFeatures, hints: number, columns: number): void {
    const writer = this.#writer;
    writer.byte(hints);
    writer.byte(columns);
    if (prefixKey !== undefined) writer.word(prefixKey);
    if (affinityKey !== undefined) writer.word(affinityKey);
    if (region !== undefined) writer.text(lane.region, region);
  }

  #split({ experiment, arm, stickyHash }: SplitAssignment): void {
    const writer = this.#writer;
    writer.text(lane.experiment, experiment);
    writer.text(lane.arm, arm);
    writer.word(stickyHash);
  }

  #limit(limit: AdmissionLimit | undefined): void {
    const writer = this.#writer;
    writer.byte(limit === undefined ? 0 : limitScopeCodes[limit.scope]);
    if (limit === undefined) return;
    writer.byte(limitKindCodes[limit.kind]);
    writer.varint(limit.bound);
    writer.varint(limit.left);
    writer.varint(limit.retryMs);
  }

  #columns(considered: readonly Consideration[], columns: number): void {
    const writer = this.#writer;
    const has = (bit: number): boolean => (columns & bit) !== 0;
    if (has(columnBits.gates)) for (const { reading } of considered) writer.byte(reading.gates);
    if (has(columnBits.peak)) for (const { reading } of considered) writer.varint(reading.peakMs);
    if (has(columnBits.tokens)) for (const { reading } of considered) writer.varint(reading.tokens);
    if (has(columnBits.engine)) {
      for (const { reading } of considered) writer.signed(reading.engineRequests);
    }
    if (has(columnBits.kvUse)) {
      for (const { reading } of considered) writer.signed(Math.round(reading.kvUse * kvUnit));
    }
  }

  #indices(tried: readonly number[]): void {
    this.#writer.varint(tried.length);
    for (const index of tried) this.#writer.varint(index);
  }

  #candidate(candidate: Consideration): void {
    const { reading, stage, score } = candidate;
    const { pending, capacity, latencyMs } = reading;
    const writer = this.#writer;
    const bits =
      (stage === undefined ? 0 : stageCodes[stage]) |
      ((reading.statusCode & 3) << 4) |
      (reading.isCurrent ? candidateBits.current : 0);
    const isWhole =
      isWord(pending) &&
      isWord(capacity) &&
      isWord(latencyMs) &&
      (score === undefined || isWholeScore(score));
    if (isWhole) {
      writer.figures(bits | candidateBits.whole, pending, capacity, latencyMs);
      if (stage === undefined) writer.signed(score ?? 0);
    } else {
      writer.byte(bits);
      writer.double(pending);
      writer.double(capacity);
      writer.double(latencyMs);
      if (stage === undefined) writer.double(score ?? 0);
    }
  }

  #outcome(decision: Decision): void {
    const writer = this.#writer;
    if (decision.kind === 'refuse') {
      writer.byte(0);
      writer.text(lane.code, decision.refusal.code);
      return;
    }
    writer.byte(reasonCodes[decision.routeReason]);
    writer.varint(decision.chosen);
  }
}
