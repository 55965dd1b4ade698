// Goal: hours, costs and chunks of a pipeline as in A.11 and A.15, each with its edges.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { unbounded } from '../../base/numbers.ts';
import {
  chunkCount,
  energyEfficiency,
  pipelineCost,
  planPipeline,
  stageHours,
  totalHopFees,
} from './pipeline.ts';

test('the hours of a stage are work over rate, and unbounded, never infinite, without a rate', () => {
  assert.equal(stageHours(300, 30), 10);
  assert.equal(stageHours(0, 30), 0);
  assert.equal(stageHours(300, 0), unbounded);
  assert.equal(stageHours(0, 0), unbounded);
  assert.equal(stageHours(0, -1), unbounded);
  assert.equal(stageHours(Number.MAX_VALUE, 0.5), unbounded);
});

test('a plan keeps its stages in order, sums their work and estimates the whole', () => {
  const stages = [
    { name: 'embed', work: 100 },
    { name: 'generate', work: 200 },
  ];
  assert.deepEqual(planPipeline(stages, 30), { stages, totalWork: 300, estimatedHours: 10 });
  assert.equal(planPipeline(stages, 0).estimatedHours, unbounded);
  assert.deepEqual(planPipeline([], 30), { stages: [], totalWork: 0, estimatedHours: 0 });
});

test('a plan does not change with the stages that it was made from', () => {
  const stage = { name: 'embed', work: 100 };
  const plan = planPipeline([stage], 10);
  stage.work = 0;
  assert.deepEqual(plan.stages, [{ name: 'embed', work: 100 }]);
});

test('a pipeline costs its work and its fee, and never less than nothing', () => {
  assert.equal(pipelineCost(100, 2, 50), 250);
  assert.equal(pipelineCost(0, 2, 50), 50);
  assert.equal(pipelineCost(100, -2, 50), 0);
});

test('hop fees are summed, not averaged', () => {
  assert.equal(totalHopFees([100, 50, 25]), 175);
  assert.equal(totalHopFees([]), 0);
});

test('energy efficiency is work per energy, not the inverse', () => {
  assert.equal(energyEfficiency(100, 20), 5);
  for (const [work, energy] of [
    [0, 20],
    [-1, 20],
    [100, 0],
    [100, -1],
  ] as const) {
    assert.equal(energyEfficiency(work, energy), 0, `${work} by ${energy}`);
  }
});

test('work is cut into as many chunks as hold it', () => {
  const rows = [
    [4097, 1024, 5],
    [4096, 1024, 4],
    [1, 1024, 1],
    [0, 1024, 0],
    [-1, 1024, 0],
    [4097, 0, 0],
    [4097, -1, 0],
  ] as const;
  for (const [work, most, chunks] of rows) assert.equal(chunkCount(work, most), chunks);
});

holds(
  'the chunks hold the work and one less would not, also beyond 32 bits',
  fc.property(
    fc.integer({ min: 1, max: 2 ** 45 }),
    fc.integer({ min: 1, max: 2 ** 20 }),
    (work, most) => {
      const chunks = chunkCount(work, most);
      assert.ok(BigInt(chunks) * BigInt(most) >= BigInt(work));
      assert.ok(BigInt(chunks - 1) * BigInt(most) < BigInt(work));
    },
  ),
);
