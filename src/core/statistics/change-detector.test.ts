// Goal: a lasting shift is found soon, in its direction, and normal operation is left in peace as
// long as the header says. Method: made-up series, and the run lengths over a seed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { seededRandom } from '../../base/random.ts';
import { changesIn, noChange, withChange } from './change-detector.ts';
import { normal } from './distributions.test-support.ts';

const baseline = { mean: 100, sd: 10 };

test('a shift of two deviations is found within four values, either way, and again later', () => {
  const steady = [100, 104, 96, 101, 99];
  const up = Array.from({ length: 10 }, () => 120);
  assert.deepEqual(changesIn([...steady, ...up], baseline), [
    { at: 8, alarm: 'rising' },
    { at: 12, alarm: 'rising' },
  ]);
  const down = up.map(() => 80);
  assert.deepEqual(changesIn([...steady, ...down], baseline)[0], { at: 8, alarm: 'falling' });
  assert.deepEqual(changesIn(steady, baseline), []);
  assert.deepEqual(changesIn([], baseline), []);
});

test('slack and limit are in deviations, and the limit itself is no alarm', () => {
  const ten = Array.from({ length: 10 }, () => 110);
  assert.deepEqual(changesIn(ten, baseline), [], 'ten times 0.5 is the limit');
  assert.equal(changesIn([...ten, 110], baseline)[0]?.at, 10);
  assert.deepEqual(changesIn([...ten, 110], { ...baseline, slack: 1 }), []);
  assert.equal(changesIn(ten, { ...baseline, limit: 1 })[0]?.at, 2);
});

test('NaN changes nothing, and without deviation nothing is an alarm', () => {
  const state = withChange(noChange, 115, baseline);
  assert.deepEqual(withChange(state, Number.NaN, baseline), state);
  assert.deepEqual(changesIn([1, 1e9, -1e9], { mean: 1, sd: 0 }), []);
});

test('run lengths are those of the tables: 465 without a shift, 10.4 with one deviation', () => {
  const random = seededRandom(8);
  const meanRun = (shift: number, alarms: number): number => {
    let state = noChange;
    let values = 0;
    for (let found = 0; found < alarms; values += 1) {
      state = withChange(state, 100 + 10 * (normal(random) + shift), baseline);
      if (state.alarm !== 'stable') found += 1;
    }
    return values / alarms;
  };
  const calm = meanRun(0, 1500);
  assert.ok(calm > 420 && calm < 510, `${calm} values between false alarms`);
  const shifted = meanRun(1, 3000);
  assert.ok(shifted > 9.9 && shifted < 10.9, `${shifted} values until a shift is found`);
});

holds(
  'the sums are never negative, and opposite series give opposite alarms',
  fc.property(fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true })), (values) => {
    const found = changesIn(values, { mean: 0, sd: 100 });
    const mirrored = changesIn(
      values.map((value) => -value),
      { mean: 0, sd: 100 },
    );
    assert.deepEqual(
      mirrored.map(({ at, alarm }) => [at, alarm]),
      found.map(({ at, alarm }) => [at, alarm === 'rising' ? 'falling' : 'rising']),
    );
    let state = noChange;
    for (const value of values) {
      state = withChange(state, value, { mean: 0, sd: 100 });
      assert.ok(state.above >= 0 && state.below >= 0);
    }
  }),
);
