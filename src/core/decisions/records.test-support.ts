// Random decision records, and the way of records into a block: for the tests of whatever writes,
// reads or replays them.

import fc from 'fast-check';
import { codePoint } from '../../../test/support/code-points.ts';
import { apiOperations } from '../../base/api-operation.ts';
import type { Json } from '../../base/canonical.ts';
import { catalogue, isErrorCode } from '../../errors/catalogue.ts';
import { refusal } from '../../errors/tensorforge-error.ts';
import type { Consideration, Decision } from '../routing/decide.ts';
import { stages } from '../routing/decide.ts';
import type { RouteFeatures } from '../routing/decision-input.ts';
import { target } from '../routing/fleet.test-support.ts';
import {
  causesInOrder,
  endingsInOrder,
  limitKindsInOrder,
  modesInOrder,
  shadowOutcomesInOrder,
} from './block-layout.ts';
import type {
  AdmissionRecord,
  AnnotatedRecord,
  BatchedRecord,
  CandidateOutcome,
  ControlRecord,
  DecisionRecord,
  DegradedRecord,
  QueuedRecord,
  RoutingRecord,
  SettledRecord,
  ShadowedRecord,
} from './decision-record.ts';
import { type EncodedBlock, RecordEncoder } from './record-encoder.ts';

const word = fc.oneof(fc.nat({ max: 200 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
const count = fc.oneof(word, fc.maxSafeNat());
/** Times jump back now and then, by little or by much. */
const at = fc.oneof(
  fc.integer({ min: 1_763_700_000_000, max: 1_763_700_001_000 }),
  fc.integer({ min: 0, max: 2 ** 50 - 1 }),
);
const mode = fc.constantFrom(...modesInOrder);
const code = fc.constantFrom(...Object.keys(catalogue).filter(isErrorCode));
/** Also lone surrogates and letters beyond Latin. */
const text = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: codePoint, maxLength: 12 }),
  fc.constantFrom('', 'key_ana', '/v1/chat/completions', '\ud800x', 'модель'),
);
const requestId = fc.oneof(
  fc.uuid(),
  fc.constantFrom('01a4f0c1-7b2e-7000-8000-0000000000aa', '01a4f0c1-7b2e-7000-8000-0000000000ab'),
);
const digest = fc.nat({ max: 3 }).map((n) => n.toString(16).repeat(64));
/** Anything but minus zero, which no counter shows. */
const figure = fc.oneof(word, word, fc.double()).map((value) => value + 0);
const duration = fc.nat({ max: 10_000_000 }).map((us) => us / 1000);
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

/** The value with the optional member, or without it. */
function withOptional<T extends object, M extends object>(
  value: fc.Arbitrary<T>,
  members: fc.Arbitrary<M>,
): fc.Arbitrary<T & Partial<M>> {
  return fc
    .tuple(value, optional(members))
    .map(([one, more]) => (more === undefined ? one : { ...one, ...more }));
}

const limit = fc.record({
  limit: fc.record({
    scope: fc.constantFrom('installation', 'group', 'key'),
    kind: fc.constantFrom(...limitKindsInOrder),
    bound: count,
    left: count,
    retryMs: count,
  }),
});

const split = fc.record({
  split: fc.record({ experiment: text, arm: text, stickyHash: word }),
});

const admissionRecords: fc.Arbitrary<AdmissionRecord> = fc
  .record({
    kind: fc.constantFrom('admitted', 'refused', 'shed'),
    requestId,
    at,
    keyId: text,
    groupName: text,
    path: text,
    priorityClass: fc.constantFrom(1, 2, 3, 4, 5),
    reading: fc.record({
      mode,
      inFlight: count,
      inFlightMax: count,
      keyInFlight: count,
      keyInFlightMax: count,
    }),
    code,
    more: optional(limit),
  })
  .map(({ more, ...one }) => ({
    ...one,
    code: one.kind === 'admitted' ? undefined : one.code,
    reading: one.kind === 'refused' ? { ...one.reading, ...more } : one.reading,
  }));

const priorityClass = fc.constantFrom(1 as const, 2 as const, 3 as const, 4 as const, 5 as const);

const queuedRecords: fc.Arbitrary<QueuedRecord> = fc.record({
  kind: fc.constant('queued'),
  requestId,
  at,
  groupName: text,
  priorityClass,
  reading: fc.record({ depth: count, sizeMax: count, held: count, isEmergency: fc.boolean() }),
  waitedMs: duration,
  ended: fc.constantFrom(...endingsInOrder),
});

const batchedRecords: fc.Arbitrary<BatchedRecord> = fc.record({
  kind: fc.constant('batched'),
  requestId,
  at,
  batchId: requestId,
  size: count,
  limit: count,
  cause: fc.constantFrom(...causesInOrder),
  waitedMs: duration,
});

const annotatedRecords: fc.Arbitrary<AnnotatedRecord> = fc.record({
  kind: fc.constant('annotated'),
  requestId,
  at,
  annotations: fc.array(fc.record({ name: text, value: text }), { maxLength: 16 }),
});

const shadowedRecords: fc.Arbitrary<ShadowedRecord> = fc.record({
  kind: fc.constant('shadowed'),
  requestId,
  at,
  shadow: text,
  backendId: optional(text),
  model: text,
  outcome: fc.constantFrom(...shadowOutcomesInOrder),
  status: fc.nat({ max: 599 }),
  primaryStatus: fc.nat({ max: 599 }),
  completionTokens: count,
  primaryCompletionTokens: count,
  totalMs: duration,
  primaryTotalMs: duration,
  distance: optional(fc.nat({ max: 10_000 })),
});

const degradedRecords: fc.Arbitrary<DegradedRecord> = fc.record({
  kind: fc.constant('degraded_served'),
  requestId,
  at,
  code,
  ageMs: count,
});

const candidates: fc.Arbitrary<CandidateOutcome> = fc
  .record({
    reading: fc.record({
      isCurrent: fc.boolean(),
      statusCode: fc.nat({ max: 3 }),
      pending: figure,
      capacity: figure,
      latencyMs: figure,
      gates: fc.constantFrom(0, 0, 1, 2, 3, 4, 7),
      peakMs: fc.oneof(fc.constant(0), word),
      tokens: fc.oneof(fc.constant(0), word),
      engineRequests: fc.oneof(fc.constant(-1), fc.nat()),
      kvUse: fc.oneof(
        fc.constant(-1),
        fc.nat({ max: 1_000_000 }).map((part) => part / 1e6),
      ),
    }),
    stage: fc.constantFrom(undefined, undefined, ...stages),
    score: fc.oneof(fc.integer({ min: -200, max: 10_000 }), fc.double()),
  })
  .map((one) => ({ ...one, score: one.stage === undefined ? one.score : undefined }));

const plainFeatures = fc.record({
  model: text,
  resolvedModel: text,
  operation: fc.constantFrom(...apiOperations),
  estimatedTokens: figure,
  maxOutputTokens: optional(figure),
  needsVision: fc.boolean(),
  needsTools: fc.boolean(),
  needsJsonMode: fc.boolean(),
  remoteMedia: fc.boolean(),
  prefixKey: optional(word),
  affinityKey: optional(word),
  region: optional(text),
  mayUseLowerTier: fc.boolean(),
  restrictedOnly: fc.boolean(),
  isFallback: fc.boolean(),
});
const features: fc.Arbitrary<RouteFeatures> = withOptional(plainFeatures, split);

const routingRecords: fc.Arbitrary<RoutingRecord> = fc
  .record({
    requestId,
    at,
    attempt: fc.integer({ min: 1, max: 6 }),
    mode,
    snapshotDigest: digest,
    features,
    cursor: word,
    seed: word,
    budget: fc.constantFrom('Normal', 'SoftLimit', 'HardLimit'),
    candidates: fc.array(candidates, { maxLength: 40 }),
  })
  .chain((one) => {
    const last = one.candidates.length - 1;
    const refuse = fc.record({ kind: fc.constant('refuse' as const), code });
    const route = fc.record({
      kind: fc.constant('route' as const),
      chosen: fc.nat({ max: Math.max(0, last) }),
      routeReason: fc.constantFrom(
        'capability-match',
        'capacity-overflow',
        'privacy-requirement',
        'failover',
      ),
    });
    const tried = fc.array(fc.nat({ max: Math.max(0, last) }), { maxLength: last < 0 ? 0 : 3 });
    return fc.record({
      ...constants(one),
      kind: fc.constant(one.attempt > 1 ? ('failed_over' as const) : ('routed' as const)),
      tried,
      outcome: last < 0 ? refuse : fc.oneof(refuse, route),
    });
  });

type Constants<T> = { [K in keyof T]: fc.Arbitrary<T[K]> };

function constants<T extends object>(value: T): Constants<T> {
  const entries = Object.entries(value).map(([name, member]) => [name, fc.constant(member)]);
  return Object.fromEntries(entries) as Constants<T>;
}

const settledRecords: fc.Arbitrary<SettledRecord> = fc.record({
  kind: fc.constant('settled'),
  requestId,
  at,
  status: fc.integer({ min: 0, max: 599 }),
  code: optional(code),
  attempts: fc.nat({ max: 6 }),
  backendId: optional(text),
  stream: fc.boolean(),
  firstByteMs: optional(duration),
  totalMs: duration,
  overheadMs: duration,
  promptTokens: count,
  completionTokens: count,
});

const json: fc.Arbitrary<Json> = fc
  .jsonValue({ maxDepth: 3 })
  .map((value) => JSON.parse(JSON.stringify(value)));

const controlRecords: fc.Arbitrary<ControlRecord> = fc.record({
  kind: fc.constant('control'),
  at,
  name: text,
  version: fc.nat({ max: 9 }),
  input: json,
  output: json,
});

/** Any record that the encoder takes; a clone, since those of fast-check have no prototype. */
export const decisionRecords: fc.Arbitrary<DecisionRecord> = fc
  .oneof(
    admissionRecords,
    routingRecords,
    settledRecords,
    controlRecords,
    queuedRecords,
    batchedRecords,
    annotatedRecords,
    shadowedRecords,
    degradedRecords,
  )
  .map((record) => structuredClone(record));

/** The decision that a record tells of, as far as the encoder looks at it. */
function decisionOf(record: RoutingRecord): Decision {
  const considered: Consideration[] = record.candidates.map((candidate, i) => ({
    target: target(`backend-${i}`),
    reason: '',
    ...candidate,
  }));
  const { outcome } = record;
  if (outcome.kind === 'refuse') {
    return { kind: 'refuse', refusal: refusal(outcome.code, ''), considered };
  }
  const chosen = considered[outcome.chosen] as Consideration;
  const { routeReason } = outcome;
  return {
    kind: 'route',
    target: chosen.target,
    score: 0,
    reason: '',
    routeReason,
    considered,
    chosen: outcome.chosen,
  };
}

/** Writes any record, as the product writes it from its live objects. */
export function encode(encoder: RecordEncoder, record: DecisionRecord): void {
  switch (record.kind) {
    case 'admitted':
    case 'refused':
    case 'shed':
      encoder.admission(record);
      break;
    case 'routed':
    case 'failed_over':
      encoder.routing(record, decisionOf(record));
      break;
    case 'settled':
      encoder.settled(record);
      break;
    case 'queued':
    case 'batched':
    case 'annotated':
    case 'shadowed':
    case 'degraded_served':
      encoder.later(record);
      break;
    case 'control':
      encoder.control(record);
      break;
  }
}

/** One block of these records; there is at least one. */
export function blockOf(records: readonly DecisionRecord[]): EncodedBlock {
  const encoder = new RecordEncoder();
  for (const record of records) encode(encoder, record);
  const block = encoder.take();
  if (block === undefined) throw new Error('a block has at least one record');
  return block;
}
