// Goal: the score says what the specification says, the comparator orders what the score cannot, and
// nothing ineligible is ever chosen. Method: tables of tiers and ties, and a property against a sort.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { instant } from '../../base/time.ts';
import { checkpoint, criteria, idsOf } from './checkpoint.test-support.ts';
import {
  chooseRestorePoint,
  compareForRestore,
  type RestoreCriteria,
  selectionScore,
} from './restore-point.ts';
import {
  checkpointStates,
  checkpointTypes,
  type TrainingCheckpoint,
} from './training-checkpoint.ts';

describe('checkpoint', () => {
  test('the score adds completeness, wanted type, recency and the cost of a chain', () => {
    const rows: readonly [string, Partial<TrainingCheckpoint>, Partial<RestoreCriteria>, number][] =
      [
        ['complete', { step: 1 }, {}, 4.5],
        ['complete at step 0', { step: 0 }, {}, 4],
        ['complete and full, as wanted', { step: 1 }, { preferFull: true }, 6.5],
        ['emergency is not full', { step: 1, type: 'emergency' }, { preferFull: true }, 4.5],
        ['incremental', { step: 3, parentId: 'p' }, {}, 4.5],
        ['incremental where full is wanted', { step: 3, parentId: 'p' }, { preferFull: true }, 4.5],
        ['creating', { step: 1, state: 'creating' }, { requireComplete: false }, 0.5],
        [
          'creating and incremental',
          { step: 0, state: 'creating', parentId: 'p' },
          { requireComplete: false },
          -0.25,
        ],
        ['creating where complete is required', { state: 'creating' }, {}, -1],
        ['corrupted', { state: 'corrupted' }, { requireComplete: false }, -1],
        ['deleted', { state: 'deleted' }, { requireComplete: false }, -1],
        ['another run', { trainingRunId: 'run-2' }, {}, -1],
        ['at the last step', { step: 7 }, { maxStep: 7 }, 4.875],
        ['beyond the last step', { step: 8 }, { maxStep: 7 }, -1],
        ['in the last epoch', { epoch: 3 }, { maxEpoch: 3 }, 4],
        ['beyond the last epoch', { epoch: 4 }, { maxEpoch: 3 }, -1],
        ['step 0 when that is the last', { step: 0 }, { maxStep: 0 }, 4],
        ['a bound that is no number', { step: 0 }, { maxStep: Number.NaN }, -1],
      ];
    for (const [name, facts, wanted, score] of rows) {
      assert.equal(selectionScore(checkpoint('c', facts), criteria(wanted)), score, name);
    }
  });

  test('the choice goes by tier, then step, epoch, time and id', () => {
    const rows: readonly [string, Partial<TrainingCheckpoint>, Partial<TrainingCheckpoint>][] = [
      ['complete before creating', { step: 1 }, { step: 9, state: 'creating' }],
      ['full before incremental', { step: 1 }, { step: 9, parentId: 'p' }],
      ['later step', { step: 9 }, { step: 8, epoch: 5, createdAt: instant(9) }],
      ['later epoch', { epoch: 2 }, { epoch: 1, createdAt: instant(9) }],
      ['later creation', { createdAt: instant(9) }, { createdAt: instant(8) }],
      ['eligible before ineligible', { step: 1 }, { step: 9, state: 'corrupted' }],
    ];
    const compare = compareForRestore(criteria({ requireComplete: false }));
    for (const [name, better, worse] of rows) {
      // The worse one has the lower id, so that only the named rule can make the better one win.
      assert.ok(compare(checkpoint('z', better), checkpoint('a', worse)) < 0, name);
      assert.ok(compare(checkpoint('a', worse), checkpoint('z', better)) > 0, name);
    }
    assert.ok(compare(checkpoint('a'), checkpoint('b')) < 0, 'lower id');
    assert.equal(compare(checkpoint('a'), checkpoint('a')), 0, 'itself');
  });

  test('a wanted full one wins over a later emergency one, and only when it is wanted', () => {
    const found = [
      checkpoint('full', { step: 1 }),
      checkpoint('late', { step: 9, type: 'emergency' }),
    ];
    const chosen = (preferFull: boolean) =>
      chooseRestorePoint(found, criteria({ preferFull }))?.checkpointId;
    assert.equal(chosen(true), 'full');
    assert.equal(chosen(false), 'late');
  });

  test('the comparator tells apart steps at which the score is the same double', () => {
    const [early, late] = [2 ** 52, 2 ** 52 + 1];
    const score = (step: number) => selectionScore(checkpoint('c', { step }), criteria());
    assert.equal(score(early), score(late));
    const candidates = [checkpoint('early', { step: early }), checkpoint('late', { step: late })];
    assert.equal(chooseRestorePoint(candidates, criteria())?.checkpointId, 'late');
  });

  test('among none that is eligible nothing is chosen', () => {
    assert.equal(chooseRestorePoint([], criteria()), undefined);
    const ineligible = [checkpoint('a', { state: 'corrupted' }), checkpoint('b', { step: 9 })];
    assert.equal(chooseRestorePoint(ineligible, criteria({ maxStep: 8 })), undefined);
  });

  const anyCheckpoint = fc
    .record({
      step: fc.nat(3),
      epoch: fc.nat(2),
      createdAt: fc.nat(2).map(instant),
      state: fc.constantFrom(...checkpointStates),
      type: fc.constantFrom(...checkpointTypes),
      trainingRunId: fc.constantFrom('run-1', 'run-1', 'run-2'),
    })
    .map((facts) => (id: string) => checkpoint(id, facts));
  const anyCriteria = fc.record({
    trainingRunId: fc.constant('run-1'),
    maxStep: fc.option(fc.nat(3), { nil: undefined }),
    maxEpoch: fc.option(fc.nat(2), { nil: undefined }),
    requireComplete: fc.boolean(),
    preferFull: fc.boolean(),
  });

  holds(
    'the choice is the first of the eligible ones in the order of the comparator, in any input order',
    fc.property(
      fc.array(anyCheckpoint, { maxLength: 12, size: 'max' }),
      anyCriteria,
      (makers, wanted) => {
        const all = makers.map((make, i) => make(`c-${i}`));
        const eligible = all.filter((one) => selectionScore(one, wanted) !== -1);
        const best = eligible.toSorted(compareForRestore(wanted))[0];
        assert.equal(chooseRestorePoint(all, wanted), best);
        assert.equal(chooseRestorePoint(all.toReversed(), wanted), best);
        const order = idsOf(all.toSorted(compareForRestore(wanted)));
        assert.deepEqual(
          idsOf(all.toReversed().sort(compareForRestore(wanted))),
          order,
          'total order',
        );
      },
    ),
  );
});
