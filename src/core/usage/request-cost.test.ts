// Goal: costs are exact, never too low and never too high by a whole micro-USD.
// Method: known prices worked out by hand; random uses against whole-number arithmetic of any size.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { builtInPrices } from './built-in-prices.ts';
import { headerUsd } from './money.ts';
import { findPrice, type Price, pricePerMillionMax } from './price-table.ts';
import { costOf, estimatedCost } from './request-cost.ts';

const price: Price = {
  inputPerMillion: 2_500_000,
  cachedInputPerMillion: 1_250_000,
  outputPerMillion: 10_000_000,
  perGpuSecond: 0,
};

it('a request of known tokens costs what its price list says', () => {
  const use = { promptTokens: 1000, completionTokens: 500, cachedTokens: 200 };
  // 800 x 2.5 + 200 x 1.25 + 500 x 10 micro-USD.
  assert.equal(costOf(price, use, 0), 2000 + 250 + 5000);
  assert.equal(costOf({ ...price, perGpuSecond: 800 }, use, 1500), 7250 + 1200);
});

it('a fraction of a micro-USD is rounded up, and nothing costs nothing', () => {
  const cheap = { ...price, inputPerMillion: 1 };
  const none = { promptTokens: 0, completionTokens: 0, cachedTokens: 0 };
  assert.equal(costOf(cheap, { ...none, promptTokens: 1 }, 0), 1);
  assert.equal(costOf(price, none, 0), 0);
  assert.equal(headerUsd(1), '0.0001');
  assert.equal(headerUsd(7250), '0.0073');
});

it('without a limit of its own a request is taken for 4096 tokens of each answer', () => {
  const size = { inputTokens: 1000, maxOutputTokens: undefined, answers: 2 };
  assert.equal(estimatedCost(price, size), 2500 + 2 * 4096 * 10);
  assert.equal(estimatedCost(price, { ...size, maxOutputTokens: 100 }), 2500 + 2000);
  assert.equal(estimatedCost(price, { ...size, answers: 0 }), 2500);
  const huge = estimatedCost(price, { ...size, maxOutputTokens: 2 ** 31, answers: 128 });
  assert.equal(huge, 2500 + 2 ** 24 * 10);
});

it('the built-in list prices its models on cloud backends, and nothing else', () => {
  const use = { model: 'gpt-4', backend: 'openai', isCloud: true };
  assert.equal(findPrice(builtInPrices, use)?.inputPerMillion, 30_000_000);
  assert.equal(findPrice(builtInPrices, { ...use, isCloud: false }), undefined);
  assert.equal(findPrice(builtInPrices, { ...use, model: 'gpt-4o' }), undefined);
});

it('the first rule that fits decides, and one that names backends prices local ones too', () => {
  const rules = [
    { ...price, model: undefined, backend: 'gpu-*', inputPerMillion: 1 },
    { ...price, model: 'gpt-*', backend: undefined, inputPerMillion: 2 },
    { ...price, model: '*', backend: undefined, inputPerMillion: 3 },
  ];
  const table = { dated: '2026-11-01', isBuiltIn: false, rules };
  const inputOf = (model: string, backend: string, isCloud: boolean) =>
    findPrice(table, { model, backend, isCloud })?.inputPerMillion;
  assert.equal(inputOf('gpt-4', 'gpu-1', false), 1);
  assert.equal(inputOf('gpt-4', 'openai', true), 2);
  assert.equal(inputOf('llama', 'openai', true), 3);
  assert.equal(inputOf('gpt-4', 'box', false), undefined);
});

const perMillion = fc.integer({ min: 0, max: pricePerMillionMax });
const tokens = fc.integer({ min: 0, max: 2 ** 24 });

holds(
  'a cost is the exact sum rounded up, whatever the figures',
  fc.property(
    fc.tuple(perMillion, perMillion, perMillion, fc.integer({ min: 0, max: 1_000_000 })),
    fc.tuple(tokens, tokens, tokens, fc.integer({ min: 0, max: 86_400_000 })),
    ([input, cached, output, second], [prompt, completion, fromCache, gpuMs]) => {
      const prices = {
        inputPerMillion: input,
        cachedInputPerMillion: cached,
        outputPerMillion: output,
        perGpuSecond: second,
      };
      const use = { promptTokens: prompt, completionTokens: completion, cachedTokens: fromCache };
      const hit = BigInt(Math.min(fromCache, prompt));
      const millionths =
        (BigInt(prompt) - hit) * BigInt(input) +
        hit * BigInt(cached) +
        BigInt(completion) * BigInt(output) +
        BigInt(gpuMs) * BigInt(second) * 1000n;
      const exact = (millionths + 999_999n) / 1_000_000n;
      assert.equal(costOf(prices, use, gpuMs), Number(exact));
    },
  ),
);
