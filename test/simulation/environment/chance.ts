// Chance in a world: everything is drawn from its seed, and each concern has a stream of its own, so
// that one more draw in the network leaves the clients as they were.

import { type Random, seededRandom } from '../../../src/base/random.ts';

export class Chance {
  readonly #random: Random;

  constructor(seed: number, concern: number) {
    this.#random = seededRandom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(concern + 1, 0x85ebca6b));
  }

  /** Is it so, with this probability, 0 to 1? */
  hits(probability: number): boolean {
    return this.#random.nextUnit() < probability;
  }

  /** A whole number from `least` to `most`, both possible. */
  between(least: number, most: number): number {
    return least + this.#random.nextBelow(most - least + 1);
  }

  /** A number in [0, 1). */
  unit(): number {
    return this.#random.nextUnit();
  }

  /** Unsigned 32 bits. */
  word(): number {
    return this.#random.nextUint32();
  }

  /** One of the list, which is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[this.#random.nextBelow(list.length)] as T;
  }

  /** A copy in another order. */
  shuffled<T>(list: readonly T[]): T[] {
    const out = [...list];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.#random.nextBelow(i + 1);
      [out[i], out[j]] = [out[j] as T, out[i] as T];
    }
    return out;
  }
}
