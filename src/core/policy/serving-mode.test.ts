// Goal: the rules of the modes, each row of A.8 with its edges. Method: whole tables over four
// modes and over text that names none, among it names that every object knows.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  burstThreshold,
  cooldownMultiplier,
  deescalate,
  escalate,
  isServingMode,
  maxRetries,
  mayDeescalate,
  modeIndex,
  modeMetadata,
  modes,
  modeWeight,
} from './serving-mode.ts';

const unknownTexts = ['', 'Normal', 'panic', 'constructor', '__proto__', 'toString', '0'];

describe('policy', () => {
  test('there are four modes in one order, with index and weight', () => {
    assert.deepEqual(modes(), ['normal', 'watch', 'restricted', 'halted']);
    assert.deepEqual(modes().map(modeIndex), [0, 1, 2, 3]);
    assert.deepEqual(modes().map(modeWeight), [1, 2, 3, 4]);
    for (const text of unknownTexts) {
      assert.equal(isServingMode(text), false, text);
      assert.equal(modeIndex(text), undefined, text);
      assert.equal(modeWeight(text), 0, text);
    }
  });

  test('a burst of two or more moves one step stricter and stops at the end', () => {
    assert.equal(burstThreshold, 2);
    const after: Readonly<Record<string, string>> = {
      normal: 'watch',
      watch: 'restricted',
      restricted: 'halted',
      halted: 'halted',
    };
    for (const mode of modes()) {
      for (const burst of [0, 1, 1.9, -3, Number.NaN]) {
        assert.equal(escalate(mode, burst), mode, `${mode}, burst ${burst}`);
      }
      for (const burst of [2, 3, 1000, Number.POSITIVE_INFINITY]) {
        assert.equal(escalate(mode, burst), after[mode], `${mode}, burst ${burst}`);
      }
    }
  });

  test('stepping down moves one step milder and stops at normal', () => {
    assert.deepEqual(modes().map(deescalate), ['normal', 'normal', 'watch', 'restricted']);
  });

  test('unknown text moves as normal does and has no facts of its own', () => {
    for (const text of unknownTexts) {
      assert.equal(escalate(text, 2), 'watch', text);
      assert.equal(escalate(text, 1), 'normal', text);
      assert.equal(deescalate(text), 'normal', text);
      assert.equal(mayDeescalate(1000, text), false, text);
      assert.equal(modeMetadata(text), undefined, text);
      assert.equal(maxRetries(text), 1, text);
      assert.equal(cooldownMultiplier(text), 1, text);
    }
  });

  test('a mode may be left after a streak of 5, 7 or 10, and normal never', () => {
    const cases: readonly [number, string, boolean][] = [
      [4, 'watch', false],
      [5, 'watch', true],
      [6, 'restricted', false],
      [7, 'restricted', true],
      [9, 'halted', false],
      [10, 'halted', true],
      [11, 'halted', true],
      [1000, 'normal', false],
      [Number.NaN, 'watch', false],
    ];
    for (const [streak, mode, may] of cases) {
      assert.equal(mayDeescalate(streak, mode), may, `${streak} in ${mode}`);
    }
  });

  test('each mode has its description, retries and cooldown multiplier', () => {
    assert.deepEqual(modes().map(modeMetadata), [
      { description: 'Standard operations', maxRetries: 3 },
      { description: 'Elevated monitoring', maxRetries: 2 },
      { description: 'Limited operations', maxRetries: 1 },
      { description: 'All operations suspended', maxRetries: 0 },
    ]);
    assert.deepEqual(modes().map(maxRetries), [3, 2, 1, 0]);
    assert.deepEqual(modes().map(cooldownMultiplier), [1, 2, 4, 8]);
  });
});
