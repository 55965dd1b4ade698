// The frames of a segment: what stands before the payload of a block, and the seal at the end. The
// layout is drawn in segment-format.ts; here it is written and read, every field within its bounds.

import { crc32 } from 'node:zlib';
import { assert } from '../../base/assert.ts';
import { isCount } from '../../base/numbers.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { type Damage, damage } from './segment-fault.ts';
import {
  checksumText,
  countAt,
  type Encoded,
  hashBytes,
  linkHash,
  putCount,
} from './segment-format.ts';

export const frameBytes = 92;
/** A block is some 64 KiB; this bounds what a reader allocates on the word of a frame. */
export const payloadBytesMax = 16 * 1024 * 1024;
const hashedBytes = 56;
const hashAt = 56;
const frameCrcAt = 88;

/** The first three bytes of the mark of each frame. */
export const markPrefix = Object.freeze([0xf5, 0x54, 0x46] as const);
const blockMark = 0x42;
const sealMark = 0x53;

export type BlockFields = {
  /** Of its first record. */
  readonly sequence: number;
  /** Records that were dropped between the block before and this one. */
  readonly dropped: number;
  /** Least and greatest Unix ms of its records. */
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly records: number;
  /** Number of the behaviour of the program that decided. */
  readonly behaviour: number;
  /** Version of the encoding of the payload. */
  readonly codec: number;
};

type SealFields = {
  /** The sequence that the first record of the next segment has, when none is dropped. */
  readonly sequence: number;
  readonly dropped: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly records: number;
  readonly blocks: number;
};

export type BlockFrame = BlockFields & {
  readonly kind: 'block';
  readonly payloadBytes: number;
  readonly payloadCrc: number;
  readonly hash: Buffer;
};

export type SealFrame = SealFields & { readonly kind: 'seal'; readonly hash: Buffer };

/** The bytes of a frame that its hash covers. */
export function hashedFields(frame: Buffer): Buffer {
  return frame.subarray(0, hashedBytes);
}

type Slots = {
  readonly mark: number;
  readonly payloadBytes: number;
  readonly sequence: number;
  readonly dropped: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly records: number;
  /** Behaviour number of a block, blocks of a seal. */
  readonly second: number;
  readonly codec: number;
  readonly payloadCrc: number;
};

function encodeFrame(slots: Slots, previous: Buffer, payload: Uint8Array | undefined): Encoded {
  assert(slots.firstAtMs <= slots.lastAtMs, `ms ${slots.firstAtMs} to ${slots.lastAtMs}`);
  const bytes = Buffer.alloc(frameBytes);
  bytes.set(markPrefix);
  bytes.writeUInt8(slots.mark, 3);
  bytes.writeUInt32LE(slots.payloadBytes, 4);
  putCount(bytes, slots.sequence, 8);
  putCount(bytes, slots.dropped, 16);
  putCount(bytes, slots.firstAtMs, 24);
  putCount(bytes, slots.lastAtMs, 32);
  bytes.writeUInt32LE(slots.records, 40);
  bytes.writeUInt32LE(slots.second, 44);
  bytes.writeUInt16LE(slots.codec, 48);
  bytes.writeUInt32LE(slots.payloadCrc, 52);
  const hash = linkHash(previous, hashedFields(bytes), payload);
  hash.copy(bytes, hashAt);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, frameCrcAt)), frameCrcAt);
  return { bytes, hash };
}

/** The frame of a block of 1 byte to 16 MiB and 1 or more records. */
export function encodeBlock(fields: BlockFields, payload: Uint8Array, previous: Buffer): Encoded {
  assert(payload.length >= 1 && payload.length <= payloadBytesMax, `${payload.length} bytes`);
  assert(fields.records >= 1, 'a block without records');
  const slots = {
    ...fields,
    mark: blockMark,
    payloadBytes: payload.length,
    second: fields.behaviour,
    payloadCrc: crc32(payload),
  };
  return encodeFrame(slots, previous, payload);
}

export function encodeSeal(fields: SealFields, previous: Buffer): Encoded {
  const empty = { payloadBytes: 0, codec: 0, payloadCrc: 0 };
  return encodeFrame(
    { ...fields, ...empty, mark: sealMark, second: fields.blocks },
    previous,
    undefined,
  );
}

/** Reads the frame in exactly 92 bytes. Its payload, where it has one, is not looked at. */
export function parseFrame(bytes: Buffer): Result<BlockFrame | SealFrame, Damage> {
  assert(bytes.length === frameBytes, `a frame of ${bytes.length} bytes`);
  const stored = bytes.readUInt32LE(frameCrcAt);
  const computed = crc32(bytes.subarray(0, frameCrcAt));
  if (stored !== computed || markPrefix.some((byte, at) => bytes[at] !== byte)) {
    return err(damage('bad_crc', `frame checksum ${checksumText(computed)}`, checksumText(stored)));
  }
  const frame = frameOf(slotsOf(bytes), Buffer.from(bytes.subarray(hashAt, hashAt + hashBytes)));
  if (frame !== undefined && bytes.readUInt16LE(50) === 0) return ok(frame);
  return err(damage('bad_frame', 'fields of a block or a seal', bytes.toString('hex', 0, 56)));
}

function slotsOf(bytes: Buffer): Slots {
  return {
    mark: bytes.readUInt8(3),
    payloadBytes: bytes.readUInt32LE(4),
    sequence: countAt(bytes, 8),
    dropped: countAt(bytes, 16),
    firstAtMs: countAt(bytes, 24),
    lastAtMs: countAt(bytes, 32),
    records: bytes.readUInt32LE(40),
    second: bytes.readUInt32LE(44),
    codec: bytes.readUInt16LE(48),
    payloadCrc: bytes.readUInt32LE(52),
  };
}

/** Undefined for fields that no writer sets. */
function frameOf(slots: Slots, hash: Buffer): BlockFrame | SealFrame | undefined {
  const { mark, payloadBytes, codec, payloadCrc, second, ...common } = slots;
  const counts = [common.sequence, common.dropped, common.lastAtMs];
  if (!counts.every(isCount) || !isCount(common.sequence + common.records)) return undefined;
  if (common.firstAtMs > common.lastAtMs || common.dropped >= common.sequence) return undefined;
  if (mark === sealMark) {
    if (payloadBytes !== 0 || codec !== 0 || payloadCrc !== 0) return undefined;
    return { kind: 'seal', ...common, blocks: second, hash };
  }
  if (mark !== blockMark || payloadBytes < 1 || payloadBytes > payloadBytesMax) return undefined;
  if (common.records < 1) return undefined;
  return { kind: 'block', ...common, behaviour: second, codec, payloadBytes, payloadCrc, hash };
}

/** What is wrong with the payload of a frame; undefined for nothing. */
export function payloadDamage(frame: BlockFrame, payload: Buffer): Damage | undefined {
  if (payload.length < frame.payloadBytes) {
    const found = `${payload.length} bytes`;
    return damage('truncated', `a payload of ${frame.payloadBytes} bytes`, found);
  }
  const computed = crc32(payload);
  if (computed === frame.payloadCrc) return undefined;
  return damage(
    'bad_crc',
    `payload checksum ${checksumText(frame.payloadCrc)}`,
    checksumText(computed),
  );
}
