// Is there GPU memory for one more model? Engines tell little: most say what their models take, none
// says of how much. So there are two rules (specification BR 18): with a known total a share of it must
// be free, without one the use must be below a bound that the operator chose. Where the engine does not
// tell its use either, the check says so and lets pass: the engine itself refuses what does not fit.

import { type Fault, fault } from '../../base/fault.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { ModelRuntime } from './model-runtime.ts';

/** Bytes; undefined where the engine does not tell. */
export type GpuMemory = {
  readonly usedBytes: number | undefined;
  readonly totalBytes: number | undefined;
};

export type VramRules = {
  /** Share of the total that must be free, 0 to 100. */
  readonly vramHeadroomPercent: number;
  /** Use at most where the total is not known, GB of 10^9 bytes. */
  readonly vramHeuristicMaxGb: number;
};

export type MemoryVerdict = 'suffices' | 'unknown';

/** 10^9 bytes, as the options and the wire count them. */
export const gigabyte = 1e9;

function gb(bytes: number): string {
  return `${(bytes / gigabyte).toFixed(1)} GB`;
}

/** Free bytes, at least 0; undefined unless use and total are both known. */
export function freeBytes({ usedBytes, totalBytes }: GpuMemory): number | undefined {
  if (usedBytes === undefined || totalBytes === undefined) return undefined;
  return Math.max(0, totalBytes - usedBytes);
}

/**
 * `suffices`, `unknown` where the engine tells too little, or `insufficient_memory` with the numbers.
 * Both bounds belong to what is allowed: exactly the headroom free, exactly the maximum used.
 */
export function checkVram(
  memory: GpuMemory,
  rules: VramRules,
): Result<MemoryVerdict, Fault<'insufficient_memory'>> {
  const { usedBytes, totalBytes } = memory;
  if (usedBytes === undefined) return ok('unknown');
  const free = freeBytes(memory);
  if (totalBytes !== undefined && free !== undefined) {
    const needed = (totalBytes * rules.vramHeadroomPercent) / 100;
    if (free >= needed) return ok('suffices');
    const words = `${gb(free)} of ${gb(totalBytes)} GPU memory are free, but ${gb(needed)} must be (${rules.vramHeadroomPercent} %)`;
    return err(fault('insufficient_memory', words));
  }
  if (usedBytes <= rules.vramHeuristicMaxGb * gigabyte) return ok('suffices');
  const bound = `${rules.vramHeuristicMaxGb} GB`;
  const words = `${gb(usedBytes)} GPU memory are in use of a total that the engine does not tell, but it must be at most ${bound}`;
  return err(fault('insufficient_memory', words));
}

/** What the models of a backend take together, as far as the engine tells. */
export function memoryOfModels(runtime: readonly ModelRuntime[]): GpuMemory {
  const loaded = runtime.filter((model) => model.loaded === true);
  const isTold = runtime.some((model) => model.loaded !== undefined);
  const areSized = loaded.every((model) => model.vramBytes !== undefined);
  if (!isTold || !areSized) return { usedBytes: undefined, totalBytes: undefined };
  const usedBytes = loaded.reduce((sum, model) => sum + (model.vramBytes ?? 0), 0);
  return { usedBytes, totalBytes: undefined };
}
