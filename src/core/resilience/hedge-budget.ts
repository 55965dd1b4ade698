// What second attempts beside a slow first one may cost: a share of the tokens that requests ask for.
// Hedging answers a slow backend with more load, so without a bound a slow fleet is asked twice as much
// as one that works; a bound in requests would let the longest prompts be asked twice first
// (gateways survey, section 5).
//
//   H1  Tokens granted over any run of requests are at most percent / 100 of theirs, plus the burst.

import { assert } from '../../base/assert.ts';

/** What calm times may save up, in tokens: a handful of long prompts. */
const burstTokens = 100_000;
/** Hundredths of a token, the smallest part that a whole percentage earns. */
const unitsPerToken = 100;

export class HedgeBudget {
  readonly #percent: number;
  #earned = 0;

  /** `percent`: tokens of hedges per hundred tokens of requests, 1 to 100. */
  constructor(percent: number) {
    assert(percent > 0 && percent <= 100, `${percent} % of the tokens`);
    this.#percent = percent;
  }

  /** A request of so many expected tokens, 0 or more, was sent. */
  earn(tokens: number): void {
    this.#earned = Math.min(burstTokens * unitsPerToken, this.#earned + tokens * this.#percent);
  }

  /** May a hedge of so many expected tokens be sent? It is charged if it may. */
  take(tokens: number): boolean {
    const cost = tokens * unitsPerToken;
    if (cost > this.#earned) return false;
    this.#earned -= cost;
    return true;
  }
}
