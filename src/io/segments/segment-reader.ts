// Reads the decision log: blocks in the order of their time, damage where it stands. For worker
// threads (replay) and small look-ups; synchronous, with one block of each stream in memory.
//
// The order: each stream in its own order, always; between streams the block whose first record is
// older comes first, at equal times the stream whose name is less. A fault is told as soon as its
// stream comes to it, before the block behind it.

import { compareText } from '../../base/compare.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { errorCode, type SegmentFault, wholeFileFault } from './segment-fault.ts';
import { listStreams, readSegment, readStreamFiles, sealOf } from './segment-files.ts';
import { type BlockFrame, frameBytes, payloadDamage, type SealFrame } from './segment-frame.ts';
import { type WalkItem, walkSegment } from './segment-walk.ts';
import {
  followStream,
  type SegmentBlock,
  type SegmentFile,
  type StreamItem,
  type Unfinished,
  type Wanted,
} from './stream-chain.ts';

/** Unix ms, both ends included; a block is in it when one of its records may be. */
export type Span = { readonly fromMs?: number; readonly toMs?: number };

export type LogItem = SegmentBlock | SegmentFault | Unfinished;

function touches(span: Span, times: { readonly firstAtMs: number; readonly lastAtMs: number }) {
  return times.lastAtMs >= (span.fromMs ?? 0) && times.firstAtMs <= (span.toMs ?? Infinity);
}

/** The seal of a segment without blocks of the span: it may be stepped over. */
function sealBeside(file: SegmentFile, span: Span): SealFrame | undefined {
  if (file.isOpen || (span.fromMs === undefined && span.toMs === undefined)) return undefined;
  try {
    const seal = readSegment(file, sealOf);
    return seal === undefined || touches(span, seal) ? undefined : seal;
  } catch (error) {
    // Whoever goes on to read it meets the same and tells it.
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}

function wantedOf(span: Span): Wanted {
  return { wants: (frame) => touches(span, frame), seal: (file) => sealBeside(file, span) };
}

function* readStream(folder: string, stream: string, span: Span): Generator<StreamItem> {
  const { files, start, faults } = readStreamFiles(folder, stream);
  yield* faults.filter((fault) => fault.reason === 'bad_note');
  yield* followStream(files, start, wantedOf(span));
}

type Lane = { readonly items: Generator<StreamItem>; head: SegmentBlock | undefined };

/** Puts the next block of the lane at its head; tells what comes before it. */
function* advance(lane: Lane): Generator<LogItem> {
  lane.head = undefined;
  for (let step = lane.items.next(); step.done !== true; step = lane.items.next()) {
    const item = step.value;
    if (item.kind === 'sealed') continue;
    if (item.kind === 'block') {
      lane.head = item;
      return;
    }
    yield item;
  }
}

function isBefore(a: SegmentBlock, b: SegmentBlock): boolean {
  if (a.firstAtMs !== b.firstAtMs) return a.firstAtMs < b.firstAtMs;
  return compareText(a.stream, b.stream) < 0;
}

function earliest(lanes: readonly Lane[]): Lane | undefined {
  let best: Lane | undefined;
  for (const lane of lanes) {
    if (lane.head === undefined) continue;
    if (best?.head === undefined || isBefore(lane.head, best.head)) best = lane;
  }
  return best;
}

/**
 * Blocks and faults of all streams, or of one, as they are now: what is written meanwhile is not
 * waited for. Without a span every hash is checked; with one, segments and blocks beside it are
 * stepped over unread, and the hash of a block behind such a one is checked against its frame.
 */
export function* readBlocks(
  folder: string,
  options: Span & { readonly stream?: string } = {},
): Generator<LogItem> {
  const { stream: only } = options;
  const streams = listStreams(folder).streams.filter((name) => only === undefined || name === only);
  const lanes = streams.map(
    (name): Lane => ({ items: readStream(folder, name, options), head: undefined }),
  );
  try {
    for (const lane of lanes) yield* advance(lane);
    for (let lane = earliest(lanes); lane?.head !== undefined; lane = earliest(lanes)) {
      yield lane.head;
      yield* advance(lane);
    }
  } finally {
    // Whoever stops early leaves files open otherwise.
    for (const lane of lanes) lane.items.return(undefined);
  }
}

/** Where a block is, without its payload. */
export type BlockPlace = Omit<SegmentBlock, 'kind' | 'payload'> & {
  readonly kind: 'place';
  /** The payload, when its checksum fits. Links are not followed here: verify does that. */
  readonly payload: () => Result<Buffer, SegmentFault>;
};

/**
 * The blocks that may hold a record of the span, by stream; nothing but frames is read. For finding
 * one request: the time in its id says where to look.
 */
export function* findBlocksOf(
  folder: string,
  fromMs: number,
  toMs: number,
): Generator<BlockPlace | SegmentFault> {
  const span = { fromMs, toMs };
  for (const stream of listStreams(folder).streams) {
    for (const file of readStreamFiles(folder, stream).files) {
      if (sealBeside(file, span) === undefined) yield* findIn(file, span);
    }
  }
}

function* findIn(file: SegmentFile, span: Span): Generator<BlockPlace | SegmentFault> {
  const found = inSegment(file, () =>
    readSegment(file, (source) => [
      ...walkSegment(source, () => false).flatMap((item) => foundIn(file, item, span)),
    ]),
  );
  if (found.ok) yield* found.value ?? [];
  else yield found.error;
}

function foundIn(file: SegmentFile, item: WalkItem, span: Span): (BlockPlace | SegmentFault)[] {
  if (item.kind === 'block' && touches(span, item.frame)) return [placeOf(file, item)];
  return item.kind === 'damage' && !isUnfinished(file, item) ? [damageFault(file, item)] : [];
}

function isUnfinished(file: SegmentFile, item: WalkItem & { kind: 'damage' }): boolean {
  return file.isOpen && item.damage.reason === 'truncated' && item.resumesAt === undefined;
}

function damageFault(file: SegmentFile, item: WalkItem & { kind: 'damage' }): SegmentFault {
  const { damage: what, frame, offset, resumesAt } = item;
  const { reason, expected, found } = what;
  const place = { sequence: frame?.sequence ?? null, offset, resumesAt: resumesAt ?? null };
  return { ...wholeFileFault(file.name, reason, expected, found), ...place };
}

/** The result of `read`, or what the system said instead, as a fault of the file. */
function inSegment<T>(file: SegmentFile, read: () => T): Result<T, SegmentFault> {
  try {
    return ok(read());
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    return err(wholeFileFault(file.name, 'unreadable', 'a readable file', errorCode(error)));
  }
}

function placeOf(file: SegmentFile, item: WalkItem & { kind: 'block' }): BlockPlace {
  const { offset, frame } = item;
  const { sequence, records, dropped, firstAtMs, lastAtMs, codec, behaviour } = frame;
  const { stream, name, number: segment } = file;
  const payload = () => payloadAt(file, offset, frame);
  const hash = frame.hash.toString('hex');
  const place = { stream, name, segment, offset, sequence, records, dropped, hash };
  return { kind: 'place', ...place, firstAtMs, lastAtMs, codec, behaviour, payload };
}

function payloadAt(
  file: SegmentFile,
  offset: number,
  frame: BlockFrame,
): Result<Buffer, SegmentFault> {
  const place = { sequence: frame.sequence, offset, resumesAt: null };
  const read = inSegment(file, () =>
    readSegment(file, (source) => source.read(offset + frameBytes, frame.payloadBytes)),
  );
  if (!read.ok) return err({ ...read.error, ...place });
  if (read.value === undefined) {
    const { name } = file;
    const what = wholeFileFault(name, 'missing_segment', name, 'it was removed by retention');
    return err({ ...what, ...place });
  }
  const broken = payloadDamage(frame, read.value);
  if (broken === undefined) return ok(read.value);
  const { reason, expected, found } = broken;
  return err({ ...wholeFileFault(file.name, reason, expected, found), ...place });
}
