// What models are asked for, from the reports of the gateway threads: counted by the hour in memory,
// and added to the database once a minute. What cannot be written stays until it can.
//
//   D1  What was counted is written once, or still waits; a failed write loses nothing.
//   D2  Counts that wait are at most `waitingMax`; beyond it news of further models and hours is
//       dropped, and that is told.

import { demandHoursKept, hourOf } from '../../core/backends/demand.ts';
import type { DemandCount, DemandStore } from '../../io/postgres/demand-store.ts';

const waitingMax = 20_000;

export type DemandRecorderPorts = {
  readonly store: Pick<DemandStore, 'add'>;
  /** Unix ms. */
  readonly now: () => number;
  readonly onWriteFailed: (error: unknown) => void;
  /** Told once until the next write that works. */
  readonly onFull: (words: string) => void;
};

export class DemandRecorder {
  readonly #ports: DemandRecorderPorts;
  readonly #waiting = new Map<string, DemandCount>();
  #writing: Promise<void> | undefined;
  #hasToldFull = false;

  constructor(ports: DemandRecorderPorts) {
    this.#ports = ports;
  }

  /** `requests` of a model were served at `atMs`, Unix ms; the model is one that a backend lists. */
  served(modelId: string, atMs: number, requests = 1): void {
    // Half a surrogate pair has no form in the database, and would keep all others from it.
    if (requests <= 0 || !modelId.isWellFormed() || modelId.includes('\0')) return;
    this.#add({ modelId, hour: hourOf(atMs), requests });
  }

  #add({ modelId, hour, requests }: DemandCount): void {
    const key = `${hour} ${modelId}`;
    const known = this.#waiting.get(key);
    if (known !== undefined || this.#waiting.size < waitingMax) {
      this.#waiting.set(key, { modelId, hour, requests: requests + (known?.requests ?? 0) });
      return;
    }
    if (this.#hasToldFull) return;
    this.#hasToldFull = true;
    this.#ports.onFull(
      `demand of ${waitingMax} models and hours waits for the database: no more is kept`,
    );
  }

  /** Writes what waits; joins a write that runs. */
  flush(): Promise<void> {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #write(): Promise<void> {
    const counts = [...this.#waiting.values()];
    this.#waiting.clear();
    try {
      await this.#ports.store.add(counts, hourOf(this.#ports.now()) - demandHoursKept);
      this.#hasToldFull = false;
    } catch (error) {
      this.#ports.onWriteFailed(error);
      for (const count of counts) this.#add(count);
    }
  }
}
