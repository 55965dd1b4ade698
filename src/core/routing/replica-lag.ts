// How far each thread's copy of the fleet is behind its owner: since when the oldest change waits that
// the thread has not applied. A thread that lags for a second decides on a fleet that is gone (status
// alone is ahead, it stands in the arena).

import { assert } from '../../base/assert.ts';

export type Lagging = {
  readonly thread: number;
  /** The last version that it has applied. */
  readonly version: number;
  readonly behindMs: number;
};

/** Versions that are remembered with their time; beyond that the oldest one kept counts. */
const rememberedMax = 4096;

export class ReplicaLag {
  /** What was published and not yet applied by all, oldest first. */
  #waiting: { readonly version: number; readonly atMs: number }[] = [];
  readonly #applied = new Map<number, number>();
  #version = 0;

  /** `nowMs` of a monotonic clock. */
  published(version: number, nowMs: number): void {
    assert(version > this.#version, `version ${version} after ${this.#version}`);
    this.#version = version;
    this.#waiting.push({ version, atMs: nowMs });
    if (this.#waiting.length > rememberedMax) this.#waiting.shift();
  }

  /** The thread tells; what comes late or twice changes nothing. */
  applied(thread: number, version: number): void {
    this.#applied.set(thread, Math.max(version, this.#applied.get(thread) ?? 0));
    this.#forget();
  }

  gone(thread: number): void {
    this.#applied.delete(thread);
    this.#forget();
  }

  /** Version of each thread that has told one. */
  versions(): ReadonlyMap<number, number> {
    return this.#applied;
  }

  /** Threads that are behind for longer than `toleranceMs`, in their order. */
  lagging(nowMs: number, toleranceMs: number): readonly Lagging[] {
    return [...this.#applied]
      .map(([thread, version]) => {
        const next = this.#waiting.find((one) => one.version > version);
        return { thread, version, behindMs: next === undefined ? 0 : nowMs - next.atMs };
      })
      .filter(({ behindMs }) => behindMs > toleranceMs)
      .toSorted((a, b) => a.thread - b.thread);
  }

  #forget(): void {
    const oldest = Math.min(this.#version, ...this.#applied.values());
    const from = this.#waiting.findIndex(({ version }) => version > oldest);
    this.#waiting = from < 0 ? [] : this.#waiting.slice(from);
  }
}
