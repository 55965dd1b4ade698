// How decision records stand in the payload of a block, codec 3. A block decodes without any other:
// what it needs of names stands in it, at the place of first use. Numbers are LEB128 varints of whole
// numbers below 2^53, signed ones zigzag; doubles and 32-bit words are little-endian.
//
//   block      count | UUID of 16 bytes ... | record record ...
//   record     tag | time | members
//   tag        bits 0-2 the kind, 3-7 small members, see below; kind 7: bits 3-7 are a later kind
//   time       signed: ms since the record before it, the first one's since 1970
//   request    k, from 0, names the k-th UUID of this block
//   text       0, then a new `long`; k names the k-th text of this block
//   long       2 x length + wide, then the code units of one byte, or of two bytes each when wide
//
//   admitted, refused, shed     tag 3-5 class, 6-7 mode
//     request | key text | group text | path text | in flight | max | of the key | its max |
//     code text, but for `admitted` | scope, and with one: kind | bound | left | ms; for `refused`
//
//   routed, failed_over         tag 3-4 mode, 5 there is an output limit, 6 tokens as doubles, 7 tried
//     request | needs | attempt | digest text | model text | resolved text | tokens | output limit? |
//     (count | index ...)? | more? | split? | cursor | seed, 4 bytes | count | candidate ... |
//     columns? | outcome
//     needs       bits 0 vision, 1 tools, 2 JSON mode, 3 remote media, 4-5 operation, 6 there is more,
//                 7 there is a split
//     split       experiment text | arm text | sticky hash, 4 bytes
//     more        hints: bits 0 prefix, 1 affinity, 2 region, 3 may use a lower tier, 4 restricted only,
//                 5-6 budget, 7 stands in | columns that follow, bits as in CandidateColumns |
//                 prefix, 4 bytes? | affinity, 4 bytes? | region text?
//     columns     gates, a byte each | peak | tokens | engine requests, signed | cache use, signed and
//                 in millionths: each for all candidates, those that are named
//     cursor      signed: what was added since the cursor before it, modulo 2^32
//     candidate   bits 0-3 stage or 0, 4-5 status code, 6 slot is current, 7 all numbers are whole,
//                 then pending | capacity | latency | score, signed, without a stage only
//     outcome     0 | code text   or   route reason | chosen
//
//   settled                     tag 3 stream, 4 code, 5 backend, 6 first byte: is there one?
//     request | status | code text? | attempts | backend text? | first byte? | total | overhead |
//     prompt tokens | completion tokens        the three times in whole microseconds
//
//   control     name text | version | input long | output long        both canonical JSON
//
//   Later kinds, in the order of their numbers:
//
//   queued      request | bits 0-2 class, 3 emergency, 4-6 ended | group text | depth | places |
//               of the group | waited in us
//   batched     request | batch, as a request | cause | size | limit | waited in us
//   shadowed    request | rule text | model text | bit 0 has a backend, 1-7 outcome |
//               backend text? | of copy and primary each: status | completion tokens | total in us |
//               distance in basis points and one more, 0 without
//   annotated   request | count | (name text | value text) ...
//   degraded_served   request | code text | age in ms
//
// Codec 2 is this one without the split, the scope of `refused` and the later kinds; codec 1 is that one
// without `more` and columns, and with the first eight stages.
//
// The lists below are part of the codec: what they mean never changes. Room is left in them: up to
// 15 stages, 255 route reasons and 32 later kinds.

import type { ApiOperation } from '../../base/api-operation.ts';
import type { FlushCause } from '../batching/batch-request.ts';
import type { AdmissionLimit } from '../policy/admission.ts';
import type { ServingMode } from '../policy/serving-mode.ts';
import type { RouteReason, Stage } from '../routing/decide.ts';
import type { ShadowOutcome } from '../routing/shadow-rule.ts';
import type { DecisionRecord, QueueEnding } from './decision-record.ts';

export type RecordKind = DecisionRecord['kind'];

export const kindsInOrder = [
  'admitted',
  'refused',
  'shed',
  'routed',
  'failed_over',
  'settled',
  'control',
] as const satisfies readonly RecordKind[];

/** The kind in the tag that stands for one of these. */
export const laterKind = 7;
export const laterKindsInOrder = [
  'queued',
  'batched',
  'shadowed',
  'annotated',
  'degraded_served',
] as const satisfies readonly RecordKind[];

export const modesInOrder = [
  'normal',
  'watch',
  'restricted',
  'halted',
] as const satisfies readonly ServingMode[];

/** Code 0 stands for a candidate, which no stage excluded. */
export const stagesInOrder = [
  undefined,
  'media',
  'capabilities',
  'context',
  'approval',
  'health',
  'capacity',
  'attempted',
  'lifecycle',
  'privacy',
  'tier',
  'budget',
  'weight',
  'breaker',
  'quality',
] as const satisfies readonly (Stage | undefined)[];

/** Code 0 stands for a refusal, which has an error code. */
export const reasonsInOrder = [
  undefined,
  'capability-match',
  'capacity-overflow',
  'privacy-requirement',
  'failover',
] as const satisfies readonly (RouteReason | undefined)[];

/** Code 0 is also what was written before there were operations to tell. */
export const operationsInOrder = [
  'chat',
  'completions',
  'embeddings',
  'responses',
] as const satisfies readonly ApiOperation[];

/** Code 0 stands for no limit. */
export const limitScopesInOrder = [
  undefined,
  'installation',
  'group',
  'key',
] as const satisfies readonly (AdmissionLimit['scope'] | undefined)[];

export const limitKindsInOrder = [
  'requests',
  'tokens',
  'concurrency',
] as const satisfies readonly AdmissionLimit['kind'][];

export const endingsInOrder = [
  'placed',
  'timeout',
  'deadline',
  'full',
  'left',
  'stopping',
] as const satisfies readonly QueueEnding[];

export const causesInOrder = [
  'full',
  'timeout',
  'priority',
] as const satisfies readonly FlushCause[];

export const shadowOutcomesInOrder = [
  'compared',
  'failed',
  'timed_out',
  'dropped',
  'refused',
] as const satisfies readonly ShadowOutcome[];

/** Name -> code of one of the lists above; the type asks for every name there is. */
function codesOf<Name extends string>(
  names: readonly (Name | undefined)[],
): Readonly<Record<Name, number>> {
  const codes: Partial<Record<Name, number>> = {};
  names.forEach((name, code) => {
    if (name !== undefined) codes[name] = code;
  });
  return codes as Record<Name, number>;
}

export type LaterKind = (typeof laterKindsInOrder)[number];

/** What a tag begins with. */
export const kindCodes: Readonly<Record<Exclude<RecordKind, LaterKind>, number>> =
  codesOf(kindsInOrder);
const laterKindCodes: Readonly<Record<LaterKind, number>> = codesOf(laterKindsInOrder);
export const limitScopeCodes: Readonly<Record<AdmissionLimit['scope'], number>> =
  codesOf(limitScopesInOrder);
export const limitKindCodes: Readonly<Record<AdmissionLimit['kind'], number>> =
  codesOf(limitKindsInOrder);
export const endingCodes: Readonly<Record<QueueEnding, number>> = codesOf(endingsInOrder);
export const causeCodes: Readonly<Record<FlushCause, number>> = codesOf(causesInOrder);
export const shadowOutcomeCodes: Readonly<Record<ShadowOutcome, number>> =
  codesOf(shadowOutcomesInOrder);
export const modeCodes: Readonly<Record<ServingMode, number>> = codesOf(modesInOrder);
export const stageCodes: Readonly<Record<Stage, number>> = codesOf(stagesInOrder);
export const operationCodes: Readonly<Record<ApiOperation, number>> = codesOf(operationsInOrder);
export const reasonCodes: Readonly<Record<RouteReason, number>> = codesOf(reasonsInOrder);

/** The whole tag of a later kind. */
export function laterTag(kind: LaterKind): number {
  return laterKind | (laterKindCodes[kind] << 3);
}

export const routingTag = { hasOutputLimit: 32, hasDoubles: 64, hasTried: 128 } as const;
export const needsBits = { vision: 1, tools: 2, jsonMode: 4, remoteMedia: 8 } as const;
/** The operation stands in two bits from this one on. */
export const operationShift = 4;
/** There are hints or columns; since codec 2. */
export const needsMore = 64;
/** There is a split; since codec 3. */
export const needsSplit = 128;
export const hintBits = {
  prefix: 1,
  affinity: 2,
  region: 4,
  lowerTier: 8,
  restricted: 16,
  fallback: 128,
} as const;
/** The budget stands in two bits from this one on. */
export const budgetShift = 5;
/** A share of the cache is kept in this unit. */
export const kvUnit = 1e6;
export const candidateBits = { stage: 15, current: 64, whole: 128 } as const;
export const queuedBits = { emergency: 8 } as const;
/** The ending stands in three bits from this one on. */
export const endingShift = 4;
/** Basis points. */
export const distanceMax = 10_000;
export const settledTag = { stream: 8, code: 16, backend: 32, firstByte: 64 } as const;

/** Bytes of a candidate at least: its bits and three figures. */
export const candidateBytesMin = 4;
/** Bytes of a candidate at most: its bits and four doubles or varints, and its place in five columns. */
export const candidateBytesMax = 66;
/** Bytes of the rest of a record at most, texts and indices of tried backends aside. */
export const recordBytesMax = 160;

/** Times are below 2^50 ms (the year 37 600), so that their differences stay exact. */
export const timeMax = 2 ** 50;
