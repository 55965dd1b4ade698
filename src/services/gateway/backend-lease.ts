// A request that a backend works on, counted once and given back once: whatever ends the attempt may
// call `release`, in any order and as often as it likes (specification BR 4.4). What a thread held when
// it died, the owner takes back from the arena's ledger.

import type { Arena, ArenaHandle } from '../../io/shared-memory/arena.ts';

export class BackendLease {
  readonly #arena: Arena;
  readonly #thread: number;
  #handle: ArenaHandle | undefined;

  private constructor(arena: Arena, handle: ArenaHandle, thread: number) {
    this.#arena = arena;
    this.#handle = handle;
    this.#thread = thread;
  }

  /** Undefined when the backend is not there any more. */
  static take(arena: Arena, handle: ArenaHandle, thread: number): BackendLease | undefined {
    if (arena.increment(handle, thread) === undefined) return undefined;
    return new BackendLease(arena, handle, thread);
  }

  get isHeld(): boolean {
    return this.#handle !== undefined;
  }

  /** Blends in how long the first byte took, ms; nothing once it is given back. */
  firstByte(ms: number): void {
    if (this.#handle !== undefined) this.#arena.recordFirstByte(this.#handle, ms);
  }

  /**
   * The backend has one request less in flight and one more in its total. True when there was none
   * in flight to take off, which is a fault of the counting and never of the caller.
   */
  release(): boolean {
    const handle = this.#handle;
    if (handle === undefined) return false;
    this.#handle = undefined;
    const isClamped = this.#arena.decrement(handle, this.#thread) === -1;
    this.#arena.addTotal(handle);
    return isClamped;
  }
}
