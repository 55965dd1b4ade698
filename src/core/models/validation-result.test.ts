// Goal: what is accepted as a validation, its latency figures, and agreements at their edges (C.1).
// Method: tables of single faults; figures against the nearest rank counted by hand.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { granted, resultOf } from './registry.test-support.ts';
import {
  checkedValidation,
  latencyFigures,
  meetsSla,
  validationErrorsMax,
} from './validation-result.ts';

describe('registry', () => {
  it('latency figures are nearest ranks of the samples, not averages', () => {
    const hundred = Array.from({ length: 100 }, (_, at) => 100 - at);
    assert.deepEqual(latencyFigures(hundred), { latencyP50Ms: 50, latencyP99Ms: 99 });
    assert.deepEqual(latencyFigures([1, 2, 3, 1000]), { latencyP50Ms: 2, latencyP99Ms: 1000 });
    assert.deepEqual(latencyFigures([7]), { latencyP50Ms: 7, latencyP99Ms: 7 });
    assert.deepEqual(latencyFigures([0, 0]), { latencyP50Ms: 0, latencyP99Ms: 0 });
  });

  it('NaN is no sample, and without samples there are no figures', () => {
    assert.deepEqual(latencyFigures([Number.NaN, 4]), { latencyP50Ms: 4, latencyP99Ms: 4 });
    assert.equal(latencyFigures([]), undefined);
    assert.equal(latencyFigures([Number.NaN]), undefined);
  });

  it('an agreement is met at both of its edges', () => {
    const result = { latencyP99Ms: 100, accuracyScore: 0.9 };
    assert.ok(meetsSla(result, 100, 0.9), 'both edges');
    assert.ok(meetsSla(result, 101, 0.89), 'both with room');
    assert.ok(!meetsSla(result, 99.999, 0.9), 'too slow');
    assert.ok(!meetsSla(result, 100, 0.900_001), 'not accurate enough');
  });

  it('an agreement is not met by NaN on any side', () => {
    const good = { latencyP99Ms: 1, accuracyScore: 1 };
    assert.ok(!meetsSla({ ...good, latencyP99Ms: Number.NaN }, 100, 0), 'p99');
    assert.ok(!meetsSla({ ...good, accuracyScore: Number.NaN }, 100, 0), 'accuracy');
    assert.ok(!meetsSla(good, Number.NaN, 0), 'maximum');
    assert.ok(!meetsSla(good, 100, Number.NaN), 'minimum');
  });

  it('an agreement does not ask whether the validation passed', () => {
    assert.ok(meetsSla(resultOf('1.0.0', { passed: false }), 80, 0.9));
  });

  it('figures out of bounds are refused with field, value and bound', () => {
    const many = Array.from({ length: validationErrorsMax + 1 }, () => 'e');
    const rows = [
      [{ latencyP50Ms: -1 }, /latencyP50Ms is -1, but must be finite and at least 0/],
      [{ latencyP50Ms: Number.NaN }, /latencyP50Ms is NaN/],
      [{ latencyP99Ms: Number.POSITIVE_INFINITY }, /latencyP99Ms is Infinity/],
      [{ latencyP99Ms: Number.NaN }, /latencyP99Ms is NaN/],
      [{ latencyP50Ms: 9, latencyP99Ms: 8 }, /latencyP99Ms is 8, but .* at least latencyP50Ms/],
      [{ accuracyScore: 1.01 }, /accuracyScore is 1.01, but must be within 0..1/],
      [{ accuracyScore: -0.01 }, /accuracyScore is -0.01/],
      [{ accuracyScore: Number.NaN }, /accuracyScore is NaN/],
      [{ errors: many }, /errors.length is 1001, but must be at most 1000/],
    ] as const;
    for (const [changes, words] of rows) {
      const checked = checkedValidation(resultOf('1.0.0', changes));
      assert.ok(!checked.ok, String(words));
      assert.equal(checked.error.code, 'invalid_validation');
      assert.match(checked.error.message, words);
      assert.match(checked.error.message, /^validation of llama 1\.0\.0: /);
    }
  });

  it('all faults of a result are told at once, and the edges are accepted', () => {
    const bad = checkedValidation(resultOf('1.0.0', { latencyP50Ms: -1, accuracyScore: 2 }));
    assert.deepEqual(bad.ok ? [] : bad.error.details?.map(({ field }) => field), [
      'latencyP50Ms',
      'accuracyScore',
    ]);
    const edge = { latencyP50Ms: 0, latencyP99Ms: 0, accuracyScore: 0 };
    assert.deepEqual(granted(checkedValidation(resultOf('1.0.0', edge))), resultOf('1.0.0', edge));
    assert.ok(checkedValidation(resultOf('1.0.0', { accuracyScore: 1 })).ok);
  });
});
