// Names and what they stand for, shared by several parties (platform specification A.2). Values are
// primitives, so what is handed out can never change the registry.
//
//   I1  An operation happens entirely or not at all; in particular a transfer that is refused has
//       removed nothing.

import { compareText } from '../../base/compare.ts';

export class SharedRegistry<Value extends string | number | boolean> {
  readonly #entries = new Map<string, Value>();

  get count(): number {
    return this.#entries.size;
  }

  /** Writes the value, also over an older one. */
  register(key: string, value: Value): void {
    this.#entries.set(key, value);
  }

  lookup(key: string): Value | undefined {
    return this.#entries.get(key);
  }

  /** Returns the removed value; undefined when there was none. */
  remove(key: string): Value | undefined {
    const removed = this.#entries.get(key);
    this.#entries.delete(key);
    return removed;
  }

  /** Ascending by code unit. */
  keys(): readonly string[] {
    return [...this.#entries.keys()].sort(compareText);
  }

  /**
   * Moves the value of `from` to `to`. False, and no change at all (I1), if `from` is missing or
   * `to` is taken, which it is when both are one key.
   */
  transfer(from: string, to: string): boolean {
    const value = this.#entries.get(from);
    if (value === undefined) return false;
    if (this.#entries.has(to)) return false;
    this.#entries.delete(from);
    this.#entries.set(to, value);
    return true;
  }
}
