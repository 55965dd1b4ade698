// Goes through the bytes of one segment from front to end and tells what stands there: header,
// blocks, seal, damage. It believes checksums only; whether the links belong together is for the
// chain (stream-chain.ts). The bytes come from a file, or from memory in tests.
//
//   W1  Every byte before the end is in an item or is told as damage.
//   W2  Behind a damaged frame the walk goes on at the next frame that checks, behind a damaged
//       payload at the frame after it. Where there is none, the damage reaches to the end.
//   W3  One payload is in memory at a time.

import { assert } from '../../base/assert.ts';
import { type Damage, damage } from './segment-fault.ts';
import { headerBytesMax, type ParsedHeader, parseHeader } from './segment-format.ts';
import {
  type BlockFrame,
  frameBytes,
  hashedFields,
  markPrefix,
  parseFrame,
  payloadDamage,
  type SealFrame,
} from './segment-frame.ts';

export type ByteSource = {
  /** Bytes, as they were when the source was opened. */
  readonly size: number;
  /** Fewer bytes only at the end. Throws where the system refuses to read. */
  readonly read: (offset: number, length: number) => Buffer;
};

export type WalkItem =
  | ({ readonly kind: 'header' } & ParsedHeader)
  | {
      readonly kind: 'block';
      readonly offset: number;
      readonly frame: BlockFrame;
      /** What its hash covers besides the payload. */
      readonly fields: Buffer;
      /** Undefined for a block that the caller did not want. */
      readonly payload: Buffer | undefined;
    }
  | {
      readonly kind: 'seal';
      readonly offset: number;
      readonly frame: SealFrame;
      readonly fields: Buffer;
    }
  | {
      readonly kind: 'damage';
      readonly offset: number;
      readonly damage: Damage;
      /** The frame, where only the payload is damaged. */
      readonly frame: BlockFrame | undefined;
      /** Undefined: the damage reaches to the end. */
      readonly resumesAt: number | undefined;
    };

type Wants = (frame: BlockFrame) => boolean;

const searchBytes = 65_536;

/** The next offset from `from` on at which a frame begins that checks. */
function nextFrame(source: ByteSource, from: number): number | undefined {
  const prefix = Buffer.from(markPrefix);
  for (let base = from; base + frameBytes <= source.size; base += searchBytes) {
    const chunk = source.read(base, searchBytes + prefix.length - 1);
    for (let at = chunk.indexOf(prefix); at !== -1; at = chunk.indexOf(prefix, at + 1)) {
      const bytes = source.read(base + at, frameBytes);
      if (bytes.length === frameBytes && parseFrame(bytes).ok) return base + at;
    }
  }
  return undefined;
}

function damaged(
  offset: number,
  found: Damage,
  resumesAt: number | undefined,
  frame?: BlockFrame,
): WalkItem & { readonly kind: 'damage' } {
  return { kind: 'damage', offset, damage: found, frame, resumesAt };
}

function blockAt(
  source: ByteSource,
  offset: number,
  frame: BlockFrame,
  fields: Buffer,
  wants: Wants,
): WalkItem {
  const start = offset + frameBytes;
  const end = start + frame.payloadBytes;
  if (end > source.size) {
    const found = `${source.size - start} bytes`;
    const what = damage('truncated', `a payload of ${frame.payloadBytes} bytes`, found);
    return damaged(offset, what, undefined, frame);
  }
  if (!wants(frame)) return { kind: 'block', offset, frame, fields, payload: undefined };
  const payload = source.read(start, frame.payloadBytes);
  const broken = payloadDamage(frame, payload);
  if (broken === undefined) return { kind: 'block', offset, frame, fields, payload };
  return damaged(offset, broken, end < source.size ? end : undefined, frame);
}

function frameAt(source: ByteSource, offset: number, wants: Wants): WalkItem {
  const bytes = source.read(offset, frameBytes);
  if (bytes.length < frameBytes) {
    const found = `${bytes.length} bytes`;
    return damaged(offset, damage('truncated', `a frame of ${frameBytes} bytes`, found), undefined);
  }
  const parsed = parseFrame(bytes);
  if (!parsed.ok) return damaged(offset, parsed.error, nextFrame(source, offset + 1));
  const frame = parsed.value;
  const fields = hashedFields(bytes);
  if (frame.kind === 'seal') return { kind: 'seal', offset, frame, fields };
  return blockAt(source, offset, frame, fields, wants);
}

/** Where the walk goes on behind `item`; undefined at the end. */
function endOf(item: WalkItem): number | undefined {
  switch (item.kind) {
    case 'header':
      return item.bytes;
    case 'block':
      return item.offset + frameBytes + item.frame.payloadBytes;
    case 'seal':
      return item.offset + frameBytes;
    case 'damage':
      return item.resumesAt;
    default:
      return undefined;
  }
}

function headerOf(source: ByteSource): WalkItem {
  const parsed = parseHeader(source.read(0, headerBytesMax));
  if (parsed.ok) return { kind: 'header', ...parsed.value };
  // What a newer program wrote behind its header is not for this one to guess at.
  const isForeign = parsed.error.reason === 'unknown_version';
  return damaged(0, parsed.error, isForeign ? undefined : nextFrame(source, 1));
}

/** All items of a segment; payloads of the blocks that `wants` asks for. Ends behind the seal. */
export function* walkSegment(source: ByteSource, wants: Wants): Generator<WalkItem> {
  let item = headerOf(source);
  yield item;
  for (let at = endOf(item); at !== undefined && at < source.size; at = endOf(item)) {
    assert(item.kind === 'header' || at > item.offset, 'a walk goes forward');
    item = frameAt(source, at, wants);
    yield item;
    if (item.kind !== 'seal') continue;
    yield* behindSeal(source, at + frameBytes);
    return;
  }
}

function* behindSeal(source: ByteSource, end: number): Generator<WalkItem> {
  if (end === source.size) return;
  const found = `${source.size - end} bytes more`;
  yield damaged(end, damage('after_seal', 'the end of the file', found), undefined);
}
