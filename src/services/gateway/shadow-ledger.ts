// What the copies of all threads came to, on the control thread: comparisons on their way to the
// database, and counts of copies that never left.
//
//   L1  What waits for the database is bounded; beyond it the oldest are let go of, and the loss is told.
//   L2  A comparison is written at most once; one whose write was not answered is let go of.

import type { ShadowComparisonRow, ShadowStore } from '../../io/postgres/shadow-store.ts';
import type { ShadowReport } from './shadow-ticket.ts';

export type UncomparedCounts = {
  readonly dropped: number;
  readonly refused: number;
  readonly side_effects: number;
};

export type ShadowLedgerPorts = {
  readonly store: Pick<ShadowStore, 'add'>;
  readonly onFailed: (error: unknown, lost: number) => void;
};

const waitingMax = 5000;
/** Comparisons of one rule that are kept. */
export const comparisonsKept = 10_000;

const none: UncomparedCounts = { dropped: 0, refused: 0, side_effects: 0 };

export class ShadowLedger {
  readonly #ports: ShadowLedgerPorts;
  #waiting: ShadowComparisonRow[] = [];
  readonly #uncompared = new Map<string, UncomparedCounts>();
  #writing: Promise<void> = Promise.resolve();

  constructor(ports: ShadowLedgerPorts) {
    this.#ports = ports;
  }

  /** Names of rules of which copies never left. */
  get names(): readonly string[] {
    return [...this.#uncompared.keys()];
  }

  /** Since the process started. */
  uncompared(name: string): UncomparedCounts {
    return this.#uncompared.get(name) ?? none;
  }

  add({ comparisons, uncompared }: ShadowReport): void {
    this.#waiting.push(...comparisons);
    if (this.#waiting.length > waitingMax) this.#waiting = this.#waiting.slice(-waitingMax);
    for (const [name, outcome, count] of uncompared) {
      const before = this.uncompared(name);
      this.#uncompared.set(name, { ...before, [outcome]: before[outcome] + count });
    }
  }

  /** Writes what waits; never rejects. */
  flush(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    const rows = this.#waiting;
    if (rows.length === 0) return;
    this.#waiting = [];
    try {
      await this.#ports.store.add(rows, comparisonsKept);
    } catch (error) {
      this.#ports.onFailed(error, rows.length);
    }
  }
}
