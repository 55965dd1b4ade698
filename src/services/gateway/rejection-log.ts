// Rejected credentials on their way to the audit, and when each key was last used. A flood of
// rejections becomes one counted entry per address, path and reason, and at most 256 of those
// between two reports; the rest is in the counter only.

import type { AuthRejection } from './messages.ts';
import type { ThreadMetrics } from './thread-metrics.ts';

const entriesMax = 256;

export class RejectionLog {
  readonly #metrics: ThreadMetrics;
  #entries = new Map<string, AuthRejection>();
  #lastUsed = new Map<string, number>();

  constructor(metrics: ThreadMetrics) {
    this.#metrics = metrics;
  }

  rejected(address: string, path: string, reason: string): void {
    this.#metrics.count(`tensorforge_auth_rejected_total{reason="${reason}"}`);
    const shortPath = path.slice(0, 100);
    const key = `${address} ${shortPath} ${reason}`;
    const before = this.#entries.get(key);
    if (before === undefined && this.#entries.size >= entriesMax) return;
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
