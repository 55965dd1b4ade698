// The retry budget of all gateway threads together: may a failed attempt be followed by another one?
// What requests earn is a word of shared memory, the floor a shared token bucket; the rule is the core's
// (core/resilience/retry-budget.ts). A thread adds what its requests earned in steps, and all of it
// before it asks, so that no request writes to shared memory for this.

import { assert } from '../../base/assert.ts';
import {
  earnedAfter,
  earnedLess,
  floorBurst,
  type RetryBudgetRule,
} from '../../core/resilience/retry-budget.ts';
import { SharedTokenBucket } from '../../io/shared-memory/shared-token-bucket.ts';
import { createWordBlock, openWords, type WordBlock } from '../../io/shared-memory/shared-words.ts';
import { lineWords, type Words } from '../../io/shared-memory/words.ts';

/** Posted to a thread as it is. */
export type RetryBudgetParts = { readonly block: WordBlock; readonly rule: RetryBudgetRule };

const earnedWord = 0;
const floorAt = lineWords;
/** Requests that a thread counts alone before it adds them. */
const requestsPerStep = 32;
/** Years of running that the bucket is good for: 34. */
const spanMs = 2 ** 40;

export class RetryBudget {
  readonly #words: Words;
  readonly #floor: SharedTokenBucket;
  readonly #rule: RetryBudgetRule;
  #requests = 0;

  /** `nowMs`: Unix ms. */
  static create(rule: RetryBudgetRule, nowMs: number): RetryBudgetParts {
    const block = createWordBlock(floorAt + SharedTokenBucket.words);
    const floor = SharedTokenBucket.create(openWords(block), floorAt, {
      capacity: floorBurst(rule),
      refillRate: rule.floorPerSecond / 1000,
      origin: Math.floor(nowMs),
      span: spanMs,
    });
    assert(floor.ok, `the floor of the retry budget, ${rule.floorPerSecond}/s, fits its bucket`);
    return { block, rule };
  }

  constructor({ block, rule }: RetryBudgetParts) {
    this.#words = openWords(block);
    this.#floor = new SharedTokenBucket(this.#words, floorAt);
    this.#rule = rule;
  }

  /** One more request of a client, whatever became of it. */
  requested(): void {
    this.#requests++;
    if (this.#requests >= requestsPerStep) this.#earn();
  }

  /** Takes one retry where there is one; `nowMs`: Unix ms. */
  mayRetry(nowMs: number): boolean {
    this.#earn();
    return this.#floor.tryAcquire(nowMs) || this.#change(earnedLess);
  }

  #earn(): void {
    const requests = this.#requests;
    if (requests === 0) return;
    this.#requests = 0;
    this.#change((earned) => earnedAfter(this.#rule, earned, requests));
  }

  #change(after: (earned: number) => number | undefined): boolean {
    for (let failures = 1; ; failures++) {
      const earned = this.#words.load(earnedWord);
      const next = after(earned);
      if (next === undefined) return false;
      if (this.#words.compareExchange(earnedWord, earned, next) === 1) return true;
      this.#words.pause(failures);
    }
  }
}
