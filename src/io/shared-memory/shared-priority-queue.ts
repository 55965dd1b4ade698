// A bounded priority queue that many threads use at once without a lock: highest priority first,
// first in first out among equals, never more than the hard limit (platform specification D.5).
// It does what PriorityQueue of the core does, for items of a numeric id and a priority of a bounded
// range; the payload stays with the thread that produced it, in a table by id.
//
// Every change is one compare-and-exchange of one 64-bit control word, which holds the size, a
// version, and what the last operation was. With that exchange the operation has happened. What it
// means for the rings (level-rings.ts) is written afterwards, and not only by the thread that made
// the exchange: whoever comes next completes the last operation before its own (last-operation.ts).
// Completing takes effect once, however many threads attempt it. So a thread that stops for ever, at
// any step, holds up nobody and takes no item with it but those that it was given.
//
//      control   v: dequeued at level 1          v+1: thread 3 enqueued at level 0
//      ---------------+--------------------------------+--------------------------------> time
//      head of level 1 moves   announce, exchange  cell of level 0 is filled
//      (by the thread itself, or by whoever wants to exchange next)
//
//   Q1  A version is made by one exchange, so the operations have one order: S(v) is the queue
//       after the first v of them.
//   Q2  Version v + 1 is made only by a thread that knows operation v to be completed. While the
//       control word says v, memory shows S(v - 1) or S(v), and they differ in one word or cell.
//   Q3  What a thread reads to decide counts only if its exchange from v succeeds: then nothing has
//       changed since it knew operation v to be completed, and it has read S(v), glances included.
//   Q4  A thread announces its next id or spare bank only when its last operation is completed.
//   Q5  The size in the control word is the size of S(v) and never exceeds the hard limit: place
//       and item are taken by the same exchange, so there is nothing to roll back.
//   Q6  Each bank is the current one, or belongs to one thread as its spare.
//
// When does an operation happen?
//   - enqueue that accepts, dequeue and drain that return something: at the exchange from v;
//   - enqueue that refuses, anything that finds the queue empty, size: at the load of the low half;
//   - peek: at the exchange of the control word for itself, which proves that S(v) still was.
//
// A drain is two-phase: its exchange sets the size to 0 and names the thread's spare bank as the
// next current one (the new epoch: later items go there); then the thread, which alone knows the old
// bank now, empties it at leisure and keeps it as its spare. No other thread waits for that.
//
// What a dying thread costs: an item it had dequeued, or the items of a drain it was collecting,
// are gone with it as if it had died a moment later. A thread that dies while draining also takes
// its number and its bank along (see `release`); otherwise nothing is to be reclaimed.
//
// Some thread always gets on: an exchange fails only because another one succeeded. Whoever fails
// waits a little, soon sleeps a little (`pause` of the port), and tries again.
//
// Versions, positions and stamps are counted modulo 2^32 and drains modulo 2^25. To be deceived a
// thread must rest between two steps or calls while an exact multiple of that many go by.
//
// Tried and left (bench queue): BigInt64Array for the exchange, twice the time of an operation on one
// thread; ordered loads in place of all glances, a quarter more; trying again at once after a failed
// exchange, a third of the throughput of two threads. Considered and left: a lock-free ring for each
// level with an atomic size beside it. A dequeue that has seen level 5 empty could then return an
// item of level 3 that came after one of level 5, and a place that a dead thread has reserved would
// stop its level.

import { assert } from '../../base/assert.ts';
import { LastOperation } from './last-operation.ts';
import { LevelRings } from './level-rings.ts';
import {
  bankIndex,
  dequeued,
  drained,
  drainParity,
  enqueued,
  nextBankWord,
  type QueueLayout,
  type QueueShape,
  queueLayout,
  queueLayoutVersion,
  queueWord,
  rowOf,
  rowWord,
  sizeOf,
} from './queue-layout.ts';
import { lineWords, type Words } from './words.ts';

export type SharedItem = {
  /** 0 to 2^32 - 1; usually the place of the payload in the producer's table. */
  readonly id: number;
  /** A level of the queue; the higher number is served first. */
  readonly priority: number;
};

export class SharedPriorityQueue {
  readonly hardLimit: number;
  readonly #words: Words;
  readonly #rings: LevelRings;
  readonly #lastOperation: LastOperation;
  readonly #layout: QueueLayout;
  // Begun with an integer, so that the engine computes in integers (level-rings.ts).
  readonly #at: number = 0;
  /** The low half of the control word; the high half follows. */
  readonly #control: number = 0;
  readonly #bank: number = 0;
  readonly #thread: number = 0;
  readonly #row: number = 0;
  readonly #levels: number = 0;
  /** Priority of level 0. */
  readonly #highest: number = 0;
  #spareBank = 0;
  /** The version whose operation this thread knows to be completed. */
  #settled = 0;

  /** Words that a queue of this shape takes in its block. */
  static wordsFor(shape: QueueShape): number {
    return queueLayout(shape).words;
  }

  /** Makes an empty queue from word `at` of a fresh block on, before another thread opens it. */
  static create(words: Words, at: number, shape: QueueShape): void {
    assert(at % lineWords === 0, `a shared queue at word ${at}, not at a cache line`);
    const layout = queueLayout(shape);
    const rings = new LevelRings(words, at, layout, shape.levels);
    for (let bank = 0; bank <= shape.threads; bank++) rings.initialise(rings.bankAt(bank));
    for (let thread = 0; thread < shape.threads; thread++) {
      words.store(at + rowOf(layout, thread) + rowWord.spareBank, thread + 1);
    }
    for (const name of ['hardLimit', 'levels', 'lowestPriority', 'threads'] as const) {
      words.store(at + queueWord[name], shape[name]);
    }
    words.store(at + queueWord.layoutVersion, queueLayoutVersion);
  }

  /** Attaches as number `thread`, which no other living thread has. */
  constructor(words: Words, at: number, thread: number) {
    const version = words.load(at + queueWord.layoutVersion);
    assert(version === queueLayoutVersion, 'no shared queue of this layout version');
    const shape = shapeAt(words, at);
    assert(thread >= 0 && thread < shape.threads, `thread ${thread} of ${shape.threads}`);
    const layout = queueLayout(shape);
    this.hardLimit = shape.hardLimit;
    this.#words = words;
    this.#layout = layout;
    this.#at = at;
    this.#control = at + queueWord.control;
    this.#bank = at + queueWord.bank;
    this.#thread = thread;
    this.#levels = shape.levels;
    this.#highest = shape.lowestPriority + shape.levels - 1;
    this.#rings = new LevelRings(words, at, layout, shape.levels);
    this.#row = at + rowOf(layout, thread);
    const attached = words.compareExchange(this.#row + rowWord.attached, 0, 1) === 1;
    assert(attached, `thread ${thread} is attached to the queue already`);
    this.#spareBank = words.load(this.#row + rowWord.spareBank);
    this.#lastOperation = new LastOperation(words, at, layout, this.#rings);
    this.#settled = words.load(this.#control + 1);
    this.#lastOperation.complete(words.load(this.#control), this.#settled);
  }

  /** Items that wait, between 0 and the hard limit at every moment. */
  get size(): number {
    return sizeOf(this.#words.load(this.#control));
  }

  /** False when the queue is full, which is then untouched. */
  enqueue(item: SharedItem): boolean {
    const words = this.#words;
    const rings = this.#rings;
    const level = this.#levelFor(item);
    for (let failures = 0; ; words.pause(++failures)) {
      const high = words.load(this.#control + 1);
      const low = words.load(this.#control);
      if (sizeOf(low) >= this.hardLimit) return false;
      if (high !== this.#settled) this.#settle(low, high);
      const bank = rings.bankAt(bankIndex(words.glance(this.#bank)));
      const position = rings.glanceTail(bank, level);
      words.store(this.#row + rowWord.announced, item.id);
      const next = enqueued(low, level, position, this.#thread);
      if (words.compareExchange64(this.#control, low, high, next, high + 1) === 0) continue;
      this.#settled = (high + 1) | 0;
      rings.fill(bank, level, position, item.id);
      return true;
    }
  }

  /** Takes out the first item; undefined when the queue is empty. */
  dequeue(): SharedItem | undefined {
    const words = this.#words;
    const rings = this.#rings;
    for (let failures = 0; ; words.pause(++failures)) {
      const high = words.load(this.#control + 1);
      const low = words.load(this.#control);
      if (sizeOf(low) === 0) return undefined;
      if (high !== this.#settled) this.#settle(low, high);
      const bank = rings.bankAt(bankIndex(words.glance(this.#bank)));
      const level = rings.glanceFirst(bank);
      if (level < 0) continue; // The control word has moved on meanwhile.
      const headAt = rings.headAt(bank, level);
      const head = words.glance(headAt);
      const id = rings.glanceId(bank, level, head);
      const next = dequeued(low, level, head, this.#thread);
      if (words.compareExchange64(this.#control, low, high, next, high + 1) === 0) continue;
      this.#settled = (high + 1) | 0;
      words.compareExchange(headAt, head, head + 1);
      return { id, priority: this.#highest - level };
    }
  }

  /** The item that `dequeue` would take out. */
  peek(): SharedItem | undefined {
    const words = this.#words;
    const rings = this.#rings;
    for (let failures = 0; ; words.pause(++failures)) {
      const high = words.load(this.#control + 1);
      const low = words.load(this.#control);
      if (sizeOf(low) === 0) return undefined;
      this.#settle(low, high);
      const bank = rings.bankAt(bankIndex(words.glance(this.#bank)));
      const level = rings.glanceFirst(bank);
      if (level < 0) continue; // The control word has moved on meanwhile.
      const id = rings.glanceId(bank, level, words.glance(rings.headAt(bank, level)));
      if (words.compareExchange64(this.#control, low, high, low, high) === 0) continue;
      return { id, priority: this.#highest - level };
    }
  }

  /** Takes out everything that waits at one moment, in the order of `dequeue`. */
  drain(): SharedItem[] {
    const items: SharedItem[] = [];
    const bank = this.#detachBank();
    if (bank === undefined) return items;
    this.#rings.collect(this.#rings.bankAt(bank), (id, level) => {
      items.push({ id, priority: this.#highest - level });
    });
    this.#keepBank(bank);
    return items;
  }

  /** Drains and discards. */
  clear(): void {
    const bank = this.#detachBank();
    if (bank === undefined) return;
    this.#rings.collect(this.#rings.bankAt(bank), () => undefined);
    this.#keepBank(bank);
  }

  /** Gives this thread's number back; the queue may not be used from here afterwards. */
  detach(): void {
    this.#words.store(this.#row + rowWord.attached, 0);
  }

  /**
   * Gives back the number of a thread that has died, so that its successor may attach. False when it
   * died while draining: its number and one bank then stay out of use for the life of the queue.
   */
  release(thread: number): boolean {
    const row = this.#at + rowOf(this.#layout, thread);
    if (this.#words.load(row + rowWord.draining) === 1) return false;
    this.#words.store(row + rowWord.attached, 0);
    return true;
  }

  #levelFor({ id, priority }: SharedItem): number {
    const level = this.#highest - priority;
    if (level >>> 0 === level && level < this.#levels && id >>> 0 === id) return level;
    const lowest = this.#highest - this.#levels + 1;
    const bounds = `ids are below 2^32, priorities ${lowest} to ${this.#highest}`;
    assert(false, `item ${id} of priority ${priority} in a shared queue: ${bounds}`);
  }

  /** First phase of a drain: the bank that this thread has to empty, none when nothing waited. */
  #detachBank(): number | undefined {
    const words = this.#words;
    words.store(this.#row + rowWord.draining, 1);
    for (let failures = 0; ; words.pause(++failures)) {
      const high = words.load(this.#control + 1);
      const low = words.load(this.#control);
      if (sizeOf(low) === 0) {
        words.store(this.#row + rowWord.draining, 0);
        return undefined;
      }
      this.#settle(low, high);
      const current = words.glance(this.#bank);
      const next = drained(drainParity(current), this.#thread);
      if (words.compareExchange64(this.#control, low, high, next, high + 1) === 0) continue;
      this.#settled = (high + 1) | 0;
      words.compareExchange(this.#bank, current, nextBankWord(current, this.#spareBank));
      return bankIndex(current);
    }
  }

  /** Last step of a drain: the bank, now empty, is the spare one of this thread. */
  #keepBank(bank: number): void {
    this.#spareBank = bank;
    this.#words.store(this.#row + rowWord.spareBank, bank);
    this.#words.store(this.#row + rowWord.draining, 0);
  }

  /** Q2: makes sure that the operation of the control word is completed. */
  #settle(low: number, high: number): void {
    if (high === this.#settled) return;
    this.#lastOperation.complete(low, high);
    this.#settled = high;
  }
}

function shapeAt(words: Words, at: number): QueueShape {
  return {
    hardLimit: words.load(at + queueWord.hardLimit),
    levels: words.load(at + queueWord.levels),
    lowestPriority: words.load(at + queueWord.lowestPriority),
    threads: words.load(at + queueWord.threads),
  };
}
