// A token bucket that many threads take from at once without a lock (platform specification D.5). It
// does what TokenBucket of the core does, in whole units of time.
//
// One 64-bit word holds the tokens and the time of the last refill (bucket-format.ts). Refill and
// take are one compare-and-exchange of it, which is the moment at which they happen; when nothing
// would change, it is the load of the low half. So there is no state in between that another thread
// could see or a dying one could leave behind.
//
//   B1  0 <= tokens <= capacity in every word.
//   B2  the time in the word never goes back; a clock that does adds nothing.
//   B3  what is granted within any interval is at most capacity + rate x interval.
//
// The halves of the word are loaded one after the other, the high one first. An exchange proves that
// they belong together. When nothing would change, they need not: the high half only ascends (B2),
// so the time that was put together is not after the true one of the moment when the low half was
// loaded. If it is not before `now` either, that low half alone decides.

import { assert } from '../../base/assert.ts';
import type { Fault } from '../../base/fault.ts';
import { isCount } from '../../base/numbers.ts';
import { ok, type Result } from '../../base/result.ts';
import { type BucketFormat, type BucketOptions, bucketFormat } from './bucket-format.ts';
import { lineWords, type Words } from './words.ts';

/** One cache line: the word itself, then what does not change. */
const bucketWord = {
  control: 0,
  layoutVersion: 2,
  tokenBits: 3,
  fractionBits: 4,
  capacity: 5,
  rate: 6,
  originLow: 7,
  originHigh: 8,
  spanLow: 9,
  spanHigh: 10,
} as const;
const layoutVersion = 1;
const wordRange = 2 ** 32;

assert(bucketWord.control % 2 === 0, 'the control word must be aligned');
assert(new Set(Object.values(bucketWord)).size === 10, 'a word twice');
assert(Math.max(...Object.values(bucketWord)) < lineWords, 'a bucket is one cache line');

export class SharedTokenBucket {
  readonly #words: Words;
  // Begun with an integer, so that the engine computes in integers where it can (level-rings.ts).
  readonly #control: number = 0;
  readonly #tokenBits: number = 0;
  readonly #tokenMask: number = 0;
  readonly #unitsPerToken: number = 0;
  readonly #capacity: number = 0;
  readonly #rate: number = 0;
  /** How far the low half counts time before the high half goes up by one. */
  readonly #lowTimes: number = 0;
  readonly #origin: number;
  readonly #span: number;

  /** Words that a bucket takes in its block. */
  static readonly words = lineWords;

  /**
   * Makes a full bucket at word `at` of a block, before another thread opens it. Refuses with
   * `bucket_out_of_range` what 64 bits cannot hold, and then leaves the block alone.
   */
  static create(
    words: Words,
    at: number,
    options: BucketOptions,
  ): Result<BucketFormat, Fault<'bucket_out_of_range'>> {
    assert(at % lineWords === 0, `a shared bucket at word ${at}, not at a cache line`);
    const format = bucketFormat(options);
    if (!format.ok) return format;
    const origin = options.origin ?? 0;
    const { span } = options;
    const fixed = {
      ...format.value,
      originLow: origin | 0,
      originHigh: Math.floor(origin / wordRange),
      spanLow: span | 0,
      spanHigh: Math.floor(span / wordRange),
    };
    for (const name of fixedNames) words.store(at + bucketWord[name], fixed[name]);
    words.store(at + bucketWord.control, format.value.capacity);
    words.store(at + bucketWord.control + 1, 0);
    words.store(at + bucketWord.layoutVersion, layoutVersion);
    return ok(format.value);
  }

  constructor(words: Words, at: number) {
    const version = words.load(at + bucketWord.layoutVersion);
    assert(version === layoutVersion, 'no shared bucket of this layout version');
    this.#words = words;
    this.#control = at + bucketWord.control;
    this.#tokenBits = words.load(at + bucketWord.tokenBits);
    this.#tokenMask = -1 >>> (32 - this.#tokenBits);
    this.#unitsPerToken = 1 << words.load(at + bucketWord.fractionBits);
    this.#capacity = words.load(at + bucketWord.capacity);
    this.#rate = words.load(at + bucketWord.rate);
    this.#lowTimes = 2 ** (32 - this.#tokenBits);
    const joined = (low: number, high: number): number =>
      words.load(at + high) * wordRange + (words.load(at + low) >>> 0);
    this.#origin = joined(bucketWord.originLow, bucketWord.originHigh);
    this.#span = joined(bucketWord.spanLow, bucketWord.spanHigh);
  }

  /** Refills, then takes one token. False when there is none, or when `now` is not finite. */
  tryAcquire(now: number): boolean {
    return this.#refillAndTake(this.#unitsPerToken, now);
  }

  /**
   * Refills, then takes `count` tokens, all or none. Taking 0 succeeds. False when there are fewer,
   * when `count` is not a whole number from 0 on, or when `now` is not finite.
   */
  tryAcquireBatch(count: number, now: number): boolean {
    const wanted = isCount(count) ? count * this.#unitsPerToken : Number.POSITIVE_INFINITY;
    return this.#refillAndTake(wanted, now);
  }

  /** Adds what has dripped in since the last refill. */
  refill(now: number): void {
    this.#refillAndTake(0, now);
  }

  /** Tokens as of the last refill, fractions included. */
  available(): number {
    return (this.#words.load(this.#control) & this.#tokenMask) / this.#unitsPerToken;
  }

  #refillAndTake(wanted: number, now: number): boolean {
    if (!Number.isFinite(now)) return false;
    const words = this.#words;
    const time = this.#timeOf(now);
    for (let failures = 0; ; words.pause(++failures)) {
      const high = words.load(this.#control + 1);
      const low = words.load(this.#control);
      const mark = (high >>> 0) * this.#lowTimes + (low >>> this.#tokenBits);
      const tokens = low & this.#tokenMask;
      const refilled = time > mark ? this.#refilled(tokens, time - mark) : tokens;
      const isGranted = refilled >= wanted;
      const left = isGranted ? refilled - wanted : refilled;
      if (left === tokens && time <= mark) return isGranted;
      if (this.#exchange(low, high, left, Math.max(time, mark))) return isGranted;
    }
  }

  /** Whole units since the origin; a time beyond the span is a bug of the caller. */
  #timeOf(now: number): number {
    const time = Math.floor(now) - this.#origin;
    if (time > this.#span) failBeyondSpan(now, this.#origin + this.#span);
    return time;
  }

  /** Exact: below the time to fill a bucket the product is less than the capacity. */
  #refilled(tokens: number, elapsed: number): number {
    return Math.min(this.#capacity, tokens + Math.min(this.#capacity, elapsed * this.#rate));
  }

  #exchange(low: number, high: number, tokens: number, time: number): boolean {
    const timeHigh = Math.floor(time / this.#lowTimes);
    const timeLow = time - timeHigh * this.#lowTimes;
    const next = (timeLow << this.#tokenBits) | tokens;
    return this.#words.compareExchange64(this.#control, low, high, next, timeHigh) === 1;
  }
}

const fixedNames = [
  'tokenBits',
  'fractionBits',
  'capacity',
  'rate',
  'originLow',
  'originHigh',
  'spanLow',
  'spanHigh',
] as const;

function failBeyondSpan(now: number, last: number): never {
  assert(false, `a shared token bucket is asked at ${now}, but is good until ${last}`);
}
