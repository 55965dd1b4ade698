// Goal: the plan keeps the arrivals of the workload, scales lengths within its limits, and counts
// what it changed.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { burstFor, generatedPlan, planOf, tracePlan, usualScaling } from './load-plan.ts';

test('lengths are scaled and cut at their limits, and what was shortened is counted', () => {
  const plan = planOf(
    'a test',
    [
      { atMs: 0, promptTokens: 100, outputTokens: 1, stream: true },
      { atMs: 500, promptTokens: 9000, outputTokens: 101, stream: false },
      { atMs: 1500, promptTokens: 8192, outputTokens: 900, stream: true },
    ],
    usualScaling,
  );
  const lengths = plan.requests.map(({ promptTokens, outputTokens }) => [
    promptTokens,
    outputTokens,
  ]);
  assert.deepEqual(lengths, [
    [100, 1],
    [8192, 51],
    [8192, 256],
  ]);
  assert.deepEqual([plan.promptsShortened, plan.outputsShortened], [1, 1]);
  assert.deepEqual(
    plan.requests.map(({ index, atMs }) => [index, atMs]),
    [
      [0, 0],
      [1, 500],
      [2, 1500],
    ],
  );
  assert.equal(plan.spanS, 1.5);
});

test('the same seed gives the same plan, another seed another one', () => {
  assert.deepEqual(generatedPlan(7, 5), generatedPlan(7, 5));
  assert.notDeepEqual(generatedPlan(7, 5).requests, generatedPlan(8, 5).requests);
});

test('every length of load has bursts in it', () => {
  assert.equal(burstFor(45).periodS, 10);
  assert.equal(burstFor(8).periodS, 4);
  for (const seconds of [1, 8, 45]) {
    const { requests, spanS } = generatedPlan(7, seconds);
    assert.ok(requests.length > 0, `${seconds} s`);
    assert.ok(spanS < seconds);
  }
});

test('a trace is played from its first row, for as long as asked or to its end', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tf-demo-plan-'));
  try {
    const file = join(folder, 'trace.csv');
    const rows = [0, 3, 7, 40].map(
      (second) => `2023-11-16 18:15:${String(second).padStart(2, '0')}.5000000,374,44`,
    );
    writeFileSync(file, ['TIMESTAMP,ContextTokens,GeneratedTokens', ...rows, ''].join('\r\n'));
    const times = async (seconds: number | undefined) =>
      (await tracePlan(file, 1, seconds)).requests.map(({ atMs }) => atMs);
    assert.deepEqual(await times(7), [0, 3000]);
    assert.deepEqual(await times(undefined), [0, 3000, 7000, 40_000]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
