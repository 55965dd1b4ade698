// Goal: whoever races whom, one wins and nothing is lost. Method: promises that interleave at every
// await, in every order of two; and worker threads that send commands to the thread that owns the
// checkpoints, in whatever order the machine delivers them.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { instant } from '../../base/time.ts';
import { accepted, byId, criteria, keepAll, Training } from './checkpoint.test-support.ts';
import { walkToRoot } from './checkpoint-chain.ts';
import type { ClientAnswer, ClientCommand, ClientTask } from './checkpoint-client.test-support.ts';

const stored = { sizeBytes: 100, storagePath: 'checkpoints/x' };

/** Runs both, each after its number of turns of the event loop's promise queue. */
async function race<A, B>(
  [turnsA, a]: readonly [number, () => A],
  [turnsB, b]: readonly [number, () => B],
): Promise<readonly [A, B]> {
  const after = async <T>(turns: number, act: () => T): Promise<T> => {
    for (let turn = 0; turn < turns; turn += 1) await undefined;
    return act();
  };
  return Promise.all([after(turnsA, a), after(turnsB, b)]);
}

const orders = [
  [0, 0],
  [0, 1],
  [1, 0],
  [2, 1],
  [1, 2],
] as const;

describe('checkpoint', () => {
  test('a completion and a mark that both saw it creating leave exactly one winner', async () => {
    for (const [completing, marking] of orders) {
      const training = new Training();
      const { checkpoints } = training;
      const id = training.begin();
      const [completed, marked] = await race(
        [completing, () => checkpoints.complete(id, stored)],
        [marking, () => checkpoints.markCorrupted(id, 'creating')],
      );
      assert.notEqual(completed.ok, marked.ok, 'one of them');
      const state = checkpoints.get(id)?.state;
      assert.equal(state, completed.ok ? 'complete' : 'corrupted');
      const loser = completed.ok ? marked : completed;
      assert.equal(loser.ok ? '' : loser.error.code, 'transition_forbidden');
    }
  });

  test('a mark that takes any state ends corrupted, and a completion never undoes it', async () => {
    for (const [completing, marking] of orders) {
      const training = new Training();
      const id = training.begin();
      await race(
        [completing, () => training.checkpoints.complete(id, stored)],
        [marking, () => training.checkpoints.markCorrupted(id)],
      );
      assert.equal(training.checkpoints.get(id)?.state, 'corrupted');
    }
  });

  test('of two completions, and of two deletions, one is refused', async () => {
    for (const [first, second] of orders) {
      const training = new Training();
      const { checkpoints } = training;
      const id = training.begin();
      const completions = await race(
        [first, () => checkpoints.complete(id, stored)],
        [second, () => checkpoints.complete(id, { ...stored, sizeBytes: 200 })],
      );
      assert.deepEqual(completions.map(({ ok }) => ok).sort(), [false, true]);
      assert.equal(checkpoints.totalSize(), completions[0].ok ? 100 : 200);
      const deletions = await race(
        [first, () => checkpoints.delete(id)],
        [second, () => checkpoints.delete(id)],
      );
      assert.deepEqual(deletions.map(({ ok }) => ok).sort(), [false, true]);
    }
  });

  test('retention racing a creation never takes the parent that was just linked to', async () => {
    for (const [creating, cleaning] of orders) {
      const retention = { ...keepAll, maxCheckpointsPerRun: 0, maxAgeSeconds: 0 };
      const training = new Training({ retention });
      training.save({ step: 1 });
      training.save({ step: 2 });
      const [id] = await race(
        [creating, () => training.begin({ step: 3, type: 'incremental' })],
        [cleaning, () => training.gc(1e9)],
      );
      const parent = training.checkpoints.get(training.checkpoints.get(id)?.parentId ?? '');
      assert.equal(parent?.state, 'complete');
      assert.ok(!training.gc(1e9).includes(parent.checkpointId));
    }
  });

  test('a deletion racing a creation takes the parent or is refused, never leaves an orphan', async () => {
    for (const [creating, deleting] of orders) {
      const training = new Training();
      const base = training.save({ step: 1 });
      const [id, deleted] = await race(
        [creating, () => training.begin({ step: 2, type: 'incremental' })],
        [deleting, () => training.checkpoints.delete(base)],
      );
      const created = training.checkpoints.get(id);
      assert.equal(created?.parentId, deleted.ok ? undefined : base);
      assert.equal(created?.type, deleted.ok ? 'full' : 'incremental');
    }
  });

  test('a thousand creations at once have a thousand ids', async () => {
    const training = new Training();
    const ids = await Promise.all(
      Array.from({ length: 1000 }, async (_, i) => {
        for (let turn = 0; turn < i % 3; turn += 1) await undefined;
        return training.begin({ step: i % 10 });
      }),
    );
    assert.equal(new Set(ids).size, 1000);
    assert.equal(training.checkpoints.totalCount(), 1000);
  });

  test('all ranks report at once, and of many commits exactly one makes it whole', async () => {
    const training = new Training();
    const { checkpoints } = training;
    const id = training.begin({ ranks: 64 });
    const commits = await Promise.all(
      Array.from({ length: 64 }, async (_, rank) => {
        for (let turn = 0; turn < (rank * 7) % 5; turn += 1) await undefined;
        const shard = { rank, sizeBytes: 1, storagePath: `x/${rank}` };
        const { reported } = accepted(checkpoints.reportShard(id, shard)).value;
        const commit = checkpoints.complete(id, stored);
        assert.equal(commit.ok, reported === 64, 'the last one to report can commit');
        return commit.ok;
      }),
    );
    assert.equal(commits.filter(Boolean).length, 1);
    assert.equal(checkpoints.get(id)?.state, 'complete');
  });
});

const clientFile = new URL('./checkpoint-client.test-support.ts', import.meta.url);

/** The owning thread's side: answers each command in one synchronous section. */
function answer(training: Training, thread: number, command: ClientCommand): ClientAnswer {
  const { checkpoints } = training;
  const trainingRunId = `run-${thread % 2}`;
  switch (command.kind) {
    case 'save':
      return {
        id: training.begin({ trainingRunId, step: command.step, type: command.type }),
        ok: true,
      };
    case 'complete':
      return checkpoints.complete(command.id, stored);
    case 'corrupt':
      return checkpoints.markCorrupted(command.id, 'creating');
    case 'delete':
      return checkpoints.delete(command.id);
    case 'gc':
      checkpoints.gc(instant(1e6));
      return { ok: true };
  }
}

function assertChainsAreLive(training: Training): void {
  const live = ['run-0', 'run-1'].flatMap((run) => training.checkpoints.listForRun(run));
  const all = byId(...live);
  for (const { checkpointId } of live) {
    assert.equal(walkToRoot(all, checkpointId).ending, 'root', `${checkpointId} keeps its chain`);
  }
}

describe('checkpoint', { timeout: 60_000 }, () => {
  test('threads that save, lose and clean up at once keep distinct ids and whole chains', async () => {
    const retention = { ...keepAll, maxCheckpointsPerRun: 12 };
    const training = new Training({ retention });
    const [threads, saves] = [3, 60];
    const made: string[] = [];
    await Promise.all(
      Array.from({ length: threads }, (_, thread) => {
        const task: ClientTask = { thread, saves };
        const worker = new Worker(clientFile, { workerData: task });
        worker.on('message', (command: ClientCommand) => {
          const { id, ok } = { id: undefined, ...answer(training, thread, command) };
          if (id !== undefined) made.push(id);
          if (command.kind === 'gc' || command.kind === 'delete') assertChainsAreLive(training);
          worker.postMessage(id === undefined ? { ok } : { id, ok });
        });
        return new Promise<void>((resolve, reject) => {
          worker.once('error', reject);
          worker.once('exit', () => resolve());
        });
      }),
    );
    assert.equal(made.length, threads * saves);
    assert.equal(new Set(made).size, threads * saves);
    const live = ['run-0', 'run-1'].flatMap((run) => training.live(run));
    assert.deepEqual(
      live.toSorted(),
      made.filter((id) => training.checkpoints.get(id)?.state !== 'deleted').toSorted(),
    );
    for (const trainingRunId of ['run-0', 'run-1']) {
      const { value } = training.checkpoints.findRestorePoint(criteria({ trainingRunId }));
      assert.equal(value?.checkpoint.state, 'complete');
    }
  });
});
