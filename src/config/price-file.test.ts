// Goal: a price list is taken whole or refused with every fault and its line.
// Method: one good list; a list with a fault of each kind.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { describeFault } from './fault.ts';
import { readPriceFile } from './price-file.ts';

it('a list of models and backends is read in its order', () => {
  const read = readPriceFile(
    [
      'dated: 2026-11-01',
      'prices:',
      '  - model: gpt-4o*',
      '    input_usd_per_million: 2.5',
      '    output_usd_per_million: 10',
      '  - backend: gpu-*',
      '    gpu_usd_per_second: 0.0008',
    ].join('\n'),
    'prices.yaml',
  );
  assert.ok(read.ok);
  assert.deepEqual(read.value, {
    dated: '2026-11-01',
    prices: [
      {
        model: 'gpt-4o*',
        backend: undefined,
        inputUsdPerMillion: 2.5,
        cachedInputUsdPerMillion: 2.5,
        outputUsdPerMillion: 10,
        gpuUsdPerSecond: 0,
      },
      {
        model: undefined,
        backend: 'gpu-*',
        inputUsdPerMillion: 0,
        cachedInputUsdPerMillion: 0,
        outputUsdPerMillion: 0,
        gpuUsdPerSecond: 0.0008,
      },
    ],
  });
});

it('every fault is told at once, with its line', () => {
  const read = readPriceFile(
    [
      'dated: last summer',
      'prices:',
      '  - model: gpt-4o',
      '    input_usd_per_million: -1',
      '    output_usd_per_million: 10',
      '  - model: gpt-5',
      '    input_usd_per_million: 1',
      '  - backend: b',
      '    gpu_usd_per_second: 0.1',
      '    gpu_usd_per_hour: 3',
    ].join('\n'),
    'prices.yaml',
  );
  assert.ok(!read.ok);
  const words = read.error.map(describeFault);
  const expected = [
    /^dated is last summer \(prices.yaml line 1\); expected a day/,
    /^prices\[0\]\.input_usd_per_million is -1 \(prices.yaml line 4\); expected a number from 0/,
    /^prices\[1\] is .* \(prices.yaml line 6\); expected an entry with model or backend, and/,
    /^prices\[2\]\.gpu_usd_per_hour is 3 \(prices.yaml line 10\); expected no key of this name/,
  ];
  assert.equal(words.length, expected.length, words.join('\n'));
  for (const pattern of expected)
    assert.ok(
      words.some((one) => pattern.test(one)),
      `${pattern}`,
    );
});

it('an empty file and broken YAML are faults too', () => {
  for (const text of ['', 'prices: [', 'dated: 2026-11-01\nprices: []']) {
    const read = readPriceFile(text, 'prices.yaml');
    assert.ok(!read.ok && read.error.length > 0, text);
  }
});
