// What the arena does to its words, step by step, over a port: in the product the port is Atomics on
// shared memory (arena.ts), in tests a memory that lets one step of one thread pass at a time, so that
// every interleaving is tried.
//
//   a slot   generation | pending | ... | clamps        a ledger row   held | held | ... one per slot
//
// A lease is two counts: the pending of the slot, which every thread sees, and the thread's own row of
// the ledger, which says what to take back when the thread dies. Both are taken under the generation
// of the handle; one that is over writes nothing to the slot (the ABA fault). The ledger counts first
// and forgets last: a row is never less than what its thread may still write off the slot.

import { slot as slotWord } from './layout.ts';

/** Unsigned 32-bit words by index; each step is sequentially consistent. */
export interface Cells {
  load(index: number): number;
  /** Modulo 2^32; the value before. */
  add(index: number, amount: number): number;
  /** Writes `next` where `expected` stands; did it? */
  compareExchange(index: number, expected: number, next: number): boolean;
}

/**
 * Words that one thread alone writes while it lives: read and written without order, which costs a
 * tenth. Another thread may read an older value until the two have met, by a message or by the end of
 * the writer. Only a slot that is given away by force, after ten minutes, is emptied under its writer.
 */
export interface OwnCells {
  get(index: number): number;
  set(index: number, value: number): void;
}

/** A worse sample counts at once; a better one, and silence, halve what is left of it in this time. */
export const peakHalfLifeMs = 10_000;

/** What is left after `ageMs` of a peak of `us`, whole microseconds. */
export function decayed(us: number, ageMs: number): number {
  return ageMs <= 0 ? us : Math.round(us * 2 ** (-ageMs / peakHalfLifeMs));
}

/**
 * The peak-sensitive average after a sample (Finagle's balancer): the sample where it is worse than
 * what is left of the peak, else the peak's remainder and the sample's share of what has decayed.
 * Microseconds; at least 1, for 0 stands for "never measured".
 */
export function peakAfter(us: number, ageMs: number, sampleUs: number): number {
  const left = decayed(us, ageMs);
  if (us === 0 || sampleUs >= left) return Math.min(Math.max(Math.round(sampleUs), 1), wordMax);
  const share = ageMs <= 0 ? 1 : 2 ** (-ageMs / peakHalfLifeMs);
  return Math.min(Math.max(Math.round(left + sampleUs * (1 - share)), 1), wordMax);
}

/** The greatest sample and the greatest number of samples. */
const wordMax = 4_294_967_295;

/** Takes `amount` off, down to 0; the value after. */
export function takeOff(cells: Cells, at: number, amount: number): number {
  for (;;) {
    const current = cells.load(at);
    const next = Math.max(0, current - amount);
    if (next === current || cells.compareExchange(at, current, next)) return next;
  }
}

/** Is the slot at `slotAt` still that of the handle's backend? */
function isLive(words: Cells, slotAt: number, generation: number): boolean {
  return words.load(slotAt + slotWord.generation) === generation;
}

/**
 * Counts one more request in flight: the value after, undefined for a dead handle. `held` is the
 * thread's own word for this slot; undefined for the owner, which dies with the arena.
 */
export function takeLease(
  words: Cells,
  slotAt: number,
  generation: number,
  ledger: OwnCells,
  held: number | undefined,
): number | undefined {
  if (!isLive(words, slotAt, generation)) return undefined;
  if (held !== undefined) ledger.set(held, ledger.get(held) + 1);
  return words.add(slotAt + slotWord.pending, 1) + 1;
}

/**
 * Counts one less: the value after. At 0 it stays 0, the clamp is counted, and the answer is -1 so
 * that the caller warns. Undefined for a dead handle; a slot that is closed and not open again still
 * learns from the ledger that nobody holds it any more.
 */
export function giveLease(
  words: Cells,
  slotAt: number,
  generation: number,
  ledger: OwnCells,
  held: number | undefined,
): number | undefined {
  const now = words.load(slotAt + slotWord.generation);
  const after = now === generation ? countDown(words, slotAt) : undefined;
  // Last: the slot is not given to another while the ledger says that it is held.
  if (held !== undefined && (now === generation || now === generation + 1)) {
    ledger.set(held, Math.max(0, ledger.get(held) - 1));
  }
  return after;
}

/** The value after, -1 at 0. */
function countDown(words: Cells, slotAt: number): number {
  const at = slotAt + slotWord.pending;
  for (;;) {
    const current = words.load(at);
    if (current === 0) {
      words.add(slotAt + slotWord.clampEvents, 1);
      return -1;
    }
    if (words.compareExchange(at, current, current - 1)) return current - 1;
  }
}

/**
 * Blends a sample into the average in word `word` of the slot: floor((sample + 4 old) / 5), and an
 * average of 0 is replaced (specification BR 4.3). The sum is at most 2.2e10, so a double holds it
 * exactly. Cut to whole ms and to 32 bits; throws TypeError on NaN, a negative and an infinite one.
 * A dead handle changes nothing.
 */
export function blend(
  words: Cells,
  slotAt: number,
  generation: number,
  word: number,
  samplesWord: number,
  ms: number,
): void {
  if (!Number.isFinite(ms) || ms < 0) throw new TypeError(`not a latency: ${ms}`);
  if (!isLive(words, slotAt, generation)) return;
  const sample = Math.min(Math.trunc(ms), wordMax);
  for (;;) {
    const old = words.load(slotAt + word);
    const next = old === 0 ? sample : Math.floor((sample + 4 * old) / 5);
    if (words.compareExchange(slotAt + word, old, next)) break;
  }
  for (;;) {
    const samples = words.load(slotAt + samplesWord);
    const isFull = samples === wordMax;
    if (isFull || words.compareExchange(slotAt + samplesWord, samples, samples + 1)) return;
  }
}
