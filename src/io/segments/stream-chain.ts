// Follows the chain of one stream through its segments and tells blocks and faults in their order:
// what a walk finds whole is held against the link before it.
//
//   C1  A block comes out when its checksums fit and its hash continues the chain. Behind a gap, or
//       out of its order, the hash cannot be checked; then the block comes out behind the fault
//       that says so.
//   C2  Each place is told once: a fault makes the head of the chain unknown or takes it from the
//       stored hash, so that what follows is not blamed again for the same damage.
//   C3  A block that was written earlier than its place says is no link: the chain goes on from the
//       newest.
//   C4  The open segment may end anywhere, a sealed one only with its seal.

import { type Damage, damage, errorCode, type SegmentFault } from './segment-fault.ts';
import { linkHash, noHash } from './segment-format.ts';
import { type BlockFrame, frameBytes, type SealFrame } from './segment-frame.ts';
import { segmentName } from './segment-names.ts';
import { type ByteSource, type WalkItem, walkSegment } from './segment-walk.ts';

export type OpenSource = ByteSource & { readonly close: () => void };

export type SegmentFile = {
  readonly stream: string;
  readonly number: number;
  /** Not sealed, by its name. */
  readonly isOpen: boolean;
  /** Path inside the folder of the log: `t0/00000001.tfd`. */
  readonly name: string;
  /** Throws where the system refuses; undefined when retention removed it since it was listed. */
  readonly open: () => OpenSource | undefined;
};

export type SegmentBlock = {
  readonly kind: 'block';
  readonly stream: string;
  readonly name: string;
  readonly segment: number;
  /** Of its frame in the file. */
  readonly offset: number;
  /** Of its first record in the stream. */
  readonly sequence: number;
  readonly records: number;
  /** Records that were dropped before it, under pressure. */
  readonly dropped: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly codec: number;
  readonly behaviour: number;
  readonly payload: Buffer;
  /** Lower-case hexadecimal. */
  readonly hash: string;
};

/** The open segment ends inside a frame: a write that goes on, or that a crash broke. No fault. */
export type Unfinished = {
  readonly kind: 'unfinished';
  readonly stream: string;
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
};

/** The seal of a segment, when the walk came to it and its hash fits. */
type SegmentEnd = {
  readonly kind: 'sealed';
  readonly stream: string;
  readonly name: string;
  readonly segment: number;
  readonly lastAtMs: number;
  readonly hash: string;
};

export type StreamItem = SegmentBlock | SegmentFault | Unfinished | SegmentEnd;

/** Where a stream begins: behind what retention removed, or with its first segment. */
export type StreamStart = {
  readonly number: number;
  /** Undefined where it is not known. */
  readonly hash: Buffer | undefined;
  readonly sequence: number | undefined;
};

export function firstStart(): StreamStart {
  return { number: 1, hash: noHash(), sequence: 1 };
}

/** Which blocks are wanted, and which sealed segments may be stepped over on the word of the seal. */
export type Wanted = {
  readonly wants: (block: BlockFrame) => boolean;
  readonly seal: (file: SegmentFile) => SealFrame | undefined;
};

/** The last link that was seen; undefined behind damage. */
class Head {
  hash: Buffer | undefined;
  sequence: number | undefined;

  constructor(start: StreamStart) {
    this.hash = start.hash;
    this.sequence = start.sequence;
  }

  move(hash: Buffer, sequence: number): void {
    this.hash = hash;
    this.sequence = sequence;
  }

  forget(): void {
    this.hash = undefined;
    this.sequence = undefined;
  }
}

/** All items of the stream; `files` in ascending order of their numbers. */
export function* followStream(
  files: readonly SegmentFile[],
  start: StreamStart,
  wanted: Wanted,
): Generator<StreamItem> {
  const head = new Head(start);
  let next = start.number;
  for (const [index, file] of files.entries()) {
    if (file.number < start.number) continue;
    if (file.number > next) yield missingBefore(file, next, head);
    next = file.number + 1;
    const seal = wanted.seal(file);
    if (seal !== undefined) head.move(seal.hash, seal.sequence);
    else yield* followFile(file, head, wanted, file.isOpen && index === files.length - 1);
  }
}

function missingBefore(file: SegmentFile, next: number, head: Head): SegmentFault {
  const name = segmentName(file.stream, next);
  const count = file.number - next;
  const expected = count === 1 ? name : `${name} and ${count - 1} more`;
  const what = damage('missing_segment', expected, `${file.name} follows`);
  const sequence = head.sequence ?? null;
  head.forget();
  return faultAt(name, what, { sequence, offset: null, resumesAt: null });
}

type Place = Pick<SegmentFault, 'sequence' | 'offset' | 'resumesAt'>;

function faultAt(name: string, what: Damage, place: Place): SegmentFault {
  return { kind: 'fault', where: 'segments', name, ...what, ...place };
}

function* followFile(
  file: SegmentFile,
  head: Head,
  wanted: Wanted,
  mayEndAnywhere: boolean,
): Generator<StreamItem> {
  let source: OpenSource | undefined;
  const pass = new SegmentPass(file, head, mayEndAnywhere);
  try {
    source = file.open();
    if (source === undefined) return head.forget();
    for (const item of walkSegment(source, wanted.wants)) yield* pass.take(item, source.size);
    yield* pass.end(source.size);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    yield pass.unreadable(errorCode(error));
  } finally {
    source?.close();
  }
}

/** One segment, item by item. */
class SegmentPass {
  readonly #file: SegmentFile;
  readonly #head: Head;
  readonly #mayEndAnywhere: boolean;
  /** Where the item that is looked at begins. */
  #offset = 0;
  #records = 0;
  #blocks = 0;
  #dropped = 0;
  #isDamaged = false;
  /** Its end is accounted for: sealed, damaged up to the end, or not ours. */
  #isEnded = false;

  constructor(file: SegmentFile, head: Head, mayEndAnywhere: boolean) {
    this.#file = file;
    this.#head = head;
    this.#mayEndAnywhere = mayEndAnywhere;
  }

  *take(item: WalkItem, size: number): Generator<StreamItem> {
    if (this.#isEnded && item.kind !== 'damage') return;
    this.#offset = item.kind === 'header' ? 0 : item.offset;
    switch (item.kind) {
      case 'header':
        yield* this.#takeHeader(item);
        break;
      case 'block':
        yield* this.#takeBlock(item);
        break;
      case 'seal':
        yield* this.#takeSeal(item);
        break;
      case 'damage':
        yield* this.#takeDamage(item, size);
        break;
    }
  }

  *end(size: number): Generator<StreamItem> {
    if (this.#isEnded || this.#mayEndAnywhere) return;
    const sequence = this.#head.sequence ?? null;
    this.#head.forget();
    const what = damage('truncated', 'a seal', 'the end of the file');
    yield faultAt(this.#file.name, what, { sequence, offset: size, resumesAt: null });
  }

  unreadable(code: string): SegmentFault {
    const sequence = this.#head.sequence ?? null;
    this.#head.forget();
    const what = damage('unreadable', 'a file that can be read', code);
    return faultAt(this.#file.name, what, { sequence, offset: this.#offset, resumesAt: null });
  }

  #fault(what: Damage, sequence: number | undefined, resumesAt: number | null): SegmentFault {
    this.#isDamaged = true;
    const place = { sequence: sequence ?? null, offset: this.#offset, resumesAt };
    return faultAt(this.#file.name, what, place);
  }

  *#takeHeader(item: WalkItem & { kind: 'header' }): Generator<StreamItem> {
    const { header } = item;
    const { stream, number } = this.#file;
    if (header.stream !== stream || header.number !== number) {
      const found = `segment ${header.number} of ${header.stream}`;
      const what = damage('bad_header', `segment ${number} of ${stream}`, found);
      yield this.#fault(what, this.#head.sequence, null);
      this.#head.forget();
      this.#isEnded = true;
      return;
    }
    const before = this.#head.hash;
    if (before !== undefined && !before.equals(header.previousHash)) {
      const found = header.previousHash.toString('hex');
      const what = damage('wrong_prev_hash', before.toString('hex'), found);
      yield this.#fault(what, this.#head.sequence, item.bytes);
    }
    this.#head.hash = item.hash;
  }

  *#takeBlock(item: WalkItem & { kind: 'block' }): Generator<StreamItem> {
    const { frame } = item;
    const order = this.#orderOf(frame);
    const at = item.offset;
    if (order !== undefined) yield this.#fault(order, frame.sequence, at);
    const before = order === undefined ? this.#head.hash : undefined;
    this.#advance(frame, order);
    if (item.payload === undefined) return;
    const computed = before === undefined ? undefined : linkHash(before, item.fields, item.payload);
    if (computed === undefined || computed.equals(frame.hash)) {
      yield this.#blockOf(item.offset, frame, item.payload);
    } else {
      const what = damage('bad_hash', computed.toString('hex'), frame.hash.toString('hex'));
      yield this.#fault(what, frame.sequence, at + frameBytes + frame.payloadBytes);
    }
  }

  /** What is wrong with the place of a frame in the stream. */
  #orderOf(frame: BlockFrame): Damage | undefined {
    const expected = this.#head.sequence;
    const start = frame.sequence - frame.dropped;
    if (expected === undefined || start === expected) return undefined;
    const found = `record ${start}`;
    return damage(start > expected ? 'gap' : 'reordered', `record ${expected}`, found);
  }

  #advance(frame: BlockFrame, order: Damage | undefined): void {
    if (order?.reason !== 'reordered') {
      this.#head.move(frame.hash, frame.sequence + frame.records);
    }
    this.#records += frame.records;
    this.#dropped += frame.dropped;
    this.#blocks += 1;
  }

  #blockOf(offset: number, frame: BlockFrame, payload: Buffer): SegmentBlock {
    const { stream, name, number } = this.#file;
    const { sequence, records, dropped, firstAtMs, lastAtMs, codec, behaviour } = frame;
    return {
      kind: 'block',
      stream,
      name,
      segment: number,
      offset,
      sequence,
      records,
      dropped,
      firstAtMs,
      lastAtMs,
      codec,
      behaviour,
      payload,
      hash: frame.hash.toString('hex'),
    };
  }

  *#takeSeal(item: WalkItem & { kind: 'seal' }): Generator<StreamItem> {
    const { frame } = item;
    const head = this.#head.hash;
    const computed = head === undefined ? frame.hash : linkHash(head, item.fields);
    const expected = this.#head.sequence;
    this.#head.move(frame.hash, frame.sequence);
    this.#isEnded = true;
    if (!computed.equals(frame.hash)) {
      const what = damage('bad_hash', computed.toString('hex'), frame.hash.toString('hex'));
      yield this.#fault(what, expected, null);
      return;
    }
    const totals = this.#isDamaged ? undefined : this.#totalsDamage(frame, expected);
    if (totals !== undefined) yield this.#fault(totals, expected, null);
    const { stream, name, number } = this.#file;
    const { lastAtMs } = frame;
    const hash = frame.hash.toString('hex');
    yield { kind: 'sealed', stream, name, segment: number, lastAtMs, hash };
  }

  /** Does the seal tell what the blocks add up to? Not to be asked behind damage. */
  #totalsDamage(seal: SealFrame, sequence: number | undefined): Damage | undefined {
    const droppedLast = seal.dropped - this.#dropped;
    const isWhole =
      seal.records === this.#records &&
      seal.blocks === this.#blocks &&
      droppedLast >= 0 &&
      (sequence === undefined || seal.sequence - droppedLast === sequence);
    if (isWhole) return undefined;
    const expected = `${this.#records} records in ${this.#blocks} blocks up to ${sequence}`;
    const found = `${seal.records} in ${seal.blocks} up to ${seal.sequence}`;
    return damage('bad_seal', expected, found);
  }

  *#takeDamage(item: WalkItem & { kind: 'damage' }, size: number): Generator<StreamItem> {
    const { frame, resumesAt, damage: what, offset } = item;
    if (resumesAt === undefined && what.reason === 'truncated' && this.#mayEndAnywhere) {
      this.#isEnded = true;
      const { stream, name } = this.#file;
      yield { kind: 'unfinished', stream, name, offset, bytes: size - offset };
      return;
    }
    const order = frame === undefined ? undefined : this.#orderOf(frame);
    if (order !== undefined) yield this.#fault(order, frame?.sequence, offset);
    yield this.#fault(what, frame?.sequence ?? this.#head.sequence, resumesAt ?? null);
    if (what.reason === 'after_seal') return;
    if (frame === undefined || resumesAt === undefined) this.#head.forget();
    else this.#advance(frame, order);
    if (resumesAt === undefined) this.#isEnded = true;
  }
}
