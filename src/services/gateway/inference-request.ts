// One inference request from its head to its last byte. The object itself is the upstream handler,
// so that the hot path allocates no closures.
//
//   reading --body whole, checked, backend decided--> attempting --first byte held--> relaying
//      |                                                 |   ^                           |
//      |                                                 +---+ failover, other backend   |
//      +-----------------------> answered <---------------------------------------------+
//                                   | the client has read it, or has left
//                                  gone
//
// G1  nothing goes upstream before the body is whole and admitted.
// G2  a lease is taken per attempt and given back exactly once, whatever ends the attempt.
// G3  no attempt follows the first byte that reached the client.
// G4  a backend is tried at most once per request.
// G5  every request is settled exactly once; a client that leaves frees its lease in the same tick.
// G6  an exchange is over, or aborted, before the next one begins and before the request is settled.
// G7  where a backend speaks another interface, everything behind the translation sees OpenAI's.

import type { BackendId } from '../../base/brand.ts';
import { ok, type Result } from '../../base/result.ts';
import {
  type AdmissionReading,
  judgeAdmission,
  mayAttemptAgain,
} from '../../core/policy/admission.ts';
import {
  type Consideration,
  type Decision,
  decide,
  type RouteFeatures,
} from '../../core/routing/decide.ts';
import type { RoutingSnapshot, Target } from '../../core/routing/snapshot.ts';
import { type ErrorCode, entryOf } from '../../errors/catalogue.ts';
import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';
import type {
  UpstreamExchange,
  UpstreamFailure,
  UpstreamHandler,
} from '../../io/http/upstream/upstream.ts';
import { type RequestFeatures, readRequestBody } from '../../protocol/openai/request-body.ts';
import { doneEvent, errorEvent } from '../../protocol/openai/sse.ts';
import { type UsageReport, usageOfValue } from '../../protocol/openai/usage.ts';
import type { StreamTranslator } from '../../protocol/translation/translation.ts';
import { type AdmittedHead, admissionRefusal, admit, isShortBody } from './admission.ts';
import {
  type AttemptCall,
  type AttemptTranslation,
  attemptCall,
  translatedBytesMax,
} from './attempt-translation.ts';
import { BackendLease } from './backend-lease.ts';
import { BodyReader } from './body-reader.ts';
import type { ActiveRequest, GatewayContext } from './context.ts';
import { HeldBytes } from './held-bytes.ts';
import {
  type AnswerFacts,
  addOwnHeaders,
  answerPassThrough,
  answerRefusal,
  jsonContentType,
} from './inference-answer.ts';
import { estimatedOutputTokens, JsonAnswer, parsedAnswer } from './json-answer.ts';
import type { SettledRequest } from './newest-decisions.ts';
import { RequestJournal } from './request-journal.ts';
import { type Awaited, type LimitName, RequestTimes } from './request-times.ts';
import { StreamRelay } from './stream-relay.ts';
import {
  type AttemptFailure,
  badAnswer,
  failureOfStatus,
  failureOfUpstream,
  timeoutFailure,
} from './upstream-failure.ts';
import { upstreamHeaders } from './upstream-headers.ts';

type Phase = 'reading' | 'attempting' | 'relaying' | 'answered';
type AnswerForm = 'pending' | 'error' | 'json' | 'stream';

/** An error answer beyond this is cut. */
const heldErrorBytes = 65_536;
/** Bytes that a client must take within the time of a slow reader. */
const readerStepBytes = 65_536;

/** What may mean that the backend is gone, so that its health is looked at: a killed process resets. */
const unreachableKinds: ReadonlySet<UpstreamFailure['kind']> = new Set([
  'connect',
  'dns',
  'tls',
  'reset',
  'short',
]);

const none = Buffer.alloc(0);

export class InferenceRequest implements ActiveRequest, UpstreamHandler {
  listIndex = -1;
  readonly #context: GatewayContext;
  readonly #head: AdmittedHead;
  readonly #snapshot: RoutingSnapshot;
  readonly #journal: RequestJournal;
  #phase: Phase = 'reading';
  #reader: BodyReader | undefined;
  #body: Buffer = none;
  #features: RequestFeatures | undefined;
  #route: RouteFeatures | undefined;

  readonly #tried: BackendId[] = [];
  #attempts = 0;
  #target: Target | undefined;
  #decision: Extract<Decision, { kind: 'route' }> | undefined;
  #considered: readonly Consideration[] = [];
  /** Why the last decision found nobody. */
  #refusedWords: string | undefined;
  #exchange: UpstreamExchange | undefined;
  #lease: BackendLease | undefined;
  #failure: AttemptFailure | undefined;

  #form: AnswerForm = 'pending';
  #status = 0;
  #contentType = 'application/json';
  #retryAfter: string | undefined;
  #stream: StreamRelay | undefined;
  /** Set while the backend of the attempt speaks another interface than the client. */
  #translation: AttemptTranslation | undefined;
  #translator: StreamTranslator | undefined;
  #json: JsonAnswer | undefined;
  #error: HeldBytes | undefined;
  readonly #times: RequestTimes;

  #committed = false;
  #promptTokens = 0;
  #completionTokens = 0;

  constructor(context: GatewayContext, head: AdmittedHead) {
    this.#context = context;
    this.#head = head;
    this.#times = new RequestTimes(head.receivedMs);
    this.#snapshot = context.snapshot();
    this.#journal = new RequestJournal(context, head);
  }

  get keyId(): string {
    return this.#head.key.keyId;
  }

  /** Is its answer complete, as far as we are concerned? The client may still be reading it. */
  get isAnswered(): boolean {
    return this.#phase === 'answered';
  }

  start(): void {
    const { limits, timeouts } = this.#context.settings;
    this.#context.active.add(this);
    this.#head.response.on('close', this.#onClosed);
    const cause = this.#judge();
    if (cause !== undefined) {
      this.#refuse(cause, !isShortBody(this.#head.request));
      return;
    }
    const caps = {
      bytes: limits.bodyBytes,
      chunks: limits.bodyChunks,
      timeMs: timeouts.bodyMs,
      graceMs: timeouts.bodyGraceMs,
      minBytesPerSecond: limits.bodyMinBytesPerSecond,
    };
    const nowMs = this.#context.monotonicMs();
    this.#times.readingBegan(nowMs);
    this.#reader = new BodyReader(this.#head.request, caps, nowMs, (result) => {
      this.#endReading();
      if (result.ok) this.#onBody(result.value);
      else this.#refuse(result.error, true);
    });
  }

  /** Counts the request in, and answers why it may not come in. */
  #judge(): Refusal | undefined {
    const { limits } = this.#context.settings;
    const reading: AdmissionReading = {
      mode: this.#context.servingMode(),
      inFlight: this.#context.arena.addInFlight(1, this.#context.thread),
      inFlightMax: limits.concurrentRequests,
      keyInFlight: this.#context.counts.requestStarted(this.keyId),
      keyInFlightMax: limits.requestsPerKey,
    };
    if (!this.#context.journal.mayRecord) {
      return refusal('retry', 'Decisions cannot be written down now, and none is made unwritten.');
    }
    const verdict = judgeAdmission(this.#head.priorityClass, reading);
    const cause = admissionRefusal(verdict, reading, this.#context.modeCooldownSeconds());
    this.#journal.admission(verdict, reading, cause?.code);
    return cause;
  }

  // ---- body and decision -------------------------------------------------------------------

  #endReading(): void {
    this.#reader?.stop();
    this.#reader = undefined;
    this.#times.readingEnded(this.#context.monotonicMs());
  }

  #onBody(body: Buffer): void {
    const parsed = readRequestBody(this.#head.kind, body, this.#context.jsonLimits);
    if (!parsed.ok) {
      this.#refuse(parsed.error);
      return;
    }
    this.#features = parsed.value;
    const admitted = admit(this.#snapshot, this.#head.key, body, parsed.value);
    if (!admitted.ok) {
      this.#refuse(admitted.error);
      return;
    }
    this.#body = admitted.value.body;
    this.#route = admitted.value.route;
    this.#attempt(this.#route);
  }

  #attempt(route: RouteFeatures): void {
    const input = {
      tried: this.#tried,
      cursor: this.#context.arena.nextCursor(),
      seed: Math.trunc(this.#head.receivedMs * 1000) >>> 0,
    };
    const decision = decide(this.#snapshot, this.#context.arena, route, input);
    this.#considered = decision.considered;
    this.#journal.routing(route, input, decision);
    if (decision.kind === 'refuse') {
      this.#refusedWords = decision.refusal.message;
      if (this.#failure === undefined) this.#refuse(decision.refusal);
      else this.#answerFailure(this.#failure);
      return;
    }
    const { target } = decision;
    const call = this.#callOf(target, route);
    if (!call.ok) {
      this.#choose(target, decision);
      // Nothing was sent; another backend may be able to do it.
      this.#attemptFailed({ refusal: call.error, passThrough: undefined });
      return;
    }
    this.#lease = BackendLease.take(this.#context.arena, target, this.#context.thread);
    if (this.#lease === undefined) {
      // It was removed since the decision looked at it.
      this.#tried.push(target.id);
      this.#attempt(route);
      return;
    }
    this.#choose(target, decision);
    this.#phase = 'attempting';
    this.#form = 'pending';
    this.#send(target, call.value);
  }

  #choose(target: Target, decision: Extract<Decision, { kind: 'route' }>): void {
    this.#target = target;
    this.#decision = decision;
    this.#attempts++;
  }

  /** The body as it is, or in the words of the provider. */
  #callOf(target: Target, route: RouteFeatures): Result<AttemptCall, Refusal> {
    const { kind, enginePath, requestId } = this.#head;
    const isStream = this.#features?.stream === true;
    const model = route.resolvedModel;
    const createdSeconds = Math.floor(this.#context.wallMs() / 1000);
    const includeUsage = this.#features?.includeUsage === true;
    return attemptCall(
      target,
      { kind, enginePath, body: this.#body, model, isStream },
      { requestId, createdSeconds, includeUsage },
    );
  }

  #send(target: Target, call: AttemptCall): void {
    this.#translation = call.translation;
    this.#times.attemptBegan(this.#context.monotonicMs());
    this.#exchange = this.#context.poolOf(target).request(
      {
        method: 'POST',
        path: call.path,
        headers: upstreamHeaders({
          credential: this.#context.credentialOf(target),
          isStream: this.#features?.stream === true,
          build: this.#context.settings.build,
          requestId: this.#head.requestId,
          traceparent: this.#head.traceparent,
        }),
        body: call.body,
      },
      this,
    );
  }

  // ---- upstream handler --------------------------------------------------------------------

  onHead(status: number, headers: readonly string[]): void {
    const nowMs = this.#context.monotonicMs();
    this.#times.sent(nowMs);
    this.#status = status;
    this.#contentType = 'application/json';
    this.#retryAfter = undefined;
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
      this.#json = new JsonAnswer(this.#translation === undefined ? undefined : translatedBytesMax);
      this.#noteFirstByte(nowMs);
    }
  }

  onData(chunk: Buffer): void {
    this.#times.sent(this.#context.monotonicMs());
    if (this.#stream !== undefined) this.#onStreamData(this.#stream, chunk);
    else if (this.#json !== undefined) this.#onJsonData(this.#json, chunk);
    else if (this.#error !== undefined && this.#error.length < heldErrorBytes) {
      this.#error.push(chunk);
    }
  }

  #onStreamData(stream: StreamRelay, chunk: Buffer): void {
    const bytes = this.#translator === undefined ? chunk : this.#translator.push(chunk);
    this.#onTranslated(stream, bytes);
  }

  /** Bytes in the words of the client, which are the backend's own where nothing is translated. */
  #onTranslated(stream: StreamRelay, chunk: Buffer): void {
    const fault = this.#translator?.faultWords;
    if (fault !== undefined) this.#failAnswer(fault);
    else if (chunk.length > 0) this.#onRelayed(stream, chunk);
  }

  #onRelayed(stream: StreamRelay, chunk: Buffer): void {
    const bytes = stream.push(chunk);
    if (stream.faultWords !== undefined) {
      this.#failAnswer(stream.faultWords);
    } else if (!this.#committed && stream.failed) {
      this.#failAnswer('The backend began its stream with an error.');
    } else {
      if (!this.#committed && stream.begun) this.#commitStream();
      if (bytes !== undefined) this.#write(bytes);
    }
  }

  #commitStream(): void {
    this.#noteFirstByte(this.#context.monotonicMs());
    const headers = ['content-type', this.#contentType, 'cache-control', 'no-cache'];
    headers.push('x-accel-buffering', 'no');
    this.#commit(headers);
  }

  #onJsonData(json: JsonAnswer, chunk: Buffer): void {
    const bytes = json.push(chunk);
    if (bytes === undefined) return;
    if (this.#translation !== undefined) {
      this.#failAnswer('The backend sent an answer larger than can be translated.');
      return;
    }
    if (!this.#committed) this.#commit(['content-type', jsonContentType(this.#contentType)]);
    this.#write(bytes);
  }

  onEnd(): void {
    this.#closeExchange();
    if (this.#stream !== undefined) this.#onStreamEnd(this.#stream);
    else if (this.#json !== undefined) this.#onJsonEnd(this.#json);
    else {
      this.#attemptFailed(this.#failureOfAnswer(this.#error?.take() ?? none));
    }
  }

  #failureOfAnswer(body: Buffer): AttemptFailure {
    const retryAfter = this.#retryAfter;
    if (this.#translation !== undefined) {
      return this.#translation.failure(this.#status, body, retryAfter);
    }
    const answer = { contentType: this.#contentType, retryAfter, body };
    const isOptionalRoute = this.#head.kind === 'responses';
    return failureOfStatus(this.#status, answer, isOptionalRoute);
  }

  #onStreamEnd(stream: StreamRelay): void {
    const translator = this.#translator;
    if (translator !== undefined) {
      this.#onTranslated(stream, translator.end());
      if (this.#translator !== translator || this.#phase === 'answered') return;
    }
    if (!stream.isComplete) {
      this.#attemptFailed(badAnswer('The backend ended the stream before its end mark.'));
      return;
    }
    this.#takeUsage(translator?.usage() ?? stream.usage(), stream.dataEvents);
    if (!this.#committed) this.#commitStream();
    const rest = stream.rest();
    if (rest.length > 0) this.#write(rest);
    this.#head.response.end();
    this.#settle(200, undefined);
  }

  #onJsonEnd(json: JsonAnswer): void {
    const { response } = this.#head;
    if (json.isPassing) {
      this.#takeUsage(json.usageOfTail(), 0);
      response.end();
      this.#settle(this.#status, undefined);
      return;
    }
    const translated = this.#translation?.answer(json.whole()) ?? ok(json.whole());
    if (!translated.ok) {
      this.#attemptFailed(badAnswer(translated.error));
      return;
    }
    const text = translated.value;
    const answer = parsedAnswer(text);
    if (answer === undefined) {
      this.#attemptFailed(badAnswer('The backend answered with something that is not JSON.'));
      return;
    }
    this.#takeUsage(usageOfValue(answer), estimatedOutputTokens(answer));
    const type = jsonContentType(this.#contentType);
    this.#commit(['content-type', type, 'content-length', String(text.length)]);
    response.end(text, 'latin1');
    this.#settle(this.#status, undefined);
  }

  onError(failure: UpstreamFailure): void {
    if (unreachableKinds.has(failure.kind)) this.#noteUnreachable();
    this.#attemptFailed(failureOfUpstream(failure));
  }

  // ---- failover ----------------------------------------------------------------------------

  #noteUnreachable(): void {
    if (this.#target !== undefined) this.#context.connectFailed(this.#target, this.#attempts);
  }

  /** The exchange is over, by itself or by `abort`. */
  #closeExchange(): void {
    if (this.#exchange === undefined) return;
    this.#exchange = undefined;
    this.#times.attemptEnded(this.#context.monotonicMs());
  }

  #abortExchange(): void {
    this.#exchange?.abort();
    this.#closeExchange();
  }

  #failAnswer(words: string): void {
    this.#abortExchange();
    this.#attemptFailed(badAnswer(words));
  }

  #attemptFailed(failure: AttemptFailure): void {
    this.#closeExchange();
    this.#release();
    const target = this.#target as Target;
    this.#tried.push(target.id);
    this.#failure = failure;
    if (this.#committed) {
      this.#cut(failure.refusal);
      return;
    }
    this.#stream = undefined;
    this.#translator = undefined;
    this.#json = undefined;
    this.#error = undefined;
    if (failure.passThrough !== undefined && !failure.passThrough.retryable) {
      this.#answerFailure(failure);
      return;
    }
    this.#times.firstByteMs = undefined;
    this.#context.metrics.count(
      `tensorforge_attempt_failures_total{backend="${target.id}",code="${failure.refusal.code}"}`,
    );
    const spentMs = this.#context.monotonicMs() - this.#head.receivedMs;
    const { maxRetries } = this.#snapshot.settings;
    const mayGoOn =
      mayAttemptAgain(this.#attempts, maxRetries, this.#context.servingMode()) &&
      spentMs < this.#context.settings.timeouts.totalMs;
    if (mayGoOn) this.#attempt(this.#route as RouteFeatures);
    else this.#answerFailure(failure);
  }

  /** All attempts are spent: the client hears the last failure. */
  #answerFailure(failure: AttemptFailure): void {
    const { passThrough } = failure;
    if (passThrough === undefined) {
      this.#refuse(failure.refusal);
      return;
    }
    answerPassThrough(this.#head.response, passThrough, this.#facts());
    this.#settle(passThrough.status, failure.refusal.code);
  }

  /** The first byte is out: one error event and the end, never a clean-looking cut. */
  #cut(cause: Refusal): void {
    const { response } = this.#head;
    if (this.#stream !== undefined) {
      response.end(this.#stream.failed && this.#stream.hasContent ? doneEvent : errorEvent(cause));
      this.#context.metrics.count('tensorforge_streams_cut_total');
    } else {
      response.destroy();
    }
    this.#settle(entryOf(cause.code).status, cause.code);
  }

  // ---- answering ---------------------------------------------------------------------------

  /** With `closes`, the body stays unread and the connection ends with the answer. */
  #refuse(cause: Refusal, closes = false): void {
    if (this.#phase === 'answered') return;
    if (closes) this.#context.lingering.refuse(this.#head.connection, 'openai', cause);
    else answerRefusal(this.#head.response, cause, this.#facts());
    this.#settle(entryOf(cause.code).status, cause.code);
  }

  #commit(headers: string[]): void {
    this.#committed = true;
    this.#phase = 'relaying';
    // No other backend will be asked, and a long answer shall not keep a large question in memory.
    this.#body = none;
    this.#exchange?.forgetRequest();
    this.#head.response.writeHead(this.#status, addOwnHeaders(headers, this.#facts()));
  }

  #facts(): AnswerFacts {
    const { requestId, clientRequestId } = this.#head;
    const target = this.#target;
    const decision = this.#decision;
    return {
      requestId,
      clientRequestId,
      attempts: this.#attempts,
      overheadMs: this.#times.overheadMs(this.#context.monotonicMs()),
      mode: this.#context.servingMode(),
      served:
        target === undefined || decision === undefined
          ? undefined
          : {
              target,
              model: this.#route?.resolvedModel ?? '',
              routeReason: decision.routeReason,
            },
    };
  }

  #write(chunk: Buffer): void {
    const { response } = this.#head;
    if (response.destroyed) return;
    if (response.write(chunk) || this.#times.isBlocked) return;
    this.#times.blocked(this.#context.monotonicMs());
    this.#exchange?.pause();
    response.once('drain', this.#onDrain);
  }

  readonly #onDrain = (): void => {
    this.#times.unblocked(this.#context.monotonicMs());
    this.#exchange?.resume();
  };

  #noteFirstByte(nowMs: number): void {
    const tookMs = this.#times.firstByte(nowMs);
    this.#lease?.firstByte(tookMs);
  }

  /** What the backend reports is taken if it is plausible; if it is not, or absent, our own count is. */
  #takeUsage(usage: UsageReport, ownCompletionTokens: number): void {
    if (usage.kind === 'usage') {
      this.#promptTokens = usage.promptTokens;
      this.#completionTokens = usage.completionTokens;
      return;
    }
    if (usage.kind !== 'absent') this.#context.metrics.count('tensorforge_usage_rejected_total');
    this.#promptTokens = this.#features?.estimatedTokens ?? 0;
    this.#completionTokens = ownCompletionTokens;
  }

  // ---- endings -----------------------------------------------------------------------------

  /** The client has the whole answer, or has left. */
  readonly #onClosed = (): void => {
    this.#context.active.delete(this);
    if (this.#phase === 'answered') return;
    this.#abortExchange();
    this.#settle(499, 'client_closed');
  };

  /** Ends it from outside: key revoked, or the grace of a drain is over. */
  end(cause: Refusal): void {
    if (this.#phase === 'answered') return;
    this.#abortExchange();
    this.#release();
    if (this.#committed) this.#cut(cause);
    else this.#refuse(cause, this.#reader !== undefined);
  }

  /** Has a limit passed? Called every 100 ms. */
  sweep(nowMs: number): void {
    const { timeouts } = this.#context.settings;
    switch (this.#phase) {
      case 'reading':
        this.#reader?.sweep(nowMs);
        return;
      case 'answered':
        this.#sweepReader(nowMs);
        return;
      case 'attempting':
      case 'relaying':
        break;
    }
    const passed = this.#times.passedLimit(nowMs, this.#awaited(), timeouts);
    if (passed?.kind === 'backend') this.#timeOut(passed.timer, passed.limitMs);
    else if (passed?.kind === 'reader') this.#head.response.destroy();
  }

  #awaited(): Awaited {
    if (this.#exchange?.connected === false) return 'connection';
    if (this.#form === 'pending') return 'head';
    return this.#stream?.hasContent === false ? 'first_content' : 'more';
  }

  /** The answer is written, but the client does not take it. */
  #sweepReader(nowMs: number): void {
    const { response } = this.#head;
    const steps = 1 + Math.floor(response.writableLength / readerStepBytes);
    const limitMs = this.#context.settings.timeouts.slowReaderMs * steps;
    if (nowMs - this.#times.answeredMs > limitMs) response.destroy();
  }

  #timeOut(timer: LimitName, limitMs: number): void {
    this.#abortExchange();
    if (timer === 'connect') this.#noteUnreachable();
    this.#attemptFailed(timeoutFailure(timer, limitMs));
  }

  #release(): void {
    if (this.#lease?.release() !== true) return;
    const backend = this.#target?.id ?? '';
    this.#context.metrics.count(`tensorforge_pending_clamped_total{backend="${backend}"}`);
  }

  #settle(status: number, code: ErrorCode | undefined): void {
    if (this.#phase === 'answered') return;
    const nowMs = this.#context.monotonicMs();
    this.#phase = 'answered';
    this.#times.answeredMs = nowMs;
    this.#endReading();
    this.#release();
    this.#body = none;
    this.#context.arena.addInFlight(-1, this.#context.thread);
    this.#context.counts.requestEnded(this.keyId);
    const { firstByteMs } = this.#times;
    this.#context.finished({ status, code, firstByteMs, stream: this.#features?.stream ?? false });
    const settled = this.#settled(status, code, nowMs);
    this.#journal.settled(settled, this.#promptTokens, this.#completionTokens);
    this.#context.settlements.add(settled, this.#promptTokens, this.#completionTokens);
  }

  #settled(status: number, code: ErrorCode | undefined, nowMs: number): SettledRequest {
    const isRouted = this.#decision !== undefined;
    return {
      requestId: this.#head.requestId,
      attempt: this.#attempts,
      at: this.#context.wallMs(),
      path: this.#head.enginePath,
      keyId: this.#head.key.keyId,
      groupName: this.#head.key.groupName,
      model: this.#features?.model ?? '',
      servedModel: isRouted ? this.#route?.resolvedModel : undefined,
      backendId: this.#target?.id,
      reason: this.#decision?.reason ?? this.#refusedWords ?? code ?? '',
      routeReason: this.#decision?.routeReason,
      stream: this.#features?.stream ?? false,
      status,
      code,
      firstByteMs: this.#times.firstByteMs,
      totalMs: nowMs - this.#times.receivedMs,
      overheadMs: this.#times.overheadMs(nowMs),
      considered: this.#considered,
      settings: this.#snapshot.settings,
    };
  }
}
