// Is the decision log whole? Every byte of every segment is read, every checksum and every link is
// checked, and what is kept outside of the log is held against it: the anchors, which are the
// hashes of sealed segments as a control event told them when they were sealed. So the log cannot
// be rewritten to its end, nor lose its end, without a fault.

import { join } from 'node:path';
import { readRetentionNote } from './retention-note.ts';
import { type SegmentFault, wholeFileFault } from './segment-fault.ts';
import { listStreams, readStreamFiles, type StreamFiles } from './segment-files.ts';
import { segmentName } from './segment-names.ts';
import { followStream, type StreamItem, type Unfinished } from './stream-chain.ts';

/** A log in ruins is not listed place by place. */
const faultsListedMax = 1_000;

/** What a control event said of a segment when it was sealed. */
export type Anchor = {
  readonly stream: string;
  readonly segment: number;
  /** Of its seal, lower-case hexadecimal. */
  readonly hash: string;
};

type StreamReport = {
  readonly stream: string;
  readonly segments: number;
  readonly blocks: number;
  readonly records: number;
  /** Records that the stream says were dropped under pressure. */
  readonly dropped: number;
  /** Of the last record read; 0 without one. */
  readonly sequence: number;
  /** Of the last link read; null without one. */
  readonly hash: string | null;
  /** Greatest Unix ms of a record; null without one. */
  readonly lastAtMs: number | null;
};

export type LogReport = {
  readonly segments: number;
  readonly blocks: number;
  readonly records: number;
  readonly dropped: number;
  readonly streams: readonly StreamReport[];
  /** Ends of open segments inside a block: being written, or torn by a crash. No faults. */
  readonly unfinished: readonly Unfinished[];
  /** All of them, of which the first 1000 are listed. */
  readonly faultCount: number;
  readonly faults: readonly SegmentFault[];
};

class Findings {
  readonly faults: SegmentFault[] = [];
  readonly unfinished: Unfinished[] = [];
  /** Names of files with a fault. */
  readonly faulty = new Set<string>();
  faultCount = 0;

  fault(found: SegmentFault): void {
    this.faultCount += 1;
    if (this.faults.length >= faultsListedMax) return;
    this.faults.push(found);
    this.faulty.add(found.name);
  }
}

type Counts = { -readonly [Key in keyof StreamReport]: StreamReport[Key] };

function count(counts: Counts, item: StreamItem & { kind: 'block' }): void {
  counts.blocks += 1;
  counts.records += item.records;
  counts.dropped += item.dropped;
  counts.sequence = Math.max(counts.sequence, item.sequence + item.records - 1);
  counts.hash = item.hash;
  counts.lastAtMs = Math.max(counts.lastAtMs ?? 0, item.lastAtMs);
}

/** The hashes of the seals that fit are put into `seals`. */
function verifyStream(
  { stream, files, start, faults }: StreamFiles,
  findings: Findings,
  seals: Map<number, string>,
): StreamReport {
  const none = { blocks: 0, records: 0, dropped: 0, sequence: 0, hash: null, lastAtMs: null };
  const counts: Counts = { stream, segments: files.length, ...none };
  for (const found of faults) findings.fault(found);
  const everything = { wants: () => true, seal: () => undefined };
  for (const item of followStream(files, start, everything)) {
    if (item.kind === 'fault') findings.fault(item);
    if (item.kind === 'unfinished') findings.unfinished.push(item);
    if (item.kind === 'block') count(counts, item);
    if (item.kind !== 'sealed') continue;
    seals.set(item.segment, item.hash);
    counts.hash = item.hash;
  }
  return counts;
}

/** What an anchor says against the log; undefined for nothing. */
function anchorFault(
  folder: string,
  anchor: Anchor,
  seal: string | undefined,
  isThere: boolean,
): SegmentFault | undefined {
  const name = segmentName(anchor.stream, anchor.segment);
  if (seal === anchor.hash) return undefined;
  if (seal !== undefined) return wholeFileFault(name, 'wrong_anchor', anchor.hash, seal);
  const note = readRetentionNote(join(folder, anchor.stream));
  const removed = note.ok ? note.value : undefined;
  if (removed !== undefined && anchor.segment <= removed.removedThrough) {
    const isLast = anchor.segment === removed.removedThrough && removed.hash !== null;
    if (!isLast || removed.hash === anchor.hash) return undefined;
    return wholeFileFault(name, 'wrong_anchor', anchor.hash, removed.hash);
  }
  if (isThere) return wholeFileFault(name, 'wrong_anchor', anchor.hash, 'no seal that fits');
  return wholeFileFault(name, 'missing_segment', name, 'no such file');
}

function checkAnchors(
  folder: string,
  anchors: readonly Anchor[],
  findings: Findings,
  known: ReadonlyMap<string, { readonly seals: Map<number, string>; readonly last: number }>,
): void {
  for (const anchor of anchors) {
    const stream = known.get(anchor.stream);
    const isThere = anchor.segment <= (stream?.last ?? 0);
    const found = anchorFault(folder, anchor, stream?.seals.get(anchor.segment), isThere);
    if (found === undefined) continue;
    // A segment whose seal is damaged or that is missing between others was told already.
    const isTold = isThere && !stream?.seals.has(anchor.segment);
    if (!isTold || !findings.faulty.has(found.name)) findings.fault(found);
  }
}

/**
 * Reads and checks the whole log. `anchors` are those of segments that were sealed; without them an
 * end that was cut off, or rewritten with its hashes, is not seen.
 */
export function verifySegments(
  folder: string,
  options: { readonly anchors?: readonly Anchor[] } = {},
): LogReport {
  const findings = new Findings();
  const { streams: names, faults } = listStreams(folder);
  for (const found of faults) findings.fault(found);
  const known = new Map<string, { seals: Map<number, string>; last: number }>();
  const streams = names.map((name) => {
    const seals = new Map<number, string>();
    const files = readStreamFiles(folder, name);
    known.set(name, { seals, last: files.files.at(-1)?.number ?? 0 });
    return verifyStream(files, findings, seals);
  });
  checkAnchors(folder, options.anchors ?? [], findings, known);
  const total = (of: (report: StreamReport) => number): number =>
    streams.reduce((sum, report) => sum + of(report), 0);
  return {
    segments: total((report) => report.segments),
    blocks: total((report) => report.blocks),
    records: total((report) => report.records),
    dropped: total((report) => report.dropped),
    streams,
    unfinished: findings.unfinished,
    faultCount: findings.faultCount,
    faults: findings.faults,
  };
}
