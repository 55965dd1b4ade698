// The bytes of a segment file of the decision log. A stream of decisions is a row of segments, a
// segment is a header, blocks and a seal. What a payload means is for others to know; here it is
// bytes. Numbers are little-endian; counts and times are 64 bits that hold safe integers.
//
//   header, h bytes, at most 283              frame, 92 bytes 0      8  magic "TFDSEG\r\n"
//   block                    seal 8      2  format version, 1               0   4 f5 "TFB"
//   f5 "TFS" 10     2  h                               4   4 payload bytes            0 12     1
//   p, bytes of the program text    8   8 sequence of the first    sequence after the last 13     1
//   s, bytes of the stream name           record                   record 14     p  program that
//   writes             16  8 dropped before it        dropped in the segment 14+p   s  stream
//   24  8 least Unix ms            of all blocks ..     4  number of the segment           32  8
//   greatest Unix ms         of all blocks ..     8  created, Unix ms                40  4 records
//   of all blocks ..    32  previous hash                   44  4 behaviour number         blocks
//   h-4    4  CRC-32 of all before            48  2 codec version            0 50  2 0
//   0 segment = header (frame payload)* seal    52  4 CRC-32 of the payload    0 56 32 hash 88  4
//   CRC-32 of bytes 0 to 87
//
//   F1  The hash of a header is SHA-256(previous hash || header); that of a frame is SHA-256(hash
//       before || bytes 0 to 55 || payload). The previous hash of a header is that of the seal of
//       the segment before, zeros in the first one. So a stream is one chain: header, blocks, seal,
//       header ... and whoever edits one link must rewrite all that follow.
//   F2  The frame has a checksum of its own: it can be believed without its payload, so that a
//       reader steps over blocks, and a damaged payload costs one block.
//   F3  Magic, version, h, p and program text stand in the same place in every version, and the
//       checksum at the end of h bytes: an old program can say which one to use instead.
//   F4  Sequences count every record that was offered, dropped ones too: sequence + records is the
//       next sequence minus its dropped. So a number is given once, and a hole is told.
//   F5  f5 never occurs in UTF-8, which keeps the marks out of the texts of a payload; a search for
//       the next frame behind damage rarely meets a false one, and the checksum refuses those.

import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { assert } from '../../base/assert.ts';
import { isCount } from '../../base/numbers.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { type Damage, damage } from './segment-fault.ts';

export const formatVersion = 1;
export const headerBytesMax = 283;

const magic = 'TFDSEG\r\n';
export const hashBytes = 32;
const fixedHeaderBytes = 14;
const programBytesMax = 189;
const wordSize = 0x1_0000_0000;

type SegmentHeader = {
  readonly stream: string;
  /** From 1. */
  readonly number: number;
  readonly createdAtMs: number;
  /** Name and version of the program that writes: `tensorforge 1.2.0`. */
  readonly program: string;
  readonly previousHash: Buffer;
};

export type Encoded = { readonly bytes: Buffer; readonly hash: Buffer };

/** A name that may stand in a path: `t0`, `control`. `snapshots` is a folder beside the streams. */
export function isStreamName(name: string): boolean {
  return /^[a-z][a-z0-9-]{0,31}$/.test(name) && name !== 'snapshots';
}

/** The previous hash of the first segment of a stream. */
export function noHash(): Buffer {
  return Buffer.alloc(hashBytes);
}

/** Writes 8 bytes; `value` is a whole number from 0 to 2^53 - 1. */
export function putCount(into: Buffer, value: number, offset: number): void {
  assert(isCount(value), `${value} is no count of 53 bits`);
  into.writeUInt32LE(value % wordSize, offset);
  into.writeUInt32LE(Math.floor(value / wordSize), offset + 4);
}

/** May be more than a safe integer: to be checked. */
export function countAt(bytes: Buffer, offset: number): number {
  return bytes.readUInt32LE(offset) + bytes.readUInt32LE(offset + 4) * wordSize;
}

/** A checksum as 8 hexadecimal digits. */
export function checksumText(value: number): string {
  return value.toString(16).padStart(8, '0');
}

/** The hash of a link: what came before, and the bytes that it adds (F1). */
export function linkHash(previous: Buffer, fields: Buffer, payload?: Uint8Array): Buffer {
  const hash = createHash('sha256').update(previous).update(fields);
  return (payload === undefined ? hash : hash.update(payload)).digest();
}

/** At most 189 bytes of UTF-8, cut between characters. */
function programText(program: string): Buffer {
  const bytes = Buffer.from(program);
  if (bytes.length <= programBytesMax) return bytes;
  return Buffer.from(bytes.toString('utf8', 0, programBytesMax - 3).replace(/\ufffd$/, ''));
}

/** The header and its hash. A program text beyond 189 bytes is cut. */
export function encodeHeader(header: SegmentHeader): Encoded {
  const program = programText(header.program);
  const stream = Buffer.from(header.stream, 'latin1');
  assert(isStreamName(header.stream), `stream "${header.stream}"`);
  assert(header.number >= 1 && header.number < wordSize, `segment number ${header.number}`);
  assert(header.previousHash.length === hashBytes, 'a previous hash has 32 bytes');
  const own = fixedHeaderBytes + program.length + stream.length;
  const bytes = Buffer.alloc(own + 48);
  bytes.write(magic, 0, 'latin1');
  bytes.writeUInt16LE(formatVersion, 8);
  bytes.writeUInt16LE(bytes.length, 10);
  bytes.writeUInt8(program.length, 12);
  bytes.writeUInt8(stream.length, 13);
  program.copy(bytes, fixedHeaderBytes);
  stream.copy(bytes, fixedHeaderBytes + program.length);
  bytes.writeUInt32LE(header.number, own);
  putCount(bytes, header.createdAtMs, own + 4);
  header.previousHash.copy(bytes, own + 12);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
  return { bytes, hash: linkHash(header.previousHash, bytes) };
}

export type ParsedHeader = {
  readonly header: SegmentHeader;
  readonly bytes: number;
  readonly hash: Buffer;
};

/** Reads the header at the beginning of `bytes`, which may be longer, or shorter after damage. */
export function parseHeader(bytes: Buffer): Result<ParsedHeader, Damage> {
  const whole = wholeHeader(bytes);
  if (!whole.ok) return whole;
  const head = whole.value;
  const programEnd = fixedHeaderBytes + head.readUInt8(12);
  const program = head.toString('utf8', fixedHeaderBytes, Math.min(programEnd, head.length - 4));
  const version = head.readUInt16LE(8);
  if (version !== formatVersion) {
    const found = `format ${version}, written by ${JSON.stringify(program)}`;
    return err(damage('unknown_version', `format ${formatVersion}`, found));
  }
  const own = programEnd + head.readUInt8(13);
  if (own + 48 !== head.length) {
    return err(damage('bad_header', `${own + 48} bytes of header`, `${head.length}`));
  }
  const stream = head.toString('latin1', programEnd, own);
  const number = head.readUInt32LE(own);
  const createdAtMs = countAt(head, own + 4);
  if (!isStreamName(stream) || number < 1 || !isCount(createdAtMs)) {
    const found = `stream ${JSON.stringify(stream)}, segment ${number}, ms ${createdAtMs}`;
    return err(damage('bad_header', 'fields of a header', found));
  }
  const previousHash = Buffer.from(head.subarray(own + 12, own + 44));
  const header = { stream, number, createdAtMs, program, previousHash };
  return ok({ header, bytes: head.length, hash: linkHash(previousHash, head) });
}

/** The bytes of a header of any version whose checksum fits. */
function wholeHeader(bytes: Buffer): Result<Buffer, Damage> {
  if (bytes.length < fixedHeaderBytes) {
    return err(damage('truncated', 'a header of 14 bytes or more', `${bytes.length} bytes`));
  }
  const found = bytes.toString('latin1', 0, 8);
  if (found !== magic) {
    return err(damage('bad_header', JSON.stringify(magic), JSON.stringify(found)));
  }
  const length = bytes.readUInt16LE(10);
  if (length < fixedHeaderBytes + 4 || length > headerBytesMax) {
    return err(damage('bad_header', `18 to ${headerBytesMax} bytes of header`, `${length}`));
  }
  if (bytes.length < length) {
    return err(damage('truncated', `a header of ${length} bytes`, `${bytes.length} bytes`));
  }
  const head = bytes.subarray(0, length);
  const stored = head.readUInt32LE(length - 4);
  const computed = crc32(head.subarray(0, -4));
  if (stored === computed) return ok(head);
  return err(damage('bad_header', `checksum ${checksumText(computed)}`, checksumText(stored)));
}
