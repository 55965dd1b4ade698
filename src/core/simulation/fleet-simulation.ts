// A fleet under a trace, on virtual time in microseconds. The gate, the decision and the retries
// are the production functions (`judgeAdmission`, `decide`); the engines are the frozen engine
// model; what lies between them is a fixed overhead and a fixed way over the network.
//
//   arrive -> gate -> decide -> lease -> (overhead, way) -> engine -> (way) -> first byte -> end
//               |        |                                    |
//               +--------+------------- refused <-------------+-> decide again without this one
//
//   S1  Every arrival ends exactly once: answered, or refused with a code (request-log.ts, L1).
//   S2  The same input gives the same events in the same order: ties go by order of scheduling, and
//       all chance comes from the seed.
//   S3  What an engine tells by itself sends nothing to an engine, so that engines may run ahead to
//       the next event of the gateway (engine-bank.ts, E1).
//   S4  At the end nothing is leased and nothing is in flight.
//
// Not modelled: clients that leave, timeouts of the gateway, backends that fail, and the length of
// a prompt as the gateway estimates it; it is taken as known.

import { assert, present } from '../../base/assert.ts';
import { type Random, seededRandom } from '../../base/random.ts';
import type { ErrorCode } from '../../errors/catalogue.ts';
import type { PriorityClass } from '../jobs/priority-class.ts';
import { type AdmissionVerdict, judgeAdmission, mayAttemptAgain } from '../policy/admission.ts';
import type { ServingMode } from '../policy/serving-mode.ts';
import { decide, isKnownModel } from '../routing/decide.ts';
import { expectedTokens, noHints, type RouteFeatures } from '../routing/decision-input.ts';
import { type RoutingSettings, type RoutingSnapshot, resolveModel } from '../routing/snapshot.ts';
import type { EngineRefusal } from '../workload/engine/engine-model.ts';
import type { Arrival } from '../workload/traces/arrivals.ts';
import { BackendCounters, type FleetCounters } from './backend-counters.ts';
import { EngineBank, type EngineUse } from './engine-bank.ts';
import { EventQueue } from './event-queue.ts';
import { type Fleet, snapshotOf } from './fleet.ts';
import { ModeLadder, type SimulatedPolicy } from './mode-ladder.ts';
import { prefixKeyOf, promptBlocks } from './prompt-prefix.ts';
import { RequestLog } from './request-log.ts';

export type SimulationInput = {
  readonly fleet: Fleet;
  /** In order of time. */
  readonly arrivals: readonly Arrival[];
  readonly routing: RoutingSettings;
  /** Model of requests whose trace names none. */
  readonly model: string;
  readonly seed: number;
  /** Requests that arrive before this are played but not counted, microseconds; usually 0. */
  readonly warmUpUs: number;
  /** Moves the serving mode; undefined keeps it at `normal`. */
  readonly policy?: SimulatedPolicy | undefined;
  /** What a request shares with others, by its place in the arrivals; else its first prefix id. */
  readonly keysOf?: (index: number) => AffinityHints;
  /** Counts in place of {@link BackendCounters}; slots are those of the fleet. */
  readonly counters?: FleetCounters;
};

/** What keeps requests together, as the gateway would have hashed it. */
export type AffinityHints = Pick<RouteFeatures, 'prefixKey' | 'affinityKey'>;

export type ModeMove = { readonly atUs: number; readonly to: ServingMode };

export type SimulationRun = {
  readonly log: RequestLog;
  /** Requests of the warm-up: the first so many of the log. */
  readonly countedFrom: number;
  /** Microseconds from the first arrival to the last ending. */
  readonly spanUs: number;
  /** By slot. */
  readonly use: readonly EngineUse[];
  /** Microseconds between tokens at quantile `q` (0..1), within 0.5 %; 0 without any. */
  readonly tokenGapUs: (q: number) => number;
  readonly attempts: number;
  readonly modeMoves: readonly ModeMove[];
};

type FleetEvent =
  | { readonly kind: 'arrive'; readonly index: number }
  | { readonly kind: 'reach' | 'first' | 'end'; readonly index: number; readonly slot: number }
  | {
      readonly kind: 'refused';
      readonly index: number;
      readonly slot: number;
      readonly refusal: EngineRefusal;
    }
  | { readonly kind: 'tick' };

/** A request in flight. */
type Open = {
  readonly arrival: Arrival;
  readonly features: RouteFeatures;
  /** Backends tried, by id. */
  readonly tried: string[];
  /** When the newest attempt left the gateway. */
  sentUs: number;
  attempts: number;
};

/** The class of a request that names none (gateway). */
const usualClass: PriorityClass = 3;

const gateCodes: Readonly<Record<Exclude<AdmissionVerdict, 'admitted'>, ErrorCode>> = {
  key_limit: 'rate_limit_exceeded',
  mode: 'mode_restricted',
  shed: 'overloaded',
};

export function simulateFleet(input: SimulationInput): SimulationRun {
  return new FleetSimulation(input).run();
}

class FleetSimulation {
  readonly #input: SimulationInput;
  readonly #snapshot: RoutingSnapshot;
  readonly #counters: FleetCounters;
  readonly #bank: EngineBank;
  readonly #queue = new EventQueue<FleetEvent>();
  readonly #log: RequestLog;
  readonly #open = new Map<number, Open>();
  readonly #random: Random;
  readonly #countedFrom: number;
  readonly #moves: ModeMove[] = [];
  readonly #ladder: ModeLadder | undefined;
  #cursor = 0;
  #attempts = 0;
  #endUs = 0;

  constructor(input: SimulationInput) {
    const { fleet, arrivals } = input;
    this.#input = input;
    this.#snapshot = snapshotOf(fleet, input.routing);
    this.#counters =
      input.counters ?? new BackendCounters(fleet.engines.map((engine) => engine.capacity));
    this.#log = new RequestLog(arrivals.length);
    this.#random = seededRandom(input.seed);
    const { policy } = input;
    this.#ladder = policy === undefined ? undefined : new ModeLadder(policy, fleet.engines.length);
    const first = arrivals.findIndex((arrival) => arrival.atUs >= input.warmUpUs);
    this.#countedFrom = first < 0 ? arrivals.length : first;
    const options = { requests: arrivals.length, countedFrom: this.#countedFrom };
    this.#bank = new EngineBank(fleet.engines, options, {
      onFirstToken: (slot, index, atUs) => this.#tell(atUs, { kind: 'first', index, slot }),
      onFinished: (slot, index, atUs) => this.#tell(atUs, { kind: 'end', index, slot }),
    });
  }

  run(): SimulationRun {
    this.#scheduleArrival(0);
    if (this.#ladder !== undefined) this.#scheduleTick(0, this.#ladder);
    for (;;) {
      const atUs = this.#queue.nextAt ?? this.#bank.nextDeadlineUs();
      if (atUs === Number.POSITIVE_INFINITY) break;
      this.#bank.advance(atUs);
      // What the engines told on the way may come before `atUs`.
      const due = this.#queue.nextAt;
      if (due === undefined || due > atUs) continue;
      const next = present(this.#queue.next(), 'an event is due');
      this.#handle(next.event, next.at);
    }
    return this.#result();
  }

  #result(): SimulationRun {
    const { fleet, arrivals } = this.#input;
    assert(this.#log.endedCount === arrivals.length, 'S1: every arrival has ended');
    assert(this.#open.size === 0, 'S4: nothing is in flight');
    const isLeased = fleet.engines.some((_, slot) => this.#counters.pending(slot) > 0);
    assert(!isLeased, 'S4: nothing is leased');
    const use = fleet.engines.map((_, slot) => this.#bank.useOf(slot));
    const gaps = this.#bank.tokenGapsUs;
    return {
      log: this.#log,
      countedFrom: this.#countedFrom,
      spanUs: this.#endUs - (arrivals[0]?.atUs ?? 0),
      use,
      tokenGapUs: (q) => (gaps.count === 0 ? 0 : gaps.quantile(q)),
      attempts: this.#attempts,
      modeMoves: this.#moves,
    };
  }

  #handle(event: FleetEvent, atUs: number): void {
    switch (event.kind) {
      case 'arrive':
        this.#onArrival(event.index, atUs);
        return;
      case 'reach':
        this.#onReach(event.index, event.slot, atUs);
        return;
      case 'first':
        this.#onFirst(event.index, event.slot, atUs);
        return;
      case 'end':
        this.#onEnd(event.index, event.slot, atUs);
        return;
      case 'refused':
        this.#onRefused(event.index, event.slot, event.refusal, atUs);
        return;
      case 'tick':
        this.#onTick(atUs);
    }
  }

  // ---- gateway -----------------------------------------------------------------------------

  #onArrival(index: number, atUs: number): void {
    this.#scheduleArrival(index + 1);
    this.#bank.sample();
    const arrival = present(this.#input.arrivals[index], `arrival ${index}`);
    const features = this.#featuresOf(arrival, index);
    this.#open.set(index, { arrival, features, tried: [], sentUs: atUs, attempts: 0 });
    const verdict = judgeAdmission(usualClass, {
      mode: this.#mode,
      inFlight: this.#open.size,
      inFlightMax: this.#input.fleet.gateway.inFlightMax,
      keyInFlight: 1,
      keyInFlightMax: 0,
    });
    if (verdict !== 'admitted') this.#refuse(index, gateCodes[verdict], atUs);
    else if (isKnownModel(this.#snapshot, features.resolvedModel)) this.#attempt(index, atUs);
    else this.#refuse(index, 'model_not_found', atUs);
  }

  #featuresOf(arrival: Arrival, index: number): RouteFeatures {
    const model = arrival.model ?? this.#input.model;
    const keys = this.#input.keysOf?.(index) ?? { prefixKey: prefixKeyOf(arrival.prefixIds) };
    return {
      model,
      resolvedModel: resolveModel(this.#snapshot, model),
      operation: 'chat',
      estimatedTokens: arrival.promptTokens,
      maxOutputTokens: arrival.outputTokens,
      needsVision: false,
      needsTools: false,
      needsJsonMode: false,
      remoteMedia: false,
      ...noHints,
      ...keys,
    };
  }

  /** `failure` is what an earlier attempt ended with. */
  #attempt(index: number, atUs: number, failure?: ErrorCode): void {
    const open = this.#opened(index);
    const decision = decide(this.#snapshot, this.#counters, open.features, {
      tried: open.tried,
      cursor: this.#cursor,
      seed: this.#random.nextUint32(),
      budget: 'Normal',
    });
    this.#cursor = (this.#cursor + 1) >>> 0;
    if (decision.kind === 'refuse') {
      this.#refuse(index, failure ?? decision.refusal.code, atUs);
      return;
    }
    const { slot } = decision.target;
    this.#counters.lease(slot, expectedTokens(open.features));
    this.#attempts++;
    open.attempts++;
    open.sentUs = atUs + this.#input.fleet.gateway.overheadUs;
    const { engines, gateway } = this.#input.fleet;
    const reachUs = open.sentUs + gateway.networkUs + (engines[slot]?.wayUs ?? 0);
    this.#queue.schedule(reachUs, { kind: 'reach', index, slot });
  }

  #onReach(index: number, slot: number, atUs: number): void {
    const { promptTokens, outputTokens, prefixIds } = this.#opened(index).arrival;
    const request = {
      id: index,
      promptTokens,
      promptBlocks: promptBlocks(prefixIds, promptTokens),
      outputTokens,
    };
    const refusal = this.#bank.submit(slot, request, atUs);
    if (refusal !== undefined) this.#tell(atUs, { kind: 'refused', index, slot, refusal });
  }

  /** A full queue answers 503 and is a reason to ask another; a request too long answers 400. */
  #onRefused(index: number, slot: number, refusal: EngineRefusal, atUs: number): void {
    const open = this.#opened(index);
    this.#counters.release(slot, expectedTokens(open.features));
    open.tried.push(this.#idOf(slot));
    const { maxRetries } = this.#input.routing;
    const mayRetry = mayAttemptAgain(open.attempts, maxRetries, this.#mode);
    if (refusal === 'too_long') this.#refuse(index, 'context_length_exceeded', atUs);
    else if (mayRetry) this.#attempt(index, atUs, 'queue_full');
    else this.#refuse(index, 'queue_full', atUs);
  }

  #onFirst(index: number, slot: number, atUs: number): void {
    const { arrival } = this.#opened(index);
    if (arrival.stream) this.#noteFirstByte(index, slot, atUs);
  }

  #onEnd(index: number, slot: number, atUs: number): void {
    const { arrival, features } = this.#opened(index);
    if (!arrival.stream) this.#noteFirstByte(index, slot, atUs);
    this.#counters.release(slot, expectedTokens(features));
    this.#log.answered(index, slot, arrival.outputTokens, atUs - arrival.atUs);
    this.#ladder?.answered(this.#log.firstUs[index] ?? 0, arrival.stream);
    this.#close(index, atUs);
  }

  #noteFirstByte(index: number, slot: number, atUs: number): void {
    const { arrival, sentUs } = this.#opened(index);
    this.#log.firstUs[index] = atUs - arrival.atUs;
    this.#counters.recordFirstByte(slot, atUs - sentUs, atUs);
  }

  #refuse(index: number, code: ErrorCode, atUs: number): void {
    this.#log.refused(index, code, atUs - this.#opened(index).arrival.atUs);
    this.#ladder?.refused(code);
    this.#close(index, atUs);
  }

  #close(index: number, atUs: number): void {
    this.#open.delete(index);
    this.#endUs = atUs;
  }

  // ---- serving mode ------------------------------------------------------------------------

  get #mode(): ServingMode {
    return this.#ladder?.mode ?? 'normal';
  }

  #onTick(atUs: number): void {
    const ladder = present(this.#ladder, 'ticks belong to a ladder');
    const before = ladder.mode;
    ladder.tick(atUs);
    if (ladder.mode !== before) this.#moves.push({ atUs, to: ladder.mode });
    const isOver = this.#log.endedCount === this.#input.arrivals.length;
    if (!isOver) this.#scheduleTick(atUs, ladder);
  }

  // ---- time --------------------------------------------------------------------------------

  #scheduleArrival(index: number): void {
    const arrival = this.#input.arrivals[index];
    if (arrival !== undefined) this.#queue.schedule(arrival.atUs, { kind: 'arrive', index });
  }

  #scheduleTick(fromUs: number, ladder: ModeLadder): void {
    this.#queue.schedule(fromUs + ladder.tickUs, { kind: 'tick' });
  }

  /** The gateway hears of it after the way back. */
  #tell(atUs: number, event: FleetEvent): void {
    this.#queue.schedule(atUs + this.#input.fleet.gateway.networkUs, event);
  }

  #opened(index: number): Open {
    return present(this.#open.get(index), `request ${index} is in flight`);
  }

  #idOf(slot: number): string {
    const target = this.#snapshot.targets.find((each) => each.slot === slot);
    return present(target, `a target in slot ${slot}`).id;
  }
}
