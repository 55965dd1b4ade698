// What the gateway threads share beside the arena, in lock-free memory: the notices of backends that
// could not be reached, and one budget for entries of the audit. Both have one cap for all threads
// together, whatever their number, and nobody waits for anybody.
//
// A backend that goes away fails every request that was on its way to it. One message each would
// bury the control thread when it has most to do; here the notices wait in one bounded queue, those
// of the requests that have tried the most backends first, and the control thread takes them all at
// once. What does not fit says nothing new: the health of the backend is looked at in any case.

import { assert } from '../../base/assert.ts';
import { SharedPriorityQueue } from '../../io/shared-memory/shared-priority-queue.ts';
import { SharedTokenBucket } from '../../io/shared-memory/shared-token-bucket.ts';
import { createWordBlock, openWords, type WordBlock } from '../../io/shared-memory/shared-words.ts';

/** Notices that may wait. */
const noticesMax = 255;
/** Priorities 1 to 5: how many backends a request has tried. */
const attemptsTold = 5;
/** Entries of the audit per second, and as many more in a burst; a quarter of one in a ms, exactly. */
export const auditEntriesPerSecond = 250;
/** Years of running that the bucket is good for: 34. */
const spanMs = 2 ** 40;

/** Bits of a notice that name the slot of the arena; the others are of its generation. */
const slotBits = 12;
const slotsMax = 2 ** slotBits;
const generationsTold = 2 ** (32 - slotBits);

/** Posted to a thread as it is. */
export type DeskParts = { readonly block: WordBlock; readonly threads: number };

/** A place in the arena, as targets have it. */
export type ArenaPlace = { readonly slot: number; readonly generation: number };

/** One number for a place: a slot that has had another backend since has another number. */
export function noticeOf({ slot, generation }: ArenaPlace): number {
  assert(slot < slotsMax, `arena slot ${slot} in a notice`);
  return (generation % generationsTold) * slotsMax + slot;
}

function shapeFor(threads: number) {
  // The control thread is one more.
  return { hardLimit: noticesMax, levels: attemptsTold, lowestPriority: 1, threads: threads + 1 };
}

export class ThreadDesk {
  readonly parts: DeskParts;
  readonly #notices: SharedPriorityQueue;
  readonly #auditBudget: SharedTokenBucket;

  /** New memory for so many gateway threads, opened for the control thread. `nowMs`: Unix ms. */
  static create(threads: number, nowMs: number): ThreadDesk {
    const shape = shapeFor(threads);
    const block = createWordBlock(SharedTokenBucket.words + SharedPriorityQueue.wordsFor(shape));
    const words = openWords(block);
    const bucket = SharedTokenBucket.create(words, 0, {
      capacity: auditEntriesPerSecond,
      refillRate: auditEntriesPerSecond / 1000,
      origin: Math.floor(nowMs),
      span: spanMs,
    });
    assert(bucket.ok, 'the audit budget fits its bucket');
    SharedPriorityQueue.create(words, SharedTokenBucket.words, shape);
    return new ThreadDesk({ block, threads }, threads);
  }

  /** Opens it for one thread: gateway threads from 0 on, the control thread is the last number. */
  constructor(parts: DeskParts, thread: number) {
    this.parts = parts;
    const words = openWords(parts.block);
    this.#auditBudget = new SharedTokenBucket(words, 0);
    this.#notices = new SharedPriorityQueue(words, SharedTokenBucket.words, thread);
  }

  /** A backend could not be reached by a request in its `attempt`, from 1 on. */
  unreachable(place: ArenaPlace, attempt: number): void {
    this.#notices.enqueue({ id: noticeOf(place), priority: Math.min(attempt, attemptsTold) });
  }

  get hasNotices(): boolean {
    return this.#notices.size > 0;
  }

  /** Takes all notices, most urgent first, each place once. */
  takeUnreachable(): readonly number[] {
    return [...new Set(this.#notices.drain().map(({ id }) => id))];
  }

  /** May one more entry go to the audit? `nowMs`: Unix ms. */
  mayAudit(nowMs: number): boolean {
    return this.#auditBudget.tryAcquire(nowMs);
  }

  /** The thread is gone; its successor may open the desk under its number. */
  release(thread: number): void {
    assert(this.#notices.release(thread), 'gateway threads never drain');
  }
}
