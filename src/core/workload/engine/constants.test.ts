// Goal: the frozen constants are what their header says they are. Method: derive them again from
// the Vidur profiles where those are at hand (TENSORFORGE_TRACES, else ../shared/data).

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { engineProfiles } from './constants.ts';
import { stepTimeUs } from './step-time.ts';

const folder = join(process.env['TENSORFORGE_TRACES'] ?? '../shared/data', 'vidur');
const kernels = [
  'input_layernorm',
  'attn_pre_proj',
  'attn_rope',
  'attn_post_proj',
  'post_attention_layernorm',
  'mlp_up_proj',
  'mlp_act',
  'mlp_down_proj',
  'add',
];

type Row = ReadonlyMap<string, number>;
type Curve = readonly (readonly [x: number, y: number])[];

function rowsOf(file: string): Row[] {
  const [head, ...lines] = gunzipSync(readFileSync(join(folder, file)))
    .toString()
    .trim()
    .split('\n');
  const names = head?.split(',') ?? [];
  return lines.map(
    (line) => new Map(line.split(',').map((cell, i) => [names[i] ?? '', Number(cell)])),
  );
}

function column(row: Row, name: string): number {
  const value = row.get(name);
  assert.ok(value !== undefined, `column ${name}`);
  return value;
}

/** Rows that fit, as one curve: a value for each x, the mean or median of its rows. */
function curveOf(pairs: readonly (readonly [number, number])[], median: boolean): Curve {
  const values = Map.groupBy(pairs, ([x]) => x);
  return [...values.entries()]
    .map(([x, group]): readonly [number, number] => {
      const sorted = group.map(([, y]) => y).sort((a, b) => a - b);
      const middle =
        ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2;
      return [x, median ? middle : sorted.reduce((sum, y) => sum + y, 0) / sorted.length];
    })
    .sort(([a], [b]) => a - b);
}

/** Pool adjacent violators: the non-decreasing curve nearest in squares. */
function nonDecreasing(curve: Curve): Curve {
  const pools: { mean: number; size: number }[] = [];
  for (const [, y] of curve) {
    let pool = { mean: y, size: 1 };
    for (
      let last = pools.at(-1);
      last !== undefined && last.mean > pool.mean;
      last = pools.at(-1)
    ) {
      pools.pop();
      const size = last.size + pool.size;
      pool = { mean: (last.mean * last.size + pool.mean * pool.size) / size, size };
    }
    pools.push(pool);
  }
  const fitted = pools.flatMap(({ mean, size }) => new Array<number>(size).fill(mean));
  return curve.map(([x], i) => [x, fitted[i] ?? 0]);
}

function at(curve: Curve, x: number): number {
  const above = curve.findIndex(([known]) => known >= x);
  const [x1, y1] = curve[above] ?? [0, 0];
  if (above === 0 || x1 === x) return y1;
  const [x0, y0] = curve[above - 1] ?? [0, 0];
  return y0 + ((y1 - y0) * (x - x0)) / (x1 - x0);
}

function allReduceMs(): Curve {
  const rows = rowsOf('network.a100_dgx.all_reduce.csv.gz').filter(
    (row) => column(row, 'num_workers') === 4 && column(row, 'devices_per_node') === 4,
  );
  const pairs = rows.map(
    (row) => [column(row, 'size'), column(row, 'time_stats.all_reduce.median')] as const,
  );
  return nonDecreasing(curveOf(pairs, true));
}

const cases = [
  { profile: engineProfiles['a100-7b'], file: 'a100.Llama-2-7b', layers: 32, gpus: 1 },
  { profile: engineProfiles['h100-7b'], file: 'h100.Llama-2-7b', layers: 32, gpus: 1 },
  { profile: engineProfiles['a100-70b'], file: 'a100.Llama-2-70b', layers: 80, gpus: 4 },
];

for (const { profile, file, layers, gpus } of cases) {
  test(`the step table of ${profile.name} is derived from its profile`, (context) => {
    const name = `compute.${file}-hf.mlp.csv.gz`;
    if (!existsSync(join(folder, name))) {
      context.diagnostic(`not compared: ${name} is not at hand`);
      return;
    }
    const reduce = gpus === 1 ? undefined : allReduceMs();
    const pairs = rowsOf(name)
      .filter((row) => column(row, 'num_tensor_parallel_workers') === gpus)
      .map((row) => {
        const tokens = column(row, 'num_tokens');
        const medians = kernels.map((kernel) => column(row, `time_stats.${kernel}.median`));
        const layerMs = medians.reduce((sum, ms) => sum + ms, 0);
        const reduceMs = reduce === undefined ? 0 : 2 * layers * at(reduce, tokens * 8192 * 2);
        return [
          tokens,
          layers * layerMs + column(row, 'time_stats.emb.median') + reduceMs,
        ] as const;
      });
    const curve = nonDecreasing(curveOf(pairs, false));
    for (const [tokens, us] of profile.stepTable) {
      assert.ok(Math.abs(at(curve, tokens) * 1000 - us) <= 1, `${tokens} tokens`);
    }
  });
}

test('a step takes longer with more tokens, more context and more prompt', () => {
  for (const { profile } of cases) {
    let lastUs = 0;
    for (let tokens = 1; tokens <= 6000; tokens += 7) {
      const us = stepTimeUs(profile, { tokens, decodeContextTokens: 0, prefillPairs: 0 });
      assert.ok(us >= lastUs);
      lastUs = us;
    }
    const base = stepTimeUs(profile, { tokens: 8, decodeContextTokens: 0, prefillPairs: 0 });
    assert.ok(
      stepTimeUs(profile, { tokens: 8, decodeContextTokens: 9000, prefillPairs: 0 }) > base,
    );
    assert.ok(stepTimeUs(profile, { tokens: 8, decodeContextTokens: 0, prefillPairs: 1e6 }) > base);
  }
});
