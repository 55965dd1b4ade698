// Goal: a plan deletes what the policy asks for, in the told order, and never what must stay. Method:
// small runs for each rule, then random runs against the rule written down naively: again and again,
// take the first that may go.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { instant } from '../../base/time.ts';
import { byId, checkpoint, keepAll } from './checkpoint.test-support.ts';
import { walkToRoot } from './checkpoint-chain.ts';
import { rankByMetric } from './metric-ranking.ts';
import { isGcEligible, type RetentionPolicy } from './retention.ts';
import { type PlannedDeletion, planRetention } from './retention-plan.ts';
import { compareInRun, type TrainingCheckpoint } from './training-checkpoint.ts';

type Run = readonly TrainingCheckpoint[];

/** By definition: something in its chain, itself included, is corrupted. */
function brokenOf(run: Run): ReadonlySet<string> {
  const all = byId(...run);
  const broken = run.filter(({ checkpointId }) =>
    walkToRoot(all, checkpointId).members.some(({ state }) => state === 'corrupted'),
  );
  return new Set(broken.map(({ checkpointId }) => checkpointId));
}

function planned(run: Run, policy: Partial<RetentionPolicy>, atMs = 0): readonly PlannedDeletion[] {
  const snapshot = { checkpoints: run.toSorted(compareInRun), broken: brokenOf(run) };
  return planRetention(snapshot, { ...keepAll, ...policy }, instant(atMs));
}

function plannedIds(run: Run, policy: Partial<RetentionPolicy>, atMs = 0): readonly string[] {
  return planned(run, policy, atMs).map(({ checkpointId }) => checkpointId);
}

/** Complete and full, one second apart, in the given order of ids. */
function fullOnes(...ids: readonly string[]): Run {
  return ids.map((id, i) => checkpoint(id, { step: i, createdAt: instant(i * 1000) }));
}

const onlyLatest = { maxCheckpointsPerRun: 0 };

describe('checkpoint', () => {
  test('an empty run and a run within its limits lose nothing', () => {
    assert.deepEqual(planned([], onlyLatest), []);
    assert.deepEqual(planned(fullOnes('a', 'b'), { maxCheckpointsPerRun: 2 }), []);
  });

  test('what is too old goes, oldest first, and the latest stays however old it is', () => {
    const run = fullOnes('a', 'b', 'c', 'd');
    const expected = ['a', 'b'].map((checkpointId) => ({ checkpointId, rule: 'max_age' }));
    assert.deepEqual(planned(run, { maxAgeSeconds: 1 }, 3000), expected);
    assert.deepEqual(plannedIds(run, { maxAgeSeconds: 1 }, 1e9), ['a', 'b', 'c']);
  });

  test('at exactly the age of the policy a checkpoint stays', () => {
    assert.deepEqual(plannedIds(fullOnes('a', 'b'), { maxAgeSeconds: 60 }, 60_000), []);
    assert.deepEqual(plannedIds(fullOnes('a', 'b'), { maxAgeSeconds: 60 }, 60_001), ['a']);
  });

  test('beyond the number for a run the oldest go, and no more than are too many', () => {
    const expected = ['a', 'b'].map((checkpointId) => ({ checkpointId, rule: 'max_per_run' }));
    assert.deepEqual(planned(fullOnes('a', 'b', 'c', 'd'), { maxCheckpointsPerRun: 2 }), expected);
  });

  test('oldest means created first, whatever the step, and ties go by id', () => {
    const run = [
      checkpoint('b', { step: 1, createdAt: instant(5) }),
      checkpoint('c', { step: 2, createdAt: instant(3) }),
      checkpoint('a', { step: 3, createdAt: instant(5) }),
      checkpoint('latest', { step: 9, createdAt: instant(1) }),
    ];
    assert.deepEqual(plannedIds(run, onlyLatest), ['c', 'a', 'b']);
  });

  test('the best by the metric stay, in either direction, and NaN or nothing is never best', () => {
    const losses = [0.3, 0.1, Number.NaN, undefined, 0.2, 0.9];
    const run = losses.map((loss, i) =>
      checkpoint(`c${i}`, { step: i, metrics: loss === undefined ? {} : { loss } }),
    );
    const cases: readonly [number, boolean, readonly string[]][] = [
      [0, true, ['c0', 'c1', 'c2', 'c3', 'c4']],
      [1, true, ['c0', 'c2', 'c3', 'c4']],
      [2, true, ['c0', 'c2', 'c3']],
      [2, false, ['c1', 'c2', 'c3', 'c4']],
      [99, true, ['c2', 'c3']],
    ];
    for (const [keepBestN, metricAscending, gone] of cases) {
      const policy = { ...onlyLatest, keepBestN, metricAscending };
      assert.deepEqual(plannedIds(run, policy), gone, `${keepBestN}, ${metricAscending}`);
      const byAge = { maxAgeSeconds: 0, keepBestN, metricAscending };
      assert.deepEqual(plannedIds(run, byAge, 1), gone, 'age spares the best too');
    }
  });

  test('what is being written stays', () => {
    const run = [
      checkpoint('writing', { step: 0, state: 'creating' }),
      checkpoint('old', { step: 1 }),
      checkpoint('latest', { step: 2 }),
    ];
    assert.deepEqual(plannedIds(run, onlyLatest, 1e9), ['old']);
  });

  test('every ancestor of what stays, stays', () => {
    const run = [
      checkpoint('base', { step: 0 }),
      checkpoint('mid', { step: 1, parentId: 'base' }),
      checkpoint('other', { step: 2 }),
      checkpoint('best', { step: 3, parentId: 'mid', metrics: { loss: 0 } }),
      checkpoint('latest', { step: 4 }),
    ];
    const policy = { maxAgeSeconds: 0, maxCheckpointsPerRun: 0, keepBestN: 1 };
    assert.deepEqual(plannedIds(run, policy, 1e9), ['other']);
    assert.deepEqual(plannedIds(run, { ...policy, keepBestN: 0 }, 1e9), [
      'best',
      'mid',
      'base',
      'other',
    ]);
  });

  test('children go before their parents, and a parent right after the last of them', () => {
    const run = [
      checkpoint('base', { step: 0, createdAt: instant(0) }),
      checkpoint('left', { step: 1, createdAt: instant(1), parentId: 'base' }),
      checkpoint('other', { step: 2, createdAt: instant(2) }),
      checkpoint('right', { step: 3, createdAt: instant(3), parentId: 'base' }),
      checkpoint('late', { step: 4, createdAt: instant(4) }),
      checkpoint('latest', { step: 5, createdAt: instant(5) }),
    ];
    const order = ['left', 'other', 'right', 'base', 'late'];
    assert.deepEqual(plannedIds(run, onlyLatest), order);
    assert.deepEqual(plannedIds(run, { maxAgeSeconds: 0 }, 1e9), order);
    assert.deepEqual(plannedIds(run, { maxCheckpointsPerRun: 3 }), order.slice(0, 3));
  });

  test('a parent that is too old waits for a young child that depends on it', () => {
    const run = [
      checkpoint('old base', { step: 0, createdAt: instant(0) }),
      checkpoint('young', { step: 1, createdAt: instant(9000), parentId: 'old base' }),
      checkpoint('latest', { step: 2, createdAt: instant(9000) }),
    ];
    assert.deepEqual(planned(run, { maxAgeSeconds: 5 }, 10_000), []);
    // Freed by a deletion for number, it goes at once: else a second look would delete it.
    assert.deepEqual(planned(run, { maxAgeSeconds: 5, maxCheckpointsPerRun: 2 }, 10_000), [
      { checkpointId: 'young', rule: 'max_per_run' },
      { checkpointId: 'old base', rule: 'max_age' },
    ]);
  });

  test('corrupted ones go before older sound ones, and with them what was built on them', () => {
    const run = [
      checkpoint('old', { step: 0, createdAt: instant(0) }),
      checkpoint('bad', { step: 1, createdAt: instant(1), state: 'corrupted' }),
      checkpoint('useless', { step: 2, createdAt: instant(2), parentId: 'bad' }),
      checkpoint('worse', { step: 3, createdAt: instant(3), state: 'corrupted' }),
      checkpoint('latest', { step: 4, createdAt: instant(4) }),
    ];
    const order = ['useless', 'bad', 'worse', 'old'];
    assert.deepEqual(plannedIds(run, onlyLatest), order);
    assert.deepEqual(plannedIds(run, { maxCheckpointsPerRun: 3 }), order.slice(0, 2));
  });

  test('what cannot be restored takes no place among the best', () => {
    const run = [
      checkpoint('good', { step: 0, metrics: { loss: 0.5 } }),
      checkpoint('bad', { step: 1, state: 'corrupted', metrics: { loss: 0.1 } }),
      checkpoint('latest', { step: 2 }),
    ];
    assert.deepEqual(plannedIds(run, { ...onlyLatest, keepBestN: 1 }), ['bad']);
  });

  test('the newest one that can be restored stays when the latest cannot', () => {
    for (const state of ['creating', 'corrupted'] as const) {
      const run = [
        checkpoint('older', { step: 0 }),
        checkpoint('base', { step: 1 }),
        checkpoint('way back', { step: 2, parentId: 'base' }),
        checkpoint('latest', { step: 3, state }),
      ];
      const policy = { maxAgeSeconds: 0, maxCheckpointsPerRun: 0 };
      assert.deepEqual(plannedIds(run, policy, 1e9), ['older'], state);
    }
  });

  test('of two at the latest step age deletes neither, and number the older', () => {
    const run = [
      checkpoint('first', { step: 7, createdAt: instant(1) }),
      checkpoint('second', { step: 7, createdAt: instant(2) }),
    ];
    assert.deepEqual(plannedIds(run, { maxAgeSeconds: 0 }, 1e9), []);
    assert.deepEqual(plannedIds(run, { maxCheckpointsPerRun: 1 }), ['first']);
  });

  /** The rule as words: while something may go, the first of those goes; all is looked at anew. */
  function naivePlan(run: Run, policy: RetentionPolicy, nowMs: number): readonly PlannedDeletion[] {
    const plan: PlannedDeletion[] = [];
    const broken = brokenOf(run);
    const age = (one: TrainingCheckpoint) => [broken.has(one.checkpointId) ? 0 : 1, one.createdAt];
    let live = [...run];
    for (;;) {
      const now = live;
      const sound = now.filter((c) => c.state === 'complete' && !broken.has(c.checkpointId));
      const order = { metricKey: policy.metricKey, ascending: policy.metricAscending };
      const best = rankByMetric(sound, order).slice(0, policy.keepBestN);
      const sorted = now.toSorted(compareInRun);
      const writing = now.filter((c) => c.state === 'creating');
      const stays = [...best, ...writing, sorted.at(-1), sound.toSorted(compareInRun).at(-1)];
      const kept = new Set(
        stays.flatMap((c) => (c ? walkToRoot(byId(...now), c.checkpointId).members : [])),
      );
      const free = now
        .filter((c) => !kept.has(c) && !now.some((other) => other.parentId === c.checkpointId))
        .sort((a, b) => {
          const [[soundA = 0, createdA = 0], [soundB = 0, createdB = 0]] = [age(a), age(b)];
          const byId = a.checkpointId < b.checkpointId ? -1 : 1;
          return soundA - soundB || createdA - createdB || byId;
        });
      const latestStep = sorted.at(-1)?.step ?? 0;
      const question = { policy, latestStep, now: instant(nowMs), isBest: false };
      const tooOld = free.find((c) => isGcEligible(c, question));
      const next = tooOld ?? (now.length > policy.maxCheckpointsPerRun ? free[0] : undefined);
      if (next === undefined) return plan;
      const rule = tooOld === undefined ? 'max_per_run' : 'max_age';
      plan.push({ checkpointId: next.checkpointId, rule });
      live = now.filter((c) => c !== next);
    }
  }

  const node = fc.record({
    ahead: fc.constantFrom(0, 1, 1, 2),
    createdAt: fc.nat(8),
    state: fc.constantFrom(
      'complete' as const,
      'complete' as const,
      'corrupted' as const,
      'creating' as const,
    ),
    parent: fc.option(fc.nat(20), { nil: undefined }),
    loss: fc.constantFrom(undefined, Number.NaN, 0.1, 0.2, 0.3),
  });

  /** Ids are scrambled, so that their order says nothing about age or step. */
  const anyRun: fc.Arbitrary<Run> = fc.array(node, { maxLength: 14, size: 'max' }).map((nodes) => {
    const run: TrainingCheckpoint[] = [];
    let step = 0;
    for (const [i, { ahead, createdAt, state, parent, loss }] of nodes.entries()) {
      step += ahead;
      const bases = run.filter((one) => one.step < step && one.state !== 'creating');
      const base = parent === undefined ? undefined : bases[parent % Math.max(1, bases.length)];
      const facts = {
        step,
        state,
        createdAt: instant(createdAt * 1000),
        metrics: loss === undefined ? {} : { loss },
      };
      const linked = base === undefined ? {} : { parentId: base.checkpointId };
      run.push(checkpoint(`c-${(i * 7) % 31}`, { ...facts, ...linked }));
    }
    return run;
  });

  const anyPolicy = fc.record({
    maxCheckpointsPerRun: fc.nat(10),
    maxAgeSeconds: fc.constantFrom(0, 2, 4, 1000),
    keepBestN: fc.nat(3),
    metricKey: fc.constant('loss'),
    metricAscending: fc.boolean(),
  });

  holds(
    'a plan is the one that the naive rule makes, deletion by deletion',
    fc.property(anyRun, anyPolicy, fc.nat(10_000), (run, policy, now) => {
      assert.deepEqual(planned(run, policy, now), naivePlan(run, policy, now));
    }),
    { runs: 3000 },
  );

  holds(
    'after a plan is applied, the same time asks for nothing more',
    fc.property(anyRun, anyPolicy, fc.nat(10_000), (run, policy, now) => {
      const gone = new Set(plannedIds(run, policy, now));
      const left = run.filter(({ checkpointId }) => !gone.has(checkpointId));
      assert.deepEqual(planned(left, policy, now), []);
    }),
  );
});
