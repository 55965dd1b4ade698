// Watches requests and leases, with books of its own: who holds what is counted beside the arena and
// compared with it after every step that moved something.

import type { Target } from '../../../src/core/routing/snapshot.ts';
import type { Arena } from '../../../src/io/shared-memory/arena.ts';
import { demand } from './violation.ts';

const requestsMax = 16_384;
/** Threads that may decide at once: a backend may get one too many from each but the last. */
const threads = 3;

type Slot = { readonly slot: number; readonly generation: number; readonly held: number[] };

export class TrafficChecker {
  #arena: Arena | undefined;
  readonly #endings = new Uint8Array(requestsMax);
  readonly #commits = new Uint8Array(requestsMax);
  readonly #held = new Uint8Array(requestsMax);
  readonly #tried = new Map<number, Set<string>>();
  readonly #slots = new Map<number, Slot>();
  readonly #moved = new Set<Slot>();
  readonly #inFlight = [0, 0, 0];
  #isInFlightMoved = false;
  /** Notices since they were taken last. */
  readonly #notices = new Set<number>();
  #answered = 0;

  get answered(): number {
    return this.#answered;
  }

  /** The control node has begun another life, with counters of its own. */
  newArena(arena: Arena): void {
    this.#arena = arena;
    this.#slots.clear();
    this.#moved.clear();
    this.#inFlight.fill(0);
    this.#notices.clear();
  }

  noticed(notice: number): void {
    this.#notices.add(notice);
  }

  noticesTaken(taken: readonly number[]): void {
    const told = new Set(taken);
    const isOnce = told.size === taken.length;
    demand('queue', isOnce, () => `a notice is taken twice: ${taken.join(', ')}`);
    const lost = [...this.#notices].filter((notice) => !told.has(notice));
    demand('queue', lost.length === 0, () => `notices are lost: ${lost.join(', ')}`);
    demand('queue', told.size === this.#notices.size, () => 'a notice is taken that nobody left');
    this.#notices.clear();
  }

  begun(thread: number): void {
    this.#inFlight[thread] = (this.#inFlight[thread] ?? 0) + 1;
    this.#isInFlightMoved = true;
  }

  settled(index: number, thread: number): void {
    demand('pending', this.#held[index] === 0, () => `request ${index} settled with its lease`);
    this.#tried.delete(index);
    this.#inFlight[thread] = (this.#inFlight[thread] ?? 0) - 1;
    this.#isInFlightMoved = true;
  }

  /** The client has its answer, or has lost its connection. */
  ended(index: number, how: string): void {
    const endings = (this.#endings[index] ?? 0) + 1;
    this.#endings[index] = endings;
    if (how === 'answered') this.#answered++;
    demand('one-ending', endings === 1, () => `request ${index} ends again: ${how}`);
  }

  leased(index: number, thread: number, target: Target, pending: number, capacity: number): void {
    const tried = this.#tried.get(index) ?? new Set<string>();
    this.#tried.set(index, tried);
    const place = `request ${index} at ${target.id}`;
    demand('first-byte', this.#commits[index] === 0, () => `${place}: after the first byte`);
    demand('one-attempt', !tried.has(target.id), () => `${place}: tried before`);
    tried.add(target.id);
    demand('capacity', capacity === 0 || pending <= capacity + threads - 1, () => {
      return `${place}: ${pending} in flight, capacity ${capacity} and ${threads - 1} in a race`;
    });
    this.#held[index] = (this.#held[index] ?? 0) + 1;
    demand('pending', this.#held[index] === 1, () => `${place}: holds two leases`);
    this.#move(target, thread, 1);
  }

  released(index: number, thread: number, target: Target, left: number | undefined): void {
    const place = `request ${index} at ${target.id}`;
    demand('pending', this.#held[index] === 1, () => `${place}: gives back what it does not hold`);
    demand('pending', left !== -1, () => `${place}: pending would be negative`);
    this.#held[index] = 0;
    this.#move(target, thread, -1);
  }

  /** The client has its first byte. */
  committed(index: number): void {
    const commits = (this.#commits[index] ?? 0) + 1;
    this.#commits[index] = commits;
    demand('first-byte', commits === 1, () => `request ${index} has two first bytes`);
  }

  reclaimed(thread: number): void {
    for (const slot of this.#slots.values()) {
      slot.held[thread] = 0;
      this.#moved.add(slot);
    }
    this.#inFlight[thread] = 0;
    this.#isInFlightMoved = true;
  }

  logged(level: string, words: string): void {
    demand('no-error', level !== 'error', () => words);
  }

  #move(target: Target, thread: number, by: 1 | -1): void {
    const { slot, generation } = target;
    const key = slot * 65_536 + generation;
    const known = this.#slots.get(key) ?? { slot, generation, held: [0, 0, 0] };
    this.#slots.set(key, known);
    known.held[thread] = (known.held[thread] ?? 0) + by;
    this.#moved.add(known);
  }

  /** After every step: what moved agrees with the arena. */
  afterStep(): void {
    const arena = this.#arena;
    if (arena === undefined) return;
    if (this.#moved.size > 0) this.#checkSlots(arena);
    if (!this.#isInFlightMoved) return;
    this.#isInFlightMoved = false;
    const expected = sum(this.#inFlight);
    demand('pending', arena.inFlight() === expected, () => {
      return `${arena.inFlight()} requests in flight in the arena, ${expected} in the books`;
    });
  }

  #checkSlots(arena: Arena): void {
    for (const { slot, generation, held } of this.#moved) {
      // A removed backend's slot is nobody's: late endings write nothing there.
      if (arena.generationOf(slot) !== generation) continue;
      const pending = arena.pending(slot);
      demand('pending', pending === sum(held), () => {
        return `slot ${slot}: ${pending} pending in the arena, ${sum(held)} leases in the books`;
      });
    }
    this.#moved.clear();
  }

  /** The end: everybody has an ending, nobody holds anything. */
  atEnd(requests: number): void {
    for (let index = 0; index < requests; index++) {
      const endings = this.#endings[index] ?? 0;
      demand('one-ending', endings === 1, () => `request ${index} ended ${endings} times`);
    }
    for (const { slot, generation, held } of this.#slots.values()) {
      const isLive = this.#arena?.generationOf(slot) === generation;
      demand(
        'calm',
        !isLive || sum(held) === 0,
        () => `slot ${slot} still holds ${sum(held)} leases`,
      );
    }
    const left = this.#arena?.inFlight() ?? 0;
    demand('calm', left === 0, () => `${left} requests are still in flight`);
  }
}

function sum(numbers: readonly number[]): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
