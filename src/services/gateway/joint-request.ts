// One batch on its way: several requests that an engine is asked for as one. It is an attempt like any
// other, whose answer is split among its members.
//
// R1  It asks one backend, that none of its members has tried. What became of it decides whether its
//     members come again (core/batching/batch-scheduler.ts).
// R2  Members that no budget has room for go on alone, before anything is sent.
// R3  The members' tokens and the time of the backend sum to what the backend told.

import { randomUUIDv7 } from 'node:crypto';
import type { MicroBatch } from '../../core/batching/batch-request.ts';
import type { BatchOutcome } from '../../core/batching/batch-scheduler.ts';
import { isKnownModel } from '../../core/routing/decide.ts';
import type { RouteFeatures } from '../../core/routing/decision-input.ts';
import type { Target } from '../../core/routing/snapshot.ts';
import type { TokenUse } from '../../core/usage/request-cost.ts';
import { sharesOf } from '../../core/usage/shares.ts';
import {
  jointBody,
  type PartUsage,
  partAnswer,
  splitAnswer,
  textLength,
} from '../../protocol/openai/array-request.ts';
import type { UsageReport } from '../../protocol/openai/usage.ts';
import { Attempt, type AttemptOwner } from './attempt.ts';
import { attemptCall } from './attempt-translation.ts';
import type { AttemptEnd } from './breaker-effect.ts';
import type { GatewayContext } from './context.ts';
import type { JointCourse, JointSeat } from './joint-seat.ts';
import { RequestRouting, type Routed, type RoutingJournal } from './request-routing.ts';
import { type OwnCount, RequestSpend } from './request-spend.ts';
import { RequestTimes } from './request-times.ts';
import type { AttemptFailure } from './upstream-failure.ts';

const served: AttemptEnd = { kind: 'served' };
const abandoned: AttemptEnd = { kind: 'abandoned' };
/** Characters of a token, where nobody tells: the estimate of BR 20. */
const charactersPerToken = 4;

/** Books for every member, and keeps what the backend tells until it is split. */
class JointSpend extends RequestSpend {
  readonly #seats: readonly JointSeat[];
  /** Members that every budget has room for. */
  booked: readonly JointSeat[] = [];
  report: UsageReport = { kind: 'absent' };

  constructor(context: GatewayContext, seats: readonly JointSeat[]) {
    super(context.spend);
    this.#seats = seats;
  }

  override book(target: Target, model: string): boolean {
    this.booked = this.#seats.filter(({ facts }) =>
      facts.spend.book(target, model, facts.features),
    );
    return this.booked.length > 0;
  }

  override take(report: UsageReport): void {
    this.report = report;
  }
}

/** Every member's journal, with the number that the attempt has for that member. */
function journalOf(seats: readonly JointSeat[], snapshotDigest: string): RoutingJournal {
  return {
    // It decides on one snapshot only, which is not that of the members' own decisions.
    snapshotTaken: () => undefined,
    routing: (_, features, input, decision) => {
      for (const { facts, tried } of seats) {
        const attempt = tried.length + 1;
        facts.journal.routingOn(snapshotDigest, attempt, features, input, decision);
      }
    },
  };
}

/** What the decision goes by: the first member's wishes, and room for the largest. */
function routeOf(seats: readonly JointSeat[], first: JointSeat): RouteFeatures {
  const routes = seats.map(({ facts }) => facts.admitted.route);
  const estimatedTokens = Math.max(...routes.map((route) => route.estimatedTokens));
  return { ...first.facts.admitted.route, estimatedTokens, prefixKey: undefined };
}

export type JointPorts = {
  readonly context: GatewayContext;
  /** It is over; called once. Members go on alone afterwards, or come again. */
  readonly onOver: (outcome: BatchOutcome) => void;
};

export class JointRequest implements AttemptOwner, JointCourse {
  readonly batchId = randomUUIDv7();
  readonly #ports: JointPorts;
  readonly #batch: MicroBatch<JointSeat>;
  /** Members that are still here. */
  readonly #seats: Set<JointSeat>;
  /** Members whose items were sent, in the order of their items. */
  #asked: readonly JointSeat[] = [];
  #attempt: Attempt | undefined;
  #spend: JointSpend;
  #isOver = false;

  constructor(ports: JointPorts, batch: MicroBatch<JointSeat>) {
    this.#ports = ports;
    this.#batch = batch;
    this.#seats = new Set(batch.members);
    this.#spend = new JointSpend(ports.context, batch.members);
  }

  /** Asks a backend; where there is none to ask, all members go on alone. */
  send(): void {
    const { context } = this.#ports;
    const nowMs = context.monotonicMs();
    const attempt = this.#take();
    if (attempt === undefined) {
      this.#over('abandoned');
      for (const seat of this.#batch.members) seat.alone(nowMs);
      return;
    }
    this.#attempt = attempt;
    this.#asked = this.#spend.booked;
    const { head } = this.#first.facts;
    const body = jointBody(
      this.#asked.map(({ part }) => part),
      attempt.model,
    );
    const createdSeconds = Math.floor(context.wallMs() / 1000);
    const call = attemptCall(
      attempt.target,
      { kind: head.kind, enginePath: head.enginePath, body, model: attempt.model, isStream: false },
      { requestId: this.batchId, createdSeconds, includeUsage: false },
    );
    if (!call.ok) {
      attempt.end(abandoned);
      this.#over('abandoned');
      for (const seat of this.#batch.members) seat.alone(nowMs);
      return;
    }
    this.#seat(attempt.decision, nowMs);
    attempt.send(call.value);
  }

  get #first(): JointSeat {
    return this.#batch.members[0] as JointSeat;
  }

  /** Undefined where no backend takes it now: nothing is written down then. */
  #take(): Attempt | undefined {
    const { context } = this.#ports;
    const seats = this.#batch.members;
    const snapshot = context.snapshot();
    // Nobody lists it any more; its members know those that stand in.
    if (!isKnownModel(snapshot, this.#first.modelId)) return undefined;
    const journal = journalOf(seats, context.snapshotDigest());
    const admitted = { route: routeOf(seats, this.#first), fallbacks: [] };
    const seed = Math.trunc(this.#first.arrivedMs * 1000) >>> 0;
    const routing = new RequestRouting(context, snapshot, journal, admitted, seed);
    for (const { tried } of seats) for (const target of tried) routing.passOver(target);
    const budget = context.spend.status();
    while (routing.isOfferLeft(budget)) {
      const decision = routing.decide(1, budget);
      if (decision.kind === 'refuse') return undefined;
      const taken = this.#attemptOf(routing, decision);
      if (taken === 'unaffordable') return undefined;
      if (typeof taken !== 'string') return taken;
      if (taken === 'gone') routing.passOver(decision.target);
    }
    return undefined;
  }

  #attemptOf(routing: RequestRouting, decision: Routed) {
    const { context } = this.#ports;
    const { facts } = this.#first;
    const request = {
      features: facts.features,
      requestId: this.batchId,
      traceparent: undefined,
      isOptionalRoute: false,
      isHeldWhole: true,
    };
    const number = 1 + Math.max(...this.#batch.members.map(({ tried }) => tried.length));
    const times = new RequestTimes(context.monotonicMs());
    const own = { spend: this.#spend, number, times };
    return Attempt.take(context, this, request, routing, decision, own);
  }

  /** Tells the members that they are out; those without a booking go on alone. */
  #seat(decision: Routed, nowMs: number): void {
    const { limit, cause } = this.#batch;
    const size = this.#asked.reduce((sum, { part }) => sum + part.items.length, 0);
    for (const seat of this.#batch.members) {
      if (!this.#asked.includes(seat)) {
        this.#seats.delete(seat);
        seat.alone(nowMs);
        continue;
      }
      const waitedMs = Math.max(0, nowMs - seat.arrivedMs);
      const stay = { batchId: this.batchId, size, limit, cause, waitedMs };
      seat.sent(this, decision, stay, nowMs);
    }
  }

  // ---- the attempt -------------------------------------------------------------------------

  onBegun(attempt: Attempt, nowMs: number): void {
    for (const seat of this.#seats) seat.begun(nowMs);
    if (attempt.isStream)
      attempt.failAnswer('The backend streams what it was asked for as a whole.');
  }

  /** A stream fails when it begins. */
  onEvents(): void {}
  onStreamEnd(): void {}

  /** An answer is held whole, or fails. */
  onBody(): void {}
  onBodyEnd(): void {}

  onAnswer(attempt: Attempt, text: string): void {
    const answer: unknown = JSON.parse(Buffer.from(text, 'latin1').toString('utf8'));
    const parts = this.#asked.map(({ part }) => part);
    const split = splitAnswer(answer, parts);
    if (!split.ok) {
      attempt.failAnswer(split.error);
      return;
    }
    attempt.end(served);
    this.#over('success');
    const nowMs = this.#ports.context.monotonicMs();
    const { lists, rest } = split.value;
    const outputs = lists.map((list) => Math.ceil(textLength(list) / charactersPerToken));
    const usages = this.#usages(outputs);
    const times = sharesOf(Math.round(attempt.backendMs), this.#weights());
    this.#asked.forEach((seat, i) => {
      const usage = usages?.[i];
      const own = { id: `cmpl-${seat.id}`, usage };
      const told = partAnswer(seat.part.kind, rest, lists[i] ?? [], own);
      const { status, contentType } = attempt;
      const bytes = Buffer.from(told).toString('latin1');
      const count: OwnCount = { completionTokens: outputs[i] ?? 0, completionAtLeast: 0 };
      seat.answered({ status, contentType, text: bytes }, usage, count, times[i] ?? 0, nowMs);
    });
  }

  /** Tokens of the prompts, as we estimate them. */
  #weights(): readonly number[] {
    return this.#asked.map(({ facts }) => facts.features.estimatedTokens);
  }

  #usages(outputs: readonly number[]): readonly (PartUsage & TokenUse)[] | undefined {
    const { report } = this.#spend;
    if (report.kind !== 'usage') return undefined;
    const prompt = sharesOf(report.promptTokens, this.#weights());
    const completion = sharesOf(report.completionTokens, outputs);
    const cached = sharesOf(report.cachedTokens ?? 0, prompt);
    return prompt.map((promptTokens, i) => ({
      promptTokens,
      completionTokens: completion[i] ?? 0,
      cachedTokens: cached[i] ?? 0,
    }));
  }

  /** What the engine refuses may be the fault of one member: each is asked for alone then. */
  onFailed(attempt: Attempt, failure: AttemptFailure): void {
    const nowMs = this.#ports.context.monotonicMs();
    const isRefused = failure.passThrough?.retryable === false;
    const members = [...this.#seats];
    const own = members.length === 1 && this.#asked.length === 1 ? failure : undefined;
    for (const seat of members) {
      if (isRefused) seat.refused(own, nowMs);
      else seat.failed(attempt.target, failure, nowMs);
    }
    if (!isRefused) this.#count(attempt.target, failure);
    this.#over(isRefused ? 'refused' : 'failure');
    if (isRefused) for (const seat of members) seat.alone(nowMs);
  }

  #count({ id }: Target, { refusal: { code } }: AttemptFailure): void {
    const labels = `backend="${id}",code="${code}"`;
    this.#ports.context.metrics.count(`tensorforge_attempt_failures_total{${labels}}`);
  }

  sweep(nowMs: number): void {
    this.#attempt?.sweep(nowMs, this.#ports.context.settings.timeouts);
  }

  /** The client of a member left; when all have, nobody is at work any more. */
  left(seat: JointSeat): void {
    this.#seats.delete(seat);
    if (this.#seats.size > 0 || this.#isOver) return;
    this.#attempt?.end(abandoned);
    this.#over('abandoned');
  }

  #over(outcome: BatchOutcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#ports.onOver(outcome);
  }
}
