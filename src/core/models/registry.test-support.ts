// Builders for the tests of the model registry: facts, stamps and results that are valid, and that
// a case changes in what it is about.

import { present } from '../../base/assert.ts';
import type { Result } from '../../base/result.ts';
import { instant } from '../../base/time.ts';
import type { VersionFacts } from './model-metadata.ts';
import type { ModelRegistry } from './model-registry.ts';
import type { CommandStamp } from './registry-change.ts';
import type { ValidationResult } from './validation-result.ts';
import { type ModelVersion, parseVersion } from './version.ts';
import type { VersionState } from './version-state.ts';

export function version(text: string): ModelVersion {
  return present(parseVersion(text), `version ${text}`);
}

export function factsOf(
  text: string,
  changes: Partial<Omit<VersionFacts, 'version'>> = {},
): VersionFacts {
  return {
    modelId: 'llama',
    name: 'Llama',
    version: version(text),
    framework: 'pytorch',
    inputShape: [-1, 4096],
    outputShape: [-1, 32_000],
    sizeBytes: 16_000_000_000,
    checksum: 'sha256:00',
    tags: { owner: 'research' },
    ...changes,
  };
}

export function resultOf(
  text: string,
  changes: Partial<Omit<ValidationResult, 'version'>> = {},
): ValidationResult {
  return {
    modelId: 'llama',
    version: version(text),
    passed: true,
    latencyP50Ms: 20,
    latencyP99Ms: 80,
    accuracyScore: 0.9,
    errors: [],
    ...changes,
  };
}

/** A stamp at second `second`, with an id of its own. */
export function stampAt(second: number): CommandStamp {
  const now = instant(second * 1000);
  return { now, eventId: `event-${second}`, actor: 'user:alice' };
}

/** The value of what must have gone well; a refusal fails the test with its message. */
export function granted<T>(result: Result<T, { readonly message: string }>): T {
  if (!result.ok) throw new Error(`refused: ${result.error.message}`);
  return result.value;
}

const paths: Readonly<Record<VersionState, readonly VersionState[]>> = {
  registered: [],
  validating: ['validating'],
  staging: ['validating', 'staging'],
  canary: ['validating', 'staging', 'canary'],
  production: ['validating', 'staging', 'canary', 'production'],
  deprecated: ['validating', 'staging', 'canary', 'production', 'deprecated'],
  archived: ['validating', 'staging', 'canary', 'production', 'deprecated', 'archived'],
};

/** Registers a version and walks it to `state`. */
export function place(registry: ModelRegistry, facts: VersionFacts, state: VersionState): void {
  granted(registry.register(facts, stampAt(1)));
  for (const to of paths[state]) {
    granted(registry.transitionState(facts.modelId, facts.version, to, stampAt(2)));
  }
}
