// Goal: the operations of the model registry (C.1), each refusal with its code and words, the event
// and audit record of each change, and that nobody outside can change what is kept. Method: short
// stories on one registry.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hashInput } from '../events/control-event.ts';
import { ModelRegistry } from './model-registry.ts';
import { factsOf, granted, place, resultOf, stampAt, version } from './registry.test-support.ts';
import { canTransitionState, versionStates } from './version-state.ts';

function words(result: { ok: boolean; error?: { code: string; message: string } }): string {
  return result.error === undefined ? 'granted' : `${result.error.code}: ${result.error.message}`;
}

function withVersions(...texts: readonly string[]): ModelRegistry {
  const registry = new ModelRegistry();
  for (const text of texts) granted(registry.register(factsOf(text), stampAt(1)));
  return registry;
}

describe('registry', () => {
  it('a registered version can be read, in state registered, at the time of its command', () => {
    const registry = withVersions('1.0.0');
    const expected = { ...factsOf('1.0.0'), registeredAt: 1000, state: 'registered' };
    assert.deepEqual(registry.get('llama', version('1.0.0')), expected);
    assert.equal(registry.get('llama', version('1.0.1')), undefined);
    assert.equal(registry.get('other', version('1.0.0')), undefined);
  });

  it('a version of a model is registered once', () => {
    const registry = withVersions('1.0.0');
    const again = registry.register(factsOf('1.0.0', { name: 'Impostor' }), stampAt(2));
    assert.equal(
      words(again),
      'version_exists: version 1.0.0 of model llama is registered already',
    );
    assert.equal(registry.get('llama', version('1.0.0'))?.name, 'Llama');
    assert.equal(registry.versionCount, 1);
    assert.ok(registry.register(factsOf('1.0.0', { modelId: 'other' }), stampAt(2)).ok);
  });

  it('invalid facts are refused and nothing is kept', () => {
    const registry = new ModelRegistry();
    const refused = registry.register(factsOf('1.0.0', { sizeBytes: -1, name: '' }), stampAt(1));
    assert.ok(!refused.ok && refused.error.code === 'invalid_metadata');
    assert.deepEqual(
      refused.error.details?.map(({ field }) => field),
      ['name', 'sizeBytes'],
    );
    assert.deepEqual([registry.modelCount, registry.versionCount], [0, 0]);
  });

  it('the latest version is the highest number, in any order of registration and any state', () => {
    const registry = withVersions('1.9.9', '1.10.0', '1.2.0');
    assert.deepEqual(registry.getLatest('llama')?.version, version('1.10.0'));
    granted(registry.transitionState('llama', version('1.10.0'), 'validating', stampAt(2)));
    assert.equal(registry.getLatest('llama')?.state, 'validating');
    granted(registry.transitionState('llama', version('1.2.0'), 'validating', stampAt(3)));
    assert.deepEqual(registry.getLatest('llama')?.version, version('1.10.0'));
    assert.equal(registry.getLatest('other'), undefined);
  });

  it('versions are listed ascending by number', () => {
    const registry = withVersions('1.10.0', '2.0.0', '1.9.0');
    const listed = registry.listVersions('llama').map((one) => one.version.minor);
    assert.deepEqual(listed, [9, 10, 0]);
    assert.deepEqual(registry.listVersions('other'), []);
  });

  it('a version walks along the edges and its facts stay', () => {
    const registry = new ModelRegistry();
    place(registry, factsOf('1.0.0'), 'archived');
    const expected = { ...factsOf('1.0.0'), registeredAt: 1000, state: 'archived' };
    assert.deepEqual(registry.get('llama', version('1.0.0')), expected);
  });

  it('from each state exactly the allowed edges are taken, and a refusal changes nothing', () => {
    for (const from of versionStates) {
      for (const to of versionStates) {
        const registry = new ModelRegistry();
        place(registry, factsOf('1.0.0'), from);
        const moved = registry.transitionState('llama', version('1.0.0'), to, stampAt(9));
        const allowed = canTransitionState(from, to);
        assert.equal(moved.ok, allowed, `${from} -> ${to}`);
        if (!moved.ok) assert.equal(moved.error.code, 'transition_forbidden');
        const state = registry.get('llama', version('1.0.0'))?.state;
        assert.equal(state, allowed ? to : from, `${from} -> ${to}`);
      }
    }
  });

  it('a forbidden transition says what was asked and what may be asked', () => {
    const registry = withVersions('1.0.0');
    const refused = registry.transitionState('llama', version('1.0.0'), 'production', stampAt(2));
    assert.equal(
      words(refused),
      'transition_forbidden: version 1.0.0 of model llama cannot go to production: ' +
        'from registered it may go to validating',
    );
    place(registry, factsOf('2.0.0'), 'archived');
    const last = registry.transitionState('llama', version('2.0.0'), 'registered', stampAt(3));
    assert.match(words(last), /from archived it may go to no other state$/);
  });

  it('an unknown model and an unknown version are told apart', () => {
    const registry = withVersions('1.0.0');
    const model = 'unknown_model: there is no model other';
    const one = 'unknown_version: there is no version 3.0.0 of model llama';
    const stamp = stampAt(2);
    const three = version('3.0.0');
    assert.equal(words(registry.transitionState('other', three, 'validating', stamp)), model);
    assert.equal(words(registry.transitionState('llama', three, 'validating', stamp)), one);
    const foreign = resultOf('1.0.0', { modelId: 'other' });
    assert.equal(words(registry.recordValidation(foreign, stamp)), model);
    assert.equal(words(registry.recordValidation(resultOf('3.0.0'), stamp)), one);
  });

  it('a validation is kept for its version and replaced by the next', () => {
    const registry = withVersions('1.0.0', '1.1.0');
    assert.equal(registry.getValidation('llama', version('1.0.0')), undefined);
    granted(registry.recordValidation(resultOf('1.0.0'), stampAt(2)));
    const second = resultOf('1.0.0', { passed: false, errors: ['out of memory'] });
    granted(registry.recordValidation(second, stampAt(3)));
    assert.deepEqual(registry.getValidation('llama', version('1.0.0')), second);
    assert.equal(registry.getValidation('llama', version('1.1.0')), undefined);
    assert.equal(registry.getValidation('other', version('1.0.0')), undefined);
  });

  it('an invalid validation leaves the earlier one', () => {
    const registry = withVersions('1.0.0');
    granted(registry.recordValidation(resultOf('1.0.0'), stampAt(2)));
    const bad = resultOf('1.0.0', { accuracyScore: Number.NaN });
    assert.match(words(registry.recordValidation(bad, stampAt(3))), /^invalid_validation: /);
    assert.deepEqual(registry.getValidation('llama', version('1.0.0')), resultOf('1.0.0'));
  });

  it('a validation survives transitions', () => {
    const registry = withVersions('1.0.0');
    granted(registry.recordValidation(resultOf('1.0.0'), stampAt(2)));
    granted(registry.transitionState('llama', version('1.0.0'), 'validating', stampAt(3)));
    assert.deepEqual(registry.getValidation('llama', version('1.0.0')), resultOf('1.0.0'));
  });

  it('versions of a state are found by model, then version', () => {
    const registry = new ModelRegistry();
    for (const modelId of ['b', 'a', 'B']) {
      for (const text of ['1.10.0', '1.9.0']) {
        place(registry, factsOf(text, { modelId }), 'canary');
      }
      place(registry, factsOf('3.0.0', { modelId }), 'staging');
    }
    const found = registry.findByState('canary').map((one) => `${one.modelId}${one.version.minor}`);
    assert.deepEqual(found, ['B9', 'B10', 'a9', 'a10', 'b9', 'b10']);
    assert.deepEqual(registry.findByState('archived'), []);
  });

  it('models and versions are counted', () => {
    const registry = new ModelRegistry();
    assert.deepEqual([registry.modelCount, registry.versionCount], [0, 0]);
    for (const [modelId, text] of [
      ['a', '1.0.0'],
      ['a', '2.0.0'],
      ['b', '1.0.0'],
    ] as const) {
      granted(registry.register(factsOf(text, { modelId }), stampAt(1)));
    }
    assert.deepEqual([registry.modelCount, registry.versionCount], [2, 3]);
  });

  it('whoever changes what went in does not change what is kept', () => {
    const registry = new ModelRegistry();
    const inputShape = [1, 2];
    const tags = { owner: 'research' };
    const errors = ['one'];
    granted(registry.register(factsOf('1.0.0', { inputShape, tags }), stampAt(1)));
    granted(registry.recordValidation(resultOf('1.0.0', { errors }), stampAt(2)));
    inputShape.push(3);
    tags.owner = 'thief';
    errors.push('two');
    const kept = registry.get('llama', version('1.0.0'));
    assert.deepEqual([kept?.inputShape, kept?.tags], [[1, 2], { owner: 'research' }]);
    assert.deepEqual(registry.getValidation('llama', version('1.0.0'))?.errors, ['one']);
  });

  it('what comes out cannot be changed, down to shapes, tags and errors', () => {
    const registry = withVersions('1.0.0');
    const { event, audit } = granted(registry.recordValidation(resultOf('1.0.0'), stampAt(2)));
    const one = registry.get('llama', version('1.0.0'));
    const result = registry.getValidation('llama', version('1.0.0'));
    const parts = [
      ...[one, one?.version, one?.inputShape, one?.outputShape, one?.tags, event, audit],
      ...[result, result?.version, result?.errors, event.payload, registry.snapshot()[0]],
    ];
    for (const [at, part] of parts.entries()) {
      assert.ok(part !== undefined && Object.isFrozen(part), `part ${at}`);
    }
    const listed = [...registry.listVersions('llama')];
    listed.pop();
    assert.equal(registry.listVersions('llama').length, 1);
  });

  it('a registration returns the event and the audit record of one fact', () => {
    const registry = new ModelRegistry();
    const { event, audit, metadata } = granted(registry.register(factsOf('1.0.0'), stampAt(7)));
    const data = {
      model_id: 'llama',
      version: '1.0.0',
      name: 'Llama',
      framework: 'pytorch',
      input_shape: [-1, 4096],
      output_shape: [-1, 32_000],
      size_bytes: 16_000_000_000,
      digest: 'sha256:00',
      tags: { owner: 'research' },
    };
    const kind = 'version_registered';
    assert.deepEqual(event, { id: 'event-7', timestamp: 7000, kind, payload: data });
    assert.deepEqual(audit, {
      id: 'event-7',
      stream: 'models',
      kind,
      version: 1,
      occurredAt: 7000,
      actor: 'user:alice',
      subject: 'model_version:llama@1.0.0',
      data,
    });
    assert.equal(metadata, registry.get('llama', version('1.0.0')));
    assert.match(hashInput('0', { ...audit, sequence: 1 }), /"digest":"sha256:00"/);
  });

  it('a transition tells from and to; a validation tells its figures', () => {
    const registry = withVersions('1.0.0');
    const moved = registry.transitionState('llama', version('1.0.0'), 'validating', stampAt(2));
    const { audit } = granted(moved);
    assert.equal(audit.kind, 'version_transitioned');
    assert.equal(
      JSON.stringify(audit.data),
      '{"model_id":"llama","version":"1.0.0","from":"registered","to":"validating"}',
    );
    const result = resultOf('1.0.0', { errors: ['late'] });
    const { event } = granted(registry.recordValidation(result, stampAt(3)));
    assert.equal(event.kind, 'version_validated');
    assert.deepEqual(event.payload, {
      model_id: 'llama',
      version: '1.0.0',
      passed: true,
      latency_p50_ms: 20,
      latency_p99_ms: 80,
      accuracy_score: 0.9,
      errors: ['late'],
    });
  });

  it('a refused command returns no event', () => {
    const registry = withVersions('1.0.0');
    assert.ok(!('value' in registry.register(factsOf('1.0.0'), stampAt(2))));
  });

  /** Rolls 2.0.0 back and gives what its event says of that. */
  function rolledBack(registry: ModelRegistry): readonly unknown[] {
    const moved = registry.transitionState('llama', version('2.0.0'), 'staging', stampAt(9));
    const { rollback_priority: priority, rollback_baseline: against } = granted(moved).audit.data;
    return [priority, against];
  }

  it('a rollback is weighed against the highest validated version in production', () => {
    const registry = new ModelRegistry();
    for (const text of ['1.2.0', '1.10.0', '1.9.0', '1.11.0']) {
      place(registry, factsOf(text), 'production');
    }
    place(registry, factsOf('3.0.0'), 'staging');
    place(registry, factsOf('2.0.0'), 'canary');
    for (const text of ['1.2.0', '1.9.0', '3.0.0']) {
      granted(registry.recordValidation(resultOf(text, { accuracyScore: 1 }), stampAt(3)));
    }
    granted(registry.recordValidation(resultOf('1.10.0', { latencyP99Ms: 40 }), stampAt(3)));
    granted(registry.recordValidation(resultOf('2.0.0', { errors: ['e'] }), stampAt(3)));
    assert.deepEqual(rolledBack(registry), [10 + 50, '1.10.0']);
    assert.equal(registry.get('llama', version('2.0.0'))?.state, 'staging');
  });

  it('without a validated version in production only errors weigh', () => {
    const registry = new ModelRegistry();
    place(registry, factsOf('1.0.0'), 'production');
    place(registry, factsOf('2.0.0'), 'canary');
    granted(registry.recordValidation(resultOf('2.0.0', { errors: ['e', 'f'] }), stampAt(3)));
    assert.deepEqual(rolledBack(registry), [20, undefined]);
  });

  it('a canary that was never validated is rolled back with priority 0', () => {
    const registry = new ModelRegistry();
    place(registry, factsOf('1.0.0'), 'production');
    granted(registry.recordValidation(resultOf('1.0.0'), stampAt(3)));
    place(registry, factsOf('2.0.0'), 'canary');
    assert.deepEqual(rolledBack(registry), [0, undefined]);
  });

  it('a version of another model is no baseline', () => {
    const registry = new ModelRegistry();
    place(registry, factsOf('1.0.0', { modelId: 'other' }), 'production');
    const fast = resultOf('1.0.0', { modelId: 'other', latencyP50Ms: 1, latencyP99Ms: 1 });
    granted(registry.recordValidation(fast, stampAt(3)));
    place(registry, factsOf('2.0.0'), 'canary');
    granted(registry.recordValidation(resultOf('2.0.0'), stampAt(3)));
    assert.deepEqual(rolledBack(registry), [0, undefined]);
  });

  it('a registry built from a snapshot answers as the one it was taken of', () => {
    const registry = withVersions('1.10.0', '1.9.0');
    place(registry, factsOf('2.0.0', { modelId: 'a' }), 'canary');
    granted(registry.recordValidation(resultOf('1.9.0'), stampAt(4)));
    const again = new ModelRegistry(structuredClone(registry.snapshot()).toReversed());
    assert.deepEqual(again.snapshot(), registry.snapshot());
    assert.deepEqual(again.getLatest('llama'), registry.getLatest('llama'));
    assert.ok(Object.isFrozen(again.getValidation('llama', version('1.9.0'))?.errors));
    assert.deepEqual([again.modelCount, again.versionCount], [2, 3]);
  });

  it('stored records that contradict each other or the bounds end the start', () => {
    const [record] = withVersions('1.0.0').snapshot();
    assert.ok(record !== undefined);
    assert.throws(() => new ModelRegistry([record, record]), /M1: llama 1\.0\.0/);
    const metadata = { ...record.metadata, sizeBytes: -1 };
    assert.throws(() => new ModelRegistry([{ metadata }]), /stored record: .*sizeBytes is -1/);
    const slow = { ...record, validation: resultOf('1.0.0', { latencyP99Ms: Number.NaN }) };
    assert.throws(() => new ModelRegistry([slow]), /stored record: .*latencyP99Ms is NaN/);
  });
});
