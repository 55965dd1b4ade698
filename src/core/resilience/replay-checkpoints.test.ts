// Goal: one checkpoint per stream, and "due" at the interval. Method: tables for the edges.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkpointDue, ReplayCheckpoints } from './replay-checkpoints.ts';

test('a checkpoint is due when the interval has been reached', () => {
  const cases: readonly [number, number, number, boolean][] = [
    [109, 100, 10, false],
    [110, 100, 10, true],
    [111, 100, 10, true],
    [100, 100, 10, false],
    [100, 100, 0, true],
    [90, 100, 10, false],
    [90, 100, 0, true],
    [2 ** 40, 0, 2 ** 40, true],
    [Number.NaN, 0, 0, false],
  ];
  for (const [current, last, interval, due] of cases) {
    assert.equal(checkpointDue(current, last, interval), due, `${current} after ${last}`);
    const checkpoints = new ReplayCheckpoints(interval);
    assert.equal(checkpoints.shouldCheckpoint(current, last), due, `${current} after ${last}`);
  }
});

test('recording again replaces the checkpoint of that id, even by a lower sequence', () => {
  const checkpoints = new ReplayCheckpoints(10);
  assert.equal(checkpoints.count, 0);
  assert.equal(checkpoints.get('models'), undefined);
  checkpoints.record({ id: 'models', sequence: 20, timestamp: 1000 });
  checkpoints.record({ id: 'policy', sequence: 3, timestamp: 1001 });
  checkpoints.record({ id: 'models', sequence: 15, timestamp: 1002 });
  assert.equal(checkpoints.count, 2);
  assert.deepEqual(checkpoints.get('models'), { id: 'models', sequence: 15, timestamp: 1002 });
});

test('a reset forgets all, and recording goes on afterwards', () => {
  const checkpoints = new ReplayCheckpoints(10);
  checkpoints.record({ id: 'models', sequence: 20, timestamp: 1000 });
  checkpoints.reset();
  assert.deepEqual([checkpoints.count, checkpoints.get('models')], [0, undefined]);
  checkpoints.record({ id: 'models', sequence: 1, timestamp: 1000 });
  assert.equal(checkpoints.count, 1);
});

test('a sequence or time that is no safe integer is refused, and the record before stays', () => {
  const checkpoints = new ReplayCheckpoints(10);
  checkpoints.record({ id: 'models', sequence: 20, timestamp: 1000 });
  for (const bad of [{ sequence: Number.NaN }, { timestamp: 0.5 }, { sequence: 2 ** 53 }]) {
    const outcome = checkpoints.record({ id: 'models', sequence: 30, timestamp: 1, ...bad });
    assert.equal(outcome.ok ? 'accepted' : outcome.error.code, 'invalid_replay_checkpoint');
    assert.match(outcome.ok ? '' : outcome.error.message, /replay checkpoint models: (seq|time)/);
  }
  assert.deepEqual(checkpoints.get('models'), { id: 'models', sequence: 20, timestamp: 1000 });
});

test('what is handed out and what was handed in cannot change the store', () => {
  const checkpoints = new ReplayCheckpoints(10);
  const given = { id: 'models', sequence: 20, timestamp: 1000 };
  checkpoints.record(given);
  given.sequence = 99;
  const taken = checkpoints.get('models');
  assert.throws(() => Object.assign(taken ?? {}, { sequence: 98 }), TypeError);
  assert.equal(checkpoints.get('models')?.sequence, 20);
});

test('an interval that is no whole number is a mistake of the program', () => {
  for (const interval of [-1, 1.5, Number.NaN]) {
    assert.throws(() => new ReplayCheckpoints(interval), /checkpoint interval/);
  }
});
