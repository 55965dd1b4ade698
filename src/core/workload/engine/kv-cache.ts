// The KV cache in blocks, with prefix sharing. A full block of a prompt is known by a hash of all
// text up to its end; a later prompt that starts with the same blocks finds them and need not
// compute them again. Blocks that no sequence uses stay until room is needed, least recently used
// first, so an idle engine keeps a warm cache.
//
// Invariants: I1 held + unshared + idle blocks never exceed the capacity. I2 a block is idle
// exactly while no reservation holds it. I3 a released reservation gives back all it took.
//
// Unlike vLLM the whole length, output included, is reserved at admission: the simulator knows the
// output length, so it never has to preempt. Output text is not shared, only prompts are.

import { assert } from '../../../base/assert.ts';

export type Reservation = {
  /** Leading blocks found in the cache at admission. */
  readonly hitBlocks: number;
  /** Prompt blocks under their hash that this reservation holds. */
  readonly shared: number[];
  /** Blocks that belong to this reservation alone. */
  unshared: number;
};

export class KvCache {
  readonly capacityBlocks: number;
  /** Hash of a block in use -> reservations that hold it. */
  readonly #held = new Map<number, number>();
  /** Hashes of cached blocks without a holder, least recently used first. */
  readonly #idle = new Set<number>();
  #unshared = 0;

  constructor(capacityBlocks: number) {
    assert(Number.isInteger(capacityBlocks) && capacityBlocks >= 1, `capacity ${capacityBlocks}`);
    this.capacityBlocks = capacityBlocks;
  }

  /** Blocks in use by sequences; idle cached blocks do not count. */
  get usedBlocks(): number {
    return this.#held.size + this.#unshared;
  }

  get idleBlocks(): number {
    return this.#idle.size;
  }

  /** Room for `totalBlocks`, of which the leading `hashes` may be found; undefined: no room. */
  reserve(hashes: readonly number[], totalBlocks: number): Reservation | undefined {
    let hitBlocks = 0;
    let woken = 0;
    for (const hash of hashes) {
      if (this.#idle.has(hash)) woken++;
      else if (!this.#held.has(hash)) break;
      hitBlocks++;
    }
    const fresh = totalBlocks - hitBlocks;
    assert(fresh >= 0, 'a prompt is not longer than the whole');
    if (this.usedBlocks + woken + fresh > this.capacityBlocks) return undefined;
    const shared = hashes.slice(0, hitBlocks);
    for (const hash of shared) this.#hold(hash);
    this.#unshared += fresh;
    this.#evict();
    return { hitBlocks, shared, unshared: fresh };
  }

  /** The prompt has been computed: from now on its blocks can be found under `hashes`. */
  publish(reservation: Reservation, hashes: readonly number[]): void {
    for (const hash of hashes.slice(reservation.hitBlocks)) {
      // A twin may have published the same text first; then this copy stays its own.
      if (this.#held.has(hash) || this.#idle.has(hash)) continue;
      this.#held.set(hash, 1);
      reservation.shared.push(hash);
      reservation.unshared--;
      this.#unshared--;
    }
    assert(reservation.unshared >= 0, 'published more blocks than were reserved');
  }

  release(reservation: Reservation): void {
    this.#unshared -= reservation.unshared;
    reservation.unshared = 0;
    // Last block first, so that the head of a prefix, which more prompts share, is evicted last.
    for (const hash of reservation.shared.splice(0).reverse()) {
      const holders = this.#held.get(hash);
      assert(holders !== undefined, 'a held block is counted');
      if (holders > 1) {
        this.#held.set(hash, holders - 1);
      } else {
        this.#held.delete(hash);
        this.#idle.add(hash);
      }
    }
    assert(this.#unshared >= 0, 'released more blocks than were reserved');
  }

  #hold(hash: number): void {
    this.#idle.delete(hash);
    this.#held.set(hash, (this.#held.get(hash) ?? 0) + 1);
  }

  #evict(): void {
    for (const oldest of this.#idle) {
      if (this.usedBlocks + this.#idle.size <= this.capacityBlocks) break;
      this.#idle.delete(oldest);
    }
    assert(this.usedBlocks + this.#idle.size <= this.capacityBlocks, 'I1');
  }
}
