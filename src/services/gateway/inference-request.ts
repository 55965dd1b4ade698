// One inference request from its head to its last byte: who is asked for it, and when it is over. What
// one backend is asked and answers is an Attempt; what the client is told is a ClientAnswer.
//
//   reading --body whole, checked--> waiting, where every backend is at its capacity
//      |                                |
//      +--------------------------------+--backend decided--> attempting --its answer ends--+
//      |                                                       |     ^                      |
//      |                                                       +-----+ failover, hedge      |
//      +-----------------------> answered <-------------------------------------------------+
//                                   | the client has read it, or has left
//                                  gone
//
// G1  nothing goes upstream before the body is whole and admitted.
// G2  no attempt follows the first byte that reached the client.
// G3  a backend is tried at most once per request and model.
// G4  every request is settled exactly once; a client that leaves frees what it held in the same tick.
// G5  at most two backends are at work for it, and only until one of them begins to answer.
// G6  a request that waits holds no lease, no permit and no booking; it is in the waiting room once.

import type { Result } from '../../base/result.ts';
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
import {
  type RequestFeatures,
  readRequestBody,
  withModel,
} from '../../protocol/openai/request-body.ts';
import {
  type Admitted,
  type AdmittedHead,
  admissionRefusal,
  admit,
  isShortBody,
  prefixMaxOf,
} from './admission.ts';
import { Attempt, type AttemptOwner, type AttemptRequest } from './attempt.ts';
import { type AttemptCall, attemptCall } from './attempt-translation.ts';
import { BodyReader } from './body-reader.ts';
import type { AttemptEnd } from './breaker-effect.ts';
import { type AnswerBeginning, type AnswerOwner, ClientAnswer } from './client-answer.ts';
import type { ActiveRequest, GatewayContext } from './context.ts';
import type { AnswerFacts } from './inference-answer.ts';
import type { JointLoss, JointSeat, SeatOwner } from './joint-seat.ts';
import type { SettledRequest } from './newest-decisions.ts';
import { RequestBeside } from './request-beside.ts';
import { RequestJournal } from './request-journal.ts';
import { expectedUse, RequestLimits } from './request-limits.ts';
import { RequestRouting, type Routed } from './request-routing.ts';
import { RequestSpend } from './request-spend.ts';
import { RequestTimes } from './request-times.ts';
import type { PrimaryEnd } from './shadow-ticket.ts';
import { type AttemptFailure, badAnswer, timeoutFailure } from './upstream-failure.ts';
import type { Waiter } from './waiting-room.ts';
import { wishOf } from './waiting-wish.ts';

type Phase = 'reading' | 'waiting' | 'joined' | 'attempting' | 'answered';

const none = Buffer.alloc(0);
const nobody: readonly Consideration[] = [];
const served: AttemptEnd = { kind: 'served' };
const abandoned: AttemptEnd = { kind: 'abandoned' };

export class InferenceRequest
  implements ActiveRequest, AttemptOwner, AnswerOwner, Waiter, SeatOwner
{
  listIndex = -1;
  readonly #context: GatewayContext;
  readonly #head: AdmittedHead;
  readonly #snapshot: RoutingSnapshot;
  readonly #journal: RequestJournal;
  /** Undefined where no limit is set for it. */
  #limits: RequestLimits | undefined;
  /** What it was admitted by; kept where a limit of tokens may still refuse it. */
  #reading: AdmissionReading | undefined;
  readonly #answer: ClientAnswer;
  readonly #times: RequestTimes;
  #phase: Phase = 'reading';
  #reader: BodyReader | undefined;

  /** As the client sent it, in OpenAI's words. */
  #clientBody: Buffer = none;
  #features: RequestFeatures | undefined;
  /** Set once the body is admitted. */
  #routing: RequestRouting | undefined;
  #attemptRequest: AttemptRequest | undefined;

  /** Attempts so far. */
  #attempts = 0;
  /** Of the last attempt, or of the one that answers. */
  #decision: Routed | undefined;
  /** The last attempt, or the one that answers. */
  #attempt: Attempt | undefined;
  /** Asked beside `#attempt` while neither has begun to answer. */
  #hedge: Attempt | undefined;
  #mayHedge: boolean;
  #failure: AttemptFailure | undefined;
  /** Set where something is done beside answering: a copy, or keeping the answer. */
  #beside: RequestBeside | undefined;
  /** Age of the older answer that the client got, ms. */
  #degradedMs: number | undefined;
  /** Its place among those that go out together, where its model is batched. */
  #seat: JointSeat | undefined;
  #spend: RequestSpend;
  /** What a backend is charged for that was asked in vain, micro-USD. */
  #lostMicroUsd = 0;
  /** Did the client leave, or was it sent away, while a backend was at work? */
  #wasLeft = false;

  constructor(context: GatewayContext, head: AdmittedHead) {
    this.#context = context;
    this.#head = head;
    this.#times = new RequestTimes(head.receivedMs);
    this.#snapshot = context.snapshot();
    this.#journal = new RequestJournal(context, head);
    this.#limits = RequestLimits.of(context.limits, head.key);
    this.#spend = new RequestSpend(context.spend, this.#limits);
    this.#answer = new ClientAnswer(context, head, this);
    this.#mayHedge = context.hedging !== undefined && !head.isBatch;
  }

  get keyId(): string {
    return this.#head.key.keyId;
  }

  /** Is its answer complete, as far as we are concerned? The client may still be reading it. */
  get isAnswered(): boolean {
    return this.#phase === 'answered';
  }

  start(): void {
    this.#context.active.add(this);
    this.#head.response.on('close', this.#onClosed);
    const cause = this.#judge();
    if (cause === undefined) this.#read();
    else {
      this.#limits?.withdraw();
      this.#refuse(cause, !isShortBody(this.#head.request));
    }
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
      limit: this.#limits?.enter(),
    };
    if (this.#limits !== undefined) this.#reading = reading;
    if (!this.#context.journal.mayRecord) {
      return refusal('retry', 'Decisions cannot be written down now, and none is made unwritten.');
    }
    return this.#limits?.spentBudget() ?? this.#judgeReading(reading);
  }

  #judgeReading(reading: AdmissionReading): Refusal | undefined {
    const verdict = judgeAdmission(this.#head.priorityClass, reading);
    const cause = admissionRefusal(verdict, reading, this.#context.modeCooldownSeconds());
    this.#journal.admission(verdict, reading, cause?.code);
    const { annotations } = this.#head.hints;
    if (annotations !== undefined) this.#journal.annotated(annotations);
    return cause;
  }

  /** Takes the tokens that it may use, and answers which limit has not so many left. */
  #judgeTokens(features: RequestFeatures): Refusal | undefined {
    const reading = this.#reading;
    this.#reading = undefined;
    const limit = this.#limits?.takeTokens(expectedUse(features));
    if (limit === undefined || reading === undefined) return undefined;
    return this.#judgeReading({ ...reading, limit });
  }

  limitsChanged(): void {
    if (this.isAnswered) return;
    this.#limits = RequestLimits.moved(this.#limits, this.#context.limits, this.#head.key);
    this.#spend.limitedBy(this.#limits);
  }

  // ---- the body ----------------------------------------------------------------------------

  #read(): void {
    const { limits, timeouts } = this.#context.settings;
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
    const features = parsed.value;
    this.#features = features;
    const cause = this.#judgeTokens(features);
    if (cause !== undefined) {
      this.#refuse(cause);
      return;
    }
    const admitted = admit(this.#snapshot, this.#head, features, this.#context.affinity);
    if (!admitted.ok) {
      this.#refuse(admitted.error);
      return;
    }
    this.#clientBody = body;
    const { settings } = this.#snapshot;
    if (settings.shadows.length > 0 || settings.degradation.enabled) {
      this.#beside = RequestBeside.of(this.#context, {
        head: this.#head,
        settings,
        admitted: admitted.value,
        features,
        body,
        isKept: this.#journal.isKept,
      });
    }
    const { requestId, traceparent, kind, face } = this.#head;
    this.#attemptRequest = {
      features,
      requestId,
      traceparent,
      isOptionalRoute: kind === 'responses',
      isHeldWhole: face !== undefined,
    };
    const routing = new RequestRouting(
      this.#context,
      this.#snapshot,
      this.#journal,
      admitted.value,
      Math.trunc(this.#head.receivedMs * 1000) >>> 0,
    );
    this.#routing = routing;
    const { waiting } = this.#context;
    const mustQueue = waiting.isInUse && waiting.mustQueue(routing.lane, this.#head.priorityClass);
    if (mustQueue) this.#wait(routing);
    else if (!this.#joins(admitted.value)) this.#goOn(routing);
  }

  // ---- together with others ----------------------------------------------------------------

  /** Where its model is batched it goes out with others, or hears that it goes alone. */
  #joins(admitted: Admitted): boolean {
    const { microBatches } = this.#context;
    if (microBatches === undefined) return false;
    const nowMs = this.#context.monotonicMs();
    const seat = microBatches.seatFor(this, {
      head: this.#head,
      admitted,
      features: this.#features as RequestFeatures,
      body: this.#clientBody,
      journal: this.#journal,
      spend: this.#spend,
      times: this.#times,
      nowMs,
    });
    if (seat === undefined) return false;
    this.#seat = seat;
    this.#phase = 'joined';
    this.#times.queueBegan(nowMs);
    microBatches.join(seat);
    return true;
  }

  onJointSent(decision: Routed): void {
    this.#choose(decision);
  }

  onJointAnswer(status: number, contentType: string, text: string): void {
    const fault = this.#answerWhole(status, contentType, text);
    if (fault !== undefined) this.#answerFailure(badAnswer(fault));
  }

  onAlone(tried: readonly Target[], lost: JointLoss | undefined): void {
    const routing = this.#routing as RequestRouting;
    routing.rewind();
    for (const target of tried) routing.passOver(target);
    if (lost === undefined) this.#goOn(routing);
    else this.#afterFailure(routing, lost.failure);
  }

  // ---- waiting for a backend ---------------------------------------------------------------

  #wait(routing: RequestRouting): void {
    if (this.#head.isBatch) {
      this.giveUp(refusal('at_capacity', 'Every backend of the model has enough to do.'));
      return;
    }
    if (this.#phase !== 'waiting') this.#times.queueBegan(this.#context.monotonicMs());
    this.#phase = 'waiting';
    const wish = wishOf(this.#head, routing, expectedTokens(routing.features));
    const cause = this.#context.waiting.enter(this, wish, (stay) => this.#journal.queued(stay));
    if (cause !== undefined) this.giveUp(cause);
  }

  admitAgain(): 'placed' | 'still_full' | 'over' {
    const routing = this.#routing;
    if (routing === undefined || this.isAnswered) return 'over';
    routing.rewind();
    this.#goOn(routing);
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
    if (this.#features?.stream === true) this.#answer.ping();
  }

  // ---- attempts ----------------------------------------------------------------------------

  /** Asks the next backend, a model that stands in, the queue; or tells the client that nobody is left. */
  #goOn(routing: RequestRouting): void {
    while (true) {
      const decision = routing.decide(this.#attempts + 1, this.#spend.budget);
      if (decision.kind === 'refuse') {
        if (routing.fallBack()) continue;
        this.#nobodyTakesIt(routing, decision.refusal);
        return;
      }
      const call = this.#callOf(decision.target, routing.model);
      if (!call.ok) {
        // Nothing was sent; another backend may be able to do it.
        this.#choose(decision);
        routing.passOver(decision.target);
        this.#onFailure(routing, decision.target, { refusal: call.error, passThrough: undefined });
        return;
      }
      const attempt = this.#take(routing, decision, this.#spend);
      if (attempt === undefined) {
        const { quotaFault } = this.#spend;
        if (quotaFault === undefined) continue;
        this.giveUp(quotaFault);
        return;
      }
      this.#choose(decision);
      this.#attempt = attempt;
      this.#phase = 'attempting';
      this.#times.queueEnded(this.#context.monotonicMs());
      this.#context.hedging?.budget.earn(expectedTokens(routing.features));
      attempt.send(call.value);
      return;
    }
  }

  #choose(decision: Routed): void {
    this.#decision = decision;
    this.#attempts++;
  }

  /** Undefined where it must be decided again. */
  #take(routing: RequestRouting, decision: Routed, spend: RequestSpend): Attempt | undefined {
    const request = this.#attemptRequest as AttemptRequest;
    const own = { spend, number: this.#attempts + 1, times: this.#times };
    const taken = Attempt.take(this.#context, this, request, routing, decision, own);
    if (taken === 'gone') routing.passOver(decision.target);
    return typeof taken === 'string' ? undefined : taken;
  }

  /** The body as it is, or in the words of the provider. */
  #callOf(target: Target, model: string): Result<AttemptCall, Refusal> {
    const { kind, enginePath, requestId } = this.#head;
    const features = this.#features as RequestFeatures;
    const body = withModel(this.#clientBody, features, model);
    const { stream: isStream, includeUsage } = features;
    const createdSeconds = Math.floor(this.#context.wallMs() / 1000);
    return attemptCall(
      target,
      { kind, enginePath, body, model, isStream },
      { requestId, createdSeconds, includeUsage },
    );
  }

  #nobodyTakesIt(routing: RequestRouting, cause: Refusal): void {
    const mayWait = routing.isFull && this.#context.settings.queue.sizeMax > 0;
    if (this.#failure !== undefined) {
      routing.writeDown();
      this.#answerFailure(this.#failure);
    } else if (mayWait) this.#wait(routing);
    else this.giveUp(routing.refusal(cause));
  }

  onFailed(attempt: Attempt, failure: AttemptFailure): void {
    const routing = this.#routing as RequestRouting;
    routing.passOver(attempt.target);
    if (this.#hedge !== undefined) {
      this.#countFailure(attempt.target, failure);
      this.#leaveRace(attempt);
    } else if (this.#answer.isCommitted) this.#cut(failure.refusal, attempt.hasToldFailure);
    else this.#onFailure(routing, attempt.target, failure);
  }

  #onFailure(routing: RequestRouting, target: Target, failure: AttemptFailure): void {
    if (failure.passThrough?.retryable !== false) this.#countFailure(target, failure);
    this.#afterFailure(routing, failure);
  }

  #afterFailure(routing: RequestRouting, failure: AttemptFailure): void {
    this.#failure = failure;
    this.#times.firstByteMs = undefined;
    const isFinal = failure.passThrough?.retryable === false;
    if (!isFinal && this.#mayGoOn(routing)) this.#goOn(routing);
    else this.#answerFailure(failure);
  }

  #countFailure({ id }: Target, { refusal: { code } }: AttemptFailure): void {
    const labels = `backend="${id}",code="${code}"`;
    this.#context.metrics.count(`tensorforge_attempt_failures_total{${labels}}`);
  }

  #mayGoOn(routing: RequestRouting): boolean {
    const spentMs = this.#context.monotonicMs() - this.#head.receivedMs;
    return (
      this.#mayAttempt() &&
      spentMs < this.#context.settings.timeouts.totalMs &&
      // Where nobody is left the decision says so, and no retry of the budget is spent on it.
      (!routing.isSomebodyLeft(this.#spend.budget) || this.#context.mayRetry())
    );
  }

  #mayAttempt(): boolean {
    const { maxRetries } = (this.#routing?.snapshot ?? this.#snapshot).settings;
    return mayAttemptAgain(this.#attempts, maxRetries, this.#context.servingMode());
  }

  /** All attempts are spent: the client hears the last failure. */
  #answerFailure(failure: AttemptFailure): void {
    const { passThrough } = failure;
    if (passThrough === undefined || this.#answer.isOpened) {
      this.#refuse(failure.refusal);
      return;
    }
    this.#answer.passThrough(passThrough);
    this.#settle(passThrough.status, failure.refusal.code);
  }

  // ---- hedging -----------------------------------------------------------------------------

  /** Asks a second backend where the first has not begun to answer for long; at most once. */
  #hedgeLate(first: Attempt): void {
    const { hedging } = this.#context;
    const routing = this.#routing as RequestRouting;
    if (hedging === undefined || first.hasBegun || first.backendMs < hedging.afterMs) return;
    this.#mayHedge = false;
    routing.passOver(first.target);
    const mayAsk = this.#mayAttempt() && routing.isOfferLeft(this.#spend.budget);
    if (!mayAsk || !hedging.budget.take(expectedTokens(routing.features))) return;
    const decision = routing.decide(this.#attempts + 1, this.#spend.budget);
    if (decision.kind === 'refuse') return;
    const call = this.#callOf(decision.target, routing.model);
    if (!call.ok) return;
    const hedge = this.#take(
      routing,
      decision,
      new RequestSpend(this.#context.spend, this.#limits),
    );
    if (hedge === undefined) return;
    this.#attempts++;
    this.#hedge = hedge;
    this.#context.metrics.count('tensorforge_hedges_total');
    hedge.send(call.value);
  }

  /** One of the two is out of the race: the other one goes on alone. */
  #leaveRace(loser: Attempt): void {
    const other = loser === this.#hedge ? this.#attempt : this.#hedge;
    this.#hedge = undefined;
    if (other === undefined) return;
    const wasConnected = loser.isConnected;
    loser.end(abandoned);
    if (wasConnected) loser.takeRest();
    this.#lostMicroUsd += loser.spend.settle(loser.backendMs).costMicroUsd ?? 0;
    this.#attempt = other;
    this.#spend = other.spend;
    this.#decision = other.decision;
  }

  // ---- the answer --------------------------------------------------------------------------

  onBegun(attempt: Attempt, nowMs: number): void {
    if (this.#hedge !== undefined) {
      if (attempt === this.#hedge) this.#context.metrics.count('tensorforge_hedges_won_total');
      this.#leaveRace(attempt === this.#hedge ? (this.#attempt as Attempt) : this.#hedge);
    }
    this.#mayHedge = false;
    this.#times.firstByte(nowMs);
    if (!attempt.isStream) return;
    const fault = this.#answer.beginStream(attempt.contentType, this.#beginning());
    if (fault !== undefined) attempt.failAnswer(fault);
    else this.#forgetBody(attempt);
  }

  #beginning(): AnswerBeginning {
    const ageMs = this.#context.monotonicMs() - this.#head.receivedMs;
    const promptTokens = this.#features?.estimatedTokens ?? 0;
    return { promptTokens, startedMs: this.#context.wallMs() - ageMs };
  }

  /** No other backend will be asked, and a long answer shall not keep a large question in memory. */
  #forgetBody(attempt: Attempt): void {
    this.#clientBody = none;
    attempt.forgetRequest();
  }

  onEvents(attempt: Attempt, bytes: Buffer): void {
    const fault = this.#answer.events(bytes);
    if (fault !== undefined) attempt.failAnswer(fault);
    else this.#beside?.events(bytes);
  }

  onStreamEnd(attempt: Attempt): void {
    const fault = this.#answer.endStream();
    if (fault !== undefined) attempt.failAnswer(fault);
    else this.#settle(200, undefined);
  }

  onBody(attempt: Attempt, bytes: Buffer): void {
    const fault = this.#answer.body(attempt.status, attempt.contentType, bytes);
    if (fault !== undefined) attempt.failAnswer(fault);
    else if (this.#clientBody.length > 0) {
      this.#forgetBody(attempt);
      this.#beside?.tooLong();
    }
  }

  onBodyEnd(attempt: Attempt): void {
    this.#answer.endBody();
    this.#settle(attempt.status, undefined);
  }

  onAnswer(attempt: Attempt, text: string): void {
    const fault = this.#answerWhole(attempt.status, attempt.contentType, text);
    if (fault !== undefined) attempt.failAnswer(fault);
  }

  /** Words when the client cannot be answered so. */
  #answerWhole(status: number, contentType: string, text: string): string | undefined {
    const fault = this.#answer.whole(status, contentType, text, this.#beginning());
    if (fault !== undefined) return fault;
    this.#beside?.answered(status, contentType, text);
    this.#settle(status, undefined);
    return undefined;
  }

  onBlocked(): void {
    this.#times.blocked(this.#context.monotonicMs());
    this.#attempt?.pause();
  }

  onDrained(): void {
    const nowMs = this.#context.monotonicMs();
    this.#times.unblocked(nowMs);
    this.#attempt?.resume(nowMs);
  }

  facts(): AnswerFacts {
    const { requestId, clientRequestId } = this.#head;
    const nowMs = this.#context.monotonicMs();
    const decision = this.#decision;
    return {
      requestId,
      clientRequestId,
      attempts: this.#attempts,
      overheadMs: this.#times.overheadMs(nowMs),
      queueMs: this.#times.queueMs(nowMs),
      mode: this.#context.servingMode(),
      estimateMicroUsd: this.#spend.estimateMicroUsd,
      budget: this.#context.spend.standing(),
      split: this.#routing?.features.split,
      annotations: this.#head.hints.annotations,
      degradedMs: this.#degradedMs,
      limits: this.#limits?.headers(),
      served:
        decision === undefined
          ? undefined
          : {
              target: decision.target,
              model: this.#routing?.model ?? '',
              isFallback: this.#routing?.features.isFallback === true,
              routeReason: decision.routeReason,
            },
    };
  }

  // ---- endings -----------------------------------------------------------------------------

  /** With `closes`, the body stays unread and the connection ends with the answer. */
  #refuse(cause: Refusal, closes = false): void {
    if (this.#phase === 'answered') return;
    if (this.#beside !== undefined && this.#answerOlder(this.#beside, cause.code)) return;
    this.#answer.refuse(cause, closes);
    this.#settle(entryOf(cause.code).status, cause.code);
  }

  /** Where no backend is left: an answer of before to the same question, marked as such. */
  #answerOlder(beside: RequestBeside, code: ErrorCode): boolean {
    const older = this.#answer.isCommitted ? undefined : beside.olderAnswer(code);
    if (older === undefined) return false;
    this.#degradedMs = older.ageMs;
    this.#decision = undefined;
    this.#journal.degraded(code, Math.round(older.ageMs));
    this.#context.metrics.count(`tensorforge_degraded_answers_total{code="${code}"}`);
    this.#answer.whole(200, older.answer.contentType, older.answer.text, this.#beginning());
    this.#settle(200, code);
    return true;
  }

  /** The first byte is out. */
  #cut(cause: Refusal, isTold: boolean): void {
    this.#answer.cut(cause, isTold);
    this.#settle(entryOf(cause.code).status, cause.code);
  }

  /** The client has the whole answer, or has left. */
  readonly #onClosed = (): void => {
    this.#context.active.delete(this);
    if (this.#phase === 'answered') return;
    this.#stopAttempts();
    this.#settle(499, 'client_closed');
  };

  /** Ends it from outside: key revoked, or the grace of a drain is over. */
  end(cause: Refusal): void {
    if (this.#phase === 'answered') return;
    this.#stopAttempts();
    this.#refuse(cause, this.#reader !== undefined);
  }

  #stopAttempts(): void {
    if (this.#hedge !== undefined) this.#leaveRace(this.#hedge);
    this.#wasLeft = this.#attempt?.isConnected === true;
    this.#attempt?.end(abandoned);
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
      case 'joined':
        if (nowMs - this.#head.receivedMs <= timeouts.totalMs) this.#seat?.sweep(nowMs);
        else this.giveUp(timeoutFailure('total', timeouts.totalMs).refusal);
        return;
      case 'attempting':
        this.#sweepAttempts(nowMs);
    }
  }

  #sweepAttempts(nowMs: number): void {
    const { timeouts } = this.#context.settings;
    const passed = this.#times.passedLimit(nowMs, timeouts);
    if (passed === 'total') {
      if (this.#hedge !== undefined) this.#leaveRace(this.#hedge);
      this.#attempt?.timeOut('total', timeouts.totalMs);
    } else if (passed === 'reader') this.#answer.destroy();
    else if (!this.#times.isBlocked) {
      this.#hedge?.sweep(nowMs, timeouts);
      this.#attempt?.sweep(nowMs, timeouts);
      if (this.#mayHedge && this.#attempt !== undefined) this.#hedgeLate(this.#attempt);
    }
  }

  /** The answer is written, but the client does not take it. */
  #sweepReader(nowMs: number): void {
    const limitMs = this.#context.settings.timeouts.slowReaderMs * this.#answer.readerSteps;
    if (nowMs - this.#times.answeredMs > limitMs) this.#answer.destroy();
  }

  #settle(status: number, code: ErrorCode | undefined): void {
    if (this.#phase === 'answered') return;
    const nowMs = this.#context.monotonicMs();
    if (this.#phase === 'waiting') this.#context.waiting.leave(this);
    const isJoined = this.#phase === 'joined';
    this.#times.queueEnded(nowMs);
    this.#phase = 'answered';
    if (isJoined && this.#seat !== undefined) this.#context.microBatches?.leave(this.#seat);
    this.#times.answeredMs = nowMs;
    this.#endReading();
    this.#attempt?.end(code === undefined ? served : abandoned);
    this.#clientBody = none;
    this.#context.arena.addInFlight(-1, this.#context.thread);
    this.#context.counts.requestEnded(this.keyId);
    const { firstByteMs } = this.#times;
    const outcome = { status, code, firstByteMs, stream: this.#features?.stream ?? false };
    this.#context.finished(outcome, this.#head.isBatch);
    const settled = this.#settled(status, code, nowMs);
    const use = this.#used();
    this.#limits?.leave(use.promptTokens + use.completionTokens);
    this.#journal.settled(settled, use.promptTokens, use.completionTokens);
    this.#context.settlements.add(settled, use.promptTokens, use.completionTokens);
    this.#context.usage.add(settled, use);
    this.#beside?.ended(this.#primaryEnd(settled, use.completionTokens));
  }

  /** What the client got, where a backend answered in whole. */
  #primaryEnd(settled: SettledRequest, completionTokens: number): PrimaryEnd | undefined {
    const { servedModel: model, backendId, status, code } = settled;
    const attempt = this.#attempt;
    const isWhole = status === 200 && code === undefined && attempt !== undefined;
    if (!isWhole || model === undefined || backendId === undefined) return undefined;
    const { firstByteMs, backendMs: totalMs } = attempt;
    return { model, backendId, status, completionTokens, firstByteMs, totalMs };
  }

  /** What it used; an answer that was cut, or left by its client, is charged by what was counted of it. */
  #used() {
    const attempt = this.#attempt;
    const isServed = this.#answer.isCommitted && this.#degradedMs === undefined;
    if (this.#wasLeft || isServed) attempt?.takeRest();
    const use = this.#spend.settle(attempt?.backendMs ?? this.#seat?.backendMs ?? 0);
    if (this.#lostMicroUsd === 0) return use;
    return { ...use, costMicroUsd: (use.costMicroUsd ?? 0) + this.#lostMicroUsd };
  }

  #settled(status: number, code: ErrorCode | undefined, nowMs: number): SettledRequest {
    const decision = this.#decision;
    return {
      requestId: this.#head.requestId,
      attempt: this.#attempts,
      at: this.#context.wallMs(),
      path: this.#head.face?.path ?? this.#head.enginePath,
      keyId: this.#head.key.keyId,
      groupName: this.#head.key.groupName,
      model: this.#features?.model ?? '',
      servedModel: decision === undefined ? undefined : this.#routing?.model,
      backendId: decision?.target.id,
      reason: decision?.reason ?? this.#routing?.refusedWords ?? code ?? '',
      routeReason: decision?.routeReason,
      stream: this.#features?.stream ?? false,
      status,
      code,
      firstByteMs: this.#times.firstByteMs,
      totalMs: nowMs - this.#times.receivedMs,
      overheadMs: this.#times.overheadMs(nowMs),
      considered: (this.#seat && decision?.considered) ?? this.#routing?.considered ?? nobody,
      split: this.#routing?.features.split,
      annotations: this.#head.hints.annotations,
      settings: (this.#routing?.snapshot ?? this.#snapshot).settings,
    };
  }
}
