// The decision log as replay and explain read it: blocks with their records, and damage in its place.
// What stands on disk and what a payload means are matters of others; this is where the two meet.

import type { Fault } from '../../base/fault.ts';
import type { Result } from '../../base/result.ts';
import type { DecisionRecord } from '../../core/decisions/decision-record.ts';
import type { RoutingSnapshot } from '../../core/routing/snapshot.ts';

export type LogBlock = {
  readonly kind: 'block';
  readonly stream: string;
  /** Path inside the folder of the log: `t0/00000001.tfd`. */
  readonly name: string;
  readonly offset: number;
  /** Of the first record. */
  readonly sequence: number;
  readonly records: number;
  /** Records that the writer dropped before this block. */
  readonly dropped: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly codec: number;
  readonly behaviour: number;
  readonly payload: Uint8Array;
};

/** A place where the log is damaged; members as on the wire (`auditFaultSchema`). */
export type LogFault = {
  readonly kind: 'fault';
  readonly where: 'segments' | 'snapshots';
  readonly name: string;
  readonly sequence: number | null;
  readonly offset: number | null;
  readonly reason: string;
  readonly expected: string | null;
  readonly found: string | null;
};

/** Both ends belong to it (RD5); absent ends are open. */
export type LogWindow = {
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  readonly stream?: string | undefined;
};

/** A block without its payload, which is read when it is wanted. */
export type BlockSketch = Omit<LogBlock, 'payload' | 'kind'> & {
  readonly read: () => LogBlock | LogFault;
};

export type LogSource = {
  /** Per stream in its order; damage in its place. One payload is in memory at a time. */
  blocks(window: LogWindow): Iterable<LogBlock | LogFault>;
  /** The blocks whose time meets the window, without payloads; any order. */
  sketches(window: LogWindow): Iterable<BlockSketch | LogFault>;
  decode(block: LogBlock): Result<readonly DecisionRecord[], Fault>;
  /** Undefined when it is not there; a damaged one is told as a fault by `snapshotFaults`. */
  snapshotOf(digest: string): RoutingSnapshot | undefined;
  /** What was met so far. */
  snapshotFaults(): readonly LogFault[];
  /** Bytes of all segments, for progress. */
  bytes(): number;
  /** Up to which time retention has removed segments, with words; undefined when it has not. */
  removed(): { readonly throughMs: number | undefined; readonly words: string } | undefined;
};
