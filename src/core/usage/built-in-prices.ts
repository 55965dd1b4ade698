// The prices that hold until a price file is given: those of the specification (BR 16), of February
// 2024. They are old and few on purpose. Whoever is billed by a provider gives a price file; a model that
// is not listed here is unpriced, never free.

import type { PriceRule, PriceTable } from './price-table.ts';

/** Model glob, USD per 1000 tokens in, out: as the source prints them. */
const perThousand: readonly (readonly [model: string, input: number, output: number])[] = [
  ['gpt-4-turbo', 0.01, 0.03],
  ['gpt-4-turbo-preview', 0.01, 0.03],
  ['gpt-4', 0.03, 0.06],
  ['gpt-3.5-turbo', 0.0005, 0.0015],
  ['claude-3-opus-20240229', 0.015, 0.075],
  ['claude-3-sonnet-20240229', 0.003, 0.015],
  ['claude-3-haiku-20240307', 0.00025, 0.00125],
  ['gemini-1.5-pro', 0.0035, 0.0105],
  ['gemini-1.5-flash', 0.00035, 0.00105],
  ['gemini-1.0-pro', 0.0005, 0.0015],
];

const microUsdPerMillion = (usdPerThousand: number): number => Math.round(usdPerThousand * 1e9);

export const builtInPrices: PriceTable = {
  dated: '2024-02-01',
  isBuiltIn: true,
  rules: perThousand.map(
    ([model, input, output]): PriceRule => ({
      model,
      backend: undefined,
      inputPerMillion: microUsdPerMillion(input),
      cachedInputPerMillion: microUsdPerMillion(input),
      outputPerMillion: microUsdPerMillion(output),
      perGpuSecond: 0,
    }),
  ),
};
