// Goal: the generator stands for the trace it is fitted to. Method: the largest distance between
// the distributions (Kolmogorov-Smirnov) of a long draw and of the trace, where it is at hand.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { requests, type WorkloadRequest } from '../../core/workload/requests.ts';
import { readTrace } from './trace-files.ts';

function ascending(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}

/** The largest difference of the two cumulative distributions. */
function distance(a: readonly number[], b: readonly number[]): number {
  const [left, right] = [ascending(a), ascending(b)];
  let [i, j, worst] = [0, 0, 0];
  while (i < left.length && j < right.length) {
    const value = Math.min(left[i] ?? 0, right[j] ?? 0);
    while (i < left.length && (left[i] ?? 0) <= value) i++;
    while (j < right.length && (right[j] ?? 0) <= value) j++;
    worst = Math.max(worst, Math.abs(i / left.length - j / right.length));
  }
  return worst;
}

function gapsOf(workload: readonly WorkloadRequest[]): number[] {
  return workload.slice(1).map((next, i) => next.atMs - (workload[i]?.atMs ?? 0));
}

test('the generated workload has the lengths and gaps of the Azure conversation trace', async (context) => {
  const folder = process.env['TENSORFORGE_TRACES'] ?? '../shared/data';
  const file = join(folder, 'azure-llm-2023/AzureLLMInferenceTrace_conv.dev.csv.gz');
  if (!existsSync(file)) {
    context.diagnostic('not compared: the Azure conversation trace is not at hand');
    return;
  }
  const trace: WorkloadRequest[] = [];
  for await (const one of readTrace(file, { seed: 1 })) trace.push(one);
  const ratePerSecond = 12_909 / 2179.39;
  const drawn = requests(20261121, { ratePerSecond, durationS: 8000 });
  const distances = {
    prompt: distance(
      trace.map((one) => one.promptTokens),
      drawn.map((one) => one.promptTokens),
    ),
    output: distance(
      trace.map((one) => one.outputTokens),
      drawn.map((one) => one.outputTokens),
    ),
    gap: distance(gapsOf(trace), gapsOf(drawn)),
  };
  context.diagnostic(JSON.stringify(distances));
  for (const [name, found] of Object.entries(distances))
    assert.ok(found < 0.03, `${name} ${found}`);
});
