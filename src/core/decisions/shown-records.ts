// The members in which a cursor shows one record after another. They may change with every step of
// the cursor, so whoever keeps one copies it.

import type { ErrorCode } from '../../errors/catalogue.ts';
import type { PriorityClass } from '../jobs/priority-class.ts';
import type { AdmissionReading } from '../policy/admission.ts';
import type { ServingMode } from '../policy/serving-mode.ts';
import type { RouteReason } from '../routing/decide.ts';
import { type BudgetStatus, noHints, type RouteFeatures } from '../routing/decision-input.ts';
import { CandidateColumns } from './candidate-columns.ts';
import type { AdmissionRecord, RoutingRecord, SettledRecord } from './decision-record.ts';

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

type ShownSettled = Shown<Omit<SettledRecord, 'kind' | 'requestId' | 'at'>>;

const anyMode: ServingMode = 'normal';
const anyClass: PriorityClass = 1;
const noBudget: BudgetStatus = 'Normal';

export function shownAdmission(): ShownAdmission {
  return {
    keyId: '',
    groupName: '',
    path: '',
    priorityClass: anyClass,
    reading: { mode: anyMode, inFlight: 0, inFlightMax: 0, keyInFlight: 0, keyInFlightMax: 0 },
    code: undefined,
  };
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
