// The place of one request among those that go out together. What its request is told of it: that it
// goes out, its part of the answer, that its batch failed and comes again, or that it goes on alone.
//
//   waiting --sent--> out --its part of the answer--> over
//      ^               |
//      |               +--failed, to come again--> waiting
//      +--left: over   +--failed for good, refused, or never taken: alone
//
// J1  A request is told the end of its seat once: its answer, or that it goes on alone. After it left
//     it is told nothing.
// J2  A request that leaves while its batch is out is charged by what was counted of it; the others go on.

import { canonicalJson } from '../../base/canonical.ts';
import type { BatchRequest } from '../../core/batching/batch-request.ts';
import type { BatchedRecord } from '../../core/decisions/decision-record.ts';
import type { Decision } from '../../core/routing/decide.ts';
import type { DecideInput, RouteFeatures } from '../../core/routing/decision-input.ts';
import type { Target } from '../../core/routing/snapshot.ts';
import type { TokenUse } from '../../core/usage/request-cost.ts';
import { type ArrayPart, arrayPartOf } from '../../protocol/openai/array-request.ts';
import type { RequestFeatures } from '../../protocol/openai/request-body.ts';
import type { UsageReport } from '../../protocol/openai/usage.ts';
import type { Admitted, AdmittedHead } from './admission.ts';
import { noOwnCount, type OwnCount, type RequestSpend } from './request-spend.ts';
import type { RequestTimes } from './request-times.ts';
import type { AttemptFailure } from './upstream-failure.ts';

type Routed = Extract<Decision, { kind: 'route' }>;

/** What is written down of a batch, for each of its members. */
export type BatchStay = Omit<BatchedRecord, 'kind' | 'requestId' | 'at'>;

/** Where a request writes down what is decided of it. */
export interface SeatJournal {
  batched(stay: BatchStay): void;
  /** A decision on this snapshot, as attempt number `attempt` of the request. */
  routingOn(
    snapshotDigest: string,
    attempt: number,
    features: RouteFeatures,
    input: DecideInput,
    decision: Decision,
  ): void;
}

/** Requests of one thread that may go out together. */
export interface JointRoom {
  /** A seat for the request, to be taken by `join`; undefined where it goes alone. */
  seatFor(owner: SeatOwner, facts: SeatFacts): JointSeat | undefined;
  /** Waits for others. The request may hear of what becomes of it before this returns. */
  join(seat: JointSeat): void;
  /** Its request is over, in whatever way. */
  leave(seat: JointSeat): void;
  /** Writes down how each rule does; called before every report. */
  tellFigures(): void;
}

/** What a request brings to its seat. */
export type SeatFacts = {
  readonly head: AdmittedHead;
  readonly admitted: Admitted;
  readonly features: RequestFeatures;
  /** As the client sent it, in OpenAI's words. */
  readonly body: Buffer;
  readonly journal: SeatJournal;
  readonly spend: RequestSpend;
  readonly times: RequestTimes;
  /** Monotonic ms. */
  readonly nowMs: number;
};

/** The request that sits here. */
export interface SeatOwner {
  /** A backend is asked for it and for others. */
  onJointSent(decision: Routed): void;
  /** Its own part of the answer, a character a byte. */
  onJointAnswer(status: number, contentType: string, text: string): void;
  /** It goes on by itself; `lost` is what its last batch came to, where that says anything of it. */
  onAlone(tried: readonly Target[], lost: JointLoss | undefined): void;
}

export type JointLoss = { readonly failure: AttemptFailure };

/** The batch that it is out with. */
export interface JointCourse {
  left(seat: JointSeat): void;
  sweep(nowMs: number): void;
}

export class JointSeat implements BatchRequest {
  readonly id: string;
  readonly modelId: string;
  readonly modelVersion = '';
  readonly dims: readonly number[];
  readonly dtype: string;
  readonly priorityClass: AdmittedHead['priorityClass'];
  /** Engines do not tell how many bytes an item takes. */
  readonly memoryBytes = 0;
  readonly arrivedMs: number;
  readonly part: ArrayPart;
  readonly facts: SeatFacts;
  readonly #owner: SeatOwner;
  readonly #tried: Target[] = [];
  #course: JointCourse | undefined;
  #decision: Routed | undefined;
  #loss: JointLoss | undefined;
  #backendMs = 0;
  #isOver = false;

  private constructor(owner: SeatOwner, facts: SeatFacts, part: ArrayPart) {
    const { head, admitted } = facts;
    this.#owner = owner;
    this.facts = facts;
    this.part = part;
    this.id = head.requestId;
    this.modelId = admitted.route.resolvedModel;
    this.dims = [part.items.length];
    this.dtype = kindWords(facts, part);
    this.priorityClass = head.priorityClass;
    this.arrivedMs = facts.nowMs;
  }

  /** Undefined for a request that cannot go together with any other. */
  static of(owner: SeatOwner, facts: SeatFacts): JointSeat | undefined {
    const { kind } = facts.features;
    if (facts.features.stream || (kind !== 'embeddings' && kind !== 'completions')) {
      return undefined;
    }
    const part = arrayPartOf(kind, facts.body);
    return part === undefined ? undefined : new JointSeat(owner, facts, part);
  }

  /** Backends that failed a batch with it. */
  get tried(): readonly Target[] {
    return this.#tried;
  }

  /** Has its request heard the end of it, or left? */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Its share of the time that the backend of its last batch worked, ms. */
  get backendMs(): number {
    return this.#backendMs;
  }

  /** It is in a batch that goes out on this decision. */
  sent(course: JointCourse, decision: Routed, stay: BatchStay, nowMs: number): void {
    const { journal, times } = this.facts;
    this.#course = course;
    this.#decision = decision;
    journal.batched(stay);
    times.queueEnded(nowMs);
    times.attemptBegan(nowMs);
    this.#owner.onJointSent(decision);
  }

  /** The backend has begun to answer. */
  begun(nowMs: number): void {
    this.facts.times.firstByte(nowMs);
  }

  /** Its part of the answer; `usage` is its share of what the backend told. */
  answered(
    answer: { readonly status: number; readonly contentType: string; readonly text: string },
    usage: TokenUse | undefined,
    own: OwnCount,
    backendMs: number,
    nowMs: number,
  ): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#endAttempt(nowMs);
    this.#backendMs = backendMs;
    this.#charge(usage === undefined ? { kind: 'absent' } : { kind: 'usage', ...usage }, own);
    this.#owner.onJointAnswer(answer.status, answer.contentType, answer.text);
  }

  /** Its batch failed; it comes again, or goes on alone. */
  failed(target: Target, failure: AttemptFailure, nowMs: number): void {
    this.#notAnswered(nowMs);
    this.#tried.push(target);
    this.#loss = { failure };
  }

  /** The engine refused its batch; `failure` where there was nobody else in it. */
  refused(failure: AttemptFailure | undefined, nowMs: number): void {
    this.#notAnswered(nowMs);
    this.#loss = failure && { failure };
  }

  #notAnswered(nowMs: number): void {
    this.#endAttempt(nowMs);
    this.facts.times.firstByteMs = undefined;
    this.facts.times.queueBegan(nowMs);
  }

  /** It goes on by itself. */
  alone(nowMs: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.facts.times.queueEnded(nowMs);
    this.#owner.onAlone(this.#tried, this.#loss);
  }

  /** Its request is over, in whatever way; to be called once, with the time. */
  leave(nowMs: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const course = this.#course;
    if (course === undefined) return;
    this.#charge({ kind: 'absent' }, noOwnCount);
    this.#endAttempt(nowMs);
    course.left(this);
  }

  sweep(nowMs: number): void {
    this.#course?.sweep(nowMs);
  }

  #endAttempt(nowMs: number): void {
    if (this.#course === undefined) return;
    this.#course = undefined;
    this.facts.times.sent(nowMs);
    this.facts.times.attemptEnded(nowMs);
  }

  #charge(usage: UsageReport, own: OwnCount): void {
    const { spend, features } = this.facts;
    spend.take(usage, own, features, this.#decision?.target, this.modelId);
  }
}

/** Equal for requests that mean the same to a decision and to an engine, and are of one group. */
function kindWords({ head, admitted }: SeatFacts, { form, options }: ArrayPart): string {
  // The beginning of an input is of no use here: nothing of it is kept in a cache.
  const {
    estimatedTokens: _,
    maxOutputTokens: __,
    prefixKey: ___,
    split,
    ...route
  } = admitted.route;
  const arm = split === undefined ? null : { experiment: split.experiment, arm: split.arm };
  return canonicalJson({ ...route, arm, form, options, group: head.key.groupName });
}
