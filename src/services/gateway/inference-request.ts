// One inference request from its head to its last byte. The object itself is the upstream handler,
// so that the hot path allocates no closures.
//
//   reading --body whole, checked, backend decided--> attempting --first byte held--> relaying
//      |                                                 |   ^                           |
//      |                                                 +---+ failover, other backend   |
//      +-----------------------------> done <--------------------------------------------+
//
// G1  nothing goes upstream before the body is whole and admitted.
// G2  a lease is taken per attempt and given back exactly once, whatever ends the attempt.
// G3  no attempt follows the first byte that reached the client.
// G4  a backend is tried at most once per request.
// G5  every answer is settled exactly once; a client that leaves frees its lease in the same tick.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BackendId } from '../../base/brand.ts';
import { isCloudType } from '../../core/backends/backend.ts';
import type { RouteFeatures } from '../../core/routing/decide.ts';
import { type Consideration, type Decision, decide } from '../../core/routing/decide.ts';
import { type RoutingSnapshot, resolveModel, type Target } from '../../core/routing/snapshot.ts';
import { entryOf } from '../../errors/catalogue.ts';
import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';
import type { KeyRecord } from '../../io/credentials/key-table.ts';
import type {
  UpstreamExchange,
  UpstreamFailure,
  UpstreamHandler,
} from '../../io/http/upstream/upstream.ts';
import {
  type RequestFeatures,
  type RequestKind,
  readRequestBody,
  withModel,
} from '../../protocol/openai/request-body.ts';
import { errorEvent, type SseFault, SseWatcher } from '../../protocol/openai/sse.ts';
import { type UsageReport, usageOfValue } from '../../protocol/openai/usage.ts';
import { BodyReader } from './body-reader.ts';
import type { Connection } from './connection.ts';
import type { GatewayContext } from './context.ts';
import { mayUseModel, usableModels } from './model-list.ts';
import { ownPrefix, respondRefusal } from './respond.ts';
import { settleMetrics } from './settle.ts';
import {
  type AttemptFailure,
  failureOfStatus,
  failureOfUpstream,
  timeoutFailure,
} from './upstream-failure.ts';

/** What the edge hands over once the head is checked and the key is good. */
export type AdmittedHead = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  readonly clientRequestId: string | undefined;
  readonly key: KeyRecord;
  readonly kind: RequestKind;
  /** The path on the engine, from a fixed table. */
  readonly enginePath: string;
  /** Monotonic ms at which the head was complete. */
  readonly receivedMs: number;
  readonly connection: Connection;
};

type Phase = 'reading' | 'attempting' | 'relaying' | 'done';
type AnswerForm = 'pending' | 'error' | 'json' | 'stream';

/** A JSON answer up to this many bytes is held until it is whole, so that a cut one fails over. */
const heldJsonBytes = 262_144;
/** An error answer beyond this is cut. */
const heldErrorBytes = 65_536;
const faultWords: Readonly<Record<SseFault, string>> = {
  event_too_large: 'The backend sent an event larger than 1 MiB.',
  bare_carriage_return: 'The backend sent a carriage return that ends no line.',
  nul_byte: 'The backend sent a NUL byte in its stream.',
};

/** What may arrive before the first content event of a stream. */
const heldStreamBytes = 65_536;

export class InferenceRequest implements UpstreamHandler {
  readonly #context: GatewayContext;
  readonly #head: AdmittedHead;
  readonly #snapshot: RoutingSnapshot;
  #phase: Phase = 'reading';
  #reader: BodyReader | undefined;
  #body: Buffer = Buffer.alloc(0);
  #features: RequestFeatures | undefined;
  #route: RouteFeatures | undefined;

  readonly #tried: BackendId[] = [];
  #attempts = 0;
  #target: Target | undefined;
  #decision: Extract<Decision, { kind: 'route' }> | undefined;
  #considered: readonly Consideration[] = [];
  #exchange: UpstreamExchange | undefined;
  #leased: Target | undefined;
  #failure: AttemptFailure | undefined;

  #form: AnswerForm = 'pending';
  #status = 0;
  #contentType = 'application/json';
  #retryAfter: string | undefined;
  #held: Buffer[] = [];
  #heldText: string[] = [];
  #heldBytes = 0;
  #watcher: SseWatcher | undefined;

  #dispatchedMs = 0;
  #activityMs = 0;
  #firstByteMs: number | undefined;
  #upstreamWaitMs = 0;
  #blockedSinceMs: number | undefined;
  #committed = false;
  #countedForKey = false;
  #promptTokens = 0;
  #completionTokens = 0;

  constructor(context: GatewayContext, head: AdmittedHead) {
    this.#context = context;
    this.#head = head;
    this.#snapshot = context.snapshot();
  }

  get keyId(): string {
    return this.#head.key.keyId;
  }

  start(): void {
    const { limits, timeouts } = this.#context.settings;
    this.#context.active.add(this);
    const inFlight = this.#context.arena.addInFlight(1);
    this.#head.response.on('close', this.#onClientClose);
    if (inFlight > limits.concurrentRequests) {
      const words = `${limits.concurrentRequests} requests are in flight, the limit of this installation.`;
      this.#refuse(refusal('overloaded', words), true);
      return;
    }
    const caps = {
      bytes: limits.bodyBytes,
      chunks: limits.bodyChunks,
      timeMs: timeouts.bodyMs,
      graceMs: timeouts.bodyGraceMs,
      minBytesPerSecond: limits.bodyMinBytesPerSecond,
    };
    this.#countedForKey = true;
    const ofKey = this.#context.counts.requestStarted(this.keyId);
    if (limits.requestsPerKey > 0 && ofKey > limits.requestsPerKey) {
      const words = `${limits.requestsPerKey} requests of this key are in flight, its limit. Wait for one to finish.`;
      this.#refuse(refusal('rate_limit_exceeded', words), true);
      return;
    }
    this.#reader = new BodyReader(this.#head.request, caps, this.#head.receivedMs, (result) => {
      this.#reader = undefined;
      if (result.ok) this.#onBody(result.value);
      else this.#refuse(result.error, true);
    });
  }

  // ---- body and decision -------------------------------------------------------------------

  #onBody(body: Buffer): void {
    const parsed = readRequestBody(this.#head.kind, body, this.#context.jsonLimits);
    if (!parsed.ok) {
      this.#refuse(parsed.error);
      return;
    }
    const features = parsed.value;
    const resolvedModel = resolveModel(this.#snapshot, features.model);
    const known = this.#snapshot.byModel.has(resolvedModel);
    if (!known || !mayUseModel(this.#head.key, features.model)) {
      this.#refuse(this.#unknownModel(features.model));
      return;
    }
    this.#body = resolvedModel === features.model ? body : withModel(body, features, resolvedModel);
    this.#features = features;
    this.#route = {
      model: features.model,
      resolvedModel,
      estimatedTokens: features.estimatedTokens,
      maxOutputTokens: features.maxOutputTokens,
      needsVision: features.needsVision,
      needsTools: features.needsTools,
      needsJsonMode: features.needsJsonMode,
      remoteMedia: features.remoteMedia,
    };
    this.#attempt();
  }

  #unknownModel(model: string): Refusal {
    const usable = usableModels(this.#snapshot, this.#head.key, 50);
    const list =
      usable.length === 0
        ? 'This key can use no model yet.'
        : `This key can use: ${usable.join(', ')}.`;
    return refusal('model_not_found', `No model “${model}”. ${list}`, { param: 'model' });
  }

  #attempt(): void {
    const route = this.#route as RouteFeatures;
    const decision = decide(this.#snapshot, this.#context.arena, route, {
      tried: this.#tried,
      cursor: this.#context.arena.nextCursor(),
      seed: Math.trunc(this.#head.receivedMs * 1000) >>> 0,
    });
    this.#considered = decision.considered;
    if (decision.kind === 'refuse') {
      if (this.#failure === undefined) this.#refuse(decision.refusal);
      else this.#answerFailure(this.#failure);
      return;
    }
    const { target } = decision;
    if (this.#context.arena.increment(target, this.#context.thread) === undefined) {
      this.#tried.push(target.id);
      this.#attempt();
      return;
    }
    this.#leased = target;
    this.#target = target;
    this.#decision = decision;
    this.#attempts++;
    this.#phase = 'attempting';
    this.#form = 'pending';
    this.#dispatchedMs = this.#context.monotonicMs();
    this.#activityMs = this.#dispatchedMs;
    this.#exchange = this.#context.poolOf(target).request(
      {
        method: 'POST',
        path: this.#head.enginePath,
        headers: this.#upstreamHeaders(target),
        body: this.#body,
      },
      this,
    );
  }

  #upstreamHeaders(target: Target): readonly string[] {
    const credential = this.#context.credentialOf(target);
    const accept = this.#features?.stream === true ? 'text/event-stream' : 'application/json';
    const headers = [
      'content-type',
      'application/json',
      'accept',
      accept,
      'user-agent',
      this.#context.settings.build,
      'x-request-id',
      this.#head.requestId,
    ];
    return credential.length === 0 ? headers : headers.concat(credential);
  }

  // ---- upstream handler --------------------------------------------------------------------

  onHead(status: number, headers: readonly string[]): void {
    const now = this.#context.monotonicMs();
    this.#activityMs = now;
    this.#status = status;
    this.#contentType = 'application/json';
    this.#retryAfter = undefined;
    this.#dropHeld();
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i];
      if (name === 'content-type') this.#contentType = headers[i + 1] as string;
      else if (name === 'retry-after') this.#retryAfter = headers[i + 1] as string;
    }
    if (status >= 300) {
      this.#form = 'error';
    } else if (this.#contentType.startsWith('text/event-stream')) {
      this.#form = 'stream';
      this.#watcher = new SseWatcher(this.#context.settings.limits.upstream.eventBytes);
    } else {
      this.#form = 'json';
      this.#firstByteMs = now - this.#head.receivedMs;
      this.#noteFirstByte(now);
    }
  }

  onData(chunk: Buffer): void {
    this.#activityMs = this.#context.monotonicMs();
    switch (this.#form) {
      case 'stream':
        this.#onStreamData(chunk);
        return;
      case 'json':
        this.#onJsonData(chunk);
        return;
      case 'error':
      case 'pending':
        if (this.#heldBytes < heldErrorBytes) this.#hold(Buffer.from(chunk));
        return;
    }
  }

  #hold(chunk: Buffer): void {
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
  }

  #dropHeld(): void {
    this.#held = [];
    this.#heldText = [];
    this.#heldBytes = 0;
  }

  #onStreamData(chunk: Buffer): void {
    const watcher = this.#watcher as SseWatcher;
    const fault = watcher.push(chunk);
    if (fault !== undefined) {
      this.#failStream(faultWords[fault]);
      return;
    }
    if (watcher.failed && !this.#committed) {
      this.#failStream('The backend began its stream with an error.');
      return;
    }
    if (this.#committed) {
      this.#writeEvents(chunk, watcher.atEventBorder);
      return;
    }
    this.#hold(Buffer.from(chunk));
    if (!watcher.firstContent && this.#heldBytes < heldStreamBytes) return;
    const now = this.#context.monotonicMs();
    this.#firstByteMs = now - this.#head.receivedMs;
    this.#noteFirstByte(now);
    this.#commit([
      'content-type',
      this.#contentType,
      'cache-control',
      'no-cache',
      'x-accel-buffering',
      'no',
    ]);
    const held = Buffer.concat(this.#held);
    this.#dropHeld();
    this.#writeEvents(held, watcher.atEventBorder);
  }

  /** Passes on whole events only, so that a cut never leaves half of one with the client. */
  #writeEvents(chunk: Buffer, endsEvent: boolean): void {
    const whole = this.#held.length === 0 ? chunk : Buffer.concat([...this.#held, chunk]);
    const border = endsEvent ? whole.length : lastEventEnd(whole);
    if (this.#held.length > 0) this.#dropHeld();
    if (border > 0) this.#write(Buffer.from(whole.subarray(0, border)));
    if (border < whole.length) this.#hold(Buffer.from(whole.subarray(border)));
  }

  #failStream(words: string): void {
    this.#exchange?.abort();
    this.#attemptFailed({ refusal: refusal('bad_gateway', words), passThrough: undefined });
  }

  #onJsonData(chunk: Buffer): void {
    if (this.#committed) {
      this.#write(Buffer.from(chunk));
      return;
    }
    this.#heldText.push(chunk.toString('latin1'));
    this.#heldBytes += chunk.length;
    if (this.#heldBytes <= heldJsonBytes) return;
    this.#commit(['content-type', this.#contentType]);
    for (const text of this.#heldText) this.#write(Buffer.from(text, 'latin1'));
    this.#dropHeld();
  }

  onEnd(): void {
    this.#closeExchange();
    switch (this.#form) {
      case 'stream':
        this.#onStreamEnd();
        return;
      case 'json':
        this.#onJsonEnd();
        return;
      case 'error':
      case 'pending':
        this.#attemptFailed(
          failureOfStatus(this.#status, {
            contentType: this.#contentType,
            retryAfter: this.#retryAfter,
            body: Buffer.concat(this.#held),
          }),
        );
        return;
    }
  }

  #onStreamEnd(): void {
    const watcher = this.#watcher as SseWatcher;
    const complete = watcher.done || (this.#head.kind === 'responses' && watcher.firstContent);
    if (!complete) {
      const words = 'The backend ended the stream before [DONE].';
      this.#attemptFailed({ refusal: refusal('bad_gateway', words), passThrough: undefined });
      return;
    }
    this.#takeUsage(watcher.usage());
    if (!this.#committed) {
      this.#commit(['content-type', this.#contentType, 'cache-control', 'no-cache']);
      for (const held of this.#held) this.#write(held);
    }
    this.#head.response.end();
    this.#settle(200, undefined);
  }

  #onJsonEnd(): void {
    if (this.#committed) {
      this.#head.response.end();
      this.#settle(this.#status, undefined);
      return;
    }
    const text =
      this.#heldText.length === 1 ? (this.#heldText[0] as string) : this.#heldText.join('');
    const answer = readAnswer(text);
    if (answer === undefined) {
      const words = 'The backend answered with something that is not JSON.';
      this.#attemptFailed({ refusal: refusal('bad_gateway', words), passThrough: undefined });
      return;
    }
    this.#takeUsage(usageOfValue(answer));
    this.#committed = true;
    this.#phase = 'relaying';
    const headers = ['content-type', this.#contentType, 'content-length', String(text.length)];
    this.#head.response.writeHead(this.#status, this.#ownHeaders(headers));
    this.#head.response.end(text, 'latin1');
    this.#settle(this.#status, undefined);
  }

  onError(failure: UpstreamFailure): void {
    if (failure.kind === 'connect' || failure.kind === 'dns' || failure.kind === 'tls') {
      const target = this.#target;
      if (target !== undefined) this.#context.connectFailed(target.id);
    }
    this.#attemptFailed(failureOfUpstream(failure));
  }

  // ---- failover ----------------------------------------------------------------------------

  #closeExchange(): void {
    if (this.#exchange === undefined) return;
    this.#exchange = undefined;
    this.#upstreamWaitMs += this.#context.monotonicMs() - this.#dispatchedMs;
  }

  #attemptFailed(failure: AttemptFailure): void {
    this.#closeExchange();
    this.#release();
    const target = this.#target as Target;
    this.#tried.push(target.id);
    this.#failure = failure;
    this.#watcher = undefined;
    if (this.#committed) {
      this.#cut(failure.refusal);
      return;
    }
    this.#dropHeld();
    if (failure.passThrough !== undefined && !failure.passThrough.retryable) {
      this.#answerFailure(failure);
      return;
    }
    this.#firstByteMs = undefined;
    this.#context.metrics.count(
      `tensorforge_attempt_failures_total{backend="${target.id}",code="${failure.refusal.code}"}`,
    );
    const waitedMs = this.#context.monotonicMs() - this.#head.receivedMs;
    const exhausted =
      this.#attempts > this.#snapshot.settings.maxRetries ||
      waitedMs >= this.#context.settings.timeouts.totalMs;
    if (exhausted) this.#answerFailure(failure);
    else this.#attempt();
  }

  /** All attempts are spent: the client hears the last failure. */
  #answerFailure(failure: AttemptFailure): void {
    const { passThrough } = failure;
    if (passThrough === undefined) {
      this.#refuse(failure.refusal);
      return;
    }
    this.#committed = true;
    const headers = [
      'content-type',
      passThrough.contentType,
      'content-length',
      String(passThrough.body.length),
    ];
    if (passThrough.retryAfter !== undefined) headers.push('retry-after', passThrough.retryAfter);
    if (this.#attempts > 1) headers.push('x-should-retry', 'false');
    this.#head.response.writeHead(passThrough.status, this.#ownHeaders(headers));
    this.#head.response.end(passThrough.body);
    this.#settle(passThrough.status, failure.refusal.code);
  }

  /** The first byte is out: one error event and the end, never a clean-looking cut. */
  #cut(cause: Refusal): void {
    const { response } = this.#head;
    if (this.#form === 'stream') {
      response.end(errorEvent(cause));
      this.#context.metrics.count('tensorforge_streams_cut_total');
    } else {
      response.destroy();
    }
    this.#settle(entryOf(cause.code).status, cause.code);
  }

  // ---- answering ---------------------------------------------------------------------------

  #refuse(cause: Refusal, bodyUnread = false): void {
    if (this.#phase === 'done') return;
    if (bodyUnread) {
      this.#context.lingering.refuse(this.#head.connection, 'openai', cause);
    } else {
      const noRetry = this.#attempts > 1 ? ['x-should-retry', 'false'] : [];
      respondRefusal(this.#head.response, 'openai', cause, { headers: this.#ownHeaders(noRetry) });
    }
    this.#settle(entryOf(cause.code).status, cause.code);
  }

  #commit(headers: string[]): void {
    this.#committed = true;
    this.#phase = 'relaying';
    this.#head.response.writeHead(this.#status, this.#ownHeaders(headers));
  }

  #ownHeaders(headers: string[]): string[] {
    const { requestId, clientRequestId } = this.#head;
    const target = this.#target;
    headers.push('x-request-id', requestId);
    if (clientRequestId !== undefined) headers.push('x-client-request-id', clientRequestId);
    headers.push(`${ownPrefix}overhead-ms`, this.#overheadMs().toFixed(3));
    headers.push(`${ownPrefix}attempts`, String(this.#attempts));
    if (target !== undefined && this.#decision !== undefined) {
      headers.push(
        `${ownPrefix}backend`,
        target.id,
        `${ownPrefix}backend-type`,
        isCloudType(target.backendType) ? 'cloud' : 'local',
        `${ownPrefix}model`,
        headerText(this.#route?.resolvedModel ?? ''),
        `${ownPrefix}route-reason`,
        this.#decision.routeReason,
        `${ownPrefix}privacy-zone`,
        target.zone,
        `${ownPrefix}decision`,
        `${requestId}.${this.#attempts}`,
      );
    }
    return headers;
  }

  /** Time spent here rather than waiting for a backend, ms. */
  #overheadMs(): number {
    const now = this.#context.monotonicMs();
    const open = this.#exchange === undefined ? 0 : this.#activityMs - this.#dispatchedMs;
    const waiting = this.#upstreamWaitMs + open;
    return Math.max(0, now - this.#head.receivedMs - waiting);
  }

  #write(chunk: Buffer): void {
    const { response } = this.#head;
    if (response.destroyed) return;
    if (response.write(chunk) || this.#blockedSinceMs !== undefined) return;
    this.#blockedSinceMs = this.#context.monotonicMs();
    this.#exchange?.pause();
    response.once('drain', this.#onDrain);
  }

  readonly #onDrain = (): void => {
    this.#blockedSinceMs = undefined;
    this.#activityMs = this.#context.monotonicMs();
    this.#exchange?.resume();
  };

  #noteFirstByte(now: number): void {
    const target = this.#leased;
    if (target !== undefined) {
      this.#context.arena.recordFirstByte(target, Math.max(0, now - this.#dispatchedMs));
    }
  }

  #takeUsage(usage: UsageReport): void {
    if (usage.kind === 'rejected') {
      this.#context.metrics.count('tensorforge_usage_rejected_total');
    } else if (usage.kind === 'usage') {
      this.#promptTokens = usage.promptTokens;
      this.#completionTokens = usage.completionTokens;
    }
  }

  // ---- endings -----------------------------------------------------------------------------

  readonly #onClientClose = (): void => {
    if (this.#phase === 'done') return;
    this.#exchange?.abort();
    this.#settle(499, 'client_closed');
  };

  /** Ends it from outside: key revoked, or the grace of a drain is over. */
  end(cause: Refusal): void {
    if (this.#phase === 'done') return;
    this.#exchange?.abort();
    this.#closeExchange();
    this.#release();
    if (this.#committed) this.#cut(cause);
    else this.#refuse(cause, this.#reader !== undefined);
  }

  /** Has a limit passed? Called every 100 ms. */
  sweep(nowMs: number): void {
    const { timeouts } = this.#context.settings;
    if (this.#phase === 'reading') {
      this.#reader?.sweep(nowMs);
      return;
    }
    if (nowMs - this.#head.receivedMs > timeouts.totalMs) {
      this.#timeOut('total', timeouts.totalMs);
    } else if (this.#blockedSinceMs !== undefined) {
      if (nowMs - this.#blockedSinceMs > timeouts.slowReaderMs) this.#head.response.destroy();
    } else if (this.#phase === 'relaying') {
      if (nowMs - this.#activityMs > timeouts.idleMs) this.#timeOut('idle', timeouts.idleMs);
    } else if (this.#exchange?.connected === false) {
      if (nowMs - this.#dispatchedMs > timeouts.connectMs) {
        this.#timeOut('connect', timeouts.connectMs);
      }
    } else if (nowMs - this.#dispatchedMs > timeouts.firstByteMs) {
      const timer = this.#form === 'pending' ? 'headers' : 'first_token';
      this.#timeOut(timer, timeouts.firstByteMs);
    }
  }

  #timeOut(timer: string, limitMs: number): void {
    this.#exchange?.abort();
    if (timer === 'connect' && this.#target !== undefined) {
      this.#context.connectFailed(this.#target.id);
    }
    this.#attemptFailed(timeoutFailure(timer, limitMs));
  }

  #release(): void {
    const target = this.#leased;
    if (target === undefined) return;
    this.#leased = undefined;
    if (this.#context.arena.decrement(target, this.#context.thread) === -1) {
      this.#context.metrics.count(`tensorforge_pending_clamped_total{backend="${target.id}"}`);
    }
    this.#context.arena.addTotal(target);
  }

  #settle(status: number, code: string | undefined): void {
    if (this.#phase === 'done') return;
    this.#phase = 'done';
    this.#reader?.stop();
    this.#release();
    this.#context.active.delete(this);
    this.#context.arena.addInFlight(-1);
    if (this.#countedForKey) this.#context.counts.requestEnded(this.keyId);
    const nowMs = this.#context.monotonicMs();
    this.#context.finished(status >= 500, this.#firstByteMs);
    settleMetrics(
      this.#context.metrics,
      {
        requestId: this.#head.requestId,
        attempt: this.#attempts,
        at: this.#context.wallMs(),
        path: this.#head.enginePath,
        keyId: this.#head.key.keyId,
        groupName: this.#head.key.groupName,
        model: this.#features?.model ?? '',
        servedModel: this.#decision === undefined ? undefined : this.#route?.resolvedModel,
        backendId: this.#target?.id,
        reason: this.#decision?.reason ?? code ?? '',
        routeReason: this.#decision?.routeReason,
        stream: this.#features?.stream ?? false,
        status,
        code,
        firstByteMs: this.#firstByteMs,
        totalMs: nowMs - this.#head.receivedMs,
        overheadMs: this.#overheadMs(),
        considered: this.#considered,
      },
      this.#promptTokens,
      this.#completionTokens,
      this.#context.decisions,
    );
  }
}

/** A header value may hold visible ASCII only; anything else becomes `?`. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 256);
}

/** Offset behind the last blank line, 0 when there is none. */
function lastEventEnd(bytes: Buffer): number {
  const lf = bytes.lastIndexOf('\n\n');
  const crlf = bytes.lastIndexOf('\n\r\n');
  return Math.max(lf < 0 ? 0 : lf + 2, crlf < 0 ? 0 : crlf + 3);
}

/** The parsed answer; undefined when the text is not one JSON object. */
function readAnswer(text: string): object | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === 'object' && answer !== null && !Array.isArray(answer)
      ? answer
      : undefined;
  } catch {
    return undefined;
  }
}
