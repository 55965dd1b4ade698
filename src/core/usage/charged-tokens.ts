// Which tokens a request is charged for. A backend's report is taken where it is plausible: no more
// than the request could have used, no less than what passed before our own eyes. A report that is
// absent or unbelievable gives way to our own count.

import type { TokenUse } from './request-cost.ts';

export type ReportedUse = TokenUse | undefined;

export type CountedUse = {
  /** Our estimate of the prompt. */
  readonly promptTokens: number;
  /** What we take for the output without a report. */
  readonly completionTokens: number;
  /** Tokens that certainly were generated: each event of a stream that carries content has at least one. */
  readonly completionAtLeast: number;
};

export type PlausibleUse = {
  /** The model's window, which prompt and each answer share. */
  readonly contextTokens: number;
  /** Answers asked for; 0 where nothing is generated. */
  readonly answers: number;
};

/** Of both numbers the plausible one: `value` cut to [`least`, `most`], where `least` wins. */
function within(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(value, most));
}

/** A window is plausible up to this at least: what engines say of it is often a guess, and too low. */
export const plausibleWindowLeast = 2 ** 17;

/**
 * Prompt and each answer are plausible up to twice the window that the backend says its model has, or
 * to {@link plausibleWindowLeast}. Cached tokens are part of the prompt's.
 */
export function chargedTokens(
  reported: ReportedUse,
  counted: CountedUse,
  plausible: PlausibleUse,
): TokenUse {
  if (reported === undefined) {
    const { promptTokens, completionTokens } = counted;
    return { promptTokens, completionTokens, cachedTokens: 0 };
  }
  const window = Math.max(2 * plausible.contextTokens, plausibleWindowLeast);
  const promptMost = Math.max(window, counted.promptTokens);
  const promptTokens = within(reported.promptTokens, 0, promptMost);
  const completionMost = window * plausible.answers;
  return {
    promptTokens,
    completionTokens: within(reported.completionTokens, counted.completionAtLeast, completionMost),
    cachedTokens: within(reported.cachedTokens, 0, promptTokens),
  };
}

/** Events of one stream that carry no token: a role and a finish for each answer, and the usage. */
export function streamTokensAtLeast(dataEvents: number, answers: number): number {
  return Math.max(0, dataEvents - 2 * answers - 1);
}
