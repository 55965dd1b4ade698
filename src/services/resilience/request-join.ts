// Joins the attempts of a request with its outcome while a log is read, for the simulation: what was
// asked, where it went at once, how long that took. Bounded like everything that waits for an outcome.

import { BoundedMap } from '../../base/bounded-map.ts';
import type { DecisionRecord, RoutingRecord } from '../../core/decisions/decision-record.ts';
import type { WorkloadLog } from '../../core/replay/workload-log.ts';
import type { RoutingSnapshot } from '../../core/routing/snapshot.ts';

const openMax = 65_536;
const digestsMax = 256;

type SnapshotOf = (digest: string) => RoutingSnapshot | undefined;
type Asked = {
  readonly at: number;
  readonly model: string;
  readonly tokens: number;
};

export class RequestJoin {
  readonly workload: WorkloadLog;
  readonly #open = new BoundedMap<string, Asked>(openMax);
  readonly #capacities = new Map<string, number>();
  readonly #digests = new BoundedMap<string, true>(digestsMax);
  readonly #snapshotOf: SnapshotOf;

  constructor(workload: WorkloadLog, snapshotOf: SnapshotOf) {
    this.workload = workload;
    this.#snapshotOf = snapshotOf;
  }

  add(record: DecisionRecord): void {
    if (record.kind === 'routed' && record.outcome.kind === 'route') {
      const { resolvedModel: model, estimatedTokens: tokens } = record.features;
      this.#open.set(record.requestId, { at: record.at, model, tokens });
      if (!this.#digests.has(record.snapshotDigest)) this.#digests.set(record.snapshotDigest, true);
      this.#noteCapacity(record, record.outcome.chosen);
    } else if (record.kind === 'settled') {
      const { requestId, backendId, firstByteMs, totalMs, completionTokens } = record;
      const asked = this.#open.get(requestId);
      this.#open.delete(requestId);
      const isPlain = record.attempts === 1 && record.code === undefined;
      if (asked === undefined || !isPlain) return;
      if (backendId === undefined || firstByteMs === undefined) return;
      const promptTokens = record.promptTokens > 0 ? record.promptTokens : asked.tokens;
      const { at, model } = asked;
      const request = { at, model, backendId, promptTokens, completionTokens };
      this.workload.add({ ...request, firstByteMs, totalMs });
    }
  }

  #noteCapacity(record: RoutingRecord, chosen: number): void {
    const offers = this.#snapshotOf(record.snapshotDigest)?.byModel;
    const id = offers?.get(record.features.resolvedModel)?.[chosen]?.target.id;
    const capacity = record.candidates[chosen]?.reading.capacity ?? 0;
    if (id !== undefined && capacity > (this.#capacities.get(id) ?? 0)) {
      this.#capacities.set(id, capacity);
    }
  }

  /** Snapshots that were decided on, in order of first use. */
  digests(): readonly string[] {
    return [...this.#digests.entries()].map(([digest]) => digest);
  }

  /** The largest capacity that was read of a backend when it was chosen. */
  capacities(): ReadonlyMap<string, number> {
    return this.#capacities;
  }
}
