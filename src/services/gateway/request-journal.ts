// What one request leaves in the decision log: how it was admitted, where each attempt was to go and
// how it ended.
//
// J1  Whether a request is kept is settled at its head, for all of its records.
// J2  Its decisions are recorded under the snapshot they are made on: the one that was present at its
//     head, or when it was taken out of the queue.
// J3  Records are made in the order of the facts: the admission, one decision for each attempt, the
//     end. A request that comes while nothing may be decided unwritten leaves its end only.

import type { Annotation } from '../../base/annotation.ts';
import type { AdmissionReading, AdmissionVerdict } from '../../core/policy/admission.ts';
import type { Decision } from '../../core/routing/decide.ts';
import type { DecideInput, RouteFeatures } from '../../core/routing/decision-input.ts';
import type { ErrorCode } from '../../errors/catalogue.ts';
import type { AdmittedHead } from './admission.ts';
import type { GatewayContext } from './context.ts';
import type { BatchStay, SeatJournal } from './joint-seat.ts';
import type { SettledRequest } from './newest-decisions.ts';
import type { QueueStay } from './waiting-room.ts';

export class RequestJournal implements SeatJournal {
  readonly #context: GatewayContext;
  readonly #head: AdmittedHead;
  #snapshotDigest: string;
  readonly #isKept: boolean;

  /** Whether records of this request are written (J1). */
  get isKept(): boolean {
    return this.#isKept;
  }

  /** To be made in the turn in which the request takes its snapshot (J2). */
  constructor(context: GatewayContext, head: AdmittedHead) {
    this.#context = context;
    this.#head = head;
    this.#snapshotDigest = context.snapshotDigest();
    this.#isKept = context.journal.keepsNext();
  }

  /** To be called in the turn in which the request takes a newer snapshot (J2). */
  snapshotTaken(): void {
    this.#snapshotDigest = this.#context.snapshotDigest();
  }

  /** `code` is what the client is refused with; undefined when it was admitted. */
  admission(
    verdict: AdmissionVerdict,
    reading: AdmissionReading,
    code: ErrorCode | undefined,
  ): void {
    if (!this.#isKept) return;
    const { requestId, key, enginePath, face, priorityClass } = this.#head;
    this.#context.journal.admission({
      kind: verdict === 'admitted' || verdict === 'shed' ? verdict : 'refused',
      requestId,
      at: this.#context.wallMs(),
      keyId: key.keyId,
      groupName: key.groupName,
      path: face?.path ?? enginePath,
      priorityClass,
      reading,
      code,
    });
  }

  /** What the client says of its request. */
  annotated(annotations: readonly Annotation[]): void {
    if (!this.#isKept || annotations.length === 0) return;
    const { requestId } = this.#head;
    const at = this.#context.wallMs();
    this.#context.journal.later({ kind: 'annotated', requestId, at, annotations });
  }

  /** One stay in the queue, when it is over. */
  queued(stay: QueueStay): void {
    if (!this.#isKept) return;
    const { requestId, key, priorityClass } = this.#head;
    this.#context.journal.later({
      kind: 'queued',
      requestId,
      at: this.#context.wallMs(),
      groupName: key.groupName,
      priorityClass,
      ...stay,
    });
  }

  batched(batch: BatchStay): void {
    if (!this.#isKept) return;
    const { requestId } = this.#head;
    const at = this.#context.wallMs();
    this.#context.journal.later({ kind: 'batched', requestId, at, ...batch });
  }

  /** An older answer took the place of a refusal with this code. */
  degraded(code: ErrorCode, ageMs: number): void {
    if (!this.#isKept) return;
    const { requestId } = this.#head;
    const at = this.#context.wallMs();
    this.#context.journal.later({ kind: 'degraded_served', requestId, at, code, ageMs });
  }

  /** `input.tried` are the backends that earlier attempts at this model went to, in their order. */
  routing(attempt: number, features: RouteFeatures, input: DecideInput, decision: Decision): void {
    this.routingOn(this.#snapshotDigest, attempt, features, input, decision);
  }

  /** A decision on another snapshot than its own: that of the batch that it goes out with. */
  routingOn(
    snapshotDigest: string,
    attempt: number,
    features: RouteFeatures,
    input: DecideInput,
    decision: Decision,
  ): void {
    if (!this.#isKept) return;
    const { tried, cursor, seed, budget } = input;
    const facts = {
      requestId: this.#head.requestId,
      at: this.#context.wallMs(),
      attempt,
      mode: this.#context.servingMode(),
      snapshotDigest,
      features,
      tried: tried.map((id) => decision.considered.findIndex((c) => c.target.id === id)),
      cursor,
      seed,
      budget,
    };
    this.#context.journal.routing(facts, decision);
  }

  settled(request: SettledRequest, promptTokens: number, completionTokens: number): void {
    if (!this.#isKept) return;
    this.#context.journal.settled({
      kind: 'settled',
      requestId: request.requestId,
      at: request.at,
      totalMs: request.totalMs,
      overheadMs: request.overheadMs,
      status: request.status,
      code: request.code,
      attempts: request.attempt,
      backendId: request.backendId,
      stream: request.stream,
      firstByteMs: request.firstByteMs,
      promptTokens,
      completionTokens,
    });
  }
}
