// A gateway thread of a world: its copy of the fleet and of the keys, its requests, its stream of
// decisions on a disk of its own, and its reports to the control node. Counters are in the arena
// that all threads share; a thread that dies leaves its leases there until the owner reclaims them.

import { admissionOutcome } from '../../../src/core/decisions/redecision.ts';
import type { AdmissionReading, AdmissionVerdict } from '../../../src/core/policy/admission.ts';
import type { ServingMode } from '../../../src/core/policy/serving-mode.ts';
import type { Decision } from '../../../src/core/routing/decide.ts';
import type { CounterSource, RouteFeatures } from '../../../src/core/routing/decision-input.ts';
import type {
  RoutingSettings,
  RoutingSnapshot,
  Target,
} from '../../../src/core/routing/snapshot.ts';
import type { ErrorCode } from '../../../src/errors/catalogue.ts';
import type { Arena } from '../../../src/io/shared-memory/arena.ts';
import { ThreadCounters } from '../../../src/services/gateway/thread-counters.ts';
import { noticeOf, ThreadDesk } from '../../../src/services/gateway/thread-desk.ts';
import {
  backendNode,
  controlNode,
  type Ground,
  gatewayNode,
  log,
  monotonicOf,
  wallOf,
} from '../environment/ground.ts';
import type { Conduct, NoticeDesk } from '../parts.ts';
import type { Arrival } from './arrival.ts';
import type { Exchange, Reply, SimBackend } from './backend.ts';
import type { DecisionStream } from './decision-stream.ts';
import type { FleetEvent } from './fleet-event.ts';
import { KeyDesk, type KeyFacts } from './key-desk.ts';
import { SimRequest } from './request.ts';
import { SnapshotCopy } from './snapshot-copy.ts';

export const inFlightMax = 48;
export const keyInFlightMax = 20;
const reportEveryMs = 2000;

type SettledFacts = {
  readonly status: number;
  readonly code: ErrorCode | undefined;
  readonly attempts: number;
  readonly backendId: string | undefined;
  readonly firstByteMs: number | undefined;
  readonly totalMs: number;
};

/** What the control node gives to a thread that starts. */
type GatewayStart = {
  readonly version: number;
  readonly events: readonly FleetEvent[];
  readonly settings: RoutingSettings;
};

/** What all threads share in memory. */
export type Shared = {
  readonly arena: Arena;
  /** The queue in which threads leave notices of backends that they could not reach. */
  readonly desk: NoticeDesk;
  /** Requests in flight by key. */
  readonly keyInFlight: Map<string, number>;
  mode: ServingMode;
};

export type GatewayReport = {
  readonly gateway: number;
  /** Life of the thread, and number of the report in it: a report counts once. */
  readonly life: number;
  readonly sequence: number;
  readonly requests: number;
  readonly failures: number;
  /** Attempts that could not reach their backend, by backend. */
  readonly version: number;
};

/** The control node as a gateway reaches it, over the network. */
type ControlInbox = {
  readonly report: (report: GatewayReport) => void;
  readonly missing: (gateway: number, from: number, to: number) => void;
  readonly missingKeys: (gateway: number) => void;
};

/** What a request may ask of its gateway. */
export interface GatewayPort {
  readonly snapshot: RoutingSnapshot;
  readonly conduct: Conduct;
  monotonicMs(): number;
  /** True time: its timers are those of the machine. */
  nowMs(): number;
  after(delayMs: number, name: string, run: () => void): void;
  admit(request: SimRequest): AdmissionVerdict;
  admitsRetry(request: SimRequest, retriesDone: number): boolean;
  decide(
    request: SimRequest,
    snapshot: RoutingSnapshot,
    features: RouteFeatures,
    facts: {
      readonly tried: readonly string[];
      readonly triedTruly: readonly string[];
      readonly attempt: number;
    },
  ): Decision;
  lease(request: SimRequest, target: Target): boolean;
  release(request: SimRequest, target: Target): void;
  connect(
    target: Target,
    chunks: number,
    onReply: (exchange: Exchange, reply: Reply) => void,
  ): Exchange;
  abort(exchange: Exchange): void;
  firstByte(request: SimRequest, target: Target | undefined, tookMs: number): void;
  unreachable(target: Target, attempt: number): void;
  settled(request: SimRequest, facts: SettledFacts): void;
}

export class Gateway implements GatewayPort {
  readonly thread: number;
  readonly #ground: Ground;
  readonly #node: number;
  readonly #backends: ReadonlyMap<string, SimBackend>;
  readonly #stream: DecisionStream;
  #control: ControlInbox | undefined;
  #shared: Shared | undefined;
  #copy: SnapshotCopy | undefined;
  #keys: KeyDesk;
  #keysVersion = 0;
  readonly #active = new Set<SimRequest>();
  #isUp = false;
  #life = 0;
  #reports = 0;
  #requests = 0;
  #failures = 0;
  #desk: ThreadDesk | undefined;
  #heldKeys = new Map<string, number>();
  /** What a thread with an old habit would go on using. */
  #firstSnapshot: RoutingSnapshot | undefined;

  constructor(
    ground: Ground,
    thread: number,
    backends: ReadonlyMap<string, SimBackend>,
    stream: DecisionStream,
  ) {
    this.#ground = ground;
    this.thread = thread;
    this.#node = gatewayNode(thread);
    this.#backends = backends;
    this.#stream = stream;
    this.#keys = new KeyDesk(ground);
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  get copy(): SnapshotCopy | undefined {
    return this.#isUp ? this.#copy : undefined;
  }

  get keyIds(): readonly string[] {
    return this.#keys.ids;
  }

  get stream(): DecisionStream {
    return this.#stream;
  }

  get active(): ReadonlySet<SimRequest> {
    return this.#active;
  }

  get conduct(): Conduct {
    return this.#ground.conduct;
  }

  get snapshot(): RoutingSnapshot {
    if (this.conduct.takesNewestSnapshot) return this.#theCopy.snapshot;
    this.#firstSnapshot ??= this.#theCopy.snapshot;
    return this.#firstSnapshot;
  }

  /** Requests in flight by key when it died, which nobody will end. */
  get heldKeys(): ReadonlyMap<string, number> {
    return this.#heldKeys;
  }

  // ---- life --------------------------------------------------------------------------------

  /** A new life; what it knows comes with `start`, or later by message where that is undefined. */
  boot(shared: Shared, control: ControlInbox, settings: RoutingSettings): void {
    this.#ground.network.restarted(this.#node);
    this.#shared = shared;
    this.#control = control;
    this.#isUp = true;
    this.#life++;
    this.#reports = 0;
    this.#requests = 0;
    this.#failures = 0;
    this.#desk = new ThreadDesk(shared.desk.parts, this.thread);
    this.#keys = new KeyDesk(this.#ground);
    this.#keysVersion = 0;
    this.#firstSnapshot = undefined;
    this.#ground.watch.replay.started(this.thread);
    this.#copy = new SnapshotCopy(this.#ground, this.thread, settings, (from, to) => {
      this.#toControl('ask', (inbox) => inbox.missing(this.thread, from, to));
    });
    this.#stream.open();
    this.#tick(this.#life);
  }

  /** The thread dies where it stands. */
  crash(): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#ground.network.restarted(this.#node);
    this.#heldKeys = new Map();
    for (const request of this.#active) {
      this.#heldKeys.set(request.keyId, (this.#heldKeys.get(request.keyId) ?? 0) + 1);
      request.die();
      this.#ground.watch.traffic.ended(request.arrival.index, 'connection lost');
    }
    this.#active.clear();
    this.#stream.crash();
  }

  start(start: GatewayStart): void {
    this.#theCopy.adopt(start.version, start.events);
  }

  #tick(life: number): void {
    this.#ground.timeline.after(reportEveryMs, 'gateway tick', () => {
      if (!this.#isUp || this.#life !== life) return;
      this.#keys.cleanUp(this.#seconds());
      this.#report();
      this.#tick(life);
    });
  }

  #report(): void {
    const report: GatewayReport = {
      gateway: this.thread,
      life: this.#life,
      sequence: ++this.#reports,
      requests: this.#requests,
      failures: this.#failures,
      version: this.#theCopy.version,
    };
    this.#ground.watch.policy.reported(report.requests, report.failures);
    this.#requests = 0;
    this.#failures = 0;
    this.#toControl('report', (inbox) => inbox.report(report));
  }

  #toControl(name: string, tell: (inbox: ControlInbox) => void): void {
    const control = this.#control;
    if (control === undefined) return;
    this.#ground.network.send(this.#node, controlNode, name, () => tell(control));
  }

  // ---- news from the control node ----------------------------------------------------------

  heardEvents(events: readonly FleetEvent[]): void {
    this.#copy?.deliver(events);
  }

  heardState(version: number, events: readonly FleetEvent[]): void {
    this.#copy?.adopt(version, events);
  }

  heardKeys(version: number, keys: readonly KeyFacts[]): void {
    if (version <= this.#keysVersion) return;
    this.#keysVersion = version;
    for (const id of this.#keys.replaceAll(keys)) this.#endRequestsOf(id);
  }

  /** How far the control node is, every two seconds. */
  heardOf(version: number, keysVersion: number): void {
    this.#copy?.heardOf(version);
    if (keysVersion > this.#keysVersion) {
      this.#toControl('ask for keys', (inbox) => inbox.missingKeys(this.thread));
    }
  }

  #endRequestsOf(keyId: string): void {
    for (const request of [...this.#active]) {
      if (request.keyId === keyId && this.conduct.endsRevoked) request.end(401, 'invalid_api_key');
    }
    const left = [...this.#active].filter((request) => request.keyId === keyId).length;
    this.#ground.watch.security.revoked(this.thread, keyId, left);
  }

  // ---- requests ----------------------------------------------------------------------------

  /** A client's head is here. */
  arrive(arrival: Arrival): void {
    const { watch } = this.#ground;
    if (!this.#isUp) {
      watch.traffic.ended(arrival.index, 'connection refused');
      return;
    }
    const refused = this.#keys.refusal(arrival.credential, this.#seconds());
    if (refused !== undefined) {
      const shown = this.#ground.parts.maskSensitive(arrival.credential.token);
      if (refused.status === 401) log(this.#ground, 'info', `credential ${shown} refused`);
      watch.traffic.ended(arrival.index, refused.code);
      return;
    }
    const request = new SimRequest(this, arrival);
    this.#active.add(request);
    watch.traffic.begun(this.thread);
    watch.replay.began(this.thread, this.snapshot.version);
    request.start();
    if (arrival.patienceMs === undefined) return;
    this.after(arrival.patienceMs, 'client leaves', () => {
      if (this.#active.has(request)) request.leave();
    });
  }

  nowMs(): number {
    return this.#ground.timeline.now;
  }

  monotonicMs(): number {
    return monotonicOf(this.#ground, this.#node);
  }

  after(delayMs: number, name: string, run: () => void): void {
    const life = this.#life;
    this.#ground.timeline.after(delayMs, name, () => {
      if (this.#isUp && this.#life === life) run();
    });
  }

  admit(request: SimRequest): AdmissionVerdict {
    const shared = this.#theShared;
    const { priorityClass, credential, requestId } = request.arrival;
    const ofKey = (shared.keyInFlight.get(credential.keyId) ?? 0) + 1;
    shared.keyInFlight.set(credential.keyId, ofKey);
    const reading: AdmissionReading = {
      mode: shared.mode,
      inFlight: shared.arena.addInFlight(1, this.thread),
      inFlightMax,
      keyInFlight: ofKey,
      keyInFlightMax,
    };
    const verdict = this.#ground.parts.judgeAdmission(priorityClass, reading);
    this.#ground.watch.policy.admitted(priorityClass, reading, verdict);
    this.#stream.admission({
      ...admissionOutcome(verdict),
      requestId,
      at: this.#wallMs(),
      keyId: credential.keyId,
      groupName: 'team',
      path: '/v1/chat/completions',
      priorityClass,
      reading,
    });
    return verdict;
  }

  admitsRetry(request: SimRequest, attempts: number): boolean {
    const { mode } = this.#theShared;
    const isAdmitted = this.#ground.parts.admitsRetry(mode, attempts - 1);
    this.#ground.watch.policy.askedRetry(request.arrival.index, mode, attempts - 1, isAdmitted);
    return isAdmitted;
  }

  /** What a decision of now reads; breakers and quality hold nobody back here yet. */
  get #counters(): CounterSource {
    return new ThreadCounters(
      this.#theShared.arena,
      () => this.#wallMs(),
      () => 0,
    );
  }

  decide(
    request: SimRequest,
    snapshot: RoutingSnapshot,
    features: RouteFeatures,
    facts: {
      readonly tried: readonly string[];
      readonly triedTruly: readonly string[];
      readonly attempt: number;
    },
  ): Decision {
    const { arena, mode } = this.#theShared;
    const { parts, watch, timeline } = this.#ground;
    const input = {
      tried: facts.tried,
      cursor: arena.nextCursor(features.resolvedModel),
      seed: (timeline.now * 1000 + request.arrival.index) >>> 0,
      budget: 'Normal' as const,
    };
    const counters = this.#counters;
    const decision = parts.decide(snapshot, counters, features, input);
    watch.replay.decided(snapshot, features, input, decision);
    watch.policy.decided(decision, arena);
    this.#stream.routing(
      {
        requestId: request.arrival.requestId,
        at: this.#wallMs(),
        attempt: facts.attempt,
        mode,
        features,
        cursor: input.cursor,
        seed: input.seed,
        budget: input.budget,
      },
      snapshot,
      facts.tried,
      this.conduct.recordsDecision(decision),
    );
    return decision;
  }

  lease(request: SimRequest, target: Target): boolean {
    const { arena } = this.#theShared;
    const pending = arena.increment(target, this.thread);
    if (pending === undefined) return false;
    this.#ground.watch.traffic.leased(
      request.arrival.index,
      this.thread,
      target,
      pending,
      arena.capacityOf(target.slot),
    );
    return true;
  }

  release(request: SimRequest, target: Target): void {
    const { arena } = this.#theShared;
    const left = arena.decrement(target, this.thread);
    this.#ground.watch.traffic.released(request.arrival.index, this.thread, target, left);
    arena.addTotal(target);
  }

  connect(
    target: Target,
    chunks: number,
    onReply: (exchange: Exchange, reply: Reply) => void,
  ): Exchange {
    const backend = this.#backends.get(target.id);
    const index = backend?.facts.index ?? 0;
    const exchange: Exchange = {
      gatewayNode: this.#node,
      backend: index,
      chunks,
      isOpen: true,
      onReply,
    };
    this.#ground.network.sendBytes(this.#node, backendNode(index), 'request', () => {
      if (exchange.isOpen) backend?.accept(exchange);
    });
    return exchange;
  }

  abort(exchange: Exchange): void {
    exchange.isOpen = false;
    for (const backend of this.#backends.values()) {
      if (backend.facts.index === exchange.backend) backend.forget(exchange);
    }
  }

  firstByte(request: SimRequest, target: Target | undefined, tookMs: number): void {
    this.#ground.watch.traffic.committed(request.arrival.index);
    if (target === undefined) return;
    const { arena } = this.#theShared;
    arena.recordFirstByte(target, tookMs);
    arena.recordPeak(target, tookMs, this.#wallMs());
  }

  unreachable(target: Target, attempt: number): void {
    this.#desk?.unreachable(target, attempt);
    this.#ground.watch.traffic.noticed(noticeOf(target));
  }

  settled(request: SimRequest, facts: SettledFacts): void {
    const { arena, keyInFlight } = this.#theShared;
    const { arrival } = request;
    arena.addInFlight(-1, this.thread);
    keyInFlight.set(request.keyId, (keyInFlight.get(request.keyId) ?? 1) - 1);
    this.#active.delete(request);
    this.#requests++;
    if (isFailure(facts)) this.#failures++;
    this.#ground.watch.traffic.ended(arrival.index, facts.code ?? 'answered');
    this.#ground.watch.traffic.settled(arrival.index, this.thread);
    this.#stream.settled({
      kind: 'settled',
      requestId: arrival.requestId,
      at: this.#wallMs(),
      status: facts.status,
      code: facts.code,
      attempts: facts.attempts,
      backendId: facts.backendId,
      stream: true,
      firstByteMs: facts.firstByteMs,
      totalMs: facts.totalMs,
      overheadMs: 0,
      promptTokens: arrival.features.estimatedTokens,
      completionTokens: arrival.chunks,
    });
  }

  #wallMs(): number {
    return wallOf(this.#ground, this.#node);
  }

  #seconds(): number {
    return Math.floor(this.#wallMs() / 1000);
  }

  get #theCopy(): SnapshotCopy {
    if (this.#copy === undefined) throw new Error('the gateway has never started');
    return this.#copy;
  }

  get #theShared(): Shared {
    if (this.#shared === undefined) throw new Error('the gateway has never started');
    return this.#shared;
  }
}

/** Does it speak against the installation? What the mode itself refused does not. */
function isFailure({ status, code }: SettledFacts): boolean {
  return status >= 500 && code !== 'mode_restricted' && code !== 'overloaded';
}
