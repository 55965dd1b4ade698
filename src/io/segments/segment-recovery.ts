// Where writing goes on after the last run, however that ended. Only the last segment is looked at:
// all before it were sealed. A crash breaks the end of one write, so what checks last is the end of
// what was written; the bytes behind it are the torn tail, which is cut and told.
//
//   V1  Nothing that checks is cut: damage in the middle stays where it is, and reading tells it.
//   V2  Sequences go on; the next segment continues the last link that checks.
//   V3  Looking changes nothing. Cutting and sealing are the first effects of the log, which has
//       answers for a disk that refuses (segment-log.ts).

import { present } from '../../base/assert.ts';
import { type Fault, fault } from '../../base/fault.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { ParsedHeader } from './segment-format.ts';
import { noHash } from './segment-format.ts';
import { type BlockFields, frameBytes } from './segment-frame.ts';
import { walkSegment } from './segment-walk.ts';
import type { SegmentFile, StreamStart } from './stream-chain.ts';

/** Totals of the segment that is being written; times are meaningless without blocks. */
export type Totals = {
  readonly records: number;
  readonly blocks: number;
  readonly dropped: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
};

export const noTotals: Totals = Object.freeze({
  records: 0,
  blocks: 0,
  dropped: 0,
  firstAtMs: 0,
  lastAtMs: 0,
});

/** The open segment of the last run: to be sealed, or without content and to be written anew. */
type Resumed = {
  readonly number: number;
  /** Behind the last byte that checks; 0 when there is nothing to keep. */
  readonly offset: number;
  readonly totals: Totals;
  /** Its seal is written; only the name says that it is open. */
  readonly isSealed: boolean;
};

export type Recovered = {
  /** Of the segment that is written next, or of the one that is resumed. */
  readonly number: number;
  readonly hash: Buffer;
  /** Of the next record. */
  readonly sequence: number;
  readonly resumed: Resumed | undefined;
  /** Bytes of the torn tail. */
  readonly cutBytes: number;
  /** Records in the resumed segment. */
  readonly keptRecords: number;
};

export function addBlock(totals: Totals, frame: BlockFields): Totals {
  const isFirst = totals.blocks === 0;
  return {
    records: totals.records + frame.records,
    blocks: totals.blocks + 1,
    dropped: totals.dropped + frame.dropped,
    firstAtMs: isFirst ? frame.firstAtMs : Math.min(totals.firstAtMs, frame.firstAtMs),
    lastAtMs: isFirst ? frame.lastAtMs : Math.max(totals.lastAtMs, frame.lastAtMs),
  };
}

type Link = { readonly hash: Buffer; readonly sequence: number };

type Tail = {
  readonly size: number;
  readonly header: ParsedHeader | undefined;
  /** Words about a format that this program does not write. */
  readonly unknown: string | undefined;
  /** The last block or seal that checks. */
  readonly link: Link | undefined;
  /** Behind it; 0 without one. */
  readonly end: number;
  readonly totals: Totals;
  readonly isSealed: boolean;
};

/** Reads one segment whole, one block in memory at a time. */
function tailOf(file: SegmentFile): Tail {
  const source = present(file.open(), `${file.name}, which nobody removes meanwhile`);
  const tail = {
    size: source.size,
    header: undefined as ParsedHeader | undefined,
    unknown: undefined as string | undefined,
    link: undefined as Link | undefined,
    end: 0,
    totals: noTotals,
    isSealed: false,
  };
  try {
    for (const item of walkSegment(source, () => true)) {
      if (item.kind === 'header') tail.header = item;
      if (item.kind === 'damage' && item.damage.reason === 'unknown_version') {
        tail.unknown = item.damage.found;
      }
      if (item.kind !== 'block' && item.kind !== 'seal') continue;
      const { frame } = item;
      const isBlock = frame.kind === 'block';
      tail.isSealed = !isBlock;
      tail.end = item.offset + frameBytes + (isBlock ? frame.payloadBytes : 0);
      tail.link = { hash: frame.hash, sequence: frame.sequence + (isBlock ? frame.records : 0) };
      if (isBlock) tail.totals = addBlock(tail.totals, frame);
    }
    return tail;
  } finally {
    source.close();
  }
}

function unknownFormat(file: SegmentFile, found: string): Fault<'unknown_version'> {
  const words = `${file.name} is ${found}: this program can neither read nor continue it`;
  return fault('unknown_version', words);
}

/** The newest link of the sealed segments, else where the stream begins. */
function lastLink(
  files: readonly SegmentFile[],
  start: StreamStart,
): Result<Link, Fault<'unknown_version'>> {
  for (const file of files.toReversed()) {
    const tail = tailOf(file);
    if (tail.unknown !== undefined) return err(unknownFormat(file, tail.unknown));
    if (tail.link !== undefined) return ok(tail.link);
  }
  return ok({ hash: start.hash ?? noHash(), sequence: start.sequence ?? 1 });
}

/** Is it what a crash leaves of a first write: nothing, half a header, a header and half a block? */
function isTornStart(tail: Tail): boolean {
  return tail.header !== undefined || tail.size < frameBytes;
}

/**
 * Looks at the last segment of a stream; `files` in ascending order, those that retention removed
 * left out. Refuses where a newer program wrote it. Throws where the system refuses to read.
 */
export function recoverStream(
  files: readonly SegmentFile[],
  start: StreamStart,
): Result<Recovered, Fault<'unknown_version'>> {
  const last = files.at(-1);
  const before = files.slice(0, -1);
  const fresh = (number: number, of: readonly SegmentFile[], cutBytes: number, again: boolean) => {
    const link = lastLink(of, start);
    if (!link.ok) return link;
    const resumed = { number, offset: 0, totals: noTotals, isSealed: false };
    return ok({
      number,
      ...link.value,
      resumed: again ? resumed : undefined,
      cutBytes,
      keptRecords: 0,
    });
  };
  if (last === undefined) return fresh(start.number, [], 0, false);
  if (!last.isOpen) return fresh(last.number + 1, files, 0, false);
  const tail = tailOf(last);
  if (tail.unknown !== undefined) return err(unknownFormat(last, tail.unknown));
  if (tail.link === undefined) {
    if (isTornStart(tail)) return fresh(last.number, before, tail.size, true);
    return fresh(last.number + 1, before, 0, false);
  }
  const { totals, isSealed, end: offset } = tail;
  const resumed = { number: last.number, offset, totals, isSealed };
  const cutBytes = tail.size - tail.end;
  const keptRecords = totals.records;
  return ok({ number: last.number, ...tail.link, resumed, cutBytes, keptRecords });
}
