// Where the items of a shared priority queue stand: for each bank and level a ring of cells, first
// in first out. A position counts the items that came to the level before, modulo 2^32; position k
// is in cell k modulo the length of the ring. A cell holds an id and a stamp, and the stamp alone
// says what the cell is:
//
//   stamp of the cell of position k    k + 1              filled: the item stands here
//                                      k + 1 - ringCells  free: what stood here a lap ago has left
//
// So a level is empty when the cell at its head is not filled, and its tail is the first position
// from the head on that is not filled. There is no tail to keep in step; the shared *hint* of it
// only shortens the search.
//
//   R1  positions from the head up to the tail are filled, and no others; they are at most the hard
//       limit, which is less than the ring's length.
//   R2  heads and stamps only ascend, so a write that expects an old one and comes late fails.
//   R3  the hint is never beyond the tail: it is written when the cell before it has been filled.

import type { QueueLayout } from './queue-layout.ts';
import type { Words } from './words.ts';

const cellWords = 2;
const stampWord = 1;

export class LevelRings {
  readonly #words: Words;
  // Begun with an integer, so that the engine computes indices in integers (a third of the time).
  readonly #levels: number = 0;
  readonly #banks: number = 0;
  readonly #bankWords: number = 0;
  readonly #hints: number = 0;
  readonly #cells: number = 0;
  readonly #ringCells: number = 0;
  readonly #mask: number = 0;

  /** `at` is the first word of the queue. */
  constructor(words: Words, at: number, layout: QueueLayout, levels: number) {
    this.#words = words;
    this.#levels = levels;
    this.#banks = at + layout.banks;
    this.#bankWords = layout.bankWords;
    this.#hints = layout.hints;
    this.#cells = layout.cells;
    this.#ringCells = layout.ringCells;
    this.#mask = layout.ringCells - 1;
  }

  /** First word of a bank. */
  bankAt(index: number): number {
    return (this.#banks + index * this.#bankWords) | 0;
  }

  /** The word that holds the position of the level's first item. */
  headAt(bank: number, level: number): number {
    return (bank + level) | 0;
  }

  /** The cell of a position: its id, then its stamp. */
  cellAt(bank: number, level: number, position: number): number {
    const cell = level * this.#ringCells + (position & this.#mask);
    return (bank + this.#cells + cell * cellWords) | 0;
  }

  /** Makes every ring of a new bank empty. Only while no other thread knows the bank. */
  initialise(bank: number): void {
    for (let level = 0; level < this.#levels; level++) {
      for (let position = 0; position < this.#ringCells; position++) {
        const free = position + 1 - this.#ringCells;
        this.#words.scribble(this.cellAt(bank, level, position) + stampWord, free);
      }
    }
  }

  /** The position that the level's next item gets. Glances: the caller must validate. */
  glanceTail(bank: number, level: number): number {
    const words = this.#words;
    const head = words.glance(bank + level);
    const hint = words.glance(bank + this.#hints + level);
    const stamps = this.cellAt(bank, level, 0) + stampWord;
    const mask = this.#mask;
    let position = ((hint - head) | 0) > 0 ? hint : head;
    while (words.glance(stamps + (position & mask) * cellWords) === ((position + 1) | 0)) {
      position = (position + 1) | 0;
    }
    return position;
  }

  /** Is this the position that the level's next item gets? */
  isTail(bank: number, level: number, position: number): boolean {
    if (this.#isFilled(bank, level, position)) return false;
    const head = this.#words.load(this.headAt(bank, level));
    return position === head || this.#isFilled(bank, level, (position - 1) | 0);
  }

  #isFilled(bank: number, level: number, position: number): boolean {
    const stamp = this.#words.load(this.cellAt(bank, level, position) + stampWord);
    return stamp === ((position + 1) | 0);
  }

  /** Fills the free cell of `position`; nothing happens when it has been filled already. */
  fill(bank: number, level: number, position: number, id: number): void {
    const words = this.#words;
    const cell = this.cellAt(bank, level, position);
    const filled = (position + 1) | 0;
    const left = words.glance(cell);
    words.compareExchange64(cell, left, (filled - this.#ringCells) | 0, id, filled);
    words.scribble(bank + this.#hints + level, filled);
  }

  /** The first level that holds an item, -1 when none does. Glances: the caller must validate. */
  glanceFirst(bank: number): number {
    const words = this.#words;
    let stamps = bank + this.#cells + stampWord;
    for (let level = 0; level < this.#levels; level++) {
      const head = words.glance(bank + level);
      const stamp = words.glance(stamps + (head & this.#mask) * cellWords);
      if (stamp === ((head + 1) | 0)) return level;
      stamps += this.#ringCells * cellWords;
    }
    return -1;
  }

  /** The id at a position. Glances. */
  glanceId(bank: number, level: number, position: number): number {
    return this.#words.glance(this.cellAt(bank, level, position)) >>> 0;
  }

  /** Empties a bank that no other thread uses any more and tells each id in order. */
  collect(bank: number, tell: (id: number, level: number) => void): void {
    for (let level = 0; level < this.#levels; level++) {
      const tail = this.glanceTail(bank, level);
      let head = this.#words.glance(this.headAt(bank, level));
      for (; head !== tail; head = (head + 1) | 0) tell(this.glanceId(bank, level, head), level);
      this.#words.scribble(this.headAt(bank, level), tail);
    }
  }
}
