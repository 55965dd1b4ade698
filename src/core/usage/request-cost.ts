// The cost of one request, whole micro-USD: the exact sum over its tokens and seconds, rounded up once.
// So no request is cheaper than its parts, and none is dearer by as much as one micro-USD.

import type { Price } from './price-table.ts';

export type TokenUse = {
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Of the prompt tokens, those that came from a cache; never more than those. */
  readonly cachedTokens: number;
};

const million = 1_000_000;

/** `count` at a price per million: whole micro-USD, and what is left over in millionths. */
function wholeOf(count: number, perMillion: number): number {
  return Math.floor(count / million) * perMillion;
}

function restOf(count: number, perMillion: number): number {
  return (count % million) * perMillion;
}

/**
 * `gpuMs`: whole milliseconds that the backend worked. Tokens up to 2^24 and prices up to
 * `pricePerMillionMax` keep every product below 2^53, so the sum is exact.
 */
export function costOf(price: Price, use: TokenUse, gpuMs: number): number {
  const { inputPerMillion, cachedInputPerMillion, outputPerMillion } = price;
  const cached = Math.min(use.cachedTokens, use.promptTokens);
  const fresh = use.promptTokens - cached;
  const output = use.completionTokens;
  // A second is 1000 ms, so a price per second is 1000 times one per million ms.
  const perMillionMs = price.perGpuSecond * 1000;
  const whole =
    wholeOf(fresh, inputPerMillion) +
    wholeOf(cached, cachedInputPerMillion) +
    wholeOf(output, outputPerMillion) +
    wholeOf(gpuMs, perMillionMs);
  const millionths =
    restOf(fresh, inputPerMillion) +
    restOf(cached, cachedInputPerMillion) +
    restOf(output, outputPerMillion) +
    restOf(gpuMs, perMillionMs);
  return whole + Math.ceil(millionths / million);
}

/** Output tokens that a request without a limit of its own is taken for (specification SEC 2.9). */
export const outputTokensAssumed = 4096;

export type RequestSize = {
  /** Our own estimate of the prompt. */
  readonly inputTokens: number;
  /** Of each answer; undefined when the request sets no limit. */
  readonly maxOutputTokens: number | undefined;
  /** How many answers are asked for, at least 1; 0 where nothing is generated. */
  readonly answers: number;
};

/** Tokens of a request for which more is not reserved. */
const estimatedTokensMax = 2 ** 24;

/**
 * The most the request is expected to cost, which is reserved before it is sent: input and `answers`
 * times the output limit. Seconds of work are not known before and are not reserved.
 */
export function estimatedCost(price: Price, size: RequestSize): number {
  const output = size.answers * (size.maxOutputTokens ?? outputTokensAssumed);
  const use = {
    promptTokens: Math.min(size.inputTokens, estimatedTokensMax),
    completionTokens: Math.min(output, estimatedTokensMax),
    cachedTokens: 0,
  };
  return costOf(price, use, 0);
}
