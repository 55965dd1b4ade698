// The last operation of a shared priority queue, of which the control word tells, and how any thread
// completes it: the second half of the algorithm of shared-priority-queue.ts.
//
// While the control word says version v, memory shows S(v - 1), or S(v) once operation v is completed.
// The parity in the control word is that of the position (or number of drains) before the operation,
// so it tells the one from the other.
//
//   L1  What is read to complete operation v counts only if the control word still says v afterwards.
//   L2  The write expects a stamp, position or number of drains of S(v - 1). They only ascend, so of
//       many completions one takes effect, and one that comes late fails.
//   L3  It takes effect only while operation v is not completed, and until then its thread announces
//       nothing else (Q4): so it has read the right announcement.

import type { LevelRings } from './level-rings.ts';
import {
  bankIndex,
  drainParity,
  levelOf,
  nextBankWord,
  operation,
  operationOf,
  parityOf,
  type QueueLayout,
  queueWord,
  rowOf,
  rowWord,
  threadOf,
} from './queue-layout.ts';
import type { Words } from './words.ts';

export class LastOperation {
  readonly #words: Words;
  readonly #at: number;
  readonly #layout: QueueLayout;
  readonly #rings: LevelRings;

  /** `at` is the first word of the queue. */
  constructor(words: Words, at: number, layout: QueueLayout, rings: LevelRings) {
    this.#words = words;
    this.#at = at;
    this.#layout = layout;
    this.#rings = rings;
  }

  /** Makes sure that the operation of the control word (low, high) is completed. */
  complete(low: number, high: number): void {
    const kind = operationOf(low);
    if (kind === operation.enqueue) this.#completeEnqueue(low, high);
    else if (kind === operation.dequeue) this.#completeDequeue(low, high);
    else if (kind === operation.drain) this.#completeDrain(low, high);
  }

  #completeEnqueue(low: number, high: number): void {
    const level = levelOf(low);
    const bank = this.#bank();
    const id = this.#words.load(this.#rowOf(low) + rowWord.announced);
    while (this.#isVersion(high)) {
      const position = this.#rings.glanceTail(bank, level);
      if (!this.#rings.isTail(bank, level, position)) continue; // An old glance, or just filled.
      if ((position & 1) !== parityOf(low)) return;
      if (this.#isVersion(high)) this.#rings.fill(bank, level, position, id);
      return;
    }
  }

  #completeDequeue(low: number, high: number): void {
    const headAt = this.#rings.headAt(this.#bank(), levelOf(low));
    const head = this.#words.load(headAt);
    if ((head & 1) !== parityOf(low) || !this.#isVersion(high)) return;
    this.#words.compareExchange(headAt, head, head + 1);
  }

  #completeDrain(low: number, high: number): void {
    const bankAt = this.#at + queueWord.bank;
    const spare = this.#words.load(this.#rowOf(low) + rowWord.spareBank);
    const current = this.#words.load(bankAt);
    if (drainParity(current) !== parityOf(low) || !this.#isVersion(high)) return;
    this.#words.compareExchange(bankAt, current, nextBankWord(current, spare));
  }

  #bank(): number {
    return this.#rings.bankAt(bankIndex(this.#words.load(this.#at + queueWord.bank)));
  }

  /** The row of the thread that made the operation. */
  #rowOf(low: number): number {
    return this.#at + rowOf(this.#layout, threadOf(low));
  }

  #isVersion(high: number): boolean {
    return this.#words.load(this.#at + queueWord.control + 1) === high;
  }
}
