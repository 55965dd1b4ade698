// Walks the records of a block of any codec without making objects of them: next() reads one record
// into the members below, which the following one writes over. Replay runs on it;
// record-decoder.ts makes objects of what it shows.
//
//   reading ──next(): true──> reading ──next(): false──> at the end, or `fault` says what was met
//
//   C1  next() reads one byte at least, so any payload comes to an end.
//   C2  What it shows is within the types of decision-record.ts: classes, codes and indices are
//       checked here, and nowhere else.

import { type Fault, fault } from '../../base/fault.ts';
import { isPriorityClass } from '../jobs/priority-class.ts';
import type { AdmissionLimit } from '../policy/admission.ts';
import type { ServingMode } from '../policy/serving-mode.ts';
import { budgetStatuses } from '../routing/decision-input.ts';
import type { SplitAssignment } from '../routing/split.ts';
import {
  budgetShift,
  candidateBits,
  candidateBytesMin,
  hintBits,
  kindsInOrder,
  kvUnit,
  laterKind,
  laterKindsInOrder,
  limitKindsInOrder,
  limitScopesInOrder,
  modesInOrder,
  needsBits,
  needsMore,
  needsSplit,
  operationShift,
  operationsInOrder,
  type RecordKind,
  reasonsInOrder,
  routingTag,
  settledTag,
  stagesInOrder,
} from './block-layout.ts';
import { BlockReader, codeOf, oneOf } from './block-reader.ts';
import { columnBits, columnsMax } from './candidate-columns.ts';
import { LaterRecords } from './later-records.ts';
import { shownAdmission, shownRouting, shownSettled } from './shown-records.ts';

/** Damage, with the byte of the payload at which it was met. */
export type CorruptBlock = Fault<'corrupt'> & { readonly offset: number };

export function corruptAt(offset: number, reason: string): CorruptBlock {
  return { ...fault('corrupt', `at byte ${offset} the block ${reason}`), offset };
}

/** -1 where the engine does not tell. */
function kvOf(word: number): number {
  return word < 0 ? -1 : word / kvUnit;
}

export type Codec = 1 | 2 | 3;

export class BlockCursor {
  readonly #reader = new BlockReader();
  readonly #codec: Codec;
  readonly #needsMax: number;
  #request = 0;

  kind: RecordKind = 'control';
  at = 0;
  /** Offset of the record in the payload. */
  offset = 0;

  readonly admission = shownAdmission();
  readonly routing = shownRouting();
  readonly settled = shownSettled();
  readonly later = new LaterRecords();
  readonly control = { name: '', version: 0, input: '', output: '' };

  constructor(codec: Codec) {
    this.#codec = codec;
    this.#needsMax = codec === 1 ? needsMore - 1 : codec === 2 ? needsSplit - 1 : 255;
  }

  /** Begins with another payload, of which the bytes are borrowed until the next one. */
  open(payload: Uint8Array): void {
    this.#reader.open(payload);
  }

  /** The first fault; undefined as long as all is well. */
  get fault(): CorruptBlock | undefined {
    const { broken } = this.#reader;
    return broken && corruptAt(broken.offset, broken.reason);
  }

  /** The request of this record; a control record has none, and answers with the one before it. */
  requestId(): string {
    return this.#reader.idOf(this.#request);
  }

  /** The batch of a `batched` record. */
  batchId(): string {
    return this.#reader.idOf(this.later.batched.batch);
  }

  /** Reads the next record; false at the end and at a fault. */
  next(): boolean {
    const reader = this.#reader;
    if (reader.left === 0 || reader.broken !== undefined) return false;
    this.offset = reader.offset;
    const tag = reader.byte();
    this.at = reader.time();
    this.#read(tag);
    return reader.broken === undefined;
  }

  #read(tag: number): void {
    const code = tag & 7;
    if (code === laterKind && this.#codec >= 3) {
      this.#readLater(tag >> 3);
      return;
    }
    const kind = kindsInOrder[code];
    if (kind === undefined) {
      this.#reader.breakAt(this.offset, `has a record of unknown kind ${code}`);
      return;
    }
    this.kind = kind;
    if (kind === 'routed' || kind === 'failed_over') this.#readRouting(tag);
    else if (kind === 'settled') this.#readSettled(tag);
    else if (kind === 'control') this.#readControl(tag);
    else this.#readAdmission(tag);
  }

  #readLater(code: number): void {
    const kind = laterKindsInOrder[code];
    if (kind === undefined) {
      this.#reader.breakAt(this.offset, `has a record of unknown later kind ${code}`);
      return;
    }
    this.kind = kind;
    this.#request = this.#reader.request();
    this.later.read(kind, this.#reader);
  }

  #readAdmission(tag: number): void {
    const reader = this.#reader;
    const { admission } = this;
    const priorityClass = (tag >> 3) & 7;
    if (isPriorityClass(priorityClass)) admission.priorityClass = priorityClass;
    else reader.breakAt(this.offset, `has the priority class ${priorityClass}`);
    this.#request = reader.request();
    admission.keyId = reader.text();
    admission.groupName = reader.text();
    admission.path = reader.text();
    const { reading } = admission;
    reading.mode = modesInOrder[tag >> 6] as ServingMode;
    reading.inFlight = reader.varint();
    reading.inFlightMax = reader.varint();
    reading.keyInFlight = reader.varint();
    reading.keyInFlightMax = reader.varint();
    admission.code = this.kind === 'admitted' ? undefined : codeOf(this.#reader);
    reading.limit = this.kind === 'refused' && this.#codec >= 3 ? this.#limit() : undefined;
  }

  #limit(): AdmissionLimit | undefined {
    const reader = this.#reader;
    const scope = oneOf(reader, limitScopesInOrder, 'the scope of a limit');
    if (scope === undefined) return undefined;
    const kind = oneOf(reader, limitKindsInOrder, 'the kind of a limit') ?? 'requests';
    return {
      scope,
      kind,
      bound: reader.varint(),
      left: reader.varint(),
      retryMs: reader.varint(),
    };
  }

  #readRouting(tag: number): void {
    const reader = this.#reader;
    const { routing } = this;
    routing.mode = modesInOrder[(tag >> 3) & 3] as ServingMode;
    this.#request = reader.request();
    const needs = this.#readNeeds();
    routing.attempt = reader.varint();
    routing.snapshotDigest = reader.text();
    this.#readModel(tag);
    this.#readTried(tag);
    this.#readMore((needs & needsMore) !== 0);
    routing.features.split = (needs & needsSplit) === 0 ? undefined : this.#split();
    routing.cursor = reader.cursor();
    routing.seed = reader.word();
    this.#readCandidates();
    if (routing.candidates.more !== 0) this.#readColumns();
    this.#readOutcome();
    this.#checkTried();
  }

  /** Answers with its bits. */
  #readNeeds(): number {
    const from = this.#reader.offset;
    const needs = this.#reader.byte();
    if (needs > this.#needsMax)
      this.#reader.breakAt(from, `has the needs ${needs}, which no request has`);
    const { features } = this.routing;
    features.needsVision = (needs & needsBits.vision) !== 0;
    features.needsTools = (needs & needsBits.tools) !== 0;
    features.needsJsonMode = (needs & needsBits.jsonMode) !== 0;
    features.remoteMedia = (needs & needsBits.remoteMedia) !== 0;
    features.operation = operationsInOrder[(needs >> operationShift) & 3] ?? 'chat';
    return needs;
  }

  #readMore(hasMore: boolean): void {
    const reader = this.#reader;
    const { routing } = this;
    const { features } = routing;
    const from = reader.offset;
    const hints = hasMore ? reader.byte() : 0;
    const columns = hasMore ? reader.byte() : 0;
    const budget = budgetStatuses[(hints >> budgetShift) & 3];
    if (budget === undefined) {
      reader.breakAt(from, `has the hints ${hints}, which no request has`);
    }
    if (columns > columnsMax) reader.breakAt(from + 1, `has the columns ${columns}`);
    routing.budget = budget ?? 'Normal';
    routing.candidates.more = columns & columnsMax;
    features.prefixKey = (hints & hintBits.prefix) === 0 ? undefined : reader.word();
    features.affinityKey = (hints & hintBits.affinity) === 0 ? undefined : reader.word();
    features.region = (hints & hintBits.region) === 0 ? undefined : reader.text();
    features.mayUseLowerTier = (hints & hintBits.lowerTier) !== 0;
    features.restrictedOnly = (hints & hintBits.restricted) !== 0;
    features.isFallback = (hints & hintBits.fallback) !== 0;
  }

  #split(): SplitAssignment {
    const reader = this.#reader;
    return { experiment: reader.text(), arm: reader.text(), stickyHash: reader.word() };
  }

  #readColumns(): void {
    const reader = this.#reader;
    const { candidates } = this.routing;
    const { count, more } = candidates;
    const has = (bit: number): boolean => (more & bit) !== 0;
    if (has(columnBits.gates)) {
      for (let i = 0; i < count; i++) candidates.gates[i] = reader.byte();
    }
    if (has(columnBits.peak)) {
      for (let i = 0; i < count; i++) candidates.peakMs[i] = reader.varint();
    }
    if (has(columnBits.tokens)) {
      for (let i = 0; i < count; i++) candidates.tokens[i] = reader.varint();
    }
    if (has(columnBits.engine)) {
      for (let i = 0; i < count; i++) candidates.engineRequests[i] = reader.signed();
    }
    if (has(columnBits.kvUse)) {
      for (let i = 0; i < count; i++) candidates.kvUse[i] = kvOf(reader.signed());
    }
  }

  #readModel(tag: number): void {
    const reader = this.#reader;
    const { features } = this.routing;
    const isPlain = (tag & routingTag.hasDoubles) === 0;
    features.model = reader.text();
    features.resolvedModel = reader.text();
    features.estimatedTokens = isPlain ? reader.varint() : reader.double();
    features.maxOutputTokens = undefined;
    if ((tag & routingTag.hasOutputLimit) === 0) return;
    features.maxOutputTokens = isPlain ? reader.varint() : reader.double();
  }

  #readTried(tag: number): void {
    const { tried } = this.routing;
    tried.length = 0;
    if ((tag & routingTag.hasTried) === 0) return;
    const from = this.#reader.offset;
    const count = this.#reader.varint();
    if (count > this.#reader.left) {
      this.#reader.breakAt(from, `has ${count} tried backends in ${this.#reader.left} bytes`);
    }
    while (tried.length < count && this.#reader.broken === undefined) {
      tried.push(this.#reader.varint());
    }
  }

  #readCandidates(): void {
    const reader = this.#reader;
    const { candidates } = this.routing;
    const from = reader.offset;
    const count = reader.varint();
    if (count * candidateBytesMin > reader.left) {
      reader.breakAt(from, `has ${count} candidates in ${reader.left} bytes`);
    }
    candidates.resize(reader.broken === undefined ? count : 0);
    for (let i = 0; i < candidates.count; i++) this.#readCandidate(i);
  }

  #readCandidate(i: number): void {
    const reader = this.#reader;
    const { candidates } = this.routing;
    const bits = reader.byte();
    const stage = bits & candidateBits.stage;
    if (stage >= stagesInOrder.length) reader.breakAt(reader.offset - 1, `has the stage ${stage}`);
    candidates.stage[i] = stage;
    candidates.statusCode[i] = (bits >> 4) & 3;
    candidates.isCurrent[i] = (bits & candidateBits.current) === 0 ? 0 : 1;
    if ((bits & candidateBits.whole) !== 0) {
      candidates.pending[i] = reader.varint();
      candidates.capacity[i] = reader.varint();
      candidates.latencyMs[i] = reader.varint();
      candidates.score[i] = stage === 0 ? reader.signed() : 0;
    } else {
      candidates.pending[i] = reader.double();
      candidates.capacity[i] = reader.double();
      candidates.latencyMs[i] = reader.double();
      candidates.score[i] = stage === 0 ? reader.double() : 0;
    }
  }

  #readOutcome(): void {
    const reader = this.#reader;
    const { routing } = this;
    const from = reader.offset;
    const outcome = reader.byte();
    if (outcome >= reasonsInOrder.length) reader.breakAt(from, `has the route reason ${outcome}`);
    routing.routeReason = reasonsInOrder[outcome];
    routing.code = outcome === 0 ? codeOf(this.#reader) : undefined;
    routing.chosen = outcome === 0 ? 0 : reader.varint();
    if (outcome > 0 && routing.chosen >= routing.candidates.count) {
      reader.breakAt(from, `chose candidate ${routing.chosen} of ${routing.candidates.count}`);
    }
  }

  #checkTried(): void {
    const { tried, candidates } = this.routing;
    for (let i = 0; i < tried.length; i++) {
      if ((tried[i] as number) < candidates.count) continue;
      const words = `has tried candidate ${tried[i]} of ${candidates.count}`;
      this.#reader.breakAt(this.offset, words);
    }
  }

  #readSettled(tag: number): void {
    const reader = this.#reader;
    const { settled } = this;
    if (tag > 127) reader.breakAt(this.offset, `has the tag ${tag}, which no record has`);
    settled.stream = (tag & settledTag.stream) !== 0;
    this.#request = reader.request();
    settled.status = reader.varint();
    settled.code = (tag & settledTag.code) === 0 ? undefined : codeOf(this.#reader);
    settled.attempts = reader.varint();
    settled.backendId = (tag & settledTag.backend) === 0 ? undefined : reader.text();
    settled.firstByteMs = (tag & settledTag.firstByte) === 0 ? undefined : reader.varint() / 1000;
    settled.totalMs = reader.varint() / 1000;
    settled.overheadMs = reader.varint() / 1000;
    settled.promptTokens = reader.varint();
    settled.completionTokens = reader.varint();
  }

  #readControl(tag: number): void {
    const reader = this.#reader;
    const { control } = this;
    if (tag > 7) reader.breakAt(this.offset, `has the tag ${tag}, which no record has`);
    control.name = reader.text();
    control.version = reader.varint();
    control.input = reader.long();
    control.output = reader.long();
  }
}
