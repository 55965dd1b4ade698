// What is written down of one decision, so that it can be made again: what was read, what came out.
// A request leaves several records, joined by its id:
//
//   admitted | refused | shed      may it come in? mode, class and load as read, and the verdict
//   annotated                      what the client says of it
//   queued                         it found every backend full: might it wait, and how did that end?
//   routed, failed_over ...        which backend? one per attempt, with every figure that was read
//   batched                        it went out together with others, as one request
//   settled                        what became of it: status, first byte, total, tokens
//   degraded_served                nobody could take it, and it got an older answer instead
//   shadowed                       what a copy of it came to, which nobody waited for
//
// A prompt is in none of them. `control` holds the decisions of the control thread (evaluation ticks
// of the serving mode), as JSON, since they come once in ten seconds.
//
//   R1  A record holds all that its decision read besides the snapshot, which it names by digest.
//   R2  Readings stand in the order in which the snapshot lists the offers of the resolved model.
//   R3  Making the decision again from the record gives `outcome`, bit for bit (RD9).

import type { Annotation } from '../../base/annotation.ts';
import type { Json } from '../../base/canonical.ts';
import type { ErrorCode } from '../../errors/catalogue.ts';
import type { FlushCause } from '../batching/batch-request.ts';
import type { PriorityClass } from '../jobs/priority-class.ts';
import type { AdmissionReading } from '../policy/admission.ts';
import type { ServingMode } from '../policy/serving-mode.ts';
import type { PlaceReading } from '../queue/waiting-places.ts';
import type { RouteReason, Stage } from '../routing/decide.ts';
import type { BudgetStatus, Reading, RouteFeatures } from '../routing/decision-input.ts';
import type { ShadowOutcome } from '../routing/shadow-rule.ts';

/** What every record of a request has. */
export type RecordHead = {
  /** Lower-case UUID (version 7 in the product). */
  readonly requestId: string;
  /** Unix ms, whole. */
  readonly at: number;
};

export type AdmissionRecord = RecordHead & {
  readonly kind: 'admitted' | 'refused' | 'shed';
  readonly keyId: string;
  readonly groupName: string;
  /** The path of the client's interface: `/v1/chat/completions`, `/v1/messages`. */
  readonly path: string;
  readonly priorityClass: PriorityClass;
  readonly reading: AdmissionReading;
  /** Why not; undefined exactly for `admitted`. */
  readonly code: ErrorCode | undefined;
};

/** `full`: it never came to wait. */
export type QueueEnding = 'placed' | 'timeout' | 'deadline' | 'full' | 'left' | 'stopping';

/** One stay in the queue, written when it is over. */
export type QueuedRecord = RecordHead & {
  readonly kind: 'queued';
  readonly groupName: string;
  readonly priorityClass: PriorityClass;
  /** As it was when it asked for a place. */
  readonly reading: PlaceReading;
  /** Milliseconds, kept to the microsecond. */
  readonly waitedMs: number;
  readonly ended: QueueEnding;
};

/** What became of one backend that lists the model. */
export type CandidateOutcome = {
  readonly reading: Reading;
  /** The stage that excluded it; undefined for a candidate. */
  readonly stage: Stage | undefined;
  /** Undefined for an excluded backend. */
  readonly score: number | undefined;
};

export type RouteOutcome =
  /** `chosen`: index into the candidates. */
  | { readonly kind: 'route'; readonly chosen: number; readonly routeReason: RouteReason }
  | { readonly kind: 'refuse'; readonly code: ErrorCode };

export type AnnotatedRecord = RecordHead & {
  readonly kind: 'annotated';
  readonly annotations: readonly Annotation[];
};

export type RoutingRecord = RecordHead & {
  readonly kind: 'routed' | 'failed_over';
  /** 1 for the first attempt. */
  readonly attempt: number;
  readonly mode: ServingMode;
  /** SHA-256 of the snapshot document, lower-case hexadecimal. */
  readonly snapshotDigest: string;
  readonly features: RouteFeatures;
  /** Indices into the candidates of the backends that this request has tried. */
  readonly tried: readonly number[];
  /** Values of unsigned 32 bits. */
  readonly cursor: number;
  readonly seed: number;
  readonly budget: BudgetStatus;
  readonly candidates: readonly CandidateOutcome[];
  readonly outcome: RouteOutcome;
};

/** The request went out as a part of a batch; once for each batch that it was in. */
export type BatchedRecord = RecordHead & {
  readonly kind: 'batched';
  /** Lower-case UUID, the same for all members. */
  readonly batchId: string;
  /** Items of the batch, and how many there could have been. */
  readonly size: number;
  readonly limit: number;
  readonly cause: FlushCause;
  /** Milliseconds that the request waited for others, kept to the microsecond. */
  readonly waitedMs: number;
};

/** May come after the request is settled; one for each copy. */
export type ShadowedRecord = RecordHead & {
  readonly kind: 'shadowed';
  /** Name of the rule. */
  readonly shadow: string;
  /** Undefined for a copy that never left. */
  readonly backendId: string | undefined;
  /** What it was asked for. */
  readonly model: string;
  readonly outcome: ShadowOutcome;
  /** 0 without an answer. */
  readonly status: number;
  readonly primaryStatus: number;
  readonly completionTokens: number;
  readonly primaryCompletionTokens: number;
  /** Milliseconds, kept to the microsecond. */
  readonly totalMs: number;
  readonly primaryTotalMs: number;
  /** Of the two texts, basis points; undefined where they were not compared. */
  readonly distance: number | undefined;
};

export type DegradedRecord = RecordHead & {
  readonly kind: 'degraded_served';
  /** What it would have been refused with. */
  readonly code: ErrorCode;
  /** Age of the answer, whole ms. */
  readonly ageMs: number;
};

export type SettledRecord = RecordHead & {
  readonly kind: 'settled';
  readonly status: number;
  readonly code: ErrorCode | undefined;
  /** 0 when no backend was reached. */
  readonly attempts: number;
  /** The backend of the last attempt. */
  readonly backendId: string | undefined;
  readonly stream: boolean;
  /** Milliseconds, kept to the microsecond. */
  readonly firstByteMs: number | undefined;
  readonly totalMs: number;
  readonly overheadMs: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
};

export type ControlRecord = {
  readonly kind: 'control';
  readonly at: number;
  /** `mode_evaluated` and what comes later. */
  readonly name: string;
  readonly version: number;
  readonly input: Json;
  readonly output: Json;
};

/** What only some requests leave. */
export type LaterRecord =
  | QueuedRecord
  | BatchedRecord
  | ShadowedRecord
  | AnnotatedRecord
  | DegradedRecord;

export type DecisionRecord =
  | AdmissionRecord
  | RoutingRecord
  | SettledRecord
  | ControlRecord
  | LaterRecord;
