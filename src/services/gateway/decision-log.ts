// The newest decisions of one thread, for whoever looks on live. Bounded: when more than the cap have
// finished the oldest are dropped, never queued; the log on disk has all of them.

import { Ring } from '../../base/ring.ts';
import { instant, toRfc3339 } from '../../base/time.ts';
import { candidateViews } from '../../core/replay/candidate-view.ts';
import type { Consideration } from '../../core/routing/decide.ts';
import type { RoutingSettings } from '../../core/routing/snapshot.ts';
import type { DecisionWire } from '../../protocol/control/schemas.ts';

/** One settled request with the decision that placed it. */
export type DecisionRecord = {
  readonly requestId: string;
  readonly attempt: number;
  /** Unix ms. */
  readonly at: number;
  readonly path: string;
  readonly keyId: string;
  readonly groupName: string;
  readonly model: string;
  readonly servedModel: string | undefined;
  readonly backendId: string | undefined;
  readonly reason: string;
  readonly routeReason: string | undefined;
  readonly stream: boolean;
  readonly status: number;
  readonly code: string | undefined;
  readonly firstByteMs: number | undefined;
  readonly totalMs: number;
  readonly overheadMs: number;
  readonly considered: readonly Consideration[];
  /** Of the snapshot that was decided on. */
  readonly settings: RoutingSettings;
};

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** What the choice was between: the average of the chosen backend and the lowest there was, ms. */
function latenciesOf(record: DecisionRecord) {
  const measured = record.considered.filter(
    ({ stage, reading }) => stage === undefined && reading.latencyMs > 0,
  );
  const chosen = measured.find(({ target }) => target.id === record.backendId);
  const selected = chosen?.reading.latencyMs;
  const minimum = Math.min(...measured.map(({ reading }) => reading.latencyMs));
  return {
    selected_latency_ms: selected ?? null,
    minimum_latency_ms: measured.length === 0 ? null : minimum,
  };
}

function toWire(record: DecisionRecord): DecisionWire {
  return {
    decision_id: `${record.requestId}.${record.attempt}`,
    request_id: record.requestId,
    at: toRfc3339(instant(record.at)),
    path: record.path,
    key_id: record.keyId,
    group_name: record.groupName,
    model: record.model,
    served_model: record.servedModel ?? null,
    backend_id: record.backendId ?? null,
    reason: record.reason,
    route_reason: record.routeReason ?? null,
    attempts: record.attempt,
    stream: record.stream,
    status: record.status,
    code: record.code ?? null,
    first_byte_ms: record.firstByteMs === undefined ? null : rounded(record.firstByteMs),
    total_ms: rounded(record.totalMs),
    overhead_ms: rounded(record.overheadMs),
    ...latenciesOf(record),
    candidates: [...candidateViews(record.considered, record.backendId, record.settings)],
  };
}

export class DecisionLog {
  readonly #ring: Ring<DecisionRecord>;
  readonly #keepsAlways: boolean;
  #isKeeping: boolean;

  /**
   * `keepsAlways`: there is no log on disk to ask. Else records are kept while somebody looks on: a
   * hundred of them held for nobody cost a hundred megabytes of heap under load.
   */
  constructor(keepsAlways: boolean, capacity = 100) {
    this.#keepsAlways = keepsAlways;
    this.#isKeeping = keepsAlways;
    this.#ring = new Ring(capacity);
  }

  /** Somebody looks on live, or nobody does any more. */
  watch(isWatched: boolean): void {
    this.#isKeeping = isWatched || this.#keepsAlways;
    if (!this.#isKeeping) this.#ring.clear();
  }

  add(record: DecisionRecord): void {
    if (this.#isKeeping) this.#ring.push(record);
  }

  /** Takes what is there, oldest first. */
  drain(): DecisionWire[] {
    const records = this.#ring.toArray();
    this.#ring.clear();
    return records.map(toWire);
  }
}
