// A request that a backend works on, counted once and given back once: whatever ends the attempt may
// call `release`, in any order and as often as it likes (specification BR 4.4). What a thread held when
// it died, the owner takes back from the arena's ledger.

import type { Arena, ArenaHandle } from '../../io/shared-memory/arena.ts';

export class BackendLease {
  readonly #arena: Arena;
  readonly #thread: number;
  readonly #tokens: number;
  #handle: ArenaHandle | undefined;

  private constructor(arena: Arena, handle: ArenaHandle, thread: number, tokens: number) {
    this.#arena = arena;
    this.#handle = handle;
    this.#thread = thread;
    this.#tokens = tokens;
  }

  /**
   * Undefined when the backend is not there any more. `tokens` are those of the prompt and of the answer
   * that is expected.
   */
  static take(
    arena: Arena,
    handle: ArenaHandle,
    thread: number,
    tokens: number,
  ): BackendLease | undefined {
    if (arena.increment(handle, thread) === undefined) return undefined;
    arena.addTokens(handle, tokens, thread);
    return new BackendLease(arena, handle, thread, tokens);
  }

  /**
   * As `take`, but `full` when it would be one more than the backend's capacity: several threads may
   * have found the same last place free. 0 is no known capacity.
   */
  static takeWithin(
    arena: Arena,
    handle: ArenaHandle,
    thread: number,
    tokens: number,
  ): BackendLease | 'full' | undefined {
    const capacity = arena.capacityOf(handle.slot);
    if (capacity === 0) return BackendLease.take(arena, handle, thread, tokens);
    const inFlight = arena.increment(handle, thread);
    if (inFlight === undefined) return undefined;
    if (inFlight > capacity) {
      arena.decrement(handle, thread);
      return 'full';
    }
    arena.addTokens(handle, tokens, thread);
    return new BackendLease(arena, handle, thread, tokens);
  }

  get isHeld(): boolean {
    return this.#handle !== undefined;
  }

  /** Blends in how long the first byte took, ms, at `wallMs`; nothing once it is given back. */
  firstByte(ms: number, wallMs: number): void {
    if (this.#handle === undefined) return;
    this.#arena.recordFirstByte(this.#handle, ms);
    this.#arena.recordPeak(this.#handle, ms, wallMs);
  }

  /**
   * The backend has one request less in flight and one more in its total. True when there was none
   * in flight to take off, which is a fault of the counting and never of the caller.
   */
  release(): boolean {
    const handle = this.#handle;
    if (handle === undefined) return false;
    this.#handle = undefined;
    this.#arena.addTokens(handle, -this.#tokens, this.#thread);
    const isClamped = this.#arena.decrement(handle, this.#thread) === -1;
    this.#arena.addTotal(handle);
    return isClamped;
  }
}
