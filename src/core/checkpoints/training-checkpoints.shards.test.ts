// Goal: a distributed save is complete only when every rank has reported, and repeated, late or
// contradicting reports are answered on purpose. Method: stories of a save by three ranks.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { accepted, refusal, Training } from './checkpoint.test-support.ts';

function shard(rank: number, sizeBytes = 10) {
  return { rank, sizeBytes, storagePath: `checkpoints/c-1/${rank}` };
}

const manifest = { sizeBytes: 31, storagePath: 'checkpoints/c-1/manifest' };

describe('checkpoint', () => {
  test('it becomes complete only after all ranks have reported, in whatever order', () => {
    const training = new Training();
    const id = training.begin({ ranks: 3 });
    for (const [reported, rank] of [2, 0].entries()) {
      const early = training.checkpoints.complete(id, manifest);
      const words = `${reported} ranks have reported a shard, but all 3 must`;
      const told = `shards_missing: checkpoint "c-1" cannot be completed: ${words}`;
      assert.equal(refusal(early), told);
      const done = accepted(training.checkpoints.reportShard(id, shard(rank)));
      assert.deepEqual(done.value, { reported: reported + 1, ranks: 3 });
      const event = { kind: 'checkpoint_shard_reported', checkpointId: id, shard: shard(rank) };
      assert.deepEqual(done.events, [event]);
    }
    accepted(training.checkpoints.reportShard(id, shard(1)));
    assert.equal(training.checkpoints.get(id)?.state, 'creating', 'the manifest is still to come');
    assert.equal(training.checkpoints.totalSize(), 0);
    const whole = accepted(training.checkpoints.complete(id, manifest)).value;
    assert.deepEqual([whole.state, whole.sizeBytes], ['complete', 31]);
    assert.deepEqual(training.checkpoints.shards(id), [shard(0), shard(1), shard(2)]);
  });

  test('the same report again changes nothing and tells nothing, also after completion', () => {
    const training = new Training();
    const id = training.begin({ ranks: 1 });
    accepted(training.checkpoints.reportShard(id, shard(0)));
    const again = { value: { reported: 1, ranks: 1 }, events: [] };
    assert.deepEqual(accepted(training.checkpoints.reportShard(id, shard(0))), again);
    accepted(training.checkpoints.complete(id, manifest));
    assert.deepEqual(accepted(training.checkpoints.reportShard(id, shard(0))), again);
  });

  test('a rank that reports something else than before is refused', () => {
    const training = new Training();
    const id = training.begin({ ranks: 2 });
    accepted(training.checkpoints.reportShard(id, shard(0)));
    const words = 'rank 0 of checkpoint "c-1" has reported another shard, but may report only one';
    assert.equal(
      refusal(training.checkpoints.reportShard(id, shard(0, 11))),
      `shard_conflict: ${words}`,
    );
    assert.deepEqual(training.checkpoints.shards(id), [shard(0)]);
  });

  test('a rank that does not exist, a size and a path that cannot be are refused', () => {
    const training = new Training();
    const id = training.begin({ ranks: 2 });
    for (const rank of [-1, 2, 0.5, Number.NaN]) {
      const told = refusal(training.checkpoints.reportShard(id, shard(rank)));
      const words = `rank is ${rank}, but must be within 0..1`;
      assert.equal(told, `invalid_checkpoint: shard of checkpoint "c-1": ${words}`);
    }
    const bad = { rank: 0, sizeBytes: -1, storagePath: '' };
    const told = refusal(training.checkpoints.reportShard(id, bad));
    assert.match(told, /sizeBytes is -1, .*; storagePath is "", but must be not empty$/);
    assert.deepEqual(training.checkpoints.shards(id), []);
  });

  test('a save by one writer takes no shards', () => {
    const training = new Training();
    const id = training.begin();
    const told = refusal(training.checkpoints.reportShard(id, shard(0)));
    assert.match(told, /rank is 0, but must be absent, for one writer saves it all/);
  });

  test('no shard is taken by what is whole, corrupted or deleted', () => {
    for (const end of ['complete', 'corrupted', 'deleted'] as const) {
      const training = new Training();
      const id = training.begin({ ranks: 1 });
      if (end === 'complete') {
        accepted(training.checkpoints.reportShard(id, shard(0)));
        accepted(training.checkpoints.complete(id, manifest));
      }
      if (end === 'corrupted') accepted(training.checkpoints.markCorrupted(id));
      if (end === 'deleted') accepted(training.checkpoints.delete(id));
      const told = refusal(training.checkpoints.reportShard(id, shard(0, 99)));
      const words = `checkpoint "c-1" cannot take a shard: it is ${end}, but must be creating`;
      assert.equal(told, `transition_forbidden: ${words}`);
    }
  });

  test('a whole that is smaller than its shards is refused', () => {
    const training = new Training();
    const id = training.begin({ ranks: 2 });
    for (const rank of [0, 1]) accepted(training.checkpoints.reportShard(id, shard(rank)));
    const told = refusal(training.checkpoints.complete(id, { ...manifest, sizeBytes: 19 }));
    assert.match(told, /sizeBytes is 19, but must be at least 20, the bytes of its shards/);
    accepted(training.checkpoints.complete(id, { ...manifest, sizeBytes: 20 }));
  });

  test('a dead rank leaves nothing that looks complete, and its save can be given up', () => {
    const training = new Training();
    const safe = training.save({ step: 1 });
    const id = training.begin({ step: 2, ranks: 2 });
    accepted(training.checkpoints.reportShard(id, shard(0)));
    accepted(training.checkpoints.markCorrupted(id, 'creating'));
    assert.deepEqual(training.checkpoints.complete(id, manifest).ok, false);
    const wanted = { trainingRunId: 'run-1', requireComplete: true, preferFull: false };
    const { value } = training.checkpoints.findRestorePoint(wanted);
    assert.equal(value?.checkpoint.checkpointId, safe);
    accepted(training.checkpoints.delete(id));
    assert.deepEqual(training.checkpoints.shards(id), []);
  });
});
