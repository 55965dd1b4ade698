// The requests of one gateway thread that wait for a backend. Who goes next is the line's business
// (core/queue/waiting-line.ts); here somebody comes, is tried again, leaves or is sent away.
//
//   enter --a backend is free--> placed
//     |---- waited too long, or cannot begin in time ----> sent away: queue_timeout
//     |---- the process stops ---------------------------> sent away: shutting_down
//     +---- the client leaves ---------------------------> gone, in the same tick
//
// A backend that this thread frees is offered at once (`released`). One that another thread freed is
// found by looking every 10 ms, which costs nothing while nobody waits: to be woken by
// Atomics.waitAsync was tried and is slower, since a worker that is otherwise idle runs the promise
// only when its event loop turns for another reason (Node 26: 58 ms in the median).
//
// Threads tell each other which band waits in each lane (io/shared-memory/waiting-board.ts) and step
// back for who goes first elsewhere, but not for longer than five looks at a backend that stays
// free. Every fifth look (50 ms, BR 14) tries everybody and not only who goes first in each lane: what
// that one is too large for is not left idle either.
//
//   R1  whoever entered holds one of the shared places, and gives it back once, however it ends.
//   R2  but for every fifth look, nobody is tried after another of its lane was tried in vain.
//   R3  after `close` nobody waits and nobody comes in.

import type { QueuedRecord } from '../../core/decisions/decision-record.ts';
import { ServiceRate } from '../../core/queue/service-rate.ts';
import {
  type Demand,
  type Overdue,
  type Place,
  WaitingLine,
} from '../../core/queue/waiting-line.ts';
import {
  type NoPlace,
  noPlace,
  type PlaceReading,
  placesFor,
  retrySeconds,
} from '../../core/queue/waiting-places.ts';
import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';
import type { BandOfLane, WaitingBoard } from '../../io/shared-memory/waiting-board.ts';
import type { WaitingSettings } from './messages.ts';
import { queueSeconds, type ThreadMetrics } from './thread-metrics.ts';

/** A request that waits. */
export interface Waiter {
  /**
   * Tries once more to find a backend. `over`: it has ended meanwhile, in whatever way.
   */
  admitAgain(): 'placed' | 'still_full' | 'over';
  /** Would it be tried in vain? Changes nothing. */
  isStillFull(): boolean;
  /** It is sent away and has left the room. */
  giveUp(cause: Refusal): void;
  /** It has waited for another `pingMs`; only a stream has anything to say then. */
  ping(): void;
}

export type RoomPorts = {
  readonly settings: WaitingSettings;
  readonly board: WaitingBoard;
  readonly metrics: ThreadMetrics;
  readonly monotonicMs: () => number;
  /** Does the serving mode shed early? */
  readonly isEmergency: () => boolean;
  /** Requests that the backends of a model have ended so far. */
  readonly endedOf: (model: string) => number;
  /** Takes a place that all threads share; undefined when `limit` are taken. */
  readonly takePlace: (limit: number) => number | undefined;
  readonly givePlace: () => void;
  /** Places taken, of all threads. */
  readonly depth: () => number;
};

/** What a request tells of itself; when it came, the room knows. */
export type Wish = Omit<Demand, 'arrivedMs' | 'leaveByMs'> & {
  /** Reasons why backends were excluded, for the guess of the wait. */
  readonly exclusionReasons: number;
};

type Held = {
  readonly place: Place<Waiter>;
  readonly reading: PlaceReading;
  readonly onOver: OnStayOver;
  nextPingMs: number;
};

/** One stay in the room, when it is over. */
export type QueueStay = Pick<QueuedRecord, 'reading' | 'waitedMs' | 'ended'>;

/** Hears how a stay in the room ended, once; also of one that never began, as `full`. */
export type OnStayOver = (stay: QueueStay) => void;

type Outcome = 'placed' | 'left' | 'stopping' | Overdue;

const endings: Readonly<Record<Outcome, QueueStay['ended']>> = {
  placed: 'placed',
  left: 'left',
  stopping: 'stopping',
  time_out: 'timeout',
  deadline: 'deadline',
};

const lookEveryMs = 10;
/** Looks until everybody is tried, and until somebody elsewhere has left a backend free for too long. */
const patientLooks = 5;

/** Why waiters are tried: a backend was freed here, a look, or a look that tries everybody. */
type Occasion = 'freed' | 'look' | 'thorough_look';

export class WaitingRoom {
  readonly #ports: RoomPorts;
  readonly #line: WaitingLine<Waiter>;
  readonly #held = new Map<Waiter, Held>();
  readonly #rates = new Map<string, ServiceRate>();
  #timer: NodeJS.Timeout | undefined;
  #looks = 0;
  #offering = false;
  /** A backend was freed while the offer went on. */
  #freedMeanwhile = false;
  /** Looks in a row at which a backend of a lane was free and left to another thread. */
  readonly #idleLooks = new Map<string, number>();
  #isClosed = false;

  constructor(ports: RoomPorts) {
    this.#ports = ports;
    this.#line = new WaitingLine(ports.settings.ageingMs);
  }

  /** Requests that wait on this thread. */
  get size(): number {
    return this.#line.size;
  }

  /** Does anybody wait, on whatever thread? All that a request costs while nobody does. */
  get isInUse(): boolean {
    return this.#ports.depth() > 0;
  }

  /** Must a request that has just come stand behind somebody who waits in the same lane? */
  mustQueue(lane: string, priorityClass: Demand['priorityClass']): boolean {
    const nowMs = this.#ports.monotonicMs();
    const first = this.#line.next(nowMs, ({ demand }) => demand.lane === lane);
    if (first !== undefined && this.#line.bandOf(first, nowMs) >= priorityClass) return true;
    return this.#ports.board.waits({ lane, band: priorityClass });
  }

  /** Lets a request wait, or says why it may not. One that waits already keeps its place. */
  enter(waiter: Waiter, wish: Wish, onOver: OnStayOver): Refusal | undefined {
    if (this.#held.has(waiter)) return undefined;
    if (this.#isClosed) return stopping();
    const nowMs = this.#ports.monotonicMs();
    const reading = this.#takePlace(wish);
    const why = noPlace(wish.priorityClass, reading);
    if (why !== undefined) {
      this.#ports.metrics.count('tensorforge_queue_refused_total');
      onOver({ reading, waitedMs: 0, ended: 'full' });
      return this.#fullRefusal(why, wish, reading, nowMs);
    }
    const leaveByMs = nowMs + this.#ports.settings.waitMsMax;
    const place = this.#line.join(waiter, { ...wish, arrivedMs: nowMs, leaveByMs });
    const nextPingMs = nowMs + this.#ports.settings.pingMs;
    this.#held.set(waiter, { place, reading, onOver, nextPingMs });
    this.#observe(wish.model, nowMs);
    this.#tell(nowMs);
    this.#timer ??= setInterval(() => this.#look(), lookEveryMs).unref();
    return undefined;
  }

  /** The request has ended in another way. Nothing for one that does not wait. */
  leave(waiter: Waiter): void {
    if (this.#remove(waiter, 'left')) this.#tell(this.#ports.monotonicMs());
  }

  /** This thread has freed a place at a backend: it is offered to who goes next. */
  released(): void {
    if (this.#line.size === 0) return;
    if (this.#offering) this.#freedMeanwhile = true;
    else this.#offer('freed');
  }

  /** Sends everybody away, at once, and takes nobody any more. */
  close(): void {
    this.#isClosed = true;
    for (const { who } of this.#line.places()) this.#sendAway(who, stopping(), 'stopping');
    this.#rest();
  }

  // ---- coming ------------------------------------------------------------------------------

  /**
   * Takes a place if there is one. Answers with what was read, by which `noPlace` says whether there
   * was one: others take and give back at the same time, so the depth is that of the moment in which
   * this one succeeded or did not.
   */
  #takePlace({ priorityClass, group }: Wish): PlaceReading {
    const { settings, isEmergency, depth, takePlace } = this.#ports;
    const { sizeMax } = settings;
    const reading = {
      depth: depth(),
      sizeMax,
      held: this.#heldBy(group),
      isEmergency: isEmergency(),
    };
    if (noPlace(priorityClass, reading) === 'group') return reading;
    const places = placesFor(sizeMax, priorityClass, reading.isEmergency);
    const taken = takePlace(places);
    if (taken === undefined) return { ...reading, depth: Math.max(reading.depth, places) };
    return { ...reading, depth: Math.min(reading.depth, taken - 1) };
  }

  #fullRefusal(why: NoPlace, wish: Wish, reading: PlaceReading, nowMs: number): Refusal {
    const { priorityClass } = wish;
    const { sizeMax, held, isEmergency, depth } = reading;
    const places = placesFor(sizeMax, priorityClass, isEmergency);
    const retryAfterSeconds = this.#retrySeconds(wish, nowMs);
    const words =
      why === 'class'
        ? `${places} of ${sizeMax} places to wait are open to class ${priorityClass}${isEmergency ? ' in this serving mode' : ''}, and ${depth} requests wait.`
        : `${held} requests of the group wait, which leaves no room for another group's.`;
    return refusal('queue_full', words, { retryAfterSeconds });
  }

  #heldBy(group: string): number {
    let held = 0;
    for (const { demand } of this.#line.places()) if (demand.group === group) held++;
    return held;
  }

  /** What waits for the model, as far as this thread can tell, at the rate that its backends had. */
  #retrySeconds(wish: Wish, nowMs: number): number {
    const own = this.#line.places().filter(({ demand }) => demand.model === wish.model).length;
    const share = this.#line.size === 0 ? 1 : own / this.#line.size;
    const ended = this.#ports.endedOf(wish.model);
    const rate = this.#rates.get(wish.model)?.perSecond(ended, nowMs);
    return retrySeconds(Math.ceil(this.#ports.depth() * share), rate, wish.exclusionReasons);
  }

  // ---- offering ----------------------------------------------------------------------------

  /**
   * Tries who waits, in order, until every lane is full. Whoever is tried may free another backend
   * before it returns: then the offer begins anew, and never nests.
   */
  #offer(occasion: Occasion): void {
    this.#offering = true;
    const nowMs = this.#ports.monotonicMs();
    const passed = new Set<string | Place<Waiter>>();
    const mayGo = (place: Place<Waiter>): boolean =>
      !passed.has(place.demand.lane) && !passed.has(place);
    for (;;) {
      if (this.#freedMeanwhile) passed.clear();
      this.#freedMeanwhile = false;
      const place = this.#line.next(nowMs, mayGo);
      if (place === undefined) break;
      const { lane } = place.demand;
      if (this.#stepsBack(place, occasion, nowMs)) passed.add(lane);
      else if (!this.#try(place, nowMs)) passed.add(occasion === 'thorough_look' ? place : lane);
    }
    this.#offering = false;
    this.#tell(nowMs);
  }

  /** Does somebody on another thread go first, who has not left a backend free for too long? */
  #stepsBack(place: Place<Waiter>, occasion: Occasion, nowMs: number): boolean {
    const { lane } = place.demand;
    const isOtherFirst = this.#ports.board.isAhead(this.#bandOf(place, nowMs));
    if (!isOtherFirst || (occasion !== 'freed' && place.who.isStillFull())) {
      this.#idleLooks.delete(lane);
      return isOtherFirst;
    }
    if (occasion === 'freed') return true;
    const looks = 1 + (this.#idleLooks.get(lane) ?? 0);
    this.#idleLooks.set(lane, looks);
    return looks < patientLooks;
  }

  /** False when it goes on waiting. */
  #try(place: Place<Waiter>, nowMs: number): boolean {
    const outcome = place.who.admitAgain();
    if (outcome === 'still_full') return false;
    if (outcome === 'placed') {
      this.#line.placed(place, nowMs);
      this.#ports.board.placed(place.demand.tokens);
    }
    this.#remove(place.who, outcome === 'placed' ? 'placed' : 'left');
    return true;
  }

  // ---- looking -----------------------------------------------------------------------------

  #look(): void {
    const nowMs = this.#ports.monotonicMs();
    for (const [{ who, demand }, why] of this.#line.overdue(nowMs)) {
      this.#sendAway(who, this.#overdueRefusal(demand, why, nowMs), why);
    }
    for (const model of this.#rates.keys()) this.#observe(model, nowMs);
    this.#looks++;
    this.#offer(this.#looks % patientLooks === 0 ? 'thorough_look' : 'look');
    this.#ping(nowMs);
    this.#rest();
  }

  #ping(nowMs: number): void {
    for (const [waiter, held] of [...this.#held]) {
      if (nowMs < held.nextPingMs) continue;
      held.nextPingMs = nowMs + this.#ports.settings.pingMs;
      waiter.ping();
    }
  }

  #overdueRefusal({ model, arrivedMs }: Demand, why: Overdue, nowMs: number): Refusal {
    const waitedMs = Math.round(nowMs - arrivedMs);
    const seconds = Math.ceil(this.#ports.settings.waitMsMax / 1000);
    const words =
      why === 'time_out'
        ? `No backend of “${model}” became free within ${seconds} s.`
        : `After ${waitedMs} ms no backend of “${model}” can send a first token in the time that was asked for.`;
    const context = { cause: why, waited_ms: waitedMs };
    return refusal('queue_timeout', words, { retryAfterSeconds: seconds, context });
  }

  #sendAway(waiter: Waiter, cause: Refusal, why: Outcome): void {
    if (this.#remove(waiter, why)) waiter.giveUp(cause);
  }

  // ---- the books ---------------------------------------------------------------------------

  /** False for one that does not wait any more. */
  #remove(waiter: Waiter, outcome: Outcome): boolean {
    const held = this.#held.get(waiter);
    if (held === undefined) return false;
    this.#held.delete(waiter);
    this.#line.leave(held.place);
    this.#ports.givePlace();
    const waitedMs = this.#ports.monotonicMs() - held.place.demand.arrivedMs;
    const name = `tensorforge_queue_wait_seconds{outcome="${outcome}"}`;
    this.#ports.metrics.observe(name, queueSeconds, waitedMs / 1000);
    held.onOver({ reading: held.reading, waitedMs, ended: endings[outcome] });
    return true;
  }

  #observe(model: string, nowMs: number): void {
    const rate = this.#rates.get(model) ?? new ServiceRate();
    this.#rates.set(model, rate);
    rate.observe(this.#ports.endedOf(model), nowMs);
  }

  #bandOf(place: Place<Waiter>, nowMs: number): BandOfLane {
    return { lane: place.demand.lane, band: this.#line.bandOf(place, nowMs) };
  }

  #tell(nowMs: number): void {
    this.#ports.board.tell(this.#line.places().map((place) => this.#bandOf(place, nowMs)));
  }

  /** Stops looking when nobody waits, and forgets the rates of models that nobody waits for. */
  #rest(): void {
    if (this.#line.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#rates.clear();
    this.#idleLooks.clear();
  }
}

function stopping(): Refusal {
  return refusal('shutting_down', 'The process stops; nobody waits for a backend any more.');
}
