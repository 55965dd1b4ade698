// One copy of an answered request on its way to what is being tried out, and what its answer comes to.
//
//   started --answer ends--> compared
//      |----- it fails ----> failed
//      +--- its time is over -> timed out
//
// Y1  It is told to its owner exactly once.
// Y2  It holds no lease and no permit, and nothing it meets is told to breakers, limits or health.

import type { Target } from '../../core/routing/snapshot.ts';
import type { RequestFeatures } from '../../protocol/openai/request-body.ts';
import { AnswerRecord } from './answer-record.ts';
import { Attempt, type AttemptContext, type AttemptOwner } from './attempt.ts';
import type { AttemptCall } from './attempt-translation.ts';
import type { AttemptEnd } from './breaker-effect.ts';
import type { Routed } from './request-routing.ts';
import type { RequestSpend } from './request-spend.ts';
import { RequestTimes } from './request-times.ts';
import type { AttemptFailure } from './upstream-failure.ts';

export type CopyOutcome = 'compared' | 'failed' | 'timed_out';

/** What there is to send. */
export type CopyRequest = {
  /** Of the copy; the client's request has another. */
  readonly requestId: string;
  readonly features: RequestFeatures;
  readonly model: string;
  readonly decision: Routed;
  readonly call: AttemptCall;
  readonly spend: RequestSpend;
  readonly timeoutMs: number;
};

const served: AttemptEnd = { kind: 'served' };

export class ShadowCopy implements AttemptOwner {
  readonly answer = new AnswerRecord();
  readonly #context: AttemptContext;
  readonly #request: CopyRequest;
  readonly #onEnded: (copy: ShadowCopy, outcome: CopyOutcome) => void;
  readonly #startedMs: number;
  readonly #attempt: Attempt;
  #isOver = false;

  constructor(
    context: AttemptContext,
    request: CopyRequest,
    onEnded: (copy: ShadowCopy, outcome: CopyOutcome) => void,
  ) {
    this.#context = context;
    this.#request = request;
    this.#onEnded = onEnded;
    this.#startedMs = context.monotonicMs();
    const { features, requestId, decision, model, spend } = request;
    const attemptRequest = {
      features,
      requestId,
      traceparent: undefined,
      isOptionalRoute: false,
      isHeldWhole: false,
    };
    const times = new RequestTimes(this.#startedMs);
    this.#attempt = Attempt.apart(context, this, attemptRequest, decision, { model, spend, times });
  }

  get model(): string {
    return this.#request.model;
  }

  get target(): Target {
    return this.#attempt.target;
  }

  /** Of its answer; 0 before there is one. */
  get status(): number {
    return this.#attempt.status;
  }

  /** Since it was sent, ms; undefined where no byte came. */
  get firstByteMs(): number | undefined {
    return this.#attempt.firstByteMs;
  }

  get totalMs(): number {
    return this.#context.monotonicMs() - this.#startedMs;
  }

  /** What it is charged for; to be called once, at its end. */
  settle() {
    if (this.#attempt.isConnected || this.firstByteMs !== undefined) this.#attempt.takeRest();
    return this.#request.spend.settle(this.#attempt.backendMs);
  }

  send(): void {
    this.#attempt.send(this.#request.call);
  }

  /** Has its time passed? `nowMs`: monotonic. */
  sweep(nowMs: number): void {
    const { timeoutMs } = this.#request;
    if (nowMs - this.#startedMs > timeoutMs) this.#attempt.timeOut('total', timeoutMs);
    else this.#attempt.sweep(nowMs, this.#context.settings.timeouts);
  }

  /** Nobody wants to know any more. */
  abandon(): void {
    this.#isOver = true;
    this.#attempt.end({ kind: 'abandoned' });
  }

  onBegun(): void {}

  onEvents(_attempt: Attempt, bytes: Buffer): void {
    this.answer.events(bytes);
  }

  onStreamEnd(): void {
    this.#succeed();
  }

  onBody(): void {
    this.answer.tooLong();
  }

  onBodyEnd(): void {
    this.#succeed();
  }

  onAnswer(_attempt: Attempt, text: string): void {
    this.answer.whole(text);
    this.#succeed();
  }

  onFailed(_attempt: Attempt, { refusal }: AttemptFailure): void {
    this.#end(refusal.code === 'gateway_timeout' ? 'timed_out' : 'failed');
  }

  #succeed(): void {
    this.#attempt.end(served);
    this.#end('compared');
  }

  #end(outcome: CopyOutcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onEnded(this, outcome);
  }
}
