// One inference request inside a gateway, by the rules of src/services/gateway/inference-request.ts
// and with the production's decisions: admission, route, lease, attempts, settling.
//
//   reading ──> attempting ──first byte──> relaying ──> answered
//                 |    ^ failover, another backend
//                 '----'
//
// G1 to G6 as there: nothing upstream before the body is whole; a lease per attempt, given back
// once; no attempt after the first byte; a backend at most once; settled exactly once.

import type { BackendId } from '../../../src/base/brand.ts';
import { admissionOutcome } from '../../../src/core/decisions/redecision.ts';
import { type Decision, isKnownModel } from '../../../src/core/routing/decide.ts';
import type { RouteFeatures } from '../../../src/core/routing/decision-input.ts';
import {
  type RoutingSnapshot,
  resolveModel,
  type Target,
} from '../../../src/core/routing/snapshot.ts';
import { type ErrorCode, entryOf } from '../../../src/errors/catalogue.ts';
import type { Arrival } from './arrival.ts';
import type { Exchange, Reply } from './backend.ts';
import type { GatewayPort } from './gateway.ts';

const connectMs = 2000;
const firstByteMs = 6000;
const idleMs = 4000;

type Phase = 'reading' | 'attempting' | 'relaying' | 'answered';

export class SimRequest {
  readonly arrival: Arrival;
  readonly #gateway: GatewayPort;
  readonly #snapshot: RoutingSnapshot;
  readonly #receivedMs: number;
  #phase: Phase = 'reading';
  #route: RouteFeatures | undefined;
  readonly #tried: BackendId[] = [];
  #attempts = 0;
  #leased: Target | undefined;
  #backendId: string | undefined;
  #exchange: Exchange | undefined;
  /** Counts attempts begun and ended, so that a late timer knows itself late. */
  #term = 0;
  /** True time after which the attempt has failed. */
  #deadlineMs = 0;
  #isCommitted = false;
  #firstByteMs: number | undefined;
  #status = 0;
  #failure: { readonly status: number; readonly code: ErrorCode } | undefined;
  #endings = 0;

  constructor(gateway: GatewayPort, arrival: Arrival) {
    this.#gateway = gateway;
    this.arrival = arrival;
    this.#snapshot = gateway.snapshot;
    this.#receivedMs = gateway.monotonicMs();
  }

  get keyId(): string {
    return this.arrival.credential.keyId;
  }

  get isAttempting(): boolean {
    return this.#phase === 'attempting' || this.#phase === 'relaying';
  }

  /** Where its attempt runs now. */
  get leasedBackend(): string | undefined {
    return this.#leased?.id;
  }

  /** The head is there and the credential is good: may it come in? */
  start(): void {
    const gateway = this.#gateway;
    const { code } = admissionOutcome(gateway.admit(this));
    if (code !== undefined) {
      this.#settle(entryOf(code).status, code);
      return;
    }
    const bodyMs = this.arrival.bodyMs;
    gateway.after(bodyMs, 'body whole', () => {
      if (this.#phase === 'reading') this.#onBody();
    });
  }

  #onBody(): void {
    const { features } = this.arrival;
    const resolvedModel = resolveModel(this.#snapshot, features.model);
    if (!isKnownModel(this.#snapshot, resolvedModel)) {
      this.#settle(404, 'model_not_found');
      return;
    }
    this.#route = { ...features, resolvedModel };
    this.#attempt(this.#route);
  }

  #attempt(route: RouteFeatures): void {
    const decision = this.#gateway.decide(this, this.#snapshot, route, {
      tried: this.#gateway.conduct.remembersTried ? this.#tried : [],
      attempt: this.#attempts + 1,
      triedTruly: this.#tried,
    });
    if (decision.kind === 'refuse') {
      if (this.#failure === undefined) this.#refuse(decision.refusal.code);
      else this.#settle(this.#failure.status, this.#failure.code);
      return;
    }
    if (!this.arrival.races) {
      this.#lease(route, decision);
      return;
    }
    // Between the decision and the lease another thread may decide: the race that is documented.
    const term = ++this.#term;
    this.#gateway.after(0, 'lease after a race', () => {
      if (this.#term === term && this.#phase !== 'answered') this.#lease(route, decision);
    });
  }

  #lease(route: RouteFeatures, decision: Extract<Decision, { kind: 'route' }>): void {
    const { target } = decision;
    if (!this.#gateway.lease(this, target)) {
      // It was removed since the decision looked at it.
      this.#tried.push(target.id);
      this.#attempt(route);
      return;
    }
    this.#leased = target;
    this.#backendId = target.id;
    this.#attempts++;
    this.#phase = 'attempting';
    const term = ++this.#term;
    this.#exchange = this.#gateway.connect(target, this.arrival.chunks, this.#onReply);
    this.#deadlineMs = this.#gateway.nowMs() + connectMs + firstByteMs;
    this.#watch(term);
  }

  /** Fails the attempt once its deadline has passed; a reply moves the deadline. */
  #watch(term: number): void {
    this.#gateway.after(this.#deadlineMs - this.#gateway.nowMs(), 'limit of an attempt', () => {
      if (this.#term !== term || this.#phase === 'answered') return;
      if (this.#gateway.nowMs() < this.#deadlineMs) {
        this.#watch(term);
        return;
      }
      this.#abort();
      this.#attemptFailed(504, 'gateway_timeout', true);
    });
  }

  readonly #onReply = (exchange: Exchange, reply: Reply): void => {
    if (exchange !== this.#exchange || this.#phase === 'answered') return;
    this.#deadlineMs = this.#gateway.nowMs() + idleMs;
    switch (reply.kind) {
      case 'head':
        this.#status = reply.status;
        return;
      case 'data':
        if (!this.#isCommitted) this.#commit();
        return;
      case 'end':
        this.#closeExchange();
        if (this.#status === 200) this.#settle(200, undefined);
        else if (this.#status === 429) this.#attemptFailed(429, 'invalid_request', false);
        else this.#attemptFailed(502, 'bad_gateway', false);
        return;
      case 'failed':
        this.#closeExchange();
        this.#attemptFailed(502, 'bad_gateway', true);
        return;
    }
  };

  #commit(): void {
    this.#isCommitted = true;
    this.#phase = 'relaying';
    this.#firstByteMs = this.#gateway.monotonicMs() - this.#receivedMs;
    this.#gateway.firstByte(this, this.#leased, this.#firstByteMs);
  }

  #attemptFailed(status: number, code: ErrorCode, isUnreachable: boolean): void {
    const target = this.#leased;
    this.#release();
    if (target !== undefined) {
      this.#tried.push(target.id);
      if (isUnreachable) this.#gateway.unreachable(target, this.#attempts);
    }
    this.#failure = { status, code };
    if (this.#isCommitted && !this.#gateway.conduct.retriesAfterFirstByte) {
      this.#settle(status, code);
      return;
    }
    const { maxRetries } = this.#snapshot.settings;
    const isSpent = this.#attempts > maxRetries || !this.#gateway.admitsRetry(this, this.#attempts);
    if (isSpent || this.#route === undefined) this.#settle(status, code);
    else this.#attempt(this.#route);
  }

  #refuse(code: ErrorCode): void {
    this.#settle(entryOf(code).status, code);
  }

  /** The client has left. */
  leave(): void {
    if (this.#phase === 'answered') return;
    this.#abort();
    this.#settle(499, 'client_closed');
  }

  /** Ended from outside: its key is revoked. */
  end(status: number, code: ErrorCode): void {
    if (this.#phase === 'answered') return;
    this.#abort();
    this.#settle(status, code);
  }

  /** Its gateway dies: nothing is given back, nothing is settled. */
  die(): void {
    this.#phase = 'answered';
    this.#term++;
    if (this.#exchange !== undefined) this.#exchange.isOpen = false;
  }

  #closeExchange(): void {
    this.#term++;
    if (this.#exchange !== undefined) this.#exchange.isOpen = false;
    this.#exchange = undefined;
  }

  #abort(): void {
    if (this.#exchange !== undefined) this.#gateway.abort(this.#exchange);
    this.#closeExchange();
  }

  #release(): void {
    const target = this.#leased;
    if (target === undefined) return;
    this.#leased = undefined;
    if (!this.#gateway.conduct.givesLeaseBack(++this.#endings)) return;
    this.#gateway.release(this, target);
  }

  #settle(status: number, code: ErrorCode | undefined): void {
    if (this.#phase === 'answered') return;
    this.#phase = 'answered';
    this.#term++;
    this.#release();
    for (let times = 0; times < this.#gateway.conduct.settlesTimes; times++) {
      this.#gateway.settled(this, {
        status,
        code,
        attempts: this.#attempts,
        backendId: this.#backendId,
        firstByteMs: this.#firstByteMs,
        totalMs: this.#gateway.monotonicMs() - this.#receivedMs,
      });
    }
  }
}
