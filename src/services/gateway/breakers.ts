// The circuit breakers as a gateway thread uses them: what they say of an offer, permits for attempts,
// and news of the transitions that this thread made. The breakers themselves are in shared memory and
// the same for all threads (io/shared-memory/breaker-table.ts); their rules are the core's.
//
// An offer is resolved to its two entries once, when it is first asked for, and forgotten with it. As
// long as all breakers are closed nobody need ask: `isCalm` is one load.
//
//   P1  A permit ends exactly once; whoever ends it again changes nothing.
//   P2  What an attempt came to is heard only by a breaker that let it through: one that was open and was
//       passed by, because its backend was the last, hears nothing.

import {
  type BreakerReading,
  type BreakerRule,
  type BreakerStep,
  type BreakerSteps,
  breakerFacts,
  breakerReadings,
  breakerSteps,
  closedWord,
  isClosedWord,
  isSpotlessWord,
  refusedWord,
  termOf,
} from '../../core/resilience/breaker-word.ts';
import type { BreakerState } from '../../core/resilience/circuit-breaker.ts';
import {
  type BreakerKey,
  BreakerTable,
  type BreakerTableParts,
  breakerKey,
  goneWord,
  noEntry,
} from '../../io/shared-memory/breaker-table.ts';
import type { BreakerEffect } from './breaker-effect.ts';

/** Posted to a thread as it is. */
export type BreakerParts = { readonly table: BreakerTableParts; readonly rule: BreakerRule };

/** A breaker moved; told by the thread whose exchange it was. */
export type BreakerMoved = {
  readonly backend: string;
  /** Undefined for the breaker of the whole backend. */
  readonly model: string | undefined;
  readonly from: BreakerState;
  readonly to: BreakerState;
  /** Unix ms. */
  readonly at: number;
  /** What the attempt that moved it came to; undefined when it was let through. */
  readonly words: string | undefined;
};

type Entry = { readonly key: BreakerKey; index: number };
type Pair = { readonly backend: Entry; readonly model: Entry };

/** As much of an offer as names its breakers. */
export type BreakerOffer = {
  readonly target: { readonly id: string };
  readonly model: { readonly id: string };
};

/** Term of a breaker that is not asked: it was passed by, or the table is full. */
const noTerm = -1;
const refused = -2;

/** An attempt that its breakers let through. */
export class BreakerPermit {
  readonly #breakers: Breakers;
  #pair: Pair | undefined;
  readonly #backendTerm: number;
  readonly #modelTerm: number;

  /** Made by `Breakers.take` alone. */
  constructor(breakers: Breakers, pair: Pair, backendTerm: number, modelTerm: number) {
    this.#breakers = breakers;
    this.#pair = pair;
    this.#backendTerm = backendTerm;
    this.#modelTerm = modelTerm;
  }

  /**
   * The attempt is over; `effect` of breaker-effect.ts, `nowMs` in Unix ms, `words` for people where it
   * failed. The first call counts, later ones do nothing (P1).
   */
  end(effect: BreakerEffect, nowMs: number, words?: string): void {
    const pair = this.#pair;
    if (pair === undefined) return;
    this.#pair = undefined;
    this.#breakers.ended(pair.backend, this.#backendTerm, effect, nowMs, words);
    this.#breakers.ended(pair.model, this.#modelTerm, effect, nowMs, words);
  }
}

export class Breakers {
  readonly #table: BreakerTable;
  readonly #steps: BreakerSteps;
  readonly #outcomes: Readonly<Record<BreakerEffect, BreakerStep>>;
  readonly #tell: (moved: BreakerMoved) => void;
  readonly #pairs = new WeakMap<object, Pair>();

  static create(rule: BreakerRule): BreakerParts {
    return { table: BreakerTable.create(), rule };
  }

  constructor(parts: BreakerParts, tell: (moved: BreakerMoved) => void) {
    this.#table = BreakerTable.open(parts.table, {
      termOf,
      isClosed: isClosedWord,
      renewed: closedWord,
    });
    this.#steps = breakerSteps(parts.rule);
    const { success, failure, giveBack } = this.#steps;
    this.#outcomes = { success, failure, none: giveBack };
    this.#tell = tell;
  }

  /** Are all breakers of the installation closed? Then every reading is `closed`. */
  get isCalm(): boolean {
    return this.#table.isCalm;
  }

  #pairOf(offer: BreakerOffer): Pair {
    const known = this.#pairs.get(offer);
    if (known !== undefined) return known;
    const { target, model } = offer;
    const pair = {
      backend: { key: breakerKey(target.id), index: noEntry },
      model: { key: breakerKey(target.id, model.id), index: noEntry },
    };
    this.#pairs.set(offer, pair);
    return pair;
  }

  /** The entry, made where there is none; `noEntry` when the table has no room. */
  #indexOf(entry: Entry): number {
    if (entry.index === noEntry || !this.#table.holds(entry.index, entry.key)) {
      entry.index = this.#table.insert(entry.key);
    }
    return entry.index;
  }

  /**
   * What the stricter of its two breakers says at `nowMs`, Unix ms: `open` and `probing` speak against
   * the offer, `probe` lets one attempt through, which `take` must claim.
   */
  reading(offer: BreakerOffer, nowMs: number): BreakerReading {
    if (this.#table.isCalm) return breakerReadings.closed;
    const { backend, model } = this.#pairOf(offer);
    return stricter(this.#read(backend, nowMs), this.#read(model, nowMs));
  }

  #read(entry: Entry, nowMs: number): BreakerReading {
    // One that says closed need not be asked whose it is: a place that is given away is closed too.
    const isClosed = entry.index !== noEntry && isClosedWord(this.#table.breaker(entry.index));
    if (isClosed) return breakerReadings.closed;
    const index = this.#indexOf(entry);
    if (index === noEntry) return breakerReadings.closed;
    const word = this.#table.breaker(index);
    return this.#steps.reading(word, this.#table.since(index), nowMs | 0);
  }

  /**
   * A permit for one attempt, claiming the probe where a breaker is half open. Undefined when a breaker
   * refuses: decide again. With `isLetIn` no breaker refuses: the offer is among those that the cap on
   * ejected backends lets back in (core/routing/decide.ts).
   */
  take(offer: BreakerOffer, nowMs: number, isLetIn = false): BreakerPermit | undefined {
    const pair = this.#pairOf(offer);
    const backendTerm = this.#take(pair.backend, nowMs);
    if (backendTerm === refused && !isLetIn) return undefined;
    const modelTerm = this.#take(pair.model, nowMs);
    if (modelTerm === refused && !isLetIn) {
      this.ended(pair.backend, backendTerm, 'none', nowMs);
      return undefined;
    }
    return new BreakerPermit(
      this,
      pair,
      Math.max(backendTerm, noTerm),
      Math.max(modelTerm, noTerm),
    );
  }

  /** The term of the permit, `noTerm` without a breaker, `refused`. */
  #take(entry: Entry, nowMs: number): number {
    if (entry.index !== noEntry) {
      const known = this.#table.breaker(entry.index);
      // A closed one is not changed by this, so there is nothing to exchange.
      if (isClosedWord(known) && this.#table.holds(entry.index, entry.key)) return termOf(known);
    }
    const index = this.#indexOf(entry);
    if (index === noEntry) return noTerm;
    const word = this.#table.step(index, entry.key, this.#steps.take, nowMs);
    if (word === refusedWord) return refused;
    if (word === goneWord) return noTerm;
    this.#tellMove(entry, nowMs, undefined);
    return termOf(word);
  }

  /** For permits: what an attempt came to, for one of its breakers. */
  ended(entry: Entry, term: number, effect: BreakerEffect, nowMs: number, words?: string): void {
    if (term === noTerm || entry.index === noEntry) return;
    if (effect !== 'failure' && isSpotlessWord(this.#table.breaker(entry.index))) return;
    this.#table.step(entry.index, entry.key, this.#outcomes[effect], nowMs, term);
    this.#tellMove(entry, nowMs, words);
  }

  #tellMove({ key }: Entry, at: number, words: string | undefined): void {
    const { before, after } = this.#table.last;
    if (termOf(before) === termOf(after)) return;
    const from = breakerFacts(before).state;
    const to = breakerFacts(after).state;
    this.#tell({ backend: key.backend, model: key.model, from, to, at, words });
  }
}

/** Nothing goes past an open one; a probe of one breaker needs the other to agree. */
const strictness = [0, 3, 1, 2] as const;

function stricter(a: BreakerReading, b: BreakerReading): BreakerReading {
  return strictness[a] >= strictness[b] ? a : b;
}
