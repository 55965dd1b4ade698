// The twin that SharedPriorityQueue is measured against: the same items in rings of shared memory,
// one for each level, changed under one mutex. It is as good as a plain guarded queue can be.

import type { QueueShape } from '../../src/io/shared-memory/queue-layout.ts';
import type { SharedItem } from '../../src/io/shared-memory/shared-priority-queue.ts';
import { lineWords, wholeLines } from '../../src/io/shared-memory/words.ts';
import { Mutex } from './mutex.ts';

const mutexWord = 0;
const sizeWord = lineWords;
const headsAt = 2 * lineWords;

export class GuardedQueue {
  readonly #words: Int32Array;
  readonly #mutex: Mutex;
  readonly #hardLimit: number;
  readonly #levels: number;
  readonly #highest: number;
  readonly #tailsAt: number;
  readonly #ringsAt: number;
  readonly #ringCells: number;

  static buffer(shape: QueueShape): SharedArrayBuffer {
    const rings = shape.levels * ringCellsOf(shape);
    return new SharedArrayBuffer(4 * (headsAt + 2 * wholeLines(shape.levels) + rings));
  }

  constructor(buffer: SharedArrayBuffer, shape: QueueShape) {
    this.#words = new Int32Array(buffer);
    this.#mutex = new Mutex(this.#words, mutexWord);
    this.#hardLimit = shape.hardLimit;
    this.#levels = shape.levels;
    this.#highest = shape.lowestPriority + shape.levels - 1;
    this.#tailsAt = headsAt + wholeLines(shape.levels);
    this.#ringsAt = this.#tailsAt + wholeLines(shape.levels);
    this.#ringCells = ringCellsOf(shape);
  }

  enqueue(item: SharedItem): boolean {
    const words = this.#words;
    const level = this.#highest - item.priority;
    this.#mutex.lock();
    const size = words[sizeWord] ?? 0;
    if (size >= this.#hardLimit) {
      this.#mutex.unlock();
      return false;
    }
    const tail = words[this.#tailsAt + level] ?? 0;
    words[this.#cellAt(level, tail)] = item.id;
    words[this.#tailsAt + level] = tail + 1;
    words[sizeWord] = size + 1;
    this.#mutex.unlock();
    return true;
  }

  dequeue(): SharedItem | undefined {
    const words = this.#words;
    this.#mutex.lock();
    const size = words[sizeWord] ?? 0;
    let level = size === 0 ? this.#levels : 0;
    while (level < this.#levels && words[headsAt + level] === words[this.#tailsAt + level]) level++;
    if (level === this.#levels) {
      this.#mutex.unlock();
      return undefined;
    }
    const head = words[headsAt + level] ?? 0;
    const id = words[this.#cellAt(level, head)] ?? 0;
    words[headsAt + level] = head + 1;
    words[sizeWord] = size - 1;
    this.#mutex.unlock();
    return { id, priority: this.#highest - level };
  }

  #cellAt(level: number, position: number): number {
    return this.#ringsAt + level * this.#ringCells + (position & (this.#ringCells - 1));
  }
}

function ringCellsOf(shape: QueueShape): number {
  return 1 << (32 - Math.clz32(shape.hardLimit));
}
