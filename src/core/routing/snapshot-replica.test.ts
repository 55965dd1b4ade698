// Goal: a copy that is kept by deltas is what building anew gives, a snapshot that was given out stays
// as it was, and what did not change is shared. Method: random deltas over a small fleet, compared with
// buildSnapshot after each; the parts counted that two snapshots share.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import type { BackendId } from '../../base/brand.ts';
import { model, settings, target } from './fleet.test-support.ts';
import { buildSnapshot, type RoutingSnapshot, type Target } from './snapshot.ts';
import { SnapshotReplica, type TargetChange, type TargetsDelta } from './snapshot-replica.ts';

function plain(id: string, facts: Partial<Target> = {}): Target {
  const { figures: _, ...rest } = target(id, facts);
  return rest;
}

/** Everything that a snapshot holds, models in the order of their ids. */
function contents({ version, targets, byModel, settings }: RoutingSnapshot) {
  const offers = [...byModel].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return { version, targets, settings, offers, size: byModel.size };
}

const modelIds = ['m', 'n', 'o', 'p'];
const ids = ['a', 'b', 'c', 'd', 'e', 'f'];

const models = fc
  .subarray(modelIds)
  .chain((own) =>
    fc.tuple(
      ...own.map((id) =>
        fc.constantFrom(8192, 4096).map((contextLength) => model(id, { contextLength })),
      ),
    ),
  );

type Step = {
  readonly upsert: readonly { readonly id: string; readonly facts: Partial<Target> }[];
  readonly withoutModels: boolean;
  readonly remove: readonly string[];
};

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    upsert: fc.uniqueArray(
      fc.record({
        id: fc.constantFrom(...ids),
        facts: fc.record({
          models,
          priority: fc.nat(2),
          status: fc.constantFrom('healthy', 'unhealthy'),
          backendType: fc.constantFrom('vllm', 'openai'),
        }),
      }),
      { selector: ({ id }) => id, maxLength: 3 },
    ),
    withoutModels: fc.boolean(),
    remove: fc.subarray(ids, { maxLength: 2 }),
  }),
  { minLength: 1, maxLength: 12 },
);

/** The delta of a step, and the same done to a plain map. */
function deltaOf(step: Step, version: number, known: Map<string, Target>): TargetsDelta {
  for (const id of step.remove) known.delete(id);
  const upsert = step.upsert.map(({ id, facts }): TargetChange => {
    const before = known.get(id);
    const isShort = step.withoutModels && before !== undefined;
    const next = plain(id, isShort ? { ...facts, models: before.models } : facts);
    known.set(id, next);
    // As it comes over the border of a thread: nothing is shared with what was sent before.
    return structuredClone({ ...next, models: isShort ? undefined : next.models });
  });
  return { version, upsert, remove: step.remove };
}

holds(
  'any deltas give what building anew gives, and leave every earlier snapshot as it was (P1, P2)',
  fc.property(steps, (given) => {
    const replica = new SnapshotReplica(settings());
    const known = new Map<string, Target>();
    const kept: { readonly snapshot: RoutingSnapshot; readonly was: unknown }[] = [];
    for (const [i, step] of given.entries()) {
      replica.apply(deltaOf(step, i + 1, known));
      const built = buildSnapshot(i + 1, [...known.values()], settings());
      assert.deepEqual(contents(replica.snapshot), contents(built));
      for (const id of ids) assert.deepEqual(replica.target(id), known.get(id));
      for (const id of modelIds) {
        assert.equal(replica.snapshot.byModel.has(id), built.byModel.has(id));
        assert.deepEqual(replica.snapshot.byModel.get(id), built.byModel.get(id));
      }
      kept.push({ snapshot: replica.snapshot, was: structuredClone(contents(replica.snapshot)) });
    }
    for (const { snapshot, was } of kept) assert.deepEqual(contents(snapshot), was);
  }),
);

describe('a copy', () => {
  const fleet = (count: number): SnapshotReplica => {
    const replica = new SnapshotReplica(settings());
    const upsert = Array.from({ length: count }, (_, i) =>
      structuredClone(plain(`b${i}`, { models: [model('m'), model(`own-${i}`)] })),
    );
    replica.apply({ version: 1, upsert, remove: [] });
    return replica;
  };

  it('shares the models of backends that say the same of them, and keeps others apart (P3)', () => {
    const replica = fleet(10);
    const offers = replica.snapshot.byModel.get('m') ?? [];
    assert.equal(new Set(offers.map((offer) => offer.model)).size, 1);
    const other = plain('z', { models: [model('m', { contextLength: 1 })] });
    replica.apply({ version: 2, upsert: [structuredClone(other)], remove: [] });
    const own = replica.snapshot.byModel.get('m')?.map((offer) => offer.model.contextLength);
    assert.deepEqual(own?.slice(-2), [8192, 1]);
  });

  it('copies the offers of what changed and of nothing else', () => {
    const replica = fleet(10);
    const before = replica.snapshot;
    const known = replica.target('b3');
    assert.ok(known !== undefined);
    const change = { ...known, status: 'unhealthy' as const, models: undefined };
    replica.apply({ version: 2, upsert: [change], remove: [] });
    const after = replica.snapshot;
    const kept = [...before.byModel].filter(([id, list]) => after.byModel.get(id) === list);
    assert.deepEqual(kept.length, before.byModel.size - 2);
    assert.equal(before.byModel.get('own-3')?.[0]?.target.status, 'healthy');
    assert.equal(after.byModel.get('own-3')?.[0]?.target.status, 'unhealthy');
    assert.equal(after.targets.filter((one, i) => one !== before.targets[i]).length, 1);
    assert.equal(replica.target('b3')?.models, known.models);
  });

  it('gets other settings on the same targets', () => {
    const replica = fleet(2);
    const { byModel } = replica.snapshot;
    replica.reconfigure(settings({ strategy: 'random' }));
    assert.equal(replica.snapshot.settings.strategy, 'random');
    assert.equal(replica.snapshot.byModel, byModel);
    assert.equal(replica.snapshot.version, 1);
  });

  it('refuses a target without models that it never had, as a fault of the program', () => {
    const replica = fleet(1);
    const change = { ...plain('new'), id: 'new' as BackendId, models: undefined };
    assert.throws(() => replica.apply({ version: 2, upsert: [change], remove: [] }), /never told/);
  });
});
