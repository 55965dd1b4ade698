// The model registry: every registered version, its state of approval and its newest validation
// (platform specification C.1). One writer; each operation is one synchronous section, so a reader
// sees a whole change or nothing, and of two that race the second meets what the first has done.
//
//   M1  A version of a model is registered once and never leaves.
//   M2  A state changes only along an edge of version-state.ts; a refused command changes nothing.
//   M3  The latest version of a model is its highest number, whatever its state.
//   M4  What goes in is copied, what comes out is frozen to the last member.
//
// The rows in the database are the durable truth: a shell commits them together with the events
// that each change returns, and at restart builds the registry again from the rows.

import { AssertionFailed, assert } from '../../base/assert.ts';
import { compareText } from '../../base/compare.ts';
import { type Fault, fault } from '../../base/fault.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { checkedFacts, type ModelMetadata, type VersionFacts } from './model-metadata.ts';
import {
  type CommandStamp,
  type RollbackReason,
  type VersionChange,
  versionRegistered,
  versionTransitioned,
  versionValidated,
} from './registry-change.ts';
import { rollbackPriority } from './rollback-priority.ts';
import { checkedValidation, type ValidationResult } from './validation-result.ts';
import { compareVersions, formatVersion, type ModelVersion } from './version.ts';
import { canTransitionState, isRollback, nextStates, type VersionState } from './version-state.ts';

/** A version as it is kept: the row of a snapshot. */
export type VersionRecord = {
  readonly metadata: ModelMetadata;
  readonly validation?: ValidationResult;
};

export type RegisterFault = Fault<'invalid_metadata' | 'version_exists'>;
export type LookupFault = Fault<'unknown_model' | 'unknown_version'>;
export type TransitionFault = LookupFault | Fault<'transition_forbidden'>;
export type ValidationFault = LookupFault | Fault<'invalid_validation'>;

/** The versions of one model by their text. */
type Line = { readonly records: Map<string, VersionRecord>; latest: ModelMetadata };

function byVersion(a: VersionRecord, b: VersionRecord): number {
  return compareVersions(a.metadata.version, b.metadata.version);
}

/** What a check let through; a stored record that it would refuse is a bug. */
function accepted<T>(checked: Result<T, Fault>): T {
  if (checked.ok) return checked.value;
  throw new AssertionFailed(`stored record: ${checked.error.message}`);
}

/** A record read back from storage, copied and frozen (M4). */
function restored({ metadata, validation }: VersionRecord): VersionRecord {
  const { registeredAt, state } = metadata;
  const facts = accepted(checkedFacts(metadata));
  const kept = Object.freeze({ ...facts, registeredAt, state });
  if (validation === undefined) return Object.freeze({ metadata: kept });
  return Object.freeze({ metadata: kept, validation: accepted(checkedValidation(validation)) });
}

export class ModelRegistry {
  readonly #models = new Map<string, Line>();
  #versionCount = 0;

  /** `records` are those of a {@link snapshot}, in any order. */
  constructor(records: Iterable<VersionRecord> = []) {
    for (const record of records) {
      const { modelId, version } = record.metadata;
      assert(this.get(modelId, version) === undefined, `M1: ${modelId} ${formatVersion(version)}`);
      this.#insert(restored(record));
    }
  }

  /** How many distinct model ids. */
  get modelCount(): number {
    return this.#models.size;
  }

  /** How many versions over all models. */
  get versionCount(): number {
    return this.#versionCount;
  }

  get(modelId: string, version: ModelVersion): ModelMetadata | undefined {
    return this.#record(modelId, version)?.metadata;
  }

  /** The highest version number in any state (M3). */
  getLatest(modelId: string): ModelMetadata | undefined {
    return this.#models.get(modelId)?.latest;
  }

  /** Ascending by version; empty for an unknown model. */
  listVersions(modelId: string): readonly ModelMetadata[] {
    const records = this.#models.get(modelId)?.records.values() ?? [];
    return [...records].sort(byVersion).map(({ metadata }) => metadata);
  }

  /** Ascending by model id, then version. */
  findByState(state: VersionState): readonly ModelMetadata[] {
    return this.snapshot()
      .map(({ metadata }) => metadata)
      .filter((metadata) => metadata.state === state);
  }

  /** The last one recorded. */
  getValidation(modelId: string, version: ModelVersion): ValidationResult | undefined {
    return this.#record(modelId, version)?.validation;
  }

  /** Everything, ascending by model id, then version. */
  snapshot(): readonly VersionRecord[] {
    return [...this.#models.keys()]
      .sort(compareText)
      .flatMap((id) => [...(this.#models.get(id)?.records.values() ?? [])].sort(byVersion));
  }

  /**
   * Adds a version in state `registered`. Refuses facts out of bounds and a version that exists.
   */
  register(facts: VersionFacts, stamp: CommandStamp): Result<VersionChange, RegisterFault> {
    const checked = checkedFacts(facts);
    if (!checked.ok) return checked;
    const { modelId, version } = checked.value;
    if (this.get(modelId, version) !== undefined) {
      const words = `version ${formatVersion(version)} of model ${modelId} is registered already`;
      return err(fault('version_exists', words));
    }
    const added = { ...checked.value, registeredAt: stamp.now, state: 'registered' } as const;
    const metadata = Object.freeze(added);
    this.#insert(Object.freeze({ metadata }));
    return ok(versionRegistered(metadata, stamp));
  }

  /**
   * Moves a version along one edge. Canary -> staging is a rollback and tells its priority: the
   * version's validation against that of the highest version in production that has one.
   */
  transitionState(
    modelId: string,
    version: ModelVersion,
    to: VersionState,
    stamp: CommandStamp,
  ): Result<VersionChange, TransitionFault> {
    const found = this.#find(modelId, version);
    if (!found.ok) return found;
    const record = found.value;
    const from = record.metadata.state;
    if (!canTransitionState(from, to)) {
      const allowed = nextStates(from).join(' or ') || 'no other state';
      const words = `version ${formatVersion(version)} of model ${modelId} cannot go to ${to}`;
      return err(fault('transition_forbidden', `${words}: from ${from} it may go to ${allowed}`));
    }
    const rollback = isRollback(from, to) ? this.#rollbackReason(record) : undefined;
    const metadata = Object.freeze({ ...record.metadata, state: to });
    this.#replace(Object.freeze({ ...record, metadata }));
    return ok(versionTransitioned(metadata, from, rollback, stamp));
  }

  /** Keeps a result in place of any earlier one of that version, which must be registered. */
  recordValidation(
    result: ValidationResult,
    stamp: CommandStamp,
  ): Result<VersionChange, ValidationFault> {
    const found = this.#find(result.modelId, result.version);
    if (!found.ok) return found;
    const checked = checkedValidation(result);
    if (!checked.ok) return checked;
    this.#replace(Object.freeze({ ...found.value, validation: checked.value }));
    return ok(versionValidated(found.value.metadata, checked.value, stamp));
  }

  #record(modelId: string, version: ModelVersion): VersionRecord | undefined {
    return this.#models.get(modelId)?.records.get(formatVersion(version));
  }

  #find(modelId: string, version: ModelVersion): Result<VersionRecord, LookupFault> {
    if (!this.#models.has(modelId)) {
      return err(fault('unknown_model', `there is no model ${modelId}`));
    }
    const record = this.#record(modelId, version);
    if (record !== undefined) return ok(record);
    const words = `there is no version ${formatVersion(version)} of model ${modelId}`;
    return err(fault('unknown_version', words));
  }

  #insert(record: VersionRecord): void {
    const { metadata } = record;
    const key = formatVersion(metadata.version);
    const line = this.#models.get(metadata.modelId);
    if (line === undefined) {
      const records = new Map([[key, record]]);
      this.#models.set(metadata.modelId, { records, latest: metadata });
    } else {
      line.records.set(key, record);
      if (compareVersions(metadata.version, line.latest.version) > 0) line.latest = metadata;
    }
    this.#versionCount += 1;
  }

  #replace(record: VersionRecord): void {
    const { metadata } = record;
    const line = this.#models.get(metadata.modelId);
    assert(line !== undefined, `M1: model ${metadata.modelId} has left`);
    line.records.set(formatVersion(metadata.version), record);
    if (compareVersions(metadata.version, line.latest.version) === 0) line.latest = metadata;
  }

  /** Without a validation of its own there is nothing against a version: priority 0. */
  #rollbackReason({ metadata, validation }: VersionRecord): RollbackReason {
    if (validation === undefined) return { priority: 0 };
    const records = this.#models.get(metadata.modelId)?.records.values() ?? [];
    const baseline = [...records]
      .filter((other) => other.metadata.state === 'production')
      .flatMap((other) => other.validation ?? [])
      .sort((a, b) => compareVersions(a.version, b.version))
      .at(-1);
    const priority = rollbackPriority(validation, baseline ?? validation);
    return baseline === undefined ? { priority } : { priority, baseline: baseline.version };
  }
}
