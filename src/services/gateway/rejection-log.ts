// Rejected credentials on their way to the audit, and when each key was last used. A flood of
// rejections becomes one counted entry per address, path and reason, and of those all threads
// together make no more than their shared budget allows; the rest is in the counters only.

import type { AuthRejection } from './messages.ts';
import type { ThreadMetrics } from './thread-metrics.ts';

export class RejectionLog {
  readonly #metrics: ThreadMetrics;
  readonly #mayAdd: () => boolean;
  #entries = new Map<string, AuthRejection>();
  #lastUsed = new Map<string, number>();

  /** `mayAdd` takes one entry from the budget, if there is one left. */
  constructor(metrics: ThreadMetrics, mayAdd: () => boolean) {
    this.#metrics = metrics;
    this.#mayAdd = mayAdd;
  }

  rejected(address: string, path: string, reason: string): void {
    this.#metrics.count(`tensorforge_auth_rejected_total{reason="${reason}"}`);
    const shortPath = path.slice(0, 100);
    const key = `${address} ${shortPath} ${reason}`;
    const before = this.#entries.get(key);
    if (before === undefined && !this.#mayAdd()) {
      this.#metrics.count('tensorforge_auth_unaudited_total');
      return;
    }
    this.#entries.set(key, {
      address,
      path: shortPath,
      reason,
      count: (before?.count ?? 0) + 1,
    });
  }

  used(keyId: string, unixSeconds: number): void {
    this.#lastUsed.set(keyId, unixSeconds);
  }

  drain(): {
    readonly rejections: AuthRejection[];
    readonly lastUsed: (readonly [string, number])[];
  } {
    const rejections = [...this.#entries.values()];
    const lastUsed = [...this.#lastUsed.entries()];
    this.#entries = new Map();
    this.#lastUsed = new Map();
    return { rejections, lastUsed };
  }
}
