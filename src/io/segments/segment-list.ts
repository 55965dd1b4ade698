// The segments of a log at a glance: two small reads for each. For the keeper, for figures, and for
// whoever shows a list.

import { listStreams, readSegment, readStreamFiles, sealOf } from './segment-files.ts';
import { headerBytesMax, parseHeader } from './segment-format.ts';
import { frameBytes, parseFrame } from './segment-frame.ts';
import type { OpenSource, SegmentFile } from './stream-chain.ts';

export type SegmentInfo = {
  readonly stream: string;
  readonly number: number;
  /** `t0/00000001.tfd` */
  readonly name: string;
  readonly isOpen: boolean;
  readonly bytes: number;
  /** Null for an open segment, and where the seal cannot be believed. */
  readonly records: number | null;
  readonly lastAtMs: number | null;
  /** Of its seal, lower-case hexadecimal. */
  readonly hash: string | null;
  /** Of the first record behind it. */
  readonly nextSequence: number | null;
  /** Of its first block; null without one that can be believed. */
  readonly firstAtMs: number | null;
};

function firstBlockMs(source: OpenSource): number | null {
  const header = parseHeader(source.read(0, headerBytesMax));
  const bytes = header.ok ? source.read(header.value.bytes, frameBytes) : undefined;
  if (bytes?.length !== frameBytes) return null;
  const frame = parseFrame(bytes);
  return frame.ok && frame.value.kind === 'block' ? frame.value.firstAtMs : null;
}

function infoOf(file: SegmentFile, source: OpenSource): SegmentInfo {
  const { stream, number, name, isOpen } = file;
  const seal = isOpen ? undefined : sealOf(source);
  return {
    stream,
    number,
    name,
    isOpen,
    bytes: source.size,
    records: seal?.records ?? null,
    lastAtMs: seal?.lastAtMs ?? null,
    hash: seal?.hash.toString('hex') ?? null,
    nextSequence: seal?.sequence ?? null,
    firstAtMs: seal?.firstAtMs ?? firstBlockMs(source),
  };
}

/** A segment that cannot be read: there, and nothing is known of it. */
function unreadable(file: SegmentFile): SegmentInfo {
  const { stream, number, name, isOpen } = file;
  const unknown = { records: null, firstAtMs: null, lastAtMs: null };
  return { stream, number, name, isOpen, bytes: 0, ...unknown, hash: null, nextSequence: null };
}

function infoOrUnreadable(file: SegmentFile): SegmentInfo | undefined {
  try {
    return readSegment(file, (source) => infoOf(file, source));
  } catch (error) {
    if (error instanceof Error && 'code' in error) return unreadable(file);
    throw error;
  }
}

/** All segments of all streams; by stream, then number. */
export function listSegments(folder: string): readonly SegmentInfo[] {
  return listStreams(folder).streams.flatMap((stream) =>
    readStreamFiles(folder, stream).files.flatMap((file) => infoOrUnreadable(file) ?? []),
  );
}
