// Goal: whatever is commanded in whatever order, the promises of training checkpoints hold. Method:
// random command sequences; each answer is compared with what a naive reading of the specification
// says of the records before it, and after each command every invariant is checked from outside:
//
//   no kept incremental checkpoint has a missing or deleted ancestor
//   tombstones are in no list, count, size or latest, and stay to be found
//   retention never takes the latest, the best or one being written, and asks for nothing twice
//   the chain of a restore point is whole, and one is found whenever there is any
//   a refused command changes nothing; the events alone rebuild the state

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { canonicalJson } from '../../base/canonical.ts';
import { instant } from '../../base/time.ts';
import { byId, idsOf, Training } from './checkpoint.test-support.ts';
import { walkToRoot } from './checkpoint-chain.ts';
import type { CheckpointEvent } from './checkpoint-event.ts';
import { validateCheckpoint } from './checkpoint-validation.ts';
import { rankByMetric } from './metric-ranking.ts';
import { compareForRestore, type RestoreCriteria, selectionScore } from './restore-point.ts';
import type { RetentionPolicy } from './retention.ts';
import {
  type CheckpointState,
  type CheckpointType,
  checkpointTypes,
  compareInRun,
  isLive,
  type TrainingCheckpoint,
} from './training-checkpoint.ts';
import type { TrainingCheckpoints } from './training-checkpoints.ts';

type Command =
  | {
      readonly kind: 'create';
      readonly run: string;
      readonly ahead: number;
      readonly type: CheckpointType;
      readonly loss: number;
      readonly ranks: number;
    }
  | { readonly kind: 'shard'; readonly pick: number; readonly rank: number; readonly bytes: number }
  | { readonly kind: 'complete'; readonly pick: number; readonly bytes: number }
  | { readonly kind: 'corrupt'; readonly pick: number; readonly expected?: CheckpointState }
  | { readonly kind: 'delete'; readonly pick: number }
  | { readonly kind: 'gc'; readonly after: number }
  | { readonly kind: 'restore'; readonly criteria: RestoreCriteria };

const run = fc.constantFrom('run-1', 'run-1', 'run-1', 'run-2');
const pick = fc.nat(12);

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('create' as const),
      run,
      // Sometimes the run has gone back in steps.
      ahead: fc.constantFrom(1, 1, 1, 2, 0, -2),
      type: fc.constantFrom<CheckpointType>(...checkpointTypes, 'incremental', 'incremental'),
      loss: fc.constantFrom(0.1, 0.2, 0.3, Number.NaN),
      ranks: fc.constantFrom(0, 0, 0, 2),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('shard' as const),
      pick,
      rank: fc.nat(2),
      bytes: fc.nat(2),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('complete' as const), pick, bytes: fc.nat(9) }),
  },
  {
    weight: 2,
    arbitrary: fc.record(
      {
        kind: fc.constant('corrupt' as const),
        pick,
        expected: fc.constantFrom<CheckpointState>('creating', 'complete'),
      },
      { requiredKeys: ['kind', 'pick'] },
    ),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('gc' as const), after: fc.nat(20) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('restore' as const),
      criteria: fc.record({
        trainingRunId: run,
        maxStep: fc.option(fc.nat(12), { nil: undefined }),
        requireComplete: fc.boolean(),
        preferFull: fc.boolean(),
      }),
    }),
  },
);

const policy: fc.Arbitrary<RetentionPolicy> = fc.record({
  maxCheckpointsPerRun: fc.nat(6),
  maxAgeSeconds: fc.constantFrom(0, 10, 1000),
  keepBestN: fc.nat(2),
  metricKey: fc.constant('loss'),
  metricAscending: fc.boolean(),
});

const runIds = ['run-1', 'run-2'];

/** The store under test, and beside it what a bystander remembers of it. */
class Observed {
  readonly training: Training;
  readonly store: TrainingCheckpoints;
  readonly policy: RetentionPolicy;
  readonly events: CheckpointEvent[] = [];
  #nowSeconds = 0;
  #created: readonly string[] = [];
  readonly #shards = new Map<string, Map<number, string>>();
  readonly #steps = new Map<string, number>();

  constructor(retention: RetentionPolicy) {
    this.policy = retention;
    this.training = new Training({ retention });
    this.store = this.training.checkpoints;
  }

  /** All records, tombstones too, in the order of creation. */
  records(): readonly TrainingCheckpoint[] {
    return this.#created.map((id) => {
      const record = this.store.get(id);
      assert.ok(record, `${id} is found for ever`);
      return record;
    });
  }

  live(trainingRunId: string): readonly TrainingCheckpoint[] {
    const own = this.records().filter((one) => one.trainingRunId === trainingRunId && isLive(one));
    return own.toSorted(compareInRun);
  }

  /** Every element of its chain is complete. */
  restorable(record: TrainingCheckpoint): boolean {
    const { members, ending } = walkToRoot(byId(...this.records()), record.checkpointId);
    return ending === 'root' && members.every(({ state }) => state === 'complete');
  }

  send(given: Command): void {
    this.#nowSeconds += 1;
    if (given.kind === 'create') this.#create(given);
    else if (given.kind === 'gc') this.#gc(given.after);
    else if (given.kind === 'restore') this.#restore(given.criteria);
    else {
      const target = this.records()[given.pick % Math.max(1, this.#created.length)];
      if (target !== undefined) this.#change(given, target);
    }
  }

  #create({ run: trainingRunId, ahead, type, loss, ranks }: Command & { kind: 'create' }): void {
    const step = Math.max(0, (this.#steps.get(trainingRunId) ?? 0) + ahead);
    this.#steps.set(trainingRunId, step);
    const bases = this.live(trainingRunId).filter((one) => one.step < step && this.restorable(one));
    const base = type === 'incremental' ? bases.at(-1) : undefined;
    const request = { trainingRunId, epoch: 0, step, type, metrics: { loss }, ranks };
    const done = this.store.create(request, instant(this.#nowSeconds * 1000));
    assert.ok(done.ok);
    const { checkpoint, made } = done.value.value;
    this.#created = [...this.#created, checkpoint.checkpointId];
    this.events.push(...done.value.events);
    const withoutBase = type === 'incremental' && base === undefined;
    assert.equal(made, withoutBase ? 'full_without_base' : 'as_requested');
    assert.equal(checkpoint.type, withoutBase ? 'full' : type);
    assert.equal(checkpoint.parentId, base?.checkpointId);
    assert.equal(Object.hasOwn(checkpoint.metrics, 'loss'), !Number.isNaN(loss));
  }

  #change(
    given: Command & { readonly kind: 'shard' | 'complete' | 'corrupt' | 'delete' },
    target: TrainingCheckpoint,
  ): void {
    const before = this.records();
    const { checkpointId: id, state } = target;
    const known = this.#shards.get(id) ?? new Map<number, string>();
    const outcome = this.#answer(given, id);
    if (outcome.ok) this.events.push(...outcome.value.events);
    else assert.deepEqual(this.records(), before, 'a refusal changes nothing');
    if (given.kind === 'shard') {
      const told = known.get(given.rank) === `${given.bytes}`;
      const fresh = state === 'creating' && given.rank < target.ranks && !known.has(given.rank);
      assert.equal(outcome.ok, (told && state !== 'deleted') || fresh);
      if (fresh) this.#shards.set(id, known.set(given.rank, `${given.bytes}`));
    }
    if (given.kind === 'complete') {
      const bytes = [...known.values()].reduce((sum, text) => sum + Number(text), 0);
      const whole = known.size === target.ranks && given.bytes >= bytes;
      assert.equal(outcome.ok, state === 'creating' && whole);
    }
    if (given.kind === 'corrupt') {
      const seen = given.expected ?? state;
      assert.equal(outcome.ok, (state === 'creating' || state === 'complete') && seen === state);
    }
    if (given.kind === 'delete') {
      const needed = before.some((one) => isLive(one) && one.parentId === id);
      assert.equal(outcome.ok, state !== 'deleted' && !needed);
    }
  }

  #answer(given: Command & { kind: 'shard' | 'complete' | 'corrupt' | 'delete' }, id: string) {
    switch (given.kind) {
      case 'shard': {
        const { rank, bytes: sizeBytes } = given;
        return this.store.reportShard(id, { rank, sizeBytes, storagePath: `${id}/${rank}` });
      }
      case 'complete':
        return this.store.complete(id, { sizeBytes: given.bytes, storagePath: id });
      case 'corrupt':
        return this.store.markCorrupted(id, given.expected);
      case 'delete':
        return this.store.delete(id);
    }
  }

  #gc(after: number): void {
    this.#nowSeconds += after;
    const now = instant(this.#nowSeconds * 1000);
    const spared = runIds.flatMap((one) => this.#spared(one));
    const before = byId(...this.records());
    const { value: deleted, events } = this.store.gc(now);
    this.events.push(...events);
    for (const record of spared) {
      assert.ok(!deleted.includes(record.checkpointId), `${record.checkpointId} stays`);
    }
    for (const [i, id] of deleted.entries()) {
      const children = [...before.values()].filter((one) => isLive(one) && one.parentId === id);
      const earlier = new Set(deleted.slice(0, i));
      assert.ok(
        children.every((one) => earlier.has(one.checkpointId)),
        'children go first',
      );
    }
    assert.deepEqual(this.store.gc(now), { value: [], events: [] }, 'nothing is asked twice');
  }

  /** The latest, the best, those being written and the newest that can be restored. */
  #spared(trainingRunId: string): readonly TrainingCheckpoint[] {
    const live = this.live(trainingRunId);
    const sound = live.filter((one) => this.restorable(one));
    const { metricKey, metricAscending: ascending, keepBestN } = this.policy;
    const best = rankByMetric(sound, { metricKey, ascending }).slice(0, keepBestN);
    const last = [...live.slice(-1), ...sound.slice(-1)];
    return [...best, ...last, ...live.filter(({ state }) => state === 'creating')];
  }

  #restore(criteria: RestoreCriteria): void {
    const whole = this.live(criteria.trainingRunId).filter((one) => {
      const { members } = walkToRoot(byId(...this.records()), one.checkpointId);
      const usable = ({ state }: TrainingCheckpoint) =>
        state === 'complete' || (state === 'creating' && !criteria.requireComplete);
      return members.every(usable) && selectionScore(one, criteria) !== -1;
    });
    const best = whole.toSorted(compareForRestore(criteria))[0];
    const { value, events } = this.store.findRestorePoint(criteria);
    this.events.push(...events);
    assert.equal(value?.checkpoint, best);
    if (value === undefined) return;
    assert.equal(value.chain.at(-1), best?.checkpointId);
    const chain = value.chain.map((id) => this.store.get(id));
    assert.equal(chain[0]?.parentId, undefined, 'it begins at a root');
    for (const [i, member] of chain.entries()) {
      if (i > 0) assert.equal(member?.parentId, value.chain[i - 1]);
      assert.ok(member?.state === 'complete' || !criteria.requireComplete);
    }
  }
}

function checkInvariants(observed: Observed): void {
  const { store } = observed;
  const records = observed.records();
  const all = byId(...records);
  const live = records.filter(isLive);
  for (const record of live) {
    const { members, ending } = walkToRoot(all, record.checkpointId);
    assert.equal(ending, 'root', 'I1: no ancestor is missing');
    assert.ok(members.every(isLive), 'I1: no ancestor is deleted');
    assert.equal(members.at(-1)?.parentId, undefined);
    if (record.state === 'complete' || record.state === 'creating') {
      assert.deepEqual(validateCheckpoint(record, all), { ok: true, value: record });
    }
    if (record.state === 'complete') {
      assert.equal(store.shards(record.checkpointId).length, record.ranks, 'I3');
    }
  }
  assert.equal(store.totalCount(), live.length);
  assert.equal(
    store.totalSize(),
    live.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0),
  );
  for (const trainingRunId of runIds) {
    const own = observed.live(trainingRunId);
    assert.deepEqual(idsOf(store.listForRun(trainingRunId)), idsOf(own));
    assert.equal(store.getLatest(trainingRunId), own.at(-1));
    const saved = own.filter(({ state }) => state !== 'corrupted').map(({ step }) => step);
    const due = 100 - Math.max(0, ...saved.filter((step) => step <= 100)) >= 100;
    assert.equal(store.isSaveDue(trainingRunId, 100), due);
  }
}

/** A second store that only ever heard the events, as JSON carries them. */
function rebuilt(observed: Observed): TrainingCheckpoints {
  const { store } = new Observed(observed.policy);
  for (const event of observed.events) {
    const heard: CheckpointEvent = JSON.parse(canonicalJson(event));
    store.apply(heard);
  }
  return store;
}

describe('checkpoint', () => {
  holds(
    'random commands: every answer is the expected one, and every invariant holds after each',
    fc.property(
      policy,
      fc.array(command, { maxLength: 40, size: 'max' }),
      (retention, commands) => {
        const observed = new Observed(retention);
        for (const one of commands) {
          observed.send(one);
          checkInvariants(observed);
        }
      },
    ),
  );

  holds(
    'the events of a history rebuild its state: records, totals, restore points and plans',
    fc.property(
      policy,
      fc.array(command, { maxLength: 40, size: 'max' }),
      (retention, commands) => {
        const observed = new Observed(retention);
        for (const one of commands) observed.send(one);
        const { store } = observed;
        const again = rebuilt(observed);
        for (const { checkpointId } of observed.records()) {
          assert.deepEqual(again.get(checkpointId), store.get(checkpointId));
          assert.deepEqual(again.shards(checkpointId), store.shards(checkpointId));
        }
        assert.equal(again.totalCount(), store.totalCount());
        assert.equal(again.totalSize(), store.totalSize());
        assert.deepEqual(again.planGc(instant(1e6)), store.planGc(instant(1e6)));
        for (const trainingRunId of runIds) {
          assert.deepEqual(again.listForRun(trainingRunId), store.listForRun(trainingRunId));
          const criteria = { trainingRunId, requireComplete: false, preferFull: false };
          assert.deepEqual(again.findRestorePoint(criteria), store.findRestorePoint(criteria));
        }
      },
    ),
  );
});
