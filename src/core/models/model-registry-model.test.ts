// Goal: over any sequence of commands the registry answers as a plain list of rows would (C.1).
// Method: random commands against a registry and against a list that is searched from front to
// back; after each command their verdicts agree, and at the end everything that can be read. What
// has come out is tampered with on the way, where that is possible, to no effect.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { ModelRegistry } from './model-registry.ts';
import { factsOf, resultOf, stampAt } from './registry.test-support.ts';
import { formatVersion } from './version.ts';
import { type VersionState, versionStates } from './version-state.ts';

const models = ['b', 'B'];
/** In the order of their numbers, which is not that of their texts. */
const texts = ['0.9.0', '0.10.0', '1.0.0'];

const target = { modelId: fc.constantFrom(...models), text: fc.constantFrom(...texts) };

const commands = fc.oneof(
  fc.record({ kind: fc.constant('register' as const), ...target }),
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('transition' as const),
      ...target,
      // Without the states that cannot be reached soon a sequence would be mostly refusals.
      to: fc.constantFrom(...versionStates.slice(0, 5), 'staging' as const, 'canary' as const),
    }),
  },
  fc.record({ kind: fc.constant('validate' as const), ...target, errors: fc.nat({ max: 2 }) }),
);

type Command =
  | { readonly kind: 'register'; readonly modelId: string; readonly text: string }
  | {
      readonly kind: 'transition';
      readonly modelId: string;
      readonly text: string;
      readonly to: VersionState;
    }
  | {
      readonly kind: 'validate';
      readonly modelId: string;
      readonly text: string;
      readonly errors: number;
    };

type Row = {
  readonly modelId: string;
  readonly text: string;
  state: VersionState;
  registeredAt: number;
  errors?: number;
};

/** The nine edges once more, as text. */
const edges =
  'registered>validating validating>staging validating>registered staging>canary ' +
  'staging>registered canary>production canary>staging production>deprecated deprecated>archived';

/** The verdict of the plain list: `ok` or the code of the refusal. */
function obey(rows: Row[], command: Command, second: number): string {
  const { modelId, text } = command;
  const row = rows.find((one) => one.modelId === modelId && one.text === text);
  if (command.kind === 'register') {
    if (row !== undefined) return 'version_exists';
    rows.push({ modelId, text, state: 'registered', registeredAt: second * 1000 });
    return 'ok';
  }
  if (!rows.some((one) => one.modelId === modelId)) return 'unknown_model';
  if (row === undefined) return 'unknown_version';
  if (command.kind === 'validate') {
    row.errors = command.errors;
    return 'ok';
  }
  if (!edges.split(' ').includes(`${row.state}>${command.to}`)) return 'transition_forbidden';
  row.state = command.to;
  return 'ok';
}

/** The verdict of the registry, and what the change said, after an attempt to spoil it. */
function command(registry: ModelRegistry, given: Command, second: number): string {
  const { modelId, text } = given;
  const stamp = stampAt(second);
  const facts = { ...factsOf(text, { modelId }), inputShape: [second] };
  const errors = given.kind === 'validate' ? Array.from({ length: given.errors }, () => 'e') : [];
  const answer =
    given.kind === 'register'
      ? registry.register(facts, stamp)
      : given.kind === 'transition'
        ? registry.transitionState(modelId, facts.version, given.to, stamp)
        : registry.recordValidation(resultOf(text, { modelId, errors }), stamp);
  facts.inputShape.push(-7);
  errors.push('tampered');
  if (!answer.ok) return answer.error.code;
  const { metadata, audit } = answer.value;
  assert.deepEqual(metadata, registry.get(modelId, facts.version));
  assert.deepEqual([audit.id, audit.data['version']], [stamp.eventId, text]);
  assert.equal(Reflect.set(metadata, 'state', 'archived'), false);
  assert.equal(Reflect.set(metadata.tags, 'owner', 'thief'), false);
  return 'ok';
}

function byModelAndNumber(a: Row, b: Row): number {
  if (a.modelId !== b.modelId) return a.modelId < b.modelId ? -1 : 1;
  return texts.indexOf(a.text) - texts.indexOf(b.text);
}

function compareReads(registry: ModelRegistry, rows: readonly Row[]): void {
  const sorted = rows.toSorted(byModelAndNumber);
  const seen = registry.snapshot().map(({ metadata, validation }) => ({
    modelId: metadata.modelId,
    text: formatVersion(metadata.version),
    state: metadata.state,
    registeredAt: metadata.registeredAt,
    ...(validation === undefined ? {} : { errors: validation.errors.length }),
  }));
  assert.deepEqual(seen, sorted);
  for (const { metadata } of registry.snapshot()) {
    assert.deepEqual(metadata.inputShape, [metadata.registeredAt / 1000]);
    assert.deepEqual(metadata.tags, { owner: 'research' });
  }
  for (const modelId of models) {
    const own = sorted.filter((row) => row.modelId === modelId).map(({ text }) => text);
    const listed = registry.listVersions(modelId).map(({ version }) => formatVersion(version));
    assert.deepEqual(listed, own);
    const latest = registry.getLatest(modelId);
    assert.equal(latest && formatVersion(latest.version), own.at(-1));
    assert.equal(latest, latest && registry.get(modelId, latest.version));
  }
  for (const state of versionStates) {
    const own = sorted.filter((row) => row.state === state);
    const found = registry.findByState(state).map(({ modelId, version }) => [modelId, version]);
    assert.deepEqual(
      found,
      own.map(({ modelId, text }) => [modelId, factsOf(text).version]),
    );
  }
  assert.equal(registry.modelCount, new Set(rows.map(({ modelId }) => modelId)).size);
  assert.equal(registry.versionCount, rows.length);
}

describe('registry', () => {
  holds(
    'any sequence of commands leaves what a plain list of rows would hold',
    fc.property(fc.array(commands, { maxLength: 150, size: 'max' }), (given) => {
      const registry = new ModelRegistry();
      const rows: Row[] = [];
      for (const [second, one] of given.entries()) {
        assert.equal(command(registry, one, second), obey(rows, one, second), JSON.stringify(one));
      }
      compareReads(registry, rows);
    }),
  );
});
