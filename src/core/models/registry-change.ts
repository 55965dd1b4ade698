// What a change of the model registry means to the rest of the product, as plain data: an event on
// the timeline (A.3) and the control event from which the audit trail is made. Both tell the same
// fact under one id. `version_registered` carries all that was said of a version, so that the
// registry can be built again from its events.

import type { Instant } from '../../base/time.ts';
import type { EventData, IdentifiedEvent } from '../events/control-event.ts';
import type { TimedEvent } from '../events/timed-event.ts';
import type { ModelMetadata } from './model-metadata.ts';
import type { ValidationResult } from './validation-result.ts';
import { formatVersion, type ModelVersion } from './version.ts';
import type { VersionState } from './version-state.ts';

/** Who commands a change and when; `eventId` is a UUID that a shell draws. */
export type CommandStamp = {
  readonly now: Instant;
  readonly eventId: string;
  /** `user:alice`, `service:routing`, `system`: the form of control events. */
  readonly actor: string;
};

export type VersionEventKind = 'version_registered' | 'version_transitioned' | 'version_validated';

/** Its timestamp is in milliseconds. */
export type VersionEvent = TimedEvent & {
  readonly kind: VersionEventKind;
  readonly payload: EventData;
};

export type VersionChange = {
  /** The version after the change. */
  readonly metadata: ModelMetadata;
  readonly event: VersionEvent;
  readonly audit: IdentifiedEvent;
};

/** Why a version was taken back and against which version it was weighed. */
export type RollbackReason = {
  readonly priority: number;
  /** Absent when no version in production had been validated: then only errors counted. */
  readonly baseline?: ModelVersion;
};

/** The control event stream of the registry. */
const stream = 'models';

function changed(
  metadata: ModelMetadata,
  kind: VersionEventKind,
  facts: EventData,
  { now, eventId, actor }: CommandStamp,
): VersionChange {
  const version = formatVersion(metadata.version);
  const data = Object.freeze({ model_id: metadata.modelId, version, ...facts });
  const subject = `model_version:${metadata.modelId}@${version}`;
  const event = { id: eventId, timestamp: now, kind, payload: data };
  const fact = { stream, kind, version: 1, occurredAt: now, actor, subject, data };
  const audit = { id: eventId, ...fact };
  return Object.freeze({ metadata, event: Object.freeze(event), audit: Object.freeze(audit) });
}

export function versionRegistered(metadata: ModelMetadata, stamp: CommandStamp): VersionChange {
  const facts = {
    name: metadata.name,
    framework: metadata.framework,
    input_shape: metadata.inputShape,
    output_shape: metadata.outputShape,
    size_bytes: metadata.sizeBytes,
    digest: metadata.checksum,
    tags: metadata.tags,
  };
  return changed(metadata, 'version_registered', facts, stamp);
}

/** `metadata` is of after the transition; `rollback` only when it was one. */
export function versionTransitioned(
  metadata: ModelMetadata,
  from: VersionState,
  rollback: RollbackReason | undefined,
  stamp: CommandStamp,
): VersionChange {
  const facts = {
    from,
    to: metadata.state,
    rollback_priority: rollback?.priority,
    rollback_baseline: rollback?.baseline && formatVersion(rollback.baseline),
  };
  return changed(metadata, 'version_transitioned', facts, stamp);
}

export function versionValidated(
  metadata: ModelMetadata,
  result: ValidationResult,
  stamp: CommandStamp,
): VersionChange {
  const facts = {
    passed: result.passed,
    latency_p50_ms: result.latencyP50Ms,
    latency_p99_ms: result.latencyP99Ms,
    accuracy_score: result.accuracyScore,
    errors: result.errors,
  };
  return changed(metadata, 'version_validated', facts, stamp);
}
