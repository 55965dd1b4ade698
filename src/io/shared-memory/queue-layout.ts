// Where the words of a shared priority queue lie, drawn once. The queue begins at a cache line of
// its block; what different threads write apart does not share a line.
//
//   control   0 low half, 1 high half; alone in its line
//   shape     16 layout version   17 hard limit   18 levels   19 lowest priority   20 threads
//   bank      32 the current bank: index in 7 bits, then the number of drains
//   rows      one line per thread: 0 announced id   1 spare bank   2 draining   3 attached
//   banks     threads + 1 of them: head of each level, hint of each level's tail, then the cells,
//             a ring for each level of (low half: id, high half: stamp)
//
// The control word in 64 bits:
//
//   high half  version: the number of operations so far, modulo 2^32
//   low half   bits 0-15 size   16-17 kind of the last operation   18-23 its level
//              24 parity of what it changes   25-30 its thread

import { assert } from '../../base/assert.ts';
import { lineWords, wholeLines } from './words.ts';

export type QueueShape = {
  /** Items that may wait, 0 to 65 535. */
  readonly hardLimit: number;
  /** Priorities are `lowestPriority` to `lowestPriority + levels - 1`; 1 to 64 of them. */
  readonly levels: number;
  readonly lowestPriority: number;
  /** Threads that may be attached at one time, numbered from 0; 1 to 64. */
  readonly threads: number;
};

export const queueLayoutVersion = 1;

export const queueWord = {
  control: 0,
  layoutVersion: 16,
  hardLimit: 17,
  levels: 18,
  lowestPriority: 19,
  threads: 20,
  bank: 32,
} as const;
const headerWords = 48;

/** Within the row of a thread. */
export const rowWord = { announced: 0, spareBank: 1, draining: 2, attached: 3 } as const;
const rowWords = lineWords;

export type QueueLayout = {
  /** Cells of one level's ring, a power of two above the hard limit. */
  readonly ringCells: number;
  readonly rows: number;
  readonly banks: number;
  /** Within a bank. */
  readonly hints: number;
  readonly cells: number;
  readonly bankWords: number;
  readonly words: number;
};

/** Offsets from the queue's first word. */
export function queueLayout(shape: QueueShape): QueueLayout {
  assertWithin('hard limit', shape.hardLimit, 0, sizeMask);
  assertWithin('number of levels', shape.levels, 1, levelMask + 1);
  assertWithin('number of threads', shape.threads, 1, threadMask + 1);
  assertWithin('lowest priority', shape.lowestPriority, -0x4000_0000, 0x4000_0000);
  const ringCells = 1 << (32 - Math.clz32(shape.hardLimit));
  const hints = wholeLines(shape.levels);
  const cells = hints * 2;
  const bankWords = cells + wholeLines(shape.levels * ringCells * 2);
  const rows = headerWords;
  const banks = rows + shape.threads * rowWords;
  const words = banks + (shape.threads + 1) * bankWords;
  return { ringCells, rows, banks, hints, cells, bankWords, words };
}

function assertWithin(name: string, value: number, least: number, most: number): void {
  const whole = Number.isInteger(value);
  assert(whole && value >= least && value <= most, `the ${name} of a shared queue is ${value}`);
}

/** First word of a thread's row, from the queue's first word. */
export function rowOf(layout: QueueLayout, thread: number): number {
  return layout.rows + thread * rowWords;
}

/** What the last operation, of which the control word tells, has done. */
export const operation = { none: 0, enqueue: 1, dequeue: 2, drain: 3 } as const;

const sizeMask = 0xffff;
const kindShift = 16;
const kindMask = 3;
const levelShift = 18;
const levelMask = 0x3f;
const parityShift = 24;
const threadShift = 25;
const threadMask = 0x3f;

export function sizeOf(low: number): number {
  return low & sizeMask;
}

export function operationOf(low: number): number {
  return (low >>> kindShift) & kindMask;
}

export function levelOf(low: number): number {
  return (low >>> levelShift) & levelMask;
}

export function parityOf(low: number): number {
  return (low >>> parityShift) & 1;
}

export function threadOf(low: number): number {
  return (low >>> threadShift) & threadMask;
}

/** The low half after an item came to `position` of a level. */
export function enqueued(low: number, level: number, position: number, thread: number): number {
  const change = ((position & 1) << parityShift) | (thread << threadShift);
  return (sizeOf(low) + 1) | (operation.enqueue << kindShift) | (level << levelShift) | change;
}

/** The low half after the item at `position` left, the first one of a level. */
export function dequeued(low: number, level: number, position: number, thread: number): number {
  const change = ((position & 1) << parityShift) | (thread << threadShift);
  return (sizeOf(low) - 1) | (operation.dequeue << kindShift) | (level << levelShift) | change;
}

/** The low half after a drain; the parity is that of the number of drains before. */
export function drained(parity: number, thread: number): number {
  return (operation.drain << kindShift) | (parity << parityShift) | (thread << threadShift);
}

const bankMask = 0x7f;
const drainUnit = bankMask + 1;

/** Index of the bank in use. */
export function bankIndex(bankWord: number): number {
  return bankWord & bankMask;
}

export function drainParity(bankWord: number): number {
  return (bankWord >>> 7) & 1;
}

/** The bank word after one more drain, with the bank that is used from then on. */
export function nextBankWord(bankWord: number, spare: number): number {
  return ((bankWord & ~bankMask) + drainUnit) | spare;
}

assert(new Set(Object.values(queueWord)).size === Object.keys(queueWord).length, 'a word twice');
assert(Math.max(...Object.values(queueWord)) < headerWords, 'the header is too short');
assert(new Set(Object.values(rowWord)).size === Object.keys(rowWord).length, 'a word twice');
assert(Math.max(...Object.values(rowWord)) < rowWords, 'the row of a thread is too short');
assert(queueWord.control % 2 === 0, 'the control word must be aligned');
assert(headerWords % lineWords === 0, 'rows begin at a line');
assert(threadMask + 2 <= bankMask + 1, 'each thread and the queue have a bank');
