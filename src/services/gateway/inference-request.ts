// One inference request from its head to its last byte. The object itself is the upstream handler,
// so that the hot path allocates no closures.
//
//   reading --body whole, checked--> waiting, where every backend is at its capacity
//      |                                |
//      +--------------------------------+--backend decided--> attempting --first byte held--> relaying
//      |                                                 |   ^                           |
//      |                                                 +---+ failover, other backend   |
//      +-----------------------> answered <---------------------------------------------+
//                                   | the client has read it, or has left
//                                  gone
//
// G1  nothing goes upstream before the body is whole and admitted.
// G2  a lease is taken per attempt and given back exactly once, whatever ends the attempt.
// G3  no attempt follows the first byte that reached the client.
// G4  a backend is tried at most once per request and model.
// G5  every request is settled exactly once; a client that leaves frees its lease in the same tick.
// G6  an exchange is over, or aborted, before the next one begins and before the request is settled.
// G7  where a backend speaks another interface, everything behind the translation sees OpenAI's; where
//     the client speaks another one, everything before its face does.
// G8  a request that waits holds no lease, no permit and no booking; it is in the waiting room once.

import { ok, type Result } from '../../base/result.ts';
import {
  type AdmissionReading,
  judgeAdmission,
  mayAttemptAgain,
} from '../../core/policy/admission.ts';
import type { Consideration } from '../../core/routing/decide.ts';
import { expectedTokens } from '../../core/routing/decision-input.ts';
import type { RoutingSnapshot, Target } from '../../core/routing/snapshot.ts';
import { type ErrorCode, entryOf } from '../../errors/catalogue.ts';
import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';
import type {
  UpstreamExchange,
  UpstreamFailure,
  UpstreamHandler,
} from '../../io/http/upstream/upstream.ts';
import {
  type RequestFeatures,
  readRequestBody,
  withModel,
} from '../../protocol/openai/request-body.ts';
import { doneEvent, errorEvent } from '../../protocol/openai/sse.ts';
import { type UsageReport, usageOfValue } from '../../protocol/openai/usage.ts';
import type { StreamTranslator } from '../../protocol/translation/translation.ts';
import {
  type AdmittedHead,
  admissionRefusal,
  admit,
  isShortBody,
  prefixMaxOf,
} from './admission.ts';
import {
  type AttemptCall,
  type AttemptTranslation,
  attemptCall,
  translatedBytesMax,
} from './attempt-translation.ts';
import { BackendLease } from './backend-lease.ts';
import { BodyReader } from './body-reader.ts';
import { type AttemptEnd, breakerEffect } from './breaker-effect.ts';
import type { BreakerPermit } from './breakers.ts';
import type { ActiveRequest, GatewayContext } from './context.ts';
import type { FaceExchange } from './face-exchange.ts';
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
import { RequestRouting, type Routed } from './request-routing.ts';
import { noOwnCount, type OwnCount, ownCountOf, RequestSpend } from './request-spend.ts';
import { type Awaited, type LimitName, RequestTimes } from './request-times.ts';
import { StreamRelay } from './stream-relay.ts';
import {
  type AttemptFailure,
  badAnswer,
  failureOfStatus,
  failureOfUpstream,
  type PassThrough,
  timeoutFailure,
} from './upstream-failure.ts';
import { upstreamHeaders } from './upstream-headers.ts';
import type { Waiter } from './waiting-room.ts';
import { wishOf } from './waiting-wish.ts';

type Phase = 'reading' | 'waiting' | 'attempting' | 'relaying' | 'answered';
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
const pingComment = ': ping\n\n';
const noStream = 'The backend answered without the stream that it was asked for.';
const nobody: readonly Consideration[] = [];
const served: AttemptEnd = { kind: 'served' };
const unusable: AttemptEnd = { kind: 'unusable' };

export class InferenceRequest implements ActiveRequest, UpstreamHandler, Waiter {
  listIndex = -1;
  readonly #context: GatewayContext;
  readonly #head: AdmittedHead;
  readonly #snapshot: RoutingSnapshot;
  readonly #journal: RequestJournal;
  #phase: Phase = 'reading';
  #reader: BodyReader | undefined;
  /** As the client sent it, in OpenAI's words. */
  #clientBody: Buffer = none;
  #features: RequestFeatures | undefined;

  /** Set once the body is admitted. */
  #routing: RequestRouting | undefined;
  #attempts = 0;
  #target: Target | undefined;
  #decision: Routed | undefined;
  #exchange: UpstreamExchange | undefined;
  #permit: BreakerPermit | undefined;
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
  /** The head of a stream went out while the request waited, before there was anything to say. */
  #isOpened = false;
  readonly #spend: RequestSpend;
  /** Did the client leave while a backend was at work? */
  #wasLeft = false;

  constructor(context: GatewayContext, head: AdmittedHead) {
    this.#context = context;
    this.#head = head;
    this.#times = new RequestTimes(head.receivedMs);
    this.#snapshot = context.snapshot();
    this.#journal = new RequestJournal(context, head);
    this.#spend = new RequestSpend(context.spend);
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
      if (result.ok) this.#onClientBody(result.value);
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

  #onClientBody(body: Buffer): void {
    const { face, key } = this.#head;
    if (face === undefined) {
      this.#onBody(body);
      return;
    }
    const told = face.read(body, this.#context.jsonLimits, this.#snapshot, key);
    if (told.ok) this.#onBody(told.value);
    else this.#refuse(told.error);
  }

  #onBody(body: Buffer): void {
    const parsed = readRequestBody(this.#head.kind, body, this.#context.jsonLimits, {
      prefixMax: prefixMaxOf(this.#snapshot),
    });
    if (!parsed.ok) {
      this.#refuse(parsed.error);
      return;
    }
    this.#features = parsed.value;
    const admitted = admit(this.#snapshot, this.#head, parsed.value, this.#context.affinity);
    if (!admitted.ok) {
      this.#refuse(admitted.error);
      return;
    }
    this.#clientBody = body;
    const seed = Math.trunc(this.#head.receivedMs * 1000) >>> 0;
    const routing = new RequestRouting(
      this.#context,
      this.#snapshot,
      this.#journal,
      admitted.value,
      seed,
    );
    this.#routing = routing;
    const { waiting } = this.#context;
    const mustQueue = waiting.isInUse && waiting.mustQueue(routing.lane, this.#head.priorityClass);
    if (mustQueue) this.#wait(routing);
    else this.#attempt(routing);
  }

  // ---- waiting for a backend ---------------------------------------------------------------

  #wait(routing: RequestRouting): void {
    if (this.#phase !== 'waiting') this.#times.queueBegan(this.#context.monotonicMs());
    this.#phase = 'waiting';
    const wish = wishOf(this.#head, routing, expectedTokens(routing.features));
    const cause = this.#context.waiting.enter(this, wish);
    if (cause !== undefined) this.giveUp(cause);
  }

  admitAgain(): 'placed' | 'still_full' | 'over' {
    const routing = this.#routing;
    if (routing === undefined || this.isAnswered) return 'over';
    routing.rewind();
    this.#attempt(routing);
    if (this.isAnswered) return 'over';
    return this.#phase === 'waiting' ? 'still_full' : 'placed';
  }

  isStillFull(): boolean {
    return this.#routing?.isFullNow(this.#spend.budget) === true;
  }

  giveUp(cause: Refusal): void {
    this.#routing?.writeDown();
    this.#refuse(cause);
  }

  /** From the first comment on, what goes wrong is told within the stream. */
  ping(): void {
    const { response, face } = this.#head;
    const text = face === undefined ? pingComment : face.pingText;
    if (this.#features?.stream !== true || text === '' || response.destroyed) return;
    if (!this.#isOpened) {
      const headers = this.#streamHead('text/event-stream');
      response.writeHead(200, addOwnHeaders(headers, this.#facts()));
    }
    this.#isOpened = true;
    response.write(text);
  }

  #attempt(routing: RequestRouting): void {
    const decision = routing.decide(this.#attempts + 1, this.#spend.budget);
    if (decision.kind === 'refuse') {
      this.#attemptRefused(routing, decision.refusal);
      return;
    }
    const { target } = decision;
    const call = this.#callOf(target, routing.model);
    if (!call.ok) {
      this.#choose(target, decision);
      // Nothing was sent; another backend may be able to do it.
      this.#attemptFailed({ refusal: call.error, passThrough: undefined }, { kind: 'abandoned' });
      return;
    }
    this.#permit = routing.permit(decision);
    if (this.#permit === undefined) {
      // Its probe went to another request since the decision looked at it.
      this.#attempt(routing);
      return;
    }
    const tokens = expectedTokens(routing.features);
    const { arena, thread } = this.#context;
    const lease = BackendLease.takeWithin(arena, target, thread, tokens);
    if (lease === 'full') {
      // Another thread was faster: decided again.
      this.#endPermit({ kind: 'abandoned' });
      this.#attempt(routing);
      return;
    }
    this.#lease = lease;
    if (lease === undefined) {
      // It was removed since the decision looked at it.
      this.#endPermit({ kind: 'abandoned' });
      routing.passOver(target);
      this.#attempt(routing);
      return;
    }
    if (!this.#book(target, routing.model)) {
      // The budget has no room for it: decided again, without what costs.
      this.#endPermit({ kind: 'abandoned' });
      this.#release();
      this.#attempt(routing);
      return;
    }
    this.#choose(target, decision);
    this.#phase = 'attempting';
    this.#times.queueEnded(this.#context.monotonicMs());
    this.#form = 'pending';
    this.#send(target, call.value);
  }

  #choose(target: Target, decision: Routed): void {
    this.#target = target;
    this.#decision = decision;
    this.#attempts++;
  }

  /** Nobody takes it as it is: a model that stands in does, or the client hears why. */
  #attemptRefused(routing: RequestRouting, cause: Refusal): void {
    const mayWait = routing.isFull && this.#context.settings.queue.sizeMax > 0;
    if (routing.fallBack()) this.#attempt(routing);
    else if (this.#failure !== undefined) {
      routing.writeDown();
      this.#answerFailure(this.#failure);
    } else if (mayWait) this.#wait(routing);
    else this.giveUp(routing.refusal(cause));
  }

  /** Tells the breakers what the attempt came to. */
  #endPermit(end: AttemptEnd, words?: string): void {
    this.#permit?.end(breakerEffect(end), this.#context.wallMs(), words);
    this.#permit = undefined;
  }

  #book(target: Target, model: string): boolean {
    const features = this.#features;
    return features === undefined || this.#spend.book(target, model, features);
  }

  /** The body as it is, or in the words of the provider. */
  #callOf(target: Target, model: string): Result<AttemptCall, Refusal> {
    const { kind, enginePath, requestId } = this.#head;
    const isStream = this.#features?.stream === true;
    const features = this.#features as RequestFeatures;
    const createdSeconds = Math.floor(this.#context.wallMs() / 1000);
    const includeUsage = this.#features?.includeUsage === true;
    return attemptCall(
      target,
      { kind, enginePath, body: withModel(this.#clientBody, features, model), model, isStream },
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
      this.#beginFace(true);
    } else {
      this.#form = 'json';
      this.#json = new JsonAnswer(this.#isTranslated ? translatedBytesMax : undefined);
      this.#beginFace(false);
      this.#noteFirstByte(nowMs);
    }
  }

  /** Does a whole answer have to be seen in one piece? */
  get #isTranslated(): boolean {
    return this.#translation !== undefined || this.#head.face !== undefined;
  }

  #beginFace(isStream: boolean): void {
    const { face, requestId } = this.#head;
    if (face === undefined) return;
    const ageMs = this.#context.monotonicMs() - this.#head.receivedMs;
    const startedMs = this.#context.wallMs() - ageMs;
    const promptTokens = this.#features?.estimatedTokens ?? 0;
    const { eventBytes } = this.#context.settings.limits.upstream;
    face.begin(isStream, { requestId, promptTokens, startedMs }, eventBytes);
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
    const fault = this.#translator?.faultWords ?? this.#head.face?.faultWords;
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
      if (bytes !== undefined) this.#writeEvents(bytes);
    }
  }

  #commitStream(): void {
    this.#noteFirstByte(this.#context.monotonicMs());
    this.#commit(this.#streamHead(this.#contentType));
  }

  #streamHead(type: string): string[] {
    const { face, requestId } = this.#head;
    const headers = ['cache-control', 'no-cache', 'x-accel-buffering', 'no'];
    if (face === undefined) headers.push('content-type', type);
    else headers.push(...face.headersOf(true, requestId));
    return headers;
  }

  #onJsonData(json: JsonAnswer, chunk: Buffer): void {
    const bytes = json.push(chunk);
    if (bytes === undefined) return;
    if (this.#isOpened) {
      this.#failAnswer(noStream);
      return;
    }
    if (this.#isTranslated) {
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
      const failure = this.#failureOfAnswer(this.#error?.take() ?? none);
      const isOptionalRoute = this.#head.kind === 'responses';
      this.#attemptFailed(failure, { kind: 'status', status: this.#status, isOptionalRoute });
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
      this.#attemptFailed(badAnswer('The backend ended the stream before its end mark.'), unusable);
      return;
    }
    this.#takeUsage(translator?.usage() ?? stream.usage(), this.#ownCount(stream));
    if (!this.#committed) this.#commitStream();
    const rest = stream.rest();
    if (rest.length > 0) this.#writeEvents(rest);
    this.#endFace();
    if (this.#phase === 'answered') return;
    this.#head.response.end();
    this.#settle(200, undefined);
  }

  #onJsonEnd(json: JsonAnswer): void {
    const { response } = this.#head;
    if (this.#isOpened) {
      this.#attemptFailed(badAnswer(noStream), unusable);
      return;
    }
    if (json.isPassing) {
      this.#takeUsage(json.usageOfTail(), noOwnCount);
      response.end();
      this.#settle(this.#status, undefined);
      return;
    }
    const translated = this.#translation?.answer(json.whole()) ?? ok(json.whole());
    if (!translated.ok) {
      this.#attemptFailed(badAnswer(translated.error), unusable);
      return;
    }
    const text = translated.value;
    const answer = parsedAnswer(text);
    if (answer === undefined) {
      this.#attemptFailed(
        badAnswer('The backend answered with something that is not JSON.'),
        unusable,
      );
      return;
    }
    const completionTokens = estimatedOutputTokens(answer);
    this.#takeUsage(usageOfValue(answer), { completionTokens, completionAtLeast: 0 });
    if (this.#head.face !== undefined) {
      this.#answerFace(this.#head.face, text);
      return;
    }
    const type = jsonContentType(this.#contentType);
    this.#commit(['content-type', type, 'content-length', String(text.length)]);
    response.end(text, 'latin1');
    this.#settle(this.#status, undefined);
  }

  /** A whole answer in the words of the client. */
  #answerFace(face: FaceExchange, text: string): void {
    const told = face.answer(text, this.#context.wallMs());
    if (!told.ok) {
      this.#attemptFailed(badAnswer(told.error), unusable);
      return;
    }
    const headers = face.headersOf(false, this.#head.requestId);
    this.#commit([...headers, 'content-length', String(told.value.length)]);
    this.#head.response.end(told.value);
    this.#settle(this.#status, undefined);
  }

  onError(failure: UpstreamFailure): void {
    if (unreachableKinds.has(failure.kind)) this.#noteUnreachable();
    this.#attemptFailed(failureOfUpstream(failure), { kind: 'upstream', failure: failure.kind });
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
    this.#attemptFailed(badAnswer(words), unusable);
  }

  #attemptFailed(failure: AttemptFailure, end: AttemptEnd): void {
    this.#closeExchange();
    this.#endPermit(end, failure.refusal.message);
    this.#release();
    const target = this.#target as Target;
    const routing = this.#routing as RequestRouting;
    routing.passOver(target);
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
      spentMs < this.#context.settings.timeouts.totalMs &&
      this.#context.mayRetry();
    if (mayGoOn) this.#attempt(routing);
    else this.#answerFailure(failure);
  }

  /** All attempts are spent: the client hears the last failure. */
  #answerFailure(failure: AttemptFailure): void {
    const { passThrough } = failure;
    if (passThrough === undefined || this.#isOpened) {
      this.#refuse(failure.refusal);
      return;
    }
    answerPassThrough(this.#head.response, this.#inFace(passThrough), this.#facts());
    this.#settle(passThrough.status, failure.refusal.code);
  }

  /** A backend's own refusal in the envelope of the client. */
  #inFace(answer: PassThrough): PassThrough {
    const { face } = this.#head;
    if (face === undefined) return answer;
    const body = face.passedError(answer.status, answer.body);
    return { ...answer, contentType: 'application/json', body };
  }

  /** The first byte is out: one error event and the end, never a clean-looking cut. */
  #cut(cause: Refusal): void {
    const { response, face } = this.#head;
    if (this.#stream !== undefined || this.#isOpened) {
      const isTold = this.#stream?.failed === true && this.#stream.hasContent;
      response.end(face?.fail(cause) ?? (isTold ? doneEvent : errorEvent(cause)));
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
    if (this.#isOpened) {
      this.#cut(cause);
      return;
    }
    const face = this.#head.face?.errors ?? 'openai';
    if (closes) this.#context.lingering.refuse(this.#head.connection, face, cause);
    else answerRefusal(this.#head.response, cause, this.#facts(), face);
    this.#settle(entryOf(cause.code).status, cause.code);
  }

  #commit(headers: string[]): void {
    this.#committed = true;
    this.#phase = 'relaying';
    // No other backend will be asked, and a long answer shall not keep a large question in memory.
    this.#clientBody = none;
    this.#exchange?.forgetRequest();
    if (this.#isOpened) return;
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
      queueMs: this.#times.queueMs(this.#context.monotonicMs()),
      mode: this.#context.servingMode(),
      estimateMicroUsd: this.#spend.estimateMicroUsd,
      budget: this.#context.spend.standing(),
      served:
        target === undefined || decision === undefined
          ? undefined
          : {
              target,
              model: this.#routing?.model ?? '',
              isFallback: this.#routing?.features.isFallback === true,
              routeReason: decision.routeReason,
            },
    };
  }

  /** Whole events of OpenAI's interface, in the words of the client. */
  #writeEvents(bytes: Buffer): void {
    const { face } = this.#head;
    if (face === undefined) this.#write(bytes);
    else this.#writeTold(face, face.push(bytes, this.#context.wallMs()));
  }

  #endFace(): void {
    const { face } = this.#head;
    if (face === undefined || this.#phase === 'answered') return;
    this.#writeTold(face, face.end(this.#context.wallMs()));
  }

  #writeTold(face: FaceExchange, bytes: Buffer): void {
    if (bytes.length > 0) this.#write(bytes);
    if (face.faultWords !== undefined) this.#failAnswer(face.faultWords);
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
    this.#lease?.firstByte(tookMs, this.#context.wallMs());
  }

  #ownCount(stream: StreamRelay): OwnCount {
    return ownCountOf(stream, this.#features, this.#translation !== undefined);
  }

  /** What the backend reports is taken if it is plausible; if it is not, or absent, our own count is. */
  #takeUsage(usage: UsageReport, own: OwnCount): void {
    if (usage.kind === 'rejected') this.#context.metrics.count('tensorforge_usage_rejected_total');
    this.#spend.take(usage, own, this.#features, this.#target, this.#routing?.model);
  }

  /** An answer that was cut, or left by its client, is charged by what was counted of it. */
  #takeRest(): void {
    if (this.#spend.use !== undefined) return;
    const stream = this.#stream;
    if (stream !== undefined) {
      this.#takeUsage(this.#translator?.usage() ?? stream.usage(), this.#ownCount(stream));
    } else if (this.#wasLeft || this.#committed) this.#takeUsage({ kind: 'absent' }, noOwnCount);
  }

  // ---- endings -----------------------------------------------------------------------------

  /** The client has the whole answer, or has left. */
  readonly #onClosed = (): void => {
    this.#context.active.delete(this);
    if (this.#phase === 'answered') return;
    this.#wasLeft = this.#exchange?.connected === true;
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
      case 'waiting':
        if (nowMs - this.#head.receivedMs <= timeouts.totalMs) return;
        this.giveUp(timeoutFailure('total', timeouts.totalMs).refusal);
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
    this.#attemptFailed(timeoutFailure(timer, limitMs), { kind: 'timeout', timer });
  }

  #release(): void {
    const lease = this.#lease;
    if (lease?.isHeld !== true) return;
    if (lease.release()) {
      const backend = this.#target?.id ?? '';
      this.#context.metrics.count(`tensorforge_pending_clamped_total{backend="${backend}"}`);
    }
    this.#context.waiting.released();
  }

  #settle(status: number, code: ErrorCode | undefined): void {
    if (this.#phase === 'answered') return;
    const nowMs = this.#context.monotonicMs();
    if (this.#phase === 'waiting') this.#context.waiting.leave(this);
    this.#times.queueEnded(nowMs);
    this.#phase = 'answered';
    this.#times.answeredMs = nowMs;
    this.#endReading();
    this.#endPermit(code === undefined ? served : { kind: 'abandoned' });
    this.#release();
    this.#clientBody = none;
    this.#context.arena.addInFlight(-1, this.#context.thread);
    this.#context.counts.requestEnded(this.keyId);
    const { firstByteMs } = this.#times;
    this.#context.finished({ status, code, firstByteMs, stream: this.#features?.stream ?? false });
    const settled = this.#settled(status, code, nowMs);
    this.#takeRest();
    const use = this.#spend.settle(this.#times.backendMs);
    this.#journal.settled(settled, use.promptTokens, use.completionTokens);
    this.#context.settlements.add(settled, use.promptTokens, use.completionTokens);
    this.#context.usage.add(settled, use);
  }

  #settled(status: number, code: ErrorCode | undefined, nowMs: number): SettledRequest {
    const isRouted = this.#decision !== undefined;
    return {
      requestId: this.#head.requestId,
      attempt: this.#attempts,
      at: this.#context.wallMs(),
      path: this.#head.face?.path ?? this.#head.enginePath,
      keyId: this.#head.key.keyId,
      groupName: this.#head.key.groupName,
      model: this.#features?.model ?? '',
      servedModel: isRouted ? this.#routing?.model : undefined,
      backendId: this.#target?.id,
      reason: this.#decision?.reason ?? this.#routing?.refusedWords ?? code ?? '',
      routeReason: this.#decision?.routeReason,
      stream: this.#features?.stream ?? false,
      status,
      code,
      firstByteMs: this.#times.firstByteMs,
      totalMs: nowMs - this.#times.receivedMs,
      overheadMs: this.#times.overheadMs(nowMs),
      considered: this.#routing?.considered ?? nobody,
      settings: this.#snapshot.settings,
    };
  }
}
