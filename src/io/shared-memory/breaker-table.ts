// Circuit breakers in memory that every thread shares: one per backend and one per (backend, model).
// What a breaker does is a rule of the core, handed in as steps over its two words; here is how a pair
// is found, how two threads never make two entries of it, and how a change takes effect at once.
//
//   header   0 layout version   1 entries that are not closed   2-15 zero
//   bucket   16 entries of 8 words; a key belongs to one bucket
//   entry    0-1 key (u64; bit 0 of the low half: being made)   2 breaker   3 since when, ms
//            4-7 zero
//
// A key is hashed from the names: its high half says which backend, so that all entries of a backend
// are given back together. Names that hash alike share a breaker, which at 63 bits does not happen.
//
// Making an entry: a thread that finds none marks a free place with the key and bit 0, looks through
// the bucket once more, clears marks of the same key by others, gives the breaker a new term, and takes
// bit 0 away. Whoever was cleared begins again. Of two that make the same entry the one that marked
// later sees the mark of the other, so they cannot both end (T2).
//
//   T1  A key without bit 0 has a breaker of its own: closed in a term that nobody held before.
//   T2  No two entries have the same key without bit 0.
//   T3  A step is one exchange of breaker and time, made on an entry that still had the key when the
//       words were loaded; a term is never the same for two owners, so a late step changes nothing.
//   T4  The count of the header is never less than the entries that are not closed: it is raised
//       before and lowered after the exchange.

import { hash } from 'node:crypto';
import { assert } from '../../base/assert.ts';
import { createWordBlock, openWords, type WordBlock } from './shared-words.ts';
import { lineWords, type Words } from './words.ts';

const layoutVersion = 1;
const header = { layoutVersion: 0, notClosed: 1 } as const;
const entryWord = { keyLow: 0, keyHigh: 1, breaker: 2, since: 3 } as const;
const entryWords = 8;
const usualShape: TableShape = { buckets: 2048, ways: 16 };
/** Another thread is in the way this often only when something is wrong. */
const attemptsMax = 100;

assert(entryWord.keyLow % 2 === 0 && entryWord.breaker % 2 === 0, 'a pair of words is aligned');

/** Both are powers of two. */
export type TableShape = { readonly buckets: number; readonly ways: number };

/** Posted to a thread as it is. */
export type BreakerTableParts = { readonly block: WordBlock; readonly shape: TableShape };

/** Whose breaker: of a backend, or of a model on it. */
export type BreakerKey = {
  readonly backend: string;
  readonly model: string | undefined;
  readonly low: number;
  readonly high: number;
};

/** What the table must know of the words of the core. */
export type BreakerWords = {
  readonly termOf: (word: number) => number;
  readonly isClosed: (word: number) => boolean;
  /** For a new owner: closed, in another term. */
  readonly renewed: (word: number) => number;
};

/** The word after, the same where nothing changes, negative where it is refused. */
export type EntryStep = (word: number, since: number, now: number, term: number) => number;

/** No entry, or no longer of this key. */
export const noEntry = -1;
/** Answer of a step on an entry that is gone. */
export const goneWord = -2;

/** 32 bits of a digest of the text. */
function hashOf(text: string): number {
  return hash('sha256', text, 'buffer').readInt32LE(0);
}

export function breakerKey(backend: string, model?: string): BreakerKey {
  // Ids of backends hold no NUL, and names of models none either.
  const low = hashOf(model === undefined ? backend : `${backend}\0${model}`) & ~1;
  return { backend, model, low: low === 0 ? 2 : low, high: hashOf(backend) };
}

export class BreakerTable {
  readonly #words: Words;
  readonly #rules: BreakerWords;
  readonly #shape: TableShape;
  /** What the last step of this object changed; equal before and after it changed nothing. */
  readonly last = { before: 0, after: 0 };

  static create(shape: TableShape = usualShape): BreakerTableParts {
    const block = createWordBlock(BreakerTable.wordsFor(shape));
    openWords(block).store(header.layoutVersion, layoutVersion);
    return { block, shape };
  }

  static wordsFor({ buckets, ways }: TableShape): number {
    return lineWords + buckets * ways * entryWords;
  }

  /** Opens it for this thread. */
  static open(parts: BreakerTableParts, rules: BreakerWords): BreakerTable {
    const words = openWords(parts.block);
    const version = words.load(header.layoutVersion);
    assert(version === layoutVersion, 'no breaker table of this layout version');
    return new BreakerTable(words, parts.shape, rules);
  }

  constructor(words: Words, shape: TableShape, rules: BreakerWords) {
    this.#words = words;
    this.#shape = shape;
    this.#rules = rules;
  }

  /** Are all breakers closed? Then nobody need look at one. */
  get isCalm(): boolean {
    return this.#words.load(header.notClosed) === 0;
  }

  #at(index: number, word: number): number {
    return lineWords + index * entryWords + word;
  }

  #firstOf({ low, high }: BreakerKey): number {
    return (((low >>> 1) ^ high) & (this.#shape.buckets - 1)) * this.#shape.ways;
  }

  /** Is the entry still of this key? */
  holds(index: number, { low, high }: BreakerKey): boolean {
    const words = this.#words;
    return (
      words.load(this.#at(index, entryWord.keyLow)) === low &&
      words.load(this.#at(index, entryWord.keyHigh)) === high
    );
  }

  /** The breaker of an entry; its time is {@link since}. Nothing says that the two belong together. */
  breaker(index: number): number {
    return this.#words.load(this.#at(index, entryWord.breaker));
  }

  since(index: number): number {
    return this.#words.load(this.#at(index, entryWord.since));
  }

  /** The entry of the key, `noEntry` where there is none. */
  find(key: BreakerKey): number {
    const first = this.#firstOf(key);
    for (let index = first; index < first + this.#shape.ways; index++) {
      if (this.holds(index, key)) return index;
    }
    return noEntry;
  }

  /** Finds or makes the entry of the key; `noEntry` when its bucket is full. */
  insert(key: BreakerKey): number {
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      const found = this.find(key);
      if (found !== noEntry) return found;
      const free = this.#freePlace(key);
      if (free === noEntry) return noEntry;
      if (this.#make(free, key)) return free;
      this.#words.pause(attempt);
    }
    return noEntry;
  }

  #freePlace(key: BreakerKey): number {
    const first = this.#firstOf(key);
    for (let index = first; index < first + this.#shape.ways; index++) {
      if (this.#words.load(this.#at(index, entryWord.keyLow)) === 0) return index;
    }
    return noEntry;
  }

  #exchangeKey(index: number, key: BreakerKey, from: number, to: number): boolean {
    const at = this.#at(index, entryWord.keyLow);
    const fromHigh = from === 0 ? 0 : key.high;
    const toHigh = to === 0 ? 0 : key.high;
    return this.#words.compareExchange64(at, from, fromHigh, to, toHigh) === 1;
  }

  #make(index: number, key: BreakerKey): boolean {
    // Loaded before the mark: whoever makes an entry here in between leaves another term (T1).
    const word = this.breaker(index);
    const since = this.since(index);
    const mark = key.low | 1;
    if (!this.#exchangeKey(index, key, 0, mark)) return false;
    const isMade =
      this.#isAlone(index, key) &&
      this.#exchange(index, word, since, this.#rules.renewed(word), since) &&
      this.#exchangeKey(index, key, mark, key.low);
    if (!isMade) this.#exchangeKey(index, key, mark, 0);
    return isMade;
  }

  /** No other place of the bucket has the key; marks of others are cleared on the way. */
  #isAlone(own: number, key: BreakerKey): boolean {
    const first = this.#firstOf(key);
    const mark = key.low | 1;
    for (let index = first; index < first + this.#shape.ways; index++) {
      if (index === own) continue;
      if (this.#words.load(this.#at(index, entryWord.keyLow)) === mark) {
        this.#exchangeKey(index, key, mark, 0);
      }
      if (this.holds(index, key)) return false;
    }
    return true;
  }

  /** One exchange of breaker and time, with the count of the header around it (T4). */
  #exchange(index: number, word: number, since: number, next: number, nextSince: number): boolean {
    const at = this.#at(index, entryWord.breaker);
    const wasClosed = this.#rules.isClosed(word);
    const isClosed = this.#rules.isClosed(next);
    if (wasClosed && !isClosed) this.#count(1);
    const isDone = this.#words.compareExchange64(at, word, since, next, nextSince) === 1;
    if (isDone ? !wasClosed && isClosed : wasClosed && !isClosed) this.#count(-1);
    return isDone;
  }

  #count(delta: 1 | -1): void {
    for (let failures = 1; ; failures++) {
      const count = this.#words.load(header.notClosed);
      const next = Math.max(0, count + delta);
      if (this.#words.compareExchange(header.notClosed, count, next) === 1) return;
      this.#words.pause(failures);
    }
  }

  /**
   * Applies a step; the word after, negative where the step was refused or, `goneWord`, where the
   * entry is no longer of this key. `last` says what it changed. `now` in ms.
   */
  step(index: number, key: BreakerKey, step: EntryStep, now: number, term = 0): number {
    for (let failures = 1; ; failures++) {
      const word = this.breaker(index);
      const since = this.since(index);
      this.last.before = word;
      this.last.after = word;
      if (!this.holds(index, key)) return goneWord;
      const next = step(word, since, now | 0, term);
      if (next === word || next < 0) return next;
      const nextSince = this.#rules.termOf(next) === this.#rules.termOf(word) ? since : now | 0;
      if (this.#exchange(index, word, since, next, nextSince)) {
        this.last.after = next;
        return next;
      }
      this.#words.pause(failures);
    }
  }

  /** Gives the entries of a backend back; of one model of it where a key has a model. */
  release(key: BreakerKey): void {
    if (key.model !== undefined) {
      const index = this.find(key);
      if (index !== noEntry) this.#free(index, key);
      return;
    }
    for (const index of this.entries()) {
      const low = this.#words.load(this.#at(index, entryWord.keyLow));
      const high = this.#words.load(this.#at(index, entryWord.keyHigh));
      if (high === key.high && low !== 0) this.#free(index, { ...key, low });
    }
  }

  #free(index: number, key: BreakerKey): void {
    this.step(index, key, this.#rules.renewed, 0);
    this.#exchangeKey(index, key, key.low, 0);
  }

  /** Indices of the entries that are in use, being made included. */
  *entries(): Generator<number> {
    const { buckets, ways } = this.#shape;
    for (let index = 0; index < buckets * ways; index++) {
      if (this.#words.load(this.#at(index, entryWord.keyLow)) !== 0) yield index;
    }
  }

  /** Applies a step to all entries, whosever they are. */
  stepAll(step: EntryStep, now: number): void {
    for (const index of this.entries()) {
      const low = this.#words.load(this.#at(index, entryWord.keyLow));
      const high = this.#words.load(this.#at(index, entryWord.keyHigh));
      this.step(index, { backend: '', model: undefined, low, high }, step, now);
    }
  }
}
