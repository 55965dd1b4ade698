// What is known of a registered version of a model, and which facts are accepted at registration.
// Platform specification C.1. Bounds on lengths are ours: everything that is kept has a cap.

import { type Fault, invalid, type Violation } from '../../base/fault.ts';
import { isCount } from '../../base/numbers.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { Instant } from '../../base/time.ts';
import type { Shape } from './shape-compatibility.ts';
import { isVersionPart, type ModelVersion, versionPartMax } from './version.ts';
import type { VersionState } from './version-state.ts';

/** What the one who registers a version says of it. */
export type VersionFacts = {
  readonly modelId: string;
  readonly name: string;
  readonly version: ModelVersion;
  /** `pytorch`, `tensorflow`, `onnx`, ... */
  readonly framework: string;
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  readonly sizeBytes: number;
  /** Digest of the artifact. */
  readonly checksum: string;
  readonly tags: Readonly<Record<string, string>>;
};

/** The facts and what the registry adds. */
export type ModelMetadata = VersionFacts & {
  readonly registeredAt: Instant;
  readonly state: VersionState;
};

/** Longest text of a field, tag names and values included, in UTF-16 code units. */
export const textLengthMax = 1000;

/** Most dimensions of a shape. */
export const shapeRankMax = 64;

export const tagsMax = 100;

const textFields = ['modelId', 'name', 'framework', 'checksum'] as const;
const versionParts = ['major', 'minor', 'patch'] as const;
const shapeFields = ['inputShape', 'outputShape'] as const;

function textViolations(facts: VersionFacts): readonly Violation[] {
  return textFields
    .map((field) => ({ field, value: facts[field] }))
    .filter(({ value }) => value === '' || value.length > textLengthMax)
    .map((found) => ({ ...found, bound: `of 1..${textLengthMax} characters` }));
}

function versionViolations({ version }: VersionFacts): readonly Violation[] {
  return versionParts
    .map((part) => ({ field: `version.${part}`, value: version[part] }))
    .filter(({ value }) => !isVersionPart(value))
    .map((found) => ({ ...found, bound: `a whole number within 0..${versionPartMax}` }));
}

/** A rank beyond the cap, or else each size that is none. */
function shapeViolations(field: (typeof shapeFields)[number], shape: Shape): readonly Violation[] {
  if (shape.length > shapeRankMax) {
    const bound = `at most ${shapeRankMax}`;
    return [{ field: `${field}.length`, value: shape.length, bound }];
  }
  return shape
    .map((value, at) => ({ field: `${field}[${at}]`, value }))
    .filter(({ value }) => value !== -1 && !isCount(value))
    .map((found) => ({ ...found, bound: 'a safe whole number, or -1 for any size' }));
}

function tagViolations({ tags }: VersionFacts): readonly Violation[] {
  const names = Object.keys(tags);
  if (names.length > tagsMax) {
    return [{ field: 'tags', value: names.length, bound: `at most ${tagsMax}` }];
  }
  const bound = `of 1..${textLengthMax} characters, its value of at most as many`;
  return names
    .filter((name) => name === '' || Math.max(name.length, tags[name]?.length ?? 0) > textLengthMax)
    .map((name) => ({ field: 'tags', value: name, bound }));
}

function sizeViolations({ sizeBytes }: VersionFacts): readonly Violation[] {
  if (isCount(sizeBytes)) return [];
  return [{ field: 'sizeBytes', value: sizeBytes, bound: 'a safe whole number, at least 0' }];
}

/** A copy that shares nothing with `facts` that could change, and that cannot change itself. */
function frozenCopy(facts: VersionFacts): VersionFacts {
  const { modelId, name, version, framework, sizeBytes, checksum } = facts;
  const { major, minor, patch } = version;
  return Object.freeze({
    modelId,
    name,
    version: Object.freeze({ major, minor, patch }),
    framework,
    inputShape: Object.freeze([...facts.inputShape]),
    outputShape: Object.freeze([...facts.outputShape]),
    sizeBytes,
    checksum,
    tags: Object.freeze({ ...facts.tags }),
  });
}

/** The facts as a frozen copy, or every field at fault with its value and bound. */
export function checkedFacts(facts: VersionFacts): Result<VersionFacts, Fault<'invalid_metadata'>> {
  const violations = [
    ...textViolations(facts),
    ...versionViolations(facts),
    ...shapeFields.flatMap((field) => shapeViolations(field, facts[field])),
    ...sizeViolations(facts),
    ...tagViolations(facts),
  ];
  if (violations.length === 0) return ok(frozenCopy(facts));
  const subject = `version of model "${facts.modelId.slice(0, textLengthMax)}"`;
  return err(invalid('invalid_metadata', subject, violations));
}
