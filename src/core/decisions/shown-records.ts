// The members in which a cursor shows one record after another. They may change with every step of
// the cursor, so whoever keeps one copies it.

import type { ErrorCode } from '../../errors/catalogue.ts';
import type { PriorityClass } from '../jobs/priority-class.ts';
import type { AdmissionReading } from '../policy/admission.ts';
import type { ServingMode } from '../policy/serving-mode.ts';
import type { RouteReason } from '../routing/decide.ts';
import { type BudgetStatus, noHints, type RouteFeatures } from '../routing/decision-input.ts';
import { CandidateColumns } from './candidate-columns.ts';
import type {
  AdmissionRecord,
  AnnotatedRecord,
  BatchedRecord,
  DegradedRecord,
  QueuedRecord,
  RoutingRecord,
  SettledRecord,
  ShadowedRecord,
} from './decision-record.ts';

type Shown<T> = { -readonly [Member in keyof T]: T[Member] };

type ShownAdmission = Shown<
  Pick<AdmissionRecord, 'keyId' | 'groupName' | 'path' | 'priorityClass' | 'code'>
> & { readonly reading: Shown<AdmissionReading> };

type ShownRouting = Shown<
  Pick<RoutingRecord, 'attempt' | 'mode' | 'snapshotDigest' | 'cursor' | 'seed' | 'budget'>
> & {
  readonly features: Shown<RouteFeatures>;
  readonly tried: number[];
  readonly candidates: CandidateColumns;
  /** Undefined for a refusal, which has a `code`. */
  routeReason: RouteReason | undefined;
  /** 0 for a refusal. */
  chosen: number;
  code: ErrorCode | undefined;
};

type HeadMember = 'kind' | 'requestId' | 'at';
type ShownQueued = Shown<Omit<QueuedRecord, HeadMember | 'reading'>> & {
  readonly reading: Shown<QueuedRecord['reading']>;
};
/** The batch is told by the number that its id has in the block. */
type ShownBatched = Shown<Omit<BatchedRecord, HeadMember | 'batchId'>> & { batch: number };
type ShownShadowed = Shown<Omit<ShadowedRecord, HeadMember>>;
type ShownAnnotated = Shown<Omit<AnnotatedRecord, HeadMember>>;
type ShownDegraded = Shown<Omit<DegradedRecord, HeadMember>>;
type ShownSettled = Shown<Omit<SettledRecord, HeadMember>>;

const anyMode: ServingMode = 'normal';
const anyClass: PriorityClass = 1;
const noBudget: BudgetStatus = 'Normal';

export function shownAdmission(): ShownAdmission {
  return {
    keyId: '',
    groupName: '',
    path: '',
    priorityClass: anyClass,
    reading: {
      mode: anyMode,
      inFlight: 0,
      inFlightMax: 0,
      keyInFlight: 0,
      keyInFlightMax: 0,
      limit: undefined,
    },
    code: undefined,
  };
}

export function shownQueued(): ShownQueued {
  return {
    groupName: '',
    priorityClass: anyClass,
    reading: { depth: 0, sizeMax: 0, held: 0, isEmergency: false },
    waitedMs: 0,
    ended: 'placed',
  };
}

export function shownBatched(): ShownBatched {
  return { batch: 0, size: 0, limit: 0, cause: 'full', waitedMs: 0 };
}

export function shownShadowed(): ShownShadowed {
  return {
    shadow: '',
    backendId: undefined,
    model: '',
    outcome: 'compared',
    status: 0,
    primaryStatus: 0,
    completionTokens: 0,
    primaryCompletionTokens: 0,
    totalMs: 0,
    primaryTotalMs: 0,
    distance: undefined,
  };
}

export function shownAnnotated(): ShownAnnotated {
  return { annotations: [] };
}

export function shownDegraded(): ShownDegraded {
  return { code: 'internal_error', ageMs: 0 };
}

export function shownRouting(): ShownRouting {
  return {
    attempt: 1,
    mode: anyMode,
    snapshotDigest: '',
    features: {
      model: '',
      resolvedModel: '',
      operation: 'chat',
      estimatedTokens: 0,
      maxOutputTokens: undefined,
      needsVision: false,
      needsTools: false,
      needsJsonMode: false,
      remoteMedia: false,
      ...noHints,
      split: undefined,
    },
    tried: [],
    cursor: 0,
    seed: 0,
    budget: noBudget,
    candidates: new CandidateColumns(),
    routeReason: undefined,
    chosen: 0,
    code: undefined,
  };
}

export function shownSettled(): ShownSettled {
  return {
    status: 0,
    code: undefined,
    attempts: 0,
    backendId: undefined,
    stream: false,
    firstByteMs: undefined,
    totalMs: 0,
    overheadMs: 0,
    promptTokens: 0,
    completionTokens: 0,
  };
}
