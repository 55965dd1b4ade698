// Goal: the two rules for GPU memory, at their bounds, with the numbers in the refusal.
// Method: worked examples; what a backend tells of its models.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModelRuntime } from './model-runtime.ts';
import { checkVram, freeBytes, gigabyte, memoryOfModels } from './vram-check.ts';

const rules = { vramHeadroomPercent: 20, vramHeuristicMaxGb: 16 };

function judge(usedGb: number | undefined, totalGb: number | undefined): string {
  const verdict = checkVram(
    {
      usedBytes: usedGb === undefined ? undefined : usedGb * gigabyte,
      totalBytes: totalGb === undefined ? undefined : totalGb * gigabyte,
    },
    rules,
  );
  return verdict.ok ? verdict.value : verdict.error.message;
}

test('with a known total its headroom must be free, and exactly that is enough', () => {
  assert.equal(judge(64, 80), 'suffices');
  assert.equal(
    judge(64.1, 80),
    '15.9 GB of 80.0 GB GPU memory are free, but 16.0 GB must be (20 %)',
  );
  assert.equal(judge(90, 80), '0.0 GB of 80.0 GB GPU memory are free, but 16.0 GB must be (20 %)');
});

test('without a total the use must be at most the bound of the operator', () => {
  assert.equal(judge(16, undefined), 'suffices');
  assert.equal(
    judge(16.1, undefined),
    '16.1 GB GPU memory are in use of a total that the engine does not tell, but it must be at most 16 GB',
  );
});

test('what the engine does not tell is unknown, which is not the same as enough', () => {
  assert.equal(judge(undefined, undefined), 'unknown');
  assert.equal(judge(undefined, 80), 'unknown');
  assert.equal(freeBytes({ usedBytes: undefined, totalBytes: 80 }), undefined);
  assert.equal(freeBytes({ usedBytes: 90, totalBytes: 80 }), 0);
});

test('the use of a backend is that of its loaded models, if it tells all of them', () => {
  const model = (id: string, loaded: boolean | undefined, vramBytes?: number): ModelRuntime => ({
    id,
    loaded,
    kind: undefined,
    sizeBytes: undefined,
    vramBytes,
    quantization: undefined,
  });
  const used = (...runtime: readonly ModelRuntime[]) => memoryOfModels(runtime).usedBytes;
  assert.equal(used(model('a', true, 5), model('b', true, 6), model('c', false, 9)), 11);
  assert.equal(used(model('a', false)), 0);
  assert.equal(used(model('a', true)), undefined);
  assert.equal(used(model('a', undefined)), undefined);
  assert.equal(used(), undefined);
});
