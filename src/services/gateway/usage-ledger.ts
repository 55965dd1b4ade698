// What all gateway threads report as used, on its way to the database: merged by the hour, written every
// few seconds and at the end.
//
//   L1  What was added is in the database once, or still waits here: a batch that was not answered comes
//       again under its number, and the database knows the numbers it has.
//   L2  What waits is bounded; beyond it rows are told less finely, and none is lost.
//   L3  A process that is killed loses what came since its last write, at most `flushEveryMs` of it.

import { monthOf, monthText } from '../../core/usage/month.ts';
import { type UsageRow, UsageSums } from '../../core/usage/usage-sums.ts';
import type { MonthSpendRow, UsageBatch, UsageStore } from '../../io/postgres/usage-store.ts';

export type UsageLedgerPorts = {
  readonly store: Pick<UsageStore, 'add' | 'spentIn'>;
  /** Names this process among those that write, a UUID. */
  readonly writer: string;
  /** Unix ms. */
  readonly now: () => number;
  /** Told at the first failure in a row. */
  readonly onFailed: (error: unknown) => void;
};

const rowsMax = 20_000;
const hourMs = 3_600_000;

function monthOfRow({ hour }: UsageRow): number {
  return monthOf(hour * hourMs);
}

/** What the rows cost the installation, their groups and their keys. */
function monthsOf(rows: readonly UsageRow[]): readonly MonthSpendRow[] {
  const months = new Map<string, MonthSpendRow>();
  for (const row of rows) {
    if (row.costMicroUsd === 0) continue;
    const month = monthText(monthOfRow(row));
    const scopes = [
      ['installation', ''],
      ['group', row.groupName],
      ['key', row.keyId],
    ] as const;
    for (const [scope, id] of scopes) {
      const key = JSON.stringify([scope, id, month]);
      const before = months.get(key)?.spendMicroUsd ?? 0;
      months.set(key, { scope, id, month, spendMicroUsd: before + row.costMicroUsd });
    }
  }
  return [...months.values()];
}

export class UsageLedger {
  readonly #ports: UsageLedgerPorts;
  readonly #waiting = new UsageSums(rowsMax);
  /** Written, but not answered. */
  #open: UsageBatch | undefined;
  #batch = 0;
  #writing: Promise<void> | undefined;
  #isFailing = false;
  /** Of the month that was asked for or spent in last, what was settled; others are of the past. */
  #month = 0;
  #settled = 0;

  constructor(ports: UsageLedgerPorts) {
    this.#ports = ports;
  }

  /** Reads what `month` has cost so far. */
  async start(month: number): Promise<void> {
    this.#month = month;
    this.#settled = await this.#ports.store.spentIn(monthText(month));
  }

  add(rows: readonly UsageRow[]): void {
    for (const row of rows) {
      this.#waiting.add(row);
      const month = monthOfRow(row);
      if (month > this.#month) {
        this.#month = month;
        this.#settled = 0;
      }
      if (month === this.#month) this.#settled += row.costMicroUsd;
    }
  }

  /** Micro-USD settled in `month`, what is not written yet included; 0 for a month to come. */
  settledIn(month: number): number {
    return month === this.#month ? this.#settled : 0;
  }

  /** Writes what waits; joins a write that runs. Never rejects: what failed waits for the next call. */
  flush(): Promise<void> {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  /** Writes all that was added before this call. */
  async settle(): Promise<void> {
    // One that runs may have begun before the last news, or end an older batch only.
    for (let round = 0; round < 3; round++) await this.flush();
  }

  async #write(): Promise<void> {
    const batch = this.#open ?? this.#next();
    if (batch === undefined) return;
    this.#open = batch;
    try {
      await this.#ports.store.add(batch);
      this.#open = undefined;
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) this.#ports.onFailed(error);
      this.#isFailing = true;
    }
  }

  #next(): UsageBatch | undefined {
    if (this.#waiting.size === 0) return undefined;
    const hours = this.#waiting.drain();
    this.#batch++;
    const { writer, now } = this.#ports;
    return { writer, batch: this.#batch, atMs: now(), hours, months: monthsOf(hours) };
  }
}
