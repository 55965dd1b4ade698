// The newest requests that one thread has settled, for whoever looks on live. Bounded: when more than
// the cap have finished between two reports the oldest are dropped, never queued; the log on disk has
// all of them. Without a log on disk this is all there is, so it is kept whether somebody looks or not.

import type { Annotation } from '../../base/annotation.ts';
import { Ring } from '../../base/ring.ts';
import { instant, toRfc3339 } from '../../base/time.ts';
import { candidateViews } from '../../core/replay/candidate-view.ts';
import type { Consideration } from '../../core/routing/decide.ts';
import type { RoutingSettings } from '../../core/routing/snapshot.ts';
import type { SplitAssignment } from '../../core/routing/split.ts';
import type { ErrorCode } from '../../errors/catalogue.ts';
import type { DecisionWire } from '../../protocol/control/schemas.ts';

/** One settled request with the decision that placed it. */
export type SettledRequest = {
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
  readonly code: ErrorCode | undefined;
  readonly firstByteMs: number | undefined;
  readonly totalMs: number;
  readonly overheadMs: number;
  readonly considered: readonly Consideration[];
  readonly split: SplitAssignment | undefined;
  readonly annotations: readonly Annotation[] | undefined;
  /** Of the snapshot that was decided on. */
  readonly settings: RoutingSettings;
};

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** What the choice was between: the average of the chosen backend and the lowest there was, ms. */
function latenciesOf(request: SettledRequest) {
  const measured = request.considered.filter(
    ({ stage, reading }) => stage === undefined && reading.latencyMs > 0,
  );
  const chosen = measured.find(({ target }) => target.id === request.backendId);
  const selected = chosen?.reading.latencyMs;
  const minimum = Math.min(...measured.map(({ reading }) => reading.latencyMs));
  return {
    selected_latency_ms: selected ?? null,
    minimum_latency_ms: measured.length === 0 ? null : minimum,
  };
}

/** What hardly any request has. */
function said({ split, annotations }: SettledRequest) {
  return {
    ...(split === undefined ? {} : { split: { experiment: split.experiment, arm: split.arm } }),
    ...(annotations === undefined
      ? {}
      : { annotations: Object.fromEntries(annotations.map(({ name, value }) => [name, value])) }),
  };
}

function toWire(request: SettledRequest): DecisionWire {
  return {
    decision_id: `${request.requestId}.${request.attempt}`,
    request_id: request.requestId,
    at: toRfc3339(instant(request.at)),
    path: request.path,
    key_id: request.keyId,
    group_name: request.groupName,
    model: request.model,
    served_model: request.servedModel ?? null,
    backend_id: request.backendId ?? null,
    reason: request.reason,
    route_reason: request.routeReason ?? null,
    attempts: request.attempt,
    stream: request.stream,
    status: request.status,
    code: request.code ?? null,
    first_byte_ms: request.firstByteMs === undefined ? null : rounded(request.firstByteMs),
    total_ms: rounded(request.totalMs),
    overhead_ms: rounded(request.overheadMs),
    ...latenciesOf(request),
    candidates: [...candidateViews(request.considered, request.backendId, request.settings)],
    ...said(request),
  };
}

/** Where the ring is all there is to ask. */
const keptMax = 100;
/** Of one report to whoever looks on: faster than that nobody reads. */
const shownMax = 20;

export class NewestDecisions {
  readonly #ring: Ring<SettledRequest>;
  readonly #keepsAlways: boolean;
  #isWatched = false;

  /**
   * `keepsAlways`: there is no log on disk to ask. Else they are kept while somebody looks on: a
   * hundred of them held for nobody cost a hundred megabytes of heap under load.
   */
  constructor(keepsAlways: boolean) {
    this.#keepsAlways = keepsAlways;
    this.#ring = new Ring(keepsAlways ? keptMax : shownMax);
  }

  /** Somebody looks on live, or nobody does any more. */
  watch(isWatched: boolean): void {
    this.#isWatched = isWatched;
    if (!isWatched && !this.#keepsAlways) this.#ring.clear();
  }

  add(request: SettledRequest): void {
    if (this.#isWatched || this.#keepsAlways) this.#ring.push(request);
  }

  /**
   * What a report brings by itself: all there is while somebody looks on, else nothing. A hundred
   * take 6 ms to put into words between 3 backends and a second between 1000, so what is kept for
   * want of a log waits until it is asked for.
   */
  news(): DecisionWire[] {
    return this.#isWatched ? this.drain() : [];
  }

  /** Takes what is there, oldest first. */
  drain(): DecisionWire[] {
    const requests = this.#ring.toArray();
    this.#ring.clear();
    return requests.map(toWire);
  }
}
