// Goal: each rule for a single checkpoint is refused by name, value and bound. Method: a table of
// records, each wrong in one way, and one that is wrong in many.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { instant } from '../../base/time.ts';
import { byId, checkpoint, refusal } from './checkpoint.test-support.ts';
import { validateCheckpoint } from './checkpoint-validation.ts';
import type { TrainingCheckpoint } from './training-checkpoint.ts';

const parent = checkpoint('parent', { step: 10, epoch: 2 });
const others = byId(
  parent,
  checkpoint('tombstone', { state: 'deleted' }),
  checkpoint('corrupted', { state: 'corrupted' }),
  checkpoint('elsewhere', { trainingRunId: 'run-2' }),
  checkpoint('x', { parentId: 'y', step: 1 }),
  checkpoint('y', { parentId: 'x', step: 1 }),
  checkpoint('back', { parentId: 'new', step: 1 }),
);

const child = { step: 11, epoch: 2, parentId: 'parent' };

describe('checkpoint', () => {
  test('a record that breaks no rule is valid', () => {
    const valid: readonly [string, Partial<TrainingCheckpoint>][] = [
      ['full', {}],
      ['emergency', { type: 'emergency' }],
      ['incremental', child],
      ['in a later epoch', { ...child, epoch: 3 }],
      ['being written, without a path', { state: 'creating', storagePath: '', sizeBytes: 0 }],
      ['on a corrupted parent', { step: 1, parentId: 'corrupted' }],
    ];
    for (const [name, facts] of valid) {
      const given = checkpoint('new', facts);
      assert.deepEqual(validateCheckpoint(given, others), { ok: true, value: given }, name);
    }
  });

  test('a record that breaks a rule is refused with the field, the value and the bound', () => {
    const invalid: readonly [Partial<TrainingCheckpoint>, string][] = [
      [{ storagePath: '' }, 'storagePath is "", but must be not empty'],
      [{ storagePath: ' ' }, 'storagePath is " ", but must be not empty'],
      [{ state: 'corrupted', storagePath: '' }, 'storagePath is "", but must be not empty'],
      [{ trainingRunId: '' }, 'trainingRunId is "", but must be not empty'],
      [
        { ...child, step: 10 },
        'step is 10, but must be greater than 10, that of its parent "parent"',
      ],
      [
        { ...child, step: 9 },
        'step is 9, but must be greater than 10, that of its parent "parent"',
      ],
      [{ ...child, epoch: 1 }, 'epoch is 1, but must be at least 2, that of its parent "parent"'],
      [{ type: 'incremental' }, 'parentId is undefined, but must be the id of a checkpoint'],
      [{ parentId: 'gone', step: 1 }, 'parentId is "gone", but must be the id of a checkpoint'],
      [{ parentId: 'tombstone', step: 1 }, 'must be the id of a checkpoint that is not deleted'],
      [{ parentId: 'elsewhere', step: 1 }, 'must be the id of a checkpoint of run "run-1"'],
      [{ ...child, type: 'full' }, 'must be absent from a checkpoint that is full'],
      [{ ...child, type: 'emergency' }, 'must be absent from a checkpoint that is emergency'],
      [
        { parentId: 'new', step: 1 },
        'step is 1, but must be greater than 1, that of its parent "new"',
      ],
      [{ parentId: 'new' }, 'parentId is "new", but must be outside of a circle'],
      [{ parentId: 'back', step: 2 }, 'parentId is "back", but must be outside of a circle'],
      [{ parentId: 'x', step: 2 }, 'parentId is "x", but must be outside of a circle'],
      [{ step: Number.NaN }, 'step is NaN, but must be a whole number from 0 to 2^53 - 1'],
      [{ epoch: 0.5 }, 'epoch is 0.5, but must be a whole number'],
      [
        { sizeBytes: Number.POSITIVE_INFINITY },
        'sizeBytes is Infinity, but must be a whole number',
      ],
      [{ sizeBytes: 2 ** 53 }, 'sizeBytes is 9007199254740992, but must be a whole number'],
      [{ createdAt: instant(-1) }, 'createdAt is -1, but must be a whole number'],
      [{ ranks: -1 }, 'ranks is -1, but must be a whole number'],
    ];
    for (const [facts, words] of invalid) {
      const told = refusal(validateCheckpoint(checkpoint('new', facts), others));
      assert.ok(told.startsWith('invalid_checkpoint: checkpoint "new": '), told);
      assert.ok(told.includes(words), `${told} should say: ${words}`);
    }
  });

  test('all faults are told together', () => {
    const outcome = validateCheckpoint(
      checkpoint('new', { ...child, step: 1, epoch: 1, storagePath: '', type: 'full' }),
      others,
    );
    const fields = outcome.ok ? [] : outcome.error.details?.map(({ field }) => field);
    assert.deepEqual(fields, ['storagePath', 'parentId', 'step', 'epoch']);
  });
});
