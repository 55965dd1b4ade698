// One try at one backend: what it holds of it, and what becomes of the backend's answer. The object
// itself is the upstream handler, so that the hot path allocates no closures.
//
//   taken --send--> silent --the head of an answer, or the first content of a stream--> begun
//                     |                                                                   |
//                     +--------> over: failed, ended by the owner, or abandoned <---------+
//
// T1  A lease and a permit are taken with the attempt and given back exactly once, whatever ends it.
// T2  The owner hears of a failure at most once, and of nothing after it ended the attempt.
// T3  The owner sees OpenAI's interface, whatever the backend speaks.
// T4  The exchange is over, or aborted, before the owner hears of a failure.

import { ok } from '../../base/result.ts';
import { expectedTokens } from '../../core/routing/decision-input.ts';
import type { Target } from '../../core/routing/snapshot.ts';
import type {
  UpstreamExchange,
  UpstreamFailure,
  UpstreamHandler,
} from '../../io/http/upstream/upstream.ts';
import type { RequestFeatures } from '../../protocol/openai/request-body.ts';
import { type UsageReport, usageOfValue } from '../../protocol/openai/usage.ts';
import type { StreamTranslator } from '../../protocol/translation/translation.ts';
import {
  type Awaited,
  type LimitName,
  passedLimit,
  type UpstreamTimeouts,
} from './attempt-limits.ts';
import {
  type AttemptCall,
  type AttemptTranslation,
  translatedBytesMax,
} from './attempt-translation.ts';
import { BackendLease } from './backend-lease.ts';
import { type AttemptEnd, breakerEffect } from './breaker-effect.ts';
import type { BreakerPermit } from './breakers.ts';
import type { GatewayContext } from './context.ts';
import { HeldBytes } from './held-bytes.ts';
import { estimatedOutputTokens, JsonAnswer, parsedAnswer } from './json-answer.ts';
import type { RequestRouting, Routed } from './request-routing.ts';
import { noOwnCount, type OwnCount, ownCountOf, type RequestSpend } from './request-spend.ts';
import type { RequestTimes } from './request-times.ts';
import { StreamRelay } from './stream-relay.ts';
import {
  type AttemptFailure,
  badAnswer,
  failureOfStatus,
  failureOfUpstream,
  timeoutFailure,
} from './upstream-failure.ts';
import { upstreamHeaders } from './upstream-headers.ts';

/** Who asked for the answer. Each call may end the attempt. */
export interface AttemptOwner {
  /** A good answer begins: the head of a whole one, or the first content of a stream. */
  onBegun(attempt: Attempt, nowMs: number): void;
  /** Bytes of a stream that has begun, whole events. */
  onEvents(attempt: Attempt, bytes: Buffer): void;
  /** The stream has ended in order. */
  onStreamEnd(attempt: Attempt): void;
  /** Bytes of a whole answer that is too long to be held until it is there. */
  onBody(attempt: Attempt, bytes: Buffer): void;
  /** The answer whose bytes were passed on has ended. */
  onBodyEnd(attempt: Attempt): void;
  /** A whole answer: one JSON object, a character a byte. */
  onAnswer(attempt: Attempt, text: string): void;
  /** It has failed and holds nothing any more. */
  onFailed(attempt: Attempt, failure: AttemptFailure): void;
}

/** What an attempt reaches. */
export type AttemptContext = Pick<
  GatewayContext,
  'connectFailed' | 'credentialOf' | 'metrics' | 'monotonicMs' | 'poolOf' | 'settings' | 'wallMs'
> & { readonly waiting: Pick<GatewayContext['waiting'], 'released'> };

/** What all attempts of a request have in common. */
export type AttemptRequest = {
  readonly features: RequestFeatures;
  readonly requestId: string;
  readonly traceparent: string | undefined;
  /** Do engines differ in whether they have the route at all? */
  readonly isOptionalRoute: boolean;
  /** Has a whole answer to be seen in one piece, because the client speaks another interface? */
  readonly isHeldWhole: boolean;
};

/** An error answer beyond this is cut. */
const heldErrorBytes = 65_536;

/** What may mean that the backend is gone, so that its health is looked at: a killed process resets. */
const unreachableKinds: ReadonlySet<UpstreamFailure['kind']> = new Set([
  'connect',
  'dns',
  'tls',
  'reset',
  'short',
]);

const none = Buffer.alloc(0);
const unusable: AttemptEnd = { kind: 'unusable' };
const abandoned: AttemptEnd = { kind: 'abandoned' };

type AnswerForm = 'pending' | 'error' | 'json' | 'stream';

/** Why there is no attempt: decide again, and of `gone` and `unaffordable` leave it out. */
export type NotTaken = 'lost' | 'gone' | 'unaffordable';

export class Attempt implements UpstreamHandler {
  readonly decision: Routed;
  readonly model: string;
  readonly spend: RequestSpend;
  /** Of the attempts of its request, from 1. */
  readonly number: number;
  readonly #context: AttemptContext;
  readonly #owner: AttemptOwner;
  readonly #request: AttemptRequest;
  readonly #times: RequestTimes;
  /** Undefined of one apart. */
  readonly #lease: BackendLease | undefined;
  #permit: BreakerPermit | undefined;
  #exchange: UpstreamExchange | undefined;
  #isOver = false;
  #hasBegun = false;
  readonly #moments = { dispatchedMs: 0, activityMs: 0 };
  #endedMs: number | undefined;
  #firstByteMs: number | undefined;

  #form: AnswerForm = 'pending';
  #status = 0;
  #contentType = 'application/json';
  #retryAfter: string | undefined;
  #stream: StreamRelay | undefined;
  /** Set where the backend speaks another interface than OpenAI's. */
  #translation: AttemptTranslation | undefined;
  #translator: StreamTranslator | undefined;
  #json: JsonAnswer | undefined;
  #error: HeldBytes | undefined;

  private constructor(
    context: AttemptContext,
    owner: AttemptOwner,
    request: AttemptRequest,
    decision: Routed,
    held: {
      readonly model: string;
      readonly spend: RequestSpend;
      readonly number: number;
      readonly times: RequestTimes;
      readonly lease: BackendLease | undefined;
      readonly permit: BreakerPermit | undefined;
    },
  ) {
    this.#context = context;
    this.#owner = owner;
    this.#request = request;
    this.decision = decision;
    this.model = held.model;
    this.spend = held.spend;
    this.number = held.number;
    this.#times = held.times;
    this.#lease = held.lease;
    this.#permit = held.permit;
  }

  /**
   * Takes what an attempt needs of the backend that was decided for. `lost` when another request was
   * faster, `gone` when the backend was removed, `unaffordable` when the budget has no room for it.
   */
  static take(
    context: GatewayContext,
    owner: AttemptOwner,
    request: AttemptRequest,
    routing: RequestRouting,
    decision: Routed,
    own: { readonly spend: RequestSpend; readonly number: number; readonly times: RequestTimes },
  ): Attempt | NotTaken {
    const { target } = decision;
    // Its probe may have gone to another request since the decision looked at it.
    const permit = routing.permit(decision);
    if (permit === undefined) return 'lost';
    const tokens = expectedTokens(routing.features);
    const lease = BackendLease.takeWithin(context.arena, target, context.thread, tokens);
    if (lease === 'full' || lease === undefined) {
      permit.end('none', context.wallMs());
      return lease === 'full' ? 'lost' : 'gone';
    }
    const { model } = routing;
    const held = { ...own, model, lease, permit };
    const attempt = new Attempt(context, owner, request, decision, held);
    if (own.spend.book(target, model, request.features)) return attempt;
    attempt.end(abandoned);
    return 'unaffordable';
  }

  /** One that counts for nothing: neither in flight, nor for a breaker, nor in the backend's latency. */
  static apart(
    context: AttemptContext,
    owner: AttemptOwner,
    request: AttemptRequest,
    decision: Routed,
    own: { readonly model: string; readonly spend: RequestSpend; readonly times: RequestTimes },
  ): Attempt {
    const held = { ...own, number: 1, lease: undefined, permit: undefined };
    return new Attempt(context, owner, request, decision, held);
  }

  get target(): Target {
    return this.decision.target;
  }

  get isStream(): boolean {
    return this.#form === 'stream';
  }

  /** Of the backend's answer. */
  get status(): number {
    return this.#status;
  }

  get contentType(): string {
    return this.#contentType;
  }

  /** Was the request handed to a connection? */
  get isConnected(): boolean {
    return this.#exchange?.connected === true;
  }

  /** Has a good answer begun? */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Did the backend tell of its failure within its stream, behind content? */
  get hasToldFailure(): boolean {
    return this.#stream?.failed === true && this.#stream.hasContent;
  }

  /** How long the backend worked, or has worked by now, ms. */
  get backendMs(): number {
    const { dispatchedMs } = this.#moments;
    return dispatchedMs === 0 ? 0 : (this.#endedMs ?? this.#context.monotonicMs()) - dispatchedMs;
  }

  /** How long the first byte of its answer took, ms; undefined before it. */
  get firstByteMs(): number | undefined {
    return this.#firstByteMs;
  }

  send(call: AttemptCall): void {
    const { features, requestId, traceparent } = this.#request;
    const nowMs = this.#context.monotonicMs();
    this.#translation = call.translation;
    this.#moments.dispatchedMs = nowMs;
    this.#moments.activityMs = nowMs;
    this.#times.attemptBegan(nowMs);
    this.#exchange = this.#context.poolOf(this.target).request(
      {
        method: 'POST',
        path: call.path,
        headers: upstreamHeaders({
          credential: this.#context.credentialOf(this.target),
          isStream: features.stream,
          build: this.#context.settings.build,
          requestId,
          traceparent,
        }),
        body: call.body,
      },
      this,
    );
  }

  /** No other backend will be asked: a long answer shall not keep a large question in memory. */
  forgetRequest(): void {
    this.#exchange?.forgetRequest();
  }

  pause(): void {
    this.#exchange?.pause();
  }

  resume(nowMs: number): void {
    this.#moments.activityMs = nowMs;
    this.#exchange?.resume();
  }

  // ---- upstream handler --------------------------------------------------------------------

  onHead(status: number, headers: readonly string[]): void {
    const nowMs = this.#sent();
    this.#status = status;
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i];
      if (name === 'content-type') this.#contentType = headers[i + 1] as string;
      else if (name === 'retry-after') this.#retryAfter = headers[i + 1] as string;
    }
    if (status >= 300) {
      this.#form = 'error';
      this.#error = new HeldBytes();
    } else if (/^text\/event-stream\b/i.test(this.#contentType)) {
      this.#form = 'stream';
      const { eventBytes } = this.#context.settings.limits.upstream;
      this.#stream = new StreamRelay(eventBytes);
      this.#translator = this.#translation?.stream(eventBytes);
    } else {
      this.#form = 'json';
      this.#json = new JsonAnswer(this.#isHeldWhole ? translatedBytesMax : undefined);
      this.#begin(nowMs);
    }
  }

  get #isHeldWhole(): boolean {
    return this.#translation !== undefined || this.#request.isHeldWhole;
  }

  onData(chunk: Buffer): void {
    this.#sent();
    if (this.#stream !== undefined) this.#onStreamData(this.#stream, chunk);
    else if (this.#json !== undefined) this.#onJsonData(this.#json, chunk);
    else if (this.#error !== undefined && this.#error.length < heldErrorBytes) {
      this.#error.push(chunk);
    }
  }

  /** The backend has sent something; the present moment. */
  #sent(): number {
    const nowMs = this.#context.monotonicMs();
    this.#moments.activityMs = nowMs;
    this.#times.sent(nowMs);
    return nowMs;
  }

  #begin(nowMs: number): void {
    this.#hasBegun = true;
    const tookMs = Math.max(0, nowMs - this.#moments.dispatchedMs);
    this.#firstByteMs = tookMs;
    this.#lease?.firstByte(tookMs, this.#context.wallMs());
    this.#owner.onBegun(this, nowMs);
  }

  #onStreamData(stream: StreamRelay, chunk: Buffer): void {
    const bytes = this.#translator === undefined ? chunk : this.#translator.push(chunk);
    this.#onTranslated(stream, bytes);
  }

  /** Bytes in OpenAI's words, which are the backend's own where nothing is translated. */
  #onTranslated(stream: StreamRelay, chunk: Buffer): void {
    const fault = this.#translator?.faultWords;
    if (fault !== undefined) this.failAnswer(fault);
    else if (chunk.length > 0) this.#onRelayed(stream, chunk);
  }

  #onRelayed(stream: StreamRelay, chunk: Buffer): void {
    const bytes = stream.push(chunk);
    if (stream.faultWords !== undefined) {
      this.failAnswer(stream.faultWords);
      return;
    }
    if (!this.#hasBegun && stream.failed) {
      this.failAnswer('The backend began its stream with an error.');
      return;
    }
    if (!this.#hasBegun && stream.begun) this.#begin(this.#context.monotonicMs());
    if (bytes !== undefined && !this.#isOver) this.#owner.onEvents(this, bytes);
  }

  #onJsonData(json: JsonAnswer, chunk: Buffer): void {
    const bytes = json.push(chunk);
    if (bytes === undefined) return;
    if (this.#isHeldWhole) {
      this.failAnswer('The backend sent an answer larger than can be translated.');
    } else this.#owner.onBody(this, bytes);
  }

  onEnd(): void {
    this.#closeExchange();
    if (this.#stream !== undefined) this.#onStreamEnd(this.#stream);
    else if (this.#json !== undefined) this.#onJsonEnd(this.#json);
    else {
      const { isOptionalRoute } = this.#request;
      const end: AttemptEnd = { kind: 'status', status: this.#status, isOptionalRoute };
      this.#fail(this.#failureOfAnswer(this.#error?.take() ?? none), end);
    }
  }

  #failureOfAnswer(body: Buffer): AttemptFailure {
    const retryAfter = this.#retryAfter;
    if (this.#translation !== undefined) {
      return this.#translation.failure(this.#status, body, retryAfter);
    }
    const answer = { contentType: this.#contentType, retryAfter, body };
    return failureOfStatus(this.#status, answer, this.#request.isOptionalRoute);
  }

  #onStreamEnd(stream: StreamRelay): void {
    if (this.#translator !== undefined) {
      this.#onTranslated(stream, this.#translator.end());
      if (this.#isOver) return;
    }
    if (!stream.isComplete) {
      this.#fail(badAnswer('The backend ended the stream before its end mark.'), unusable);
      return;
    }
    if (!this.#hasBegun) this.#begin(this.#context.monotonicMs());
    const rest = stream.rest();
    if (rest.length > 0 && !this.#isOver) this.#owner.onEvents(this, rest);
    if (this.#isOver) return;
    this.#takeStreamUsage(stream);
    this.#owner.onStreamEnd(this);
  }

  #onJsonEnd(json: JsonAnswer): void {
    if (json.isPassing) {
      this.#takeUsage(json.usageOfTail(), noOwnCount);
      this.#owner.onBodyEnd(this);
      return;
    }
    const translated = this.#translation?.answer(json.whole()) ?? ok(json.whole());
    if (!translated.ok) {
      this.failAnswer(translated.error);
      return;
    }
    const answer = parsedAnswer(translated.value);
    if (answer === undefined) {
      this.failAnswer('The backend answered with something that is not JSON.');
      return;
    }
    const completionTokens = estimatedOutputTokens(answer);
    this.#takeUsage(usageOfValue(answer), { completionTokens, completionAtLeast: 0 });
    this.#owner.onAnswer(this, translated.value);
  }

  onError(failure: UpstreamFailure): void {
    this.#closeExchange();
    if (unreachableKinds.has(failure.kind)) this.#noteUnreachable();
    this.#fail(failureOfUpstream(failure), { kind: 'upstream', failure: failure.kind });
  }

  // ---- usage -------------------------------------------------------------------------------

  /** What the backend reports is taken if it is plausible; if it is not, or absent, our own count is. */
  #takeUsage(usage: UsageReport, own: OwnCount): void {
    if (usage.kind === 'rejected') this.#context.metrics.count('tensorforge_usage_rejected_total');
    this.spend.take(usage, own, this.#request.features, this.target, this.model);
  }

  #takeStreamUsage(stream: StreamRelay): void {
    const isTranslated = this.#translation !== undefined;
    const own = ownCountOf(stream, this.#request.features, isTranslated);
    this.#takeUsage(this.#translator?.usage() ?? stream.usage(), own);
  }

  /** An answer that was cut, or left by its client, is charged by what was counted of it. */
  takeRest(): void {
    if (this.spend.use !== undefined) return;
    if (this.#stream !== undefined) this.#takeStreamUsage(this.#stream);
    else this.#takeUsage({ kind: 'absent' }, noOwnCount);
  }

  // ---- endings -----------------------------------------------------------------------------

  /** Has the backend kept us waiting beyond a limit? `nowMs`: monotonic. */
  sweep(nowMs: number, timeouts: UpstreamTimeouts): void {
    const passed = passedLimit(this.#awaited(), this.#moments, nowMs, timeouts);
    if (passed !== undefined) this.timeOut(passed.timer, passed.limitMs);
  }

  #awaited(): Awaited {
    if (this.#exchange?.connected === false) return 'connection';
    if (this.#form === 'pending') return 'head';
    return this.#stream?.hasContent === false ? 'first_content' : 'more';
  }

  timeOut(timer: LimitName, limitMs: number): void {
    this.#abortExchange();
    if (timer === 'connect') this.#noteUnreachable();
    this.#fail(timeoutFailure(timer, limitMs), { kind: 'timeout', timer });
  }

  /** The answer cannot be used, whatever its status says. */
  failAnswer(words: string): void {
    this.#abortExchange();
    this.#fail(badAnswer(words), unusable);
  }

  #fail(failure: AttemptFailure, end: AttemptEnd): void {
    if (this.#isOver) return;
    this.end(end, failure.refusal.message);
    this.#owner.onFailed(this, failure);
  }

  /** Ends it, once; the owner hears nothing more. */
  end(how: AttemptEnd, words?: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#abortExchange();
    this.#permit?.end(breakerEffect(how), this.#context.wallMs(), words);
    this.#permit = undefined;
    if (this.#lease === undefined) return;
    if (this.#lease.release()) {
      this.#context.metrics.count(`tensorforge_pending_clamped_total{backend="${this.target.id}"}`);
    }
    this.#context.waiting.released();
  }

  #noteUnreachable(): void {
    this.#context.connectFailed(this.target, this.number);
  }

  /** The exchange is over, by itself or by `abort`. */
  #closeExchange(): void {
    if (this.#exchange === undefined) return;
    this.#exchange = undefined;
    this.#endedMs = this.#context.monotonicMs();
    this.#times.attemptEnded(this.#endedMs);
  }

  #abortExchange(): void {
    this.#exchange?.abort();
    this.#closeExchange();
  }
}
