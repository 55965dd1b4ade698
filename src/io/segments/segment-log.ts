// Writes one stream of segments, as a machine without a disk: it is told what is to be kept, what
// became of the last effect and what time it is, and says what to do next. The shell does it
// (segment-writer.ts). Whoever offers a block never waits: what cannot be written yet stands in a
// queue of bounded bytes, and what does not fit there is refused and counted.
//
//                 create, reopen             write of the first block carries the header
//    no segment ────────────────► segment open ────► blocks ... ────► seal ────► finish ─┐
//         ▲                            │ any failure     rotation, close, resumed        │
//         │                            ▼                                                 │
//         │                      full: at most one attempt a second, which first         │
//         │                      cuts what the failed write may have left                │
//         └──────────────────────────────────────────────────────────────────────────────┘
//
//   L1  One effect is under way at a time; the next follows from its outcome.
//   L2  A block counts as kept when all its bytes are acknowledged. Behind the offset there may be
//       bytes of a failed write (`isTorn`); they are cut before anything is written there.
//   L3  A segment holds at least one block: it is created with its first. Sequences are given when
//       a block is taken or dropped, so dropped ones leave a hole that the next block tells (F4).
//   L4  A segment is sealed when the next block would take it beyond `segmentBytes`, when it is a
//       day old, and at the end. Only its first block may be larger than that.
//   L5  Closing ends: the queue is written and the segment sealed, or the first failure gives up.

import { assert, present } from '../../base/assert.ts';
import { encodeHeader } from './segment-format.ts';
import {
  type BlockFields,
  encodeBlock,
  encodeSeal,
  frameBytes,
  payloadBytesMax,
} from './segment-frame.ts';
import { openFileName, sealedFileName, segmentName } from './segment-names.ts';
import { addBlock, noTotals, type Recovered, type Totals } from './segment-recovery.ts';

const retryMs = 1_000;
/** A quiet stream seals once a day, so that retention and anchors get hold of it. */
const segmentAgeMaxMs = 86_400_000;

export type OfferedBlock = Omit<BlockFields, 'sequence' | 'dropped'> & {
  readonly payload: Uint8Array;
};

export type LogEffect =
  /** Make the file, which must not exist. */
  | { readonly kind: 'create'; readonly file: string }
  | { readonly kind: 'reopen'; readonly file: string }
  | { readonly kind: 'write'; readonly bytes: Buffer; readonly offset: number }
  | { readonly kind: 'truncate'; readonly length: number }
  /** Bring it to the disk, give it its final name, close it. */
  | { readonly kind: 'finish'; readonly from: string; readonly to: string }
  /** Close it as it is. */
  | { readonly kind: 'abandon' };

export type SealedSegment = Totals & {
  readonly stream: string;
  readonly segment: number;
  /** `t0/00000001.tfd` */
  readonly name: string;
  readonly bytes: number;
  /** Of the seal, lower-case hexadecimal: what an anchor keeps. */
  readonly hash: string;
};

export type LogNote =
  | ({ readonly kind: 'sealed' } & SealedSegment)
  /** Writing failed; it is tried again. */
  | { readonly kind: 'full'; readonly code: string }
  /** Writing works again; `dropped` records were lost meanwhile. */
  | { readonly kind: 'resumed'; readonly dropped: number }
  /** Closed without having written all: `lost` records were in the queue. */
  | { readonly kind: 'given_up'; readonly code: string; readonly lost: number };

export type LogOptions = {
  readonly stream: string;
  readonly program: string;
  readonly segmentBytes: number;
  readonly queueBytes: number;
  /** What a full log asks of the caller: to go on unrecorded, or to refuse. */
  readonly onFull: 'drop' | 'refuse';
};

export type LogStats = {
  /** Number of the segment that is written, or that comes next. */
  readonly segment: number;
  /** Bytes of it that are kept. */
  readonly offset: number;
  /** Behind the last record that is kept. */
  readonly sequence: number;
  /** Since the log was opened. */
  readonly bytesWritten: number;
  readonly queuedBytes: number;
  /** Records, since the log was opened. */
  readonly dropped: number;
  readonly state: 'writing' | 'full' | 'closed';
};

type Entry = { readonly fields: BlockFields; readonly payload: Uint8Array };

type Segment = {
  readonly number: number;
  /** The file is there from the last run. */
  readonly exists: boolean;
  /** Of the last run and not empty: nothing is added to it. */
  readonly isOld: boolean;
  readonly begunAtMs: number;
  /** Does the shell hold it open? */
  isHeld: boolean;
  offset: number;
  /** L2 */
  isTorn: boolean;
  totals: Totals;
  isSealed: boolean;
};

/** What is being written at the offset: all of it or nothing. */
type Pending = {
  readonly bytes: Buffer;
  readonly hash: Buffer;
  /** Undefined for the seal. */
  readonly entry: Entry | undefined;
  written: number;
};

function resumedSegment(recovered: Recovered, begunAtMs: number): Segment | undefined {
  const { resumed, cutBytes } = recovered;
  if (resumed === undefined) return undefined;
  const isOld = resumed.offset > 0;
  const file = { exists: true, isHeld: false, isTorn: cutBytes > 0 };
  return { ...resumed, ...file, isOld, begunAtMs };
}

export class SegmentLog {
  readonly #options: LogOptions;
  readonly #queue: Entry[] = [];
  readonly #notes: LogNote[] = [];
  #phase: 'running' | 'closing' | 'giving_up' | 'closed' = 'running';
  #segment: Segment | undefined;
  #pending: Pending | undefined;
  #inFlight: LogEffect | undefined;
  #failure: { readonly sinceMs: number } | undefined;
  #nextNumber: number;
  /** Of the last link that is kept. */
  #hash: Buffer;
  /** Behind the last record that is kept, and behind the last that was offered. */
  #keptSequence: number;
  #sequence: number;
  #queuedBytes = 0;
  #bytesWritten = 0;
  /** Records: all, since the last block that was taken, since writing fails. */
  #dropped = 0;
  #droppedBefore = 0;
  #droppedSinceFailure = 0;
  #nowMs: number;

  constructor(options: LogOptions, recovered: Recovered, nowMs: number) {
    assert(options.segmentBytes > 0, `segments of ${options.segmentBytes} bytes`);
    assert(options.queueBytes > 0, `a queue of ${options.queueBytes} bytes`);
    this.#options = options;
    this.#hash = recovered.hash;
    this.#sequence = recovered.sequence;
    this.#keptSequence = recovered.sequence;
    this.#nowMs = nowMs;
    this.#segment = resumedSegment(recovered, nowMs);
    this.#nextNumber = recovered.number + (this.#segment === undefined ? 0 : 1);
  }

  // ---- what the caller says ------------------------------------------------------------------

  /** Takes a block into the queue; false: it does not fit, and its records are dropped. */
  offer(block: OfferedBlock): boolean {
    const { payload, ...fields } = block;
    assert(payload.length <= payloadBytesMax, `a payload of ${payload.length} bytes`);
    assert(payload.length >= 1, 'a block without a payload');
    assert(fields.records >= 1, 'a block without records');
    const bytes = payload.length + frameBytes;
    const hasRoom = this.#queuedBytes + bytes <= this.#options.queueBytes;
    const isTaken = this.#phase === 'running' && hasRoom;
    if (isTaken) {
      const dropped = this.#droppedBefore;
      this.#queue.push({ fields: { ...fields, sequence: this.#sequence, dropped }, payload });
      this.#queuedBytes += bytes;
      this.#droppedBefore = 0;
    } else {
      this.#drop(fields.records);
    }
    this.#sequence += fields.records;
    return isTaken;
  }

  /** The current Unix ms: what failed is tried again when its time has come. */
  tick(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  /** Nothing more is taken; the state `closed` tells when the rest is done. */
  close(): void {
    if (this.#phase === 'running') this.#phase = 'closing';
  }

  /** May a request be served under `refuse`? Always under `drop`. */
  mayRecord(): boolean {
    if (this.#options.onFull === 'drop') return true;
    const hasRoom = this.#queuedBytes < this.#options.queueBytes;
    return this.#phase === 'running' && this.#failure === undefined && hasRoom;
  }

  /** What happened since the last call, for log and events. */
  takeNotes(): readonly LogNote[] {
    return this.#notes.splice(0);
  }

  stats(): LogStats {
    const writing = this.#failure === undefined ? 'writing' : 'full';
    return {
      segment: this.#segment?.number ?? this.#nextNumber,
      offset: this.#segment?.offset ?? 0,
      sequence: this.#keptSequence,
      bytesWritten: this.#bytesWritten,
      queuedBytes: this.#queuedBytes,
      dropped: this.#dropped,
      state: this.#phase === 'closed' ? 'closed' : writing,
    };
  }

  // ---- what the shell does -------------------------------------------------------------------

  /** The effect to carry out now, to be answered by `done` or `failed`; undefined: none. */
  next(): LogEffect | undefined {
    if (this.#inFlight !== undefined || this.#phase === 'closed') return undefined;
    if (this.#phase === 'running' && this.#isWaiting()) return undefined;
    this.#inFlight = this.#phase === 'giving_up' ? this.#lastEffect() : this.#effect();
    if (this.#inFlight === undefined && this.#phase !== 'running') this.#phase = 'closed';
    return this.#inFlight;
  }

  /** The effect is carried out; of a write, `bytes` of those asked for, at least one. */
  done(bytes = 0): void {
    const [effect, segment] = this.#answered();
    if (effect.kind === 'create' || effect.kind === 'reopen') segment.isHeld = true;
    if (effect.kind === 'truncate') segment.isTorn = false;
    if (effect.kind === 'write') this.#wrote(segment, bytes);
    if (effect.kind === 'finish') this.#finished(segment);
    if (effect.kind === 'abandon') segment.isHeld = false;
  }

  /** The effect failed; `code` of the system: `ENOSPC`. */
  failed(code: string): void {
    const [effect, segment] = this.#answered();
    if (effect.kind === 'write') segment.isTorn = true;
    if (effect.kind === 'abandon') segment.isHeld = false;
    if (this.#pending !== undefined) this.#pending.written = 0;
    if (this.#phase === 'closing') this.#giveUp(code);
    else if (this.#failure === undefined) this.#notes.push({ kind: 'full', code });
    this.#failure = { sinceMs: this.#nowMs };
  }

  // ---- what follows --------------------------------------------------------------------------

  #answered(): readonly [LogEffect, Segment] {
    const effect = present(this.#inFlight, 'an effect to answer');
    this.#inFlight = undefined;
    return [effect, present(this.#segment, 'the segment of an effect')];
  }

  /** A clock that was set back ends the wait; nothing else would, for as long as it was set back. */
  #isWaiting(): boolean {
    if (this.#failure === undefined) return false;
    const waitedMs = this.#nowMs - this.#failure.sinceMs;
    return waitedMs >= 0 && waitedMs < retryMs;
  }

  #drop(records: number): void {
    this.#dropped += records;
    this.#droppedBefore += records;
    if (this.#failure !== undefined) this.#droppedSinceFailure += records;
  }

  #effect(): LogEffect | undefined {
    const segment = this.#segment ?? this.#begin();
    if (segment === undefined) return undefined;
    const isEnding = segment.isSealed || this.#isSealing(segment);
    if (!isEnding && this.#queue.length === 0) return undefined;
    const file = openFileName(segment.number);
    if (!segment.isHeld) return { kind: segment.exists ? 'reopen' : 'create', file };
    if (segment.isTorn) return { kind: 'truncate', length: segment.offset };
    if (segment.isSealed) return { kind: 'finish', from: file, to: sealedFileName(segment.number) };
    this.#pending ??= isEnding ? this.#sealOf(segment) : this.#blockOf(segment);
    const { bytes, written } = this.#pending;
    return { kind: 'write', bytes: bytes.subarray(written), offset: segment.offset + written };
  }

  #lastEffect(): LogEffect | undefined {
    return this.#segment?.isHeld === true ? { kind: 'abandon' } : undefined;
  }

  #begin(): Segment | undefined {
    if (this.#queue.length === 0) return undefined;
    const number = this.#nextNumber;
    this.#nextNumber += 1;
    const file = { exists: false, isHeld: false, isTorn: false };
    const empty = { isOld: false, isSealed: false, offset: 0, totals: noTotals };
    this.#segment = { number, begunAtMs: this.#nowMs, ...file, ...empty };
    return this.#segment;
  }

  /** What is half written is finished first, whatever was decided since. */
  #isSealing(segment: Segment): boolean {
    return this.#pending === undefined
      ? this.#mustSeal(segment)
      : this.#pending.entry === undefined;
  }

  #mustSeal(segment: Segment): boolean {
    if (segment.offset === 0) return false;
    if (segment.isOld || this.#nowMs - segment.begunAtMs >= segmentAgeMaxMs) return true;
    const next = this.#queue[0];
    if (next === undefined) return this.#phase === 'closing';
    const end = segment.offset + frameBytes + next.payload.length + frameBytes;
    return end > this.#options.segmentBytes;
  }

  /** The first block of a segment, with the header before it, or another one. */
  #blockOf(segment: Segment): Pending {
    const entry = present(this.#queue[0], 'a block to write');
    const { stream, program } = this.#options;
    const { number } = segment;
    const identity = { stream, number, program, createdAtMs: segment.begunAtMs };
    const header =
      segment.offset === 0 ? encodeHeader({ ...identity, previousHash: this.#hash }) : undefined;
    const frame = encodeBlock(entry.fields, entry.payload, header?.hash ?? this.#hash);
    const parts = header === undefined ? [] : [header.bytes];
    const bytes = Buffer.concat([...parts, frame.bytes, entry.payload]);
    return { bytes, hash: frame.hash, entry, written: 0 };
  }

  /** The last seal of a log that is closed also tells what was dropped behind its last block. */
  #sealOf(segment: Segment): Pending {
    const isLast = this.#phase === 'closing' && this.#queue.length === 0 && !segment.isOld;
    const dropped = segment.totals.dropped + (isLast ? this.#droppedBefore : 0);
    const sequence = isLast ? this.#sequence : this.#keptSequence;
    const { bytes, hash } = encodeSeal({ ...segment.totals, dropped, sequence }, this.#hash);
    return { bytes, hash, entry: undefined, written: 0 };
  }

  #wrote(segment: Segment, bytes: number): void {
    const pending = present(this.#pending, 'what is being written');
    assert(bytes >= 1, `${bytes} bytes written`);
    assert(bytes <= pending.bytes.length - pending.written, `${bytes} bytes are more than asked`);
    pending.written += bytes;
    this.#bytesWritten += bytes;
    if (pending.written < pending.bytes.length) return;
    this.#pending = undefined;
    segment.offset += pending.bytes.length;
    this.#hash = pending.hash;
    if (pending.entry === undefined) segment.isSealed = true;
    else this.#kept(segment, pending.entry);
    this.#works();
  }

  #kept(segment: Segment, entry: Entry): void {
    segment.totals = addBlock(segment.totals, entry.fields);
    this.#keptSequence = entry.fields.sequence + entry.fields.records;
    this.#queue.shift();
    this.#queuedBytes -= entry.payload.length + frameBytes;
  }

  #finished(segment: Segment): void {
    const { stream } = this.#options;
    const { number, offset: bytes, totals } = segment;
    const name = segmentName(stream, number);
    const hash = this.#hash.toString('hex');
    this.#notes.push({ kind: 'sealed', stream, segment: number, name, bytes, hash, ...totals });
    this.#segment = undefined;
    this.#works();
  }

  #works(): void {
    if (this.#failure === undefined) return;
    this.#failure = undefined;
    this.#notes.push({ kind: 'resumed', dropped: this.#droppedSinceFailure });
    this.#droppedSinceFailure = 0;
  }

  #giveUp(code: string): void {
    const lost = this.#queue.reduce((sum, entry) => sum + entry.fields.records, 0);
    this.#notes.push({ kind: 'given_up', code, lost });
    this.#dropped += lost;
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.#phase = 'giving_up';
  }
}
