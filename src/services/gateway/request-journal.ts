// What one request leaves in the decision log: how it was admitted, where each attempt was to go and
// how it ended.
//
// J1  Whether a request is kept is settled at its head, for all of its records.
// J2  Its decisions are recorded under the snapshot that was present at its head, the one it decides on.
// J3  Records are made in the order of the facts: the admission, one decision for each attempt, the
//     end. A request that comes while nothing may be decided unwritten leaves its end only.

import type { AdmissionReading, AdmissionVerdict } from '../../core/policy/admission.ts';
import type { Decision } from '../../core/routing/decide.ts';
import type { DecideInput, RouteFeatures } from '../../core/routing/decision-input.ts';
import type { ErrorCode } from '../../errors/catalogue.ts';
import type { AdmittedHead } from './admission.ts';
import type { GatewayContext } from './context.ts';
import type { SettledRequest } from './newest-decisions.ts';

export class RequestJournal {
  readonly #context: GatewayContext;
  readonly #head: AdmittedHead;
  readonly #snapshotDigest: string;
  readonly #isKept: boolean;

  /** To be made in the turn in which the request takes its snapshot (J2). */
  constructor(context: GatewayContext, head: AdmittedHead) {
    this.#context = context;
    this.#head = head;
    this.#snapshotDigest = context.snapshotDigest();
    this.#isKept = context.journal.keepsNext();
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

  /** `input.tried` are the backends that earlier attempts at this model went to, in their order. */
  routing(attempt: number, features: RouteFeatures, input: DecideInput, decision: Decision): void {
    if (!this.#isKept) return;
    const { tried, cursor, seed, budget } = input;
    const facts = {
      requestId: this.#head.requestId,
      at: this.#context.wallMs(),
      attempt,
      mode: this.#context.servingMode(),
      snapshotDigest: this.#snapshotDigest,
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
