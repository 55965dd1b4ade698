// Goal: every command does what the specification says, refuses with words that name the id and the
// bound, and tells what it did. Method: stories of a run that saves, and tables of what is refused.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { instant } from '../../base/time.ts';
import {
  accepted,
  criteria,
  idsOf,
  keepAll,
  refusal,
  Training,
} from './checkpoint.test-support.ts';
import { ranksMax } from './checkpoint-creation.ts';
import type { CheckpointState } from './training-checkpoint.ts';
import { TrainingCheckpoints } from './training-checkpoints.ts';

const stored = { sizeBytes: 100, storagePath: 'checkpoints/x' };

/** One checkpoint, brought into `state`. */
function trainingWith(state: CheckpointState): {
  readonly training: Training;
  readonly id: string;
} {
  const training = new Training();
  const id = state === 'creating' ? training.begin() : training.save();
  if (state === 'corrupted') accepted(training.checkpoints.markCorrupted(id));
  if (state === 'deleted') accepted(training.checkpoints.delete(id));
  assert.equal(training.checkpoints.get(id)?.state, state);
  return { training, id };
}

describe('checkpoint', () => {
  test('a new one is creating, empty and without a path, and its event holds the whole record', () => {
    const { checkpoints } = new Training();
    const request = { trainingRunId: 'run-1', epoch: 2, step: 30, metrics: { loss: 0.5 } };
    const done = accepted(checkpoints.create({ ...request, type: 'full' }, instant(9000)));
    const record = {
      checkpointId: 'c-1',
      trainingRunId: 'run-1',
      epoch: 2,
      step: 30,
      type: 'full',
      state: 'creating',
      sizeBytes: 0,
      createdAt: 9000,
      metrics: { loss: 0.5 },
      storagePath: '',
      ranks: 0,
    } as const;
    assert.deepEqual(done.value, {
      checkpoint: record,
      made: 'as_requested',
      droppedMetrics: [],
    });
    assert.deepEqual(done.events, [{ kind: 'checkpoint_created', checkpoint: record }]);
    assert.deepEqual(checkpoints.get('c-1'), record);
  });

  test('completing gives it its size and its path', () => {
    const { training, id } = trainingWith('creating');
    const done = accepted(training.checkpoints.complete(id, stored));
    assert.equal(done.value.state, 'complete');
    assert.deepEqual([done.value.sizeBytes, done.value.storagePath], [100, 'checkpoints/x']);
    assert.deepEqual(done.events, [{ kind: 'checkpoint_completed', checkpointId: id, ...stored }]);
    assert.equal(training.checkpoints.get(id), done.value);
  });

  test('each command is allowed from exactly the states of the diagram', () => {
    const allowed: Readonly<Record<string, readonly CheckpointState[]>> = {
      complete: ['creating'],
      markCorrupted: ['creating', 'complete'],
      delete: ['creating', 'complete', 'corrupted'],
    };
    for (const state of ['creating', 'complete', 'corrupted', 'deleted'] as const) {
      for (const command of ['complete', 'markCorrupted', 'delete'] as const) {
        const { training, id } = trainingWith(state);
        const { checkpoints } = training;
        const before = checkpoints.get(id);
        const outcome =
          command === 'complete' ? checkpoints.complete(id, stored) : checkpoints[command](id);
        const expected = allowed[command]?.includes(state) ?? false;
        assert.equal(outcome.ok, expected, `${command} from ${state}`);
        if (outcome.ok) continue;
        assert.equal(outcome.error.code, 'transition_forbidden');
        assert.match(
          outcome.error.message,
          new RegExp(`"${id}" cannot be .*: it is ${state}, but`),
        );
        assert.equal(checkpoints.get(id), before, 'a refusal changes nothing');
      }
    }
  });

  test('an id that never was is refused by name, and get answers with nothing', () => {
    const { checkpoints } = new Training();
    const shard = { rank: 0, sizeBytes: 1, storagePath: 'p' };
    for (const outcome of [
      checkpoints.complete('gone', stored),
      checkpoints.markCorrupted('gone'),
      checkpoints.delete('gone'),
      checkpoints.reportShard('gone', shard),
    ]) {
      assert.equal(refusal(outcome), 'checkpoint_not_found: there is no checkpoint "gone"');
    }
    assert.equal(checkpoints.get('gone'), undefined);
  });

  test('a size that is no count and a path that is blank are refused together, and nothing changes', () => {
    const { training, id } = trainingWith('creating');
    const cases: readonly [number, string, string][] = [
      [Number.NaN, 'p', 'sizeBytes is NaN'],
      [-1, 'p', 'sizeBytes is -1'],
      [2 ** 53, 'p', 'sizeBytes is 9007199254740992'],
      [1, '', 'storagePath is ""'],
      [1, ' \t', 'storagePath is " \\t"'],
      [0.5, '', 'storagePath is ""'],
    ];
    for (const [sizeBytes, storagePath, words] of cases) {
      const outcome = training.checkpoints.complete(id, { sizeBytes, storagePath });
      assert.match(refusal(outcome), /^invalid_checkpoint: checkpoint "c-1": /);
      assert.ok(refusal(outcome).includes(words), words);
    }
    assert.equal(training.checkpoints.get(id)?.state, 'creating');
    assert.equal(training.checkpoints.totalSize(), 0);
  });

  test('sizes together stay a number that counts exactly', () => {
    const training = new Training();
    const [first, second] = [training.begin(), training.begin({ step: 1 })];
    const most = Number.MAX_SAFE_INTEGER;
    accepted(training.checkpoints.complete(first, { ...stored, sizeBytes: most - 10 }));
    const tooMuch = training.checkpoints.complete(second, { ...stored, sizeBytes: 11 });
    assert.match(refusal(tooMuch), /sizeBytes is 11, but must be at most 10/);
    accepted(training.checkpoints.complete(second, { ...stored, sizeBytes: 10 }));
    assert.equal(training.checkpoints.totalSize(), most);
  });

  test('a request that cannot be is refused with every field at fault, and draws no id', () => {
    const training = new Training();
    const request = { trainingRunId: ' ', epoch: -1, step: Number.NaN, ranks: ranksMax + 1 };
    const outcome = training.checkpoints.create(
      { ...request, type: 'full', metrics: {} },
      instant(Number.NaN),
    );
    assert.ok(!outcome.ok && outcome.error.code === 'invalid_checkpoint');
    const fields = outcome.error.details?.map(({ field }) => field);
    assert.deepEqual(fields, ['trainingRunId', 'epoch', 'step', 'now', 'ranks']);
    assert.equal(training.begin(), 'c-1');
  });

  test('an id that is drawn twice is refused, and the first checkpoint stays', () => {
    const { checkpoints } = new Training({ newId: () => 'same' });
    const request = {
      trainingRunId: 'run-1',
      epoch: 0,
      step: 1,
      type: 'full',
      metrics: {},
    } as const;
    accepted(checkpoints.create(request, instant(0)));
    const again = checkpoints.create({ ...request, step: 2 }, instant(0));
    assert.equal(refusal(again), 'checkpoint_exists: checkpoint "same" exists already');
    accepted(checkpoints.delete('same'));
    assert.equal(
      refusal(checkpoints.create(request, instant(0))).split(':')[0],
      'checkpoint_exists',
    );
    assert.equal(checkpoints.totalCount(), 0, 'a tombstone keeps its id');
  });

  test('metrics that are not finite are dropped and named, and the save is not lost', () => {
    const { checkpoints } = new Training();
    const metrics = { loss: Number.NaN, accuracy: 0.5, z: Number.NEGATIVE_INFINITY };
    const request = { trainingRunId: 'run-1', epoch: 0, step: 0, type: 'full', metrics } as const;
    const { value } = accepted(checkpoints.create(request, instant(0)));
    assert.deepEqual(value.droppedMetrics, ['loss', 'z']);
    assert.deepEqual(value.checkpoint.metrics, { accuracy: 0.5 });
  });

  test('an incremental one builds on the newest complete one of its run, by step', () => {
    const training = new Training();
    training.save({ step: 10 });
    const newest = training.save({ step: 30 });
    training.save({ step: 20 });
    training.begin({ step: 40 });
    training.save({ step: 50, trainingRunId: 'run-2' });
    const id = training.begin({ step: 60, type: 'incremental' });
    assert.equal(training.checkpoints.get(id)?.parentId, newest);
    assert.equal(training.checkpoints.get(id)?.type, 'incremental');
  });

  test('an incremental one without anything to build on is made full, and the result says so', () => {
    const stories: readonly [string, (training: Training) => void][] = [
      ['an empty run', () => {}],
      ['one being written', (training) => training.begin({ step: 1 })],
      [
        'a corrupted one',
        (training) => training.checkpoints.markCorrupted(training.save({ step: 1 })),
      ],
      ['a deleted one', (training) => training.checkpoints.delete(training.save({ step: 1 }))],
      ['another run', (training) => training.save({ step: 1, trainingRunId: 'run-2' })],
      ['only later steps', (training) => training.save({ step: 10 })],
      ['only later epochs', (training) => training.save({ step: 1, epoch: 9 })],
    ];
    for (const [name, prepare] of stories) {
      const training = new Training();
      prepare(training);
      const request = { trainingRunId: 'run-1', epoch: 3, step: 10, metrics: {} };
      const outcome = training.checkpoints.create({ ...request, type: 'incremental' }, instant(0));
      const { value } = accepted(outcome);
      assert.equal(value.made, 'full_without_base', name);
      assert.equal(value.checkpoint.type, 'full', name);
      assert.equal(value.checkpoint.parentId, undefined, name);
    }
  });

  test('after going back in steps, an incremental one builds on what lies before it', () => {
    const training = new Training();
    const before = training.save({ step: 100 });
    training.save({ step: 150 });
    const id = training.begin({ step: 110, type: 'incremental' });
    assert.equal(training.checkpoints.get(id)?.parentId, before);
  });

  test('nothing is built on a chain that holds a corrupted one', () => {
    const training = new Training();
    const sound = training.save({ step: 1 });
    const base = training.save({ step: 2 });
    training.save({ step: 3, type: 'incremental' });
    accepted(training.checkpoints.markCorrupted(base));
    const id = training.begin({ step: 4, type: 'incremental' });
    assert.equal(training.checkpoints.get(id)?.parentId, sound);
  });

  test('full and emergency ones stand alone', () => {
    const training = new Training();
    training.save({ step: 1 });
    for (const type of ['full', 'emergency'] as const) {
      const id = training.begin({ step: 2, type });
      assert.equal(training.checkpoints.get(id)?.parentId, undefined);
      assert.equal(training.checkpoints.get(id)?.type, type);
    }
  });

  test('deleting leaves a tombstone that is in no list, count, size or latest', () => {
    const training = new Training();
    const [first, last] = [training.save({ step: 1 }), training.save({ step: 2 })];
    const done = accepted(training.checkpoints.delete(last));
    const rule = 'requested';
    assert.deepEqual(done.events, [{ kind: 'checkpoint_deleted', checkpointId: last, rule }]);
    const { checkpoints } = training;
    assert.equal(checkpoints.get(last)?.state, 'deleted');
    assert.equal(checkpoints.get(last)?.sizeBytes, 100, 'the tombstone says what it was');
    assert.deepEqual(training.live(), [first]);
    assert.equal(checkpoints.getLatest('run-1')?.checkpointId, first);
    assert.deepEqual([checkpoints.totalCount(), checkpoints.totalSize()], [1, 100]);
  });

  test('a parent is not deleted while a live incremental one builds on it', () => {
    const training = new Training();
    const base = training.save({ step: 1 });
    const [one, two] = [2, 3].map((step) => {
      const id = training.begin({ step, type: 'incremental' });
      assert.equal(training.checkpoints.get(id)?.parentId, base);
      return id;
    });
    assert.ok(one !== undefined && two !== undefined);
    const words = `must stay: 2 live checkpoints build on it, "${one}" for one`;
    const { checkpoints } = training;
    assert.equal(
      refusal(checkpoints.delete(base)),
      `checkpoint_in_use: checkpoint "${base}" ${words}`,
    );
    accepted(checkpoints.delete(one));
    assert.equal(refusal(checkpoints.delete(base)).split(':')[0], 'checkpoint_in_use');
    accepted(checkpoints.markCorrupted(two));
    const stillLive = refusal(checkpoints.delete(base));
    assert.equal(stillLive.split(':')[0], 'checkpoint_in_use', 'a corrupted child is live');
    accepted(checkpoints.delete(two));
    accepted(checkpoints.delete(base));
  });

  test('the list of a run ascends by step, time of creation and id, and the latest is its last', () => {
    const training = new Training();
    const places: readonly [number, number][] = [
      [5, 9],
      [1, 3],
      [5, 2],
      [3, 1],
      [5, 2],
    ];
    for (const [step, at] of places) training.save({ step }, at);
    assert.deepEqual(training.live(), ['c-2', 'c-4', 'c-3', 'c-5', 'c-1']);
    assert.equal(training.checkpoints.getLatest('run-1')?.checkpointId, 'c-1');
  });

  test('the latest is the highest live step, whatever its state', () => {
    const training = new Training();
    training.save({ step: 1 });
    const late = training.begin({ step: 2 });
    assert.equal(training.checkpoints.getLatest('run-1')?.checkpointId, late);
    accepted(training.checkpoints.markCorrupted(late));
    assert.equal(training.checkpoints.getLatest('run-1')?.checkpointId, late);
  });

  test('a run that never saved has nothing', () => {
    const { checkpoints } = new Training();
    assert.deepEqual(checkpoints.listForRun('none'), []);
    assert.equal(checkpoints.getLatest('none'), undefined);
    assert.deepEqual(
      checkpoints.findByMetric('none', 1, { metricKey: 'loss', ascending: true }),
      [],
    );
    assert.deepEqual(checkpoints.findRestorePoint(criteria()), { value: undefined, events: [] });
    assert.deepEqual(checkpoints.gc(instant(1e12)), { value: [], events: [] });
    assert.deepEqual([checkpoints.totalCount(), checkpoints.totalSize()], [0, 0]);
  });

  test('totals count the live ones of all runs', () => {
    const training = new Training();
    training.save({ step: 1 });
    training.save({ step: 1, trainingRunId: 'run-2' });
    training.begin({ step: 2 });
    const corrupted = training.save({ step: 3 });
    accepted(training.checkpoints.markCorrupted(corrupted));
    assert.equal(training.checkpoints.totalCount(), 4);
    assert.equal(training.checkpoints.totalSize(), 300);
  });

  test('a restore point comes with the chain to apply and is told as a decision', () => {
    const training = new Training();
    training.save({ step: 1 });
    const chosen = training.save({ step: 2 });
    training.save({ step: 3 });
    const wanted = criteria({ maxStep: 2 });
    const { value, events } = training.checkpoints.findRestorePoint(wanted);
    assert.equal(value?.checkpoint, training.checkpoints.get(chosen));
    assert.deepEqual(value?.chain, [chosen]);
    assert.deepEqual(events, [{ kind: 'restore_point_chosen', criteria: wanted, chain: [chosen] }]);
  });

  test('the cost of a chain weighs more than recency, so a full one wins over what builds on it', () => {
    const training = new Training();
    const base = training.save({ step: 1 });
    training.save({ step: 2, type: 'incremental' });
    const { value } = training.checkpoints.findRestorePoint(criteria());
    assert.deepEqual(value?.chain, [base]);
  });

  test('a chain with a corrupted element is never a restore point, however good its tip', () => {
    const training = new Training();
    const old = training.save({ step: 1, type: 'emergency' });
    const base = training.save({ step: 2 });
    training.save({ step: 3, type: 'incremental' });
    training.save({ step: 4, type: 'incremental' });
    accepted(training.checkpoints.markCorrupted(base));
    for (const requireComplete of [true, false]) {
      const { value } = training.checkpoints.findRestorePoint(criteria({ requireComplete }));
      assert.deepEqual(value?.chain, [old]);
    }
  });

  test('an unfinished one is a restore point only where completeness is not required', () => {
    const training = new Training();
    const writing = training.begin({ step: 9 });
    assert.equal(training.checkpoints.findRestorePoint(criteria()).value, undefined);
    const found = training.checkpoints.findRestorePoint(criteria({ requireComplete: false }));
    assert.deepEqual(found.value?.chain, [writing]);
  });

  test('retention deletes over all runs, tells each deletion with its rule, and then has nothing to do', () => {
    const retention = { ...keepAll, maxCheckpointsPerRun: 2, maxAgeSeconds: 50 };
    const training = new Training({ retention });
    for (const step of [1, 60, 61, 62]) training.save({ step, trainingRunId: 'run-2' });
    for (const step of [2, 61]) training.save({ step, trainingRunId: 'run-1' });
    const before = training.checkpoints.planGc(instant(100_000));
    const done = training.checkpoints.gc(instant(100_000));
    assert.deepEqual(done.value, ['c-5', 'c-1', 'c-2']);
    const told = [
      { checkpointId: 'c-5', rule: 'max_age' },
      { checkpointId: 'c-1', rule: 'max_age' },
      { checkpointId: 'c-2', rule: 'max_per_run' },
    ];
    assert.deepEqual(before, told, 'the preview is what happens');
    assert.deepEqual(done.events, [
      ...told.map((deletion) => ({ kind: 'checkpoint_deleted', ...deletion })),
      { kind: 'retention_applied', deleted: ['c-5', 'c-1', 'c-2'] },
    ]);
    assert.deepEqual(training.gc(100), []);
    assert.deepEqual(training.live('run-2'), ['c-3', 'c-4']);
    assert.equal(training.checkpoints.get('c-1')?.state, 'deleted');
  });

  test('a preview of retention changes nothing', () => {
    const training = new Training({ retention: { ...keepAll, maxCheckpointsPerRun: 0 } });
    training.save({ step: 1 });
    training.save({ step: 2 });
    assert.equal(training.checkpoints.planGc(instant(0)).length, 1);
    assert.equal(training.checkpoints.totalCount(), 2);
  });

  test('by metric: strictly better than the threshold, best first, live ones of that run only', () => {
    const training = new Training();
    for (const [step, loss] of [0.5, 0.2, 0.3, 0.9].entries()) {
      training.save({ step, metrics: { loss } });
    }
    training.save({ step: 9, metrics: { loss: 0.1 }, trainingRunId: 'run-2' });
    training.save({ step: 9 });
    accepted(training.checkpoints.delete('c-2'));
    const found = (threshold: number, ascending: boolean) =>
      idsOf(
        training.checkpoints.findByMetric('run-1', threshold, { metricKey: 'loss', ascending }),
      );
    assert.deepEqual(found(0.5, true), ['c-3']);
    assert.deepEqual(found(0.3, false), ['c-4', 'c-1']);
    assert.deepEqual(found(0.1, true), []);
  });

  test('a save is due after so many steps since the last one at or before the step', () => {
    const training = new Training({ saveIntervalSteps: 100 });
    const due = (step: number) => training.checkpoints.isSaveDue('run-1', step);
    assert.deepEqual([due(99), due(100)], [false, true], 'from step 0');
    training.save({ step: 100 });
    assert.deepEqual([due(100), due(199), due(200)], [false, false, true]);
    const failed = training.begin({ step: 200 });
    assert.deepEqual([due(200), due(299)], [false, false], 'one being written counts');
    accepted(training.checkpoints.markCorrupted(failed));
    assert.deepEqual([due(199), due(200)], [false, true], 'a corrupted one does not');
    training.save({ step: 500 });
    assert.deepEqual([due(499), due(500), due(599), due(600)], [true, false, false, true]);
    assert.equal(due(150), false, 'after going back, the save before it counts');
  });

  test('what is handed out and what was handed in cannot change the store', () => {
    const training = new Training();
    const metrics = { loss: 0.5 };
    const id = training.save({ metrics });
    metrics.loss = 9;
    const record = training.checkpoints.get(id);
    assert.equal(record?.metrics['loss'], 0.5);
    assert.throws(() => Object.assign(record ?? {}, { step: 9 }), TypeError);
    assert.throws(() => Object.assign(record?.metrics ?? {}, { loss: 9 }), TypeError);
    assert.equal(
      Reflect.apply(Array.prototype.pop, training.checkpoints.listForRun('run-1'), []),
      record,
    );
    assert.deepEqual(training.live(), [id]);
  });

  test('settings that cannot be are mistakes of the program', () => {
    const newId = () => 'c';
    const bad = { ...keepAll, keepBestN: -1 };
    assert.throws(
      () => new TrainingCheckpoints({ retention: bad, saveIntervalSteps: 1, newId }),
      /keepBestN is -1/,
    );
    assert.throws(
      () => new TrainingCheckpoints({ retention: keepAll, saveIntervalSteps: 0.5, newId }),
      /save interval 0.5/,
    );
  });

  test('ten thousand saves in a run are chosen from and cleaned up', () => {
    const retention = { ...keepAll, maxCheckpointsPerRun: 50, keepBestN: 5 };
    const training = new Training({ retention });
    for (let step = 0; step < 10_000; step += 1) {
      const type = step % 10 === 0 ? 'full' : 'incremental';
      training.save({ step, type, metrics: { loss: (step * 7919) % 10_007 } });
    }
    const { value } = training.checkpoints.findRestorePoint(criteria());
    assert.equal(value?.checkpoint.step, 9990);
    const deleted = training.gc(0);
    assert.ok(deleted.length > 9900);
    assert.ok(training.live().length >= 50);
    assert.deepEqual(training.gc(0), []);
  });
});
