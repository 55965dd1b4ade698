// Where one request goes: the decision of each attempt, and the models that stand in once no backend of
// the one before takes it.
//
//   R1  A backend is tried at most once for the same model.
//   R2  Every decision is written down with exactly what it was made of; one that found every backend
//       full only when nobody decides again, so that a request that waits leaves one record.
//   R3  A model that stands in is asked under the rules and needs of the request; the models that stand
//       in for it are not looked at.

import { assert } from '../../base/assert.ts';
import type { BackendId } from '../../base/brand.ts';
import {
  type Consideration,
  type Decision,
  decide,
  isKnownModel,
} from '../../core/routing/decide.ts';
import { type BudgetStatus, gates, type RouteFeatures } from '../../core/routing/decision-input.ts';
import type { RoutingSnapshot, Target } from '../../core/routing/snapshot.ts';
import type { Refusal } from '../../errors/tensorforge-error.ts';
import { type Admitted, fallbackExhausted } from './admission.ts';
import type { BreakerPermit } from './breakers.ts';
import type { GatewayContext } from './context.ts';
import type { RequestJournal } from './request-journal.ts';
import { labelValue } from './thread-metrics.ts';

export type Routed = Extract<Decision, { kind: 'route' }>;

/** Who writes decisions down. */
export type RoutingJournal = Pick<RequestJournal, 'routing' | 'snapshotTaken'>;

export class RequestRouting {
  readonly #context: GatewayContext;
  #snapshot: RoutingSnapshot;
  readonly #journal: RoutingJournal;
  /** Of the decision's own randomness. */
  readonly #seed: number;
  readonly #fallbacks: readonly string[];
  #nextFallback = 0;
  #features: RouteFeatures;
  readonly #tried: BackendId[] = [];
  #considered: readonly Consideration[] = [];
  #firstRefusal: Refusal | undefined;
  #refusedWords: string | undefined;
  /** Writes down a decision that found every backend at its capacity, if nobody decides again. */
  #unwritten: (() => void) | undefined;
  #isFull = false;
  #isRewound = false;
  readonly #asked: RouteFeatures;

  constructor(
    context: GatewayContext,
    snapshot: RoutingSnapshot,
    journal: RoutingJournal,
    { route, fallbacks }: Admitted,
    seed: number,
  ) {
    this.#context = context;
    this.#snapshot = snapshot;
    this.#journal = journal;
    this.#features = route;
    this.#asked = route;
    this.#fallbacks = fallbacks;
    this.#seed = seed;
  }

  /** What it decides on. */
  get snapshot(): RoutingSnapshot {
    return this.#snapshot;
  }

  get features(): RouteFeatures {
    return this.#features;
  }

  get model(): string {
    return this.#features.resolvedModel;
  }

  /** The backends that the last decision looked at. */
  get considered(): readonly Consideration[] {
    return this.#considered;
  }

  /** Why the last decision found nobody; undefined when none did. */
  get refusedWords(): string | undefined {
    return this.#refusedWords;
  }

  /** The decision of attempt number `attempt`, from 1. */
  decide(attempt: number, budget: BudgetStatus): Decision {
    const input = {
      tried: this.#tried,
      cursor: this.#context.arena.nextCursor(this.model),
      seed: this.#seed,
      budget,
    };
    const decision = decide(this.#snapshot, this.#context.counters, this.#features, input);
    this.#considered = decision.considered;
    const features = this.#features;
    if (decision.kind === 'refuse' && decision.refusal.code === 'at_capacity') {
      this.#isFull = true;
      this.#unwritten = () => this.#journal.routing(attempt, features, input, decision);
    } else {
      this.#unwritten = undefined;
      this.#journal.routing(attempt, features, input, decision);
    }
    if (decision.kind === 'refuse') {
      this.#refusedWords = decision.refusal.message;
      this.#firstRefusal ??= decision.refusal;
    }
    return decision;
  }

  /** Equal for requests that the same backends can serve. */
  get lane(): string {
    const { resolvedModel, operation, needsVision, needsTools, needsJsonMode } = this.#asked;
    const { remoteMedia, restrictedOnly } = this.#asked;
    const needs = [needsVision, needsTools, needsJsonMode, remoteMedia, restrictedOnly];
    return `${resolvedModel} ${operation} ${needs.map(Number).join('')}`;
  }

  /** Did a backend take nothing only because it is at its capacity? */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Would the model that was asked for be refused now? Nothing is drawn, kept or written down. */
  isFullNow(budget: BudgetStatus): boolean {
    return !this.#wouldRoute(this.#presentSnapshot(), this.#asked, budget);
  }

  /** Would a backend of the present model take it now? As `isFullNow`. */
  isOfferLeft(budget: BudgetStatus): boolean {
    return this.#wouldRoute(this.#snapshot, this.#features, budget);
  }

  /** Would another backend, or a model that stands in, be asked? As `isFullNow`. */
  isSomebodyLeft(budget: BudgetStatus): boolean {
    return this.isOfferLeft(budget) || this.#nextFallback < this.#fallbacks.length;
  }

  #wouldRoute(snapshot: RoutingSnapshot, features: RouteFeatures, budget: BudgetStatus): boolean {
    const input = { tried: this.#tried, cursor: 0, seed: this.#seed, budget };
    return decide(snapshot, this.#context.counters, features, input).kind === 'route';
  }

  /** The newest, unless nobody lists the model any more: then the one that it was asked under. */
  #presentSnapshot(): RoutingSnapshot {
    const snapshot = this.#context.snapshot();
    return isKnownModel(snapshot, this.#asked.resolvedModel) ? snapshot : this.#snapshot;
  }

  /** Nobody decides again: a decision that found every backend full is written down. */
  writeDown(): void {
    this.#unwritten?.();
    this.#unwritten = undefined;
  }

  /** Begins again with the model that was asked for, after a wait, under what holds by now. */
  rewind(): void {
    const snapshot = this.#presentSnapshot();
    if (snapshot !== this.#snapshot) {
      this.#snapshot = snapshot;
      this.#journal.snapshotTaken();
    }
    this.#isFull = false;
    this.#isRewound = true;
    if (this.#nextFallback === 0) return;
    this.#nextFallback = 0;
    this.#tried.length = 0;
    this.#features = this.#asked;
  }

  /** Not this one again. */
  passOver({ id }: Target): void {
    if (!this.#tried.includes(id)) this.#tried.push(id);
  }

  /** What the breakers let through for this decision; undefined when their probe is out by now. */
  permit({ considered, chosen }: Routed): BreakerPermit | undefined {
    const offer = this.#snapshot.byModel.get(this.model)?.[chosen];
    const reading = considered[chosen]?.reading;
    assert(
      offer !== undefined && reading !== undefined,
      'a decision chose what it did not look at',
    );
    const breaker = reading.gates & gates.breaker;
    // The cap on ejected backends let it in although its breaker speaks against it.
    const isLetIn = breaker === gates.breakerOpen || breaker === gates.probesOut;
    return this.#context.breakers.take(offer, this.#context.wallMs(), isLetIn);
  }

  /** Goes on with the next model that stands in; false when there is none. */
  fallBack(): boolean {
    let next = this.#fallbacks[this.#nextFallback++];
    // A wait may be so long that nobody lists it any more.
    while (next !== undefined && !isKnownModel(this.#snapshot, next)) {
      next = this.#fallbacks[this.#nextFallback++];
    }
    if (next === undefined) {
      this.#nextFallback = this.#fallbacks.length;
      return false;
    }
    if (!this.#isRewound) this.#noteFallback(next);
    this.#tried.length = 0;
    this.#features = { ...this.#features, resolvedModel: next, isFallback: true };
    return true;
  }

  #noteFallback(next: string): void {
    this.writeDown();
    const labels = `from_model="${labelValue(this.model)}",to_model="${labelValue(next)}"`;
    this.#context.metrics.count(`tensorforge_fallbacks_total{${labels}}`);
  }

  /** What the client is told when nobody is left. */
  refusal(last: Refusal): Refusal {
    if (this.#nextFallback === 0 || this.#firstRefusal === undefined) return last;
    const asked = this.#fallbacks.slice(0, this.#nextFallback);
    return fallbackExhausted([this.#features.model, ...asked], this.#firstRefusal);
  }
}
