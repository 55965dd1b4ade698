// The price list of the configuration as the core reads it.

import { readFileSync } from 'node:fs';
import { configurationError } from '../config/fault.ts';
import type { Configuration } from '../config/options.ts';
import { type PriceFile, readPriceFile } from '../config/price-file.ts';
import { builtInPrices } from '../core/usage/built-in-prices.ts';
import { microUsdOf } from '../core/usage/money.ts';
import type { PriceTable } from '../core/usage/price-table.ts';

function tableOf(file: PriceFile): PriceTable {
  const rules = file.prices.map((entry) => ({
    model: entry.model,
    backend: entry.backend,
    inputPerMillion: microUsdOf(entry.inputUsdPerMillion),
    cachedInputPerMillion: microUsdOf(entry.cachedInputUsdPerMillion),
    outputPerMillion: microUsdOf(entry.outputUsdPerMillion),
    perGpuSecond: microUsdOf(entry.gpuUsdPerSecond),
  }));
  return { dated: file.dated, isBuiltIn: false, rules };
}

/** Reads `prices.file`; the built-in list without one. Throws `config_invalid` with every fault. */
export function readPrices({ prices }: Configuration): PriceTable {
  if (prices.file === undefined) return builtInPrices;
  const read = readPriceFile(readFileSync(prices.file, 'utf8'), prices.file);
  if (!read.ok) throw configurationError(read.error);
  return tableOf(read.value);
}
