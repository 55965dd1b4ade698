// Reads blocks of decision records, of this and of every earlier codec (RD11). Each codec has a
// number, which stands in the frame of the block, and keeps its reader for ever: `codecVersions`.
//
// To add one: write with it (record-encoder.ts), keep the reader of the old one under its number,
// raise `currentCodec` there, and keep a history of it; test/histories asks for one of each.
//
// Any bytes give records or a fault with the offset at which they stop making sense: never a throw,
// never an endless loop, never more memory than a small multiple of the payload. That a block is
// the one that was written is known by checksum and hash of its frame.

import type { Json } from '../../base/canonical.ts';
import { type Fault, fault } from '../../base/fault.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { RouteFeatures } from '../routing/decision-input.ts';
import { BlockCursor, type CorruptBlock, corruptAt } from './block-cursor.ts';
import { stagesInOrder } from './block-layout.ts';
import type {
  AdmissionRecord,
  AnnotatedRecord,
  BatchedRecord,
  CandidateOutcome,
  ControlRecord,
  DecisionRecord,
  DegradedRecord,
  QueuedRecord,
  RouteOutcome,
  RoutingRecord,
  SettledRecord,
  ShadowedRecord,
} from './decision-record.ts';

export type UnknownCodec = Fault<'unknown_version'>;

/** Number -> a reader of its blocks. A number is never given to another layout. */
export const codecVersions: ReadonlyMap<number, () => BlockCursor> = new Map([
  [1, () => new BlockCursor(1)],
  [2, () => new BlockCursor(2)],
  [3, () => new BlockCursor(3)],
]);

/**
 * A cursor over blocks of this codec, to be opened on one after the other. `writtenBy` is the
 * version of the program that wrote them, as the head of the segment says.
 */
export function cursorOf(codec: number, writtenBy?: string): Result<BlockCursor, UnknownCodec> {
  const cursor = codecVersions.get(codec);
  if (cursor !== undefined) return ok(cursor());
  const program = writtenBy === undefined ? 'a newer TensorForge' : `TensorForge ${writtenBy}`;
  const reader = writtenBy === undefined ? program : `${program} or newer`;
  const words = `the block is written in codec ${codec} by ${reader}, which reads it; this program reads codec ${[...codecVersions.keys()].join(', ')}`;
  return err(fault('unknown_version', words));
}

/** The records of a block in order, all or none. See {@link cursorOf}. */
export function decodeBlock(
  codec: number,
  payload: Uint8Array,
  writtenBy?: string,
): Result<readonly DecisionRecord[], UnknownCodec | CorruptBlock> {
  const opened = cursorOf(codec, writtenBy);
  if (!opened.ok) return opened;
  const cursor = opened.value;
  cursor.open(payload);
  const records: DecisionRecord[] = [];
  while (cursor.next()) {
    const record = recordAt(cursor);
    if (!record.ok) return record;
    records.push(record.value);
  }
  return cursor.fault === undefined ? ok(records) : err(cursor.fault);
}

/** The record at which the cursor stands, as an object of its own. */
export function recordAt(cursor: BlockCursor): Result<DecisionRecord, CorruptBlock> {
  switch (cursor.kind) {
    case 'admitted':
    case 'refused':
    case 'shed':
      return ok(admissionAt(cursor, cursor.kind));
    case 'routed':
    case 'failed_over':
      return ok(routingAt(cursor, cursor.kind));
    case 'settled':
      return ok(settledAt(cursor));
    case 'queued':
      return ok(queuedAt(cursor));
    case 'batched':
      return ok(batchedAt(cursor));
    case 'shadowed':
      return ok(shadowedAt(cursor));
    case 'annotated':
      return ok(annotatedAt(cursor));
    case 'degraded_served':
      return ok(degradedAt(cursor));
    case 'control':
      return controlAt(cursor);
  }
}

function admissionAt(cursor: BlockCursor, kind: AdmissionRecord['kind']): AdmissionRecord {
  const { reading, ...members } = cursor.admission;
  const { limit, ...load } = reading;
  return {
    kind,
    requestId: cursor.requestId(),
    at: cursor.at,
    ...members,
    reading: limit === undefined ? load : { ...load, limit },
  };
}

function queuedAt(cursor: BlockCursor): QueuedRecord {
  const { reading, ...members } = cursor.later.queued;
  const head = { kind: 'queued', requestId: cursor.requestId(), at: cursor.at } as const;
  return { ...head, ...members, reading: { ...reading } };
}

function batchedAt(cursor: BlockCursor): BatchedRecord {
  const { batch: _, ...members } = cursor.later.batched;
  const head = { kind: 'batched', requestId: cursor.requestId(), at: cursor.at } as const;
  return { ...head, batchId: cursor.batchId(), ...members };
}

function shadowedAt(cursor: BlockCursor): ShadowedRecord {
  return {
    kind: 'shadowed',
    requestId: cursor.requestId(),
    at: cursor.at,
    ...cursor.later.shadowed,
  };
}

function annotatedAt(cursor: BlockCursor): AnnotatedRecord {
  return {
    kind: 'annotated',
    requestId: cursor.requestId(),
    at: cursor.at,
    ...cursor.later.annotated,
  };
}

function degradedAt(cursor: BlockCursor): DegradedRecord {
  const head = { kind: 'degraded_served', requestId: cursor.requestId(), at: cursor.at } as const;
  return { ...head, ...cursor.later.degraded };
}

function routingAt(cursor: BlockCursor, kind: RoutingRecord['kind']): RoutingRecord {
  const { routing } = cursor;
  return {
    kind,
    requestId: cursor.requestId(),
    at: cursor.at,
    attempt: routing.attempt,
    mode: routing.mode,
    snapshotDigest: routing.snapshotDigest,
    features: featuresAt(cursor),
    tried: [...routing.tried],
    cursor: routing.cursor,
    seed: routing.seed,
    budget: routing.budget,
    candidates: Array.from({ length: routing.candidates.count }, (_, i) => candidateAt(cursor, i)),
    outcome: outcomeAt(cursor),
  };
}

function featuresAt(cursor: BlockCursor): RouteFeatures {
  const { split, ...features } = cursor.routing.features;
  return split === undefined ? features : { ...features, split };
}

function candidateAt(cursor: BlockCursor, i: number): CandidateOutcome {
  const { candidates } = cursor.routing;
  const stage = stagesInOrder[candidates.stage[i] ?? 0];
  return {
    reading: candidates.readingOf(i),
    stage,
    score: stage === undefined ? candidates.score[i] : undefined,
  };
}

function outcomeAt(cursor: BlockCursor): RouteOutcome {
  const { routeReason, chosen, code } = cursor.routing;
  if (routeReason !== undefined) return { kind: 'route', chosen, routeReason };
  return { kind: 'refuse', code: code ?? 'internal_error' };
}

function settledAt(cursor: BlockCursor): SettledRecord {
  return { kind: 'settled', requestId: cursor.requestId(), at: cursor.at, ...cursor.settled };
}

function controlAt(cursor: BlockCursor): Result<ControlRecord, CorruptBlock> {
  const { name, version } = cursor.control;
  const input = jsonOf(cursor.control.input);
  const output = jsonOf(cursor.control.output);
  if (input === undefined || output === undefined) {
    return err(corruptAt(cursor.offset, 'has a control record that is no JSON'));
  }
  return ok({ kind: 'control', at: cursor.at, name, version, input, output });
}

function jsonOf(text: string): Json | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
