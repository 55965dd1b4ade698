// Ordered sets of slots: a treap, that is, a search tree by key and a heap by a random priority that
// each slot keeps for ever, so depth is about 2 ln n whatever the order of insertions. The nodes are
// small integers and the tree is five flat arrays: no object per node and nothing for the collector.
// Many trees share the arrays, each known by its root; slot 0 is "none" and the root of an empty one.
// The priorities come from a fixed seed, and no answer depends on them.
//
// T1  In key order (major, then minor) the slots of a tree ascend; no key is in a tree twice.
// T2  No slot has a lower priority than its children.
// T3  A slot is in at most one tree.

import { assert } from '../../base/assert.ts';
import { seededRandom } from '../../base/random.ts';

const seed = 1;

export class SlotTreap {
  readonly #left: number[] = [0];
  readonly #right: number[] = [0];
  readonly #priority: number[] = [0];
  readonly #major: number[] = [0];
  readonly #minor: number[] = [0];
  readonly #random = seededRandom(seed);

  /** The root after `slot` has been put under the key. */
  insert(root: number, slot: number, major: number, minor: number): number {
    this.#widen(slot);
    this.#major[slot] = major;
    this.#minor[slot] = minor;
    if (root === 0) {
      this.#left[slot] = 0;
      this.#right[slot] = 0;
      return slot;
    }
    const priorities = this.#priority;
    const priority = priorities[slot] ?? 0;
    let parent = 0;
    let below = root;
    while (below !== 0 && (priorities[below] ?? 0) >= priority) {
      parent = below;
      below = (this.#isBefore(below, major, minor) ? this.#right : this.#left)[below] ?? 0;
    }
    this.#splitUnder(slot, below);
    return this.#hang(root, parent, slot);
  }

  /** The root after `slot` has been taken out; it must be in that tree. */
  remove(root: number, slot: number): number {
    const major = this.#major[slot] ?? 0;
    const minor = this.#minor[slot] ?? 0;
    let parent = 0;
    let at = root;
    while (at !== slot) {
      assert(at !== 0, 'a slot is removed from the tree that it is in');
      parent = at;
      at = (this.#isBefore(at, major, minor) ? this.#right : this.#left)[at] ?? 0;
    }
    const joined = this.#join(this.#left[slot] ?? 0, this.#right[slot] ?? 0);
    if (parent === 0) return joined;
    if (this.#left[parent] === slot) this.#left[parent] = joined;
    else this.#right[parent] = joined;
    return root;
  }

  /** The slot with the lowest key that is not below (major, minor), or 0. */
  firstFrom(root: number, major: number, minor: number): number {
    let found = 0;
    let at = root;
    while (at !== 0) {
      if (this.#isBefore(at, major, minor)) at = this.#right[at] ?? 0;
      else {
        found = at;
        at = this.#left[at] ?? 0;
      }
    }
    return found;
  }

  /** The slot with the lowest key, or 0. */
  first(root: number): number {
    let at = root;
    for (let next = root; next !== 0; next = this.#left[at] ?? 0) at = next;
    return at;
  }

  /** The major key of the last slot, or 0 for an empty tree. */
  largestMajor(root: number): number {
    let at = root;
    for (let next = root; next !== 0; next = this.#right[at] ?? 0) at = next;
    return this.#major[at] ?? 0;
  }

  #widen(slot: number): void {
    while (this.#left.length <= slot) {
      this.#left.push(0);
      this.#right.push(0);
      this.#major.push(0);
      this.#minor.push(0);
      // 31 bits are a small integer to the engine, and an array of those is the fastest kind.
      this.#priority.push(this.#random.nextBelow(2 ** 31));
    }
  }

  #isBefore(slot: number, major: number, minor: number): boolean {
    const own = this.#major[slot] ?? 0;
    return own < major || (own === major && (this.#minor[slot] ?? 0) < minor);
  }

  /** Puts `slot` where its key belongs under `parent`; without a parent it is the root. */
  #hang(root: number, parent: number, slot: number): number {
    if (parent === 0) return slot;
    const isRight = this.#isBefore(parent, this.#major[slot] ?? 0, this.#minor[slot] ?? 0);
    (isRight ? this.#right : this.#left)[parent] = slot;
    return root;
  }

  /** Divides the tree `root` at the key of `slot` and makes the halves its children. */
  #splitUnder(slot: number, root: number): void {
    const left = this.#left;
    const right = this.#right;
    const major = this.#major[slot] ?? 0;
    const minor = this.#minor[slot] ?? 0;
    // The open ends of the two halves, where the next lower and the next higher part go. The lower
    // half begins as the left child and then goes on to the right, the higher the other way round.
    let lower = slot;
    let lowerSide = left;
    let higher = slot;
    let higherSide = right;
    let at = root;
    while (at !== 0) {
      if (this.#isBefore(at, major, minor)) {
        lowerSide[lower] = at;
        lower = at;
        lowerSide = right;
        at = right[at] ?? 0;
      } else {
        higherSide[higher] = at;
        higher = at;
        higherSide = left;
        at = left[at] ?? 0;
      }
    }
    lowerSide[lower] = 0;
    higherSide[higher] = 0;
  }

  /** One tree of two, of which all keys of `a` are below those of `b`. */
  #join(a: number, b: number): number {
    if (a === 0) return b;
    if (b === 0) return a;
    if ((this.#priority[a] ?? 0) >= (this.#priority[b] ?? 0)) {
      this.#right[a] = this.#join(this.#right[a] ?? 0, b);
      return a;
    }
    this.#left[b] = this.#join(a, this.#left[b] ?? 0);
    return b;
  }
}
