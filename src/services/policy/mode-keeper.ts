// The one writer of the serving mode, on the control thread. Between two ticks it counts what others
// tell it; a tick evaluates the ladder, puts the mode in force and keeps everything in PostgreSQL.
//
//   note, tripped, probed ──> counts ──> tick(now) ──> stepLadder ──┬─> stricter: publish, then write
//                                                                   └─> milder:   write, then publish
//   pin, unpin ───────────────────────────────────────> write, then publish
//
//   K1  What protects acts first: an escalation is in force before anything is written, and its event
//       is written, in order, as soon as the database answers.
//   K2  What loosens is written first, with its event in one transaction: a step down, a pin, its end.
//       If that fails nothing has changed, and the next tick decides again.
//   K3  Writes go one after the other. One whose answer was lost is settled before the next: sent
//       again under its id, or, where it was of kind K2, asked for whether it was committed.
//   K4  A tick that fell into a write of kind K2 evaluates nothing; its counts go to the next.
//   K5  Every evaluation that was acted on is recorded, and none besides.

import { randomUUID } from 'node:crypto';
import { canonicalJson } from '../../base/canonical.ts';
import type { Instant } from '../../base/time.ts';
import { type BurnReading, readBurn } from '../../core/policy/burn-rate.ts';
import { cooldownRemaining, effectiveCooldown } from '../../core/policy/cooldown.ts';
import { type LadderStep, stepLadder } from '../../core/policy/ladder.ts';
import type { LadderSettings } from '../../core/policy/ladder-settings.ts';
import {
  initialLadder,
  isPinOver,
  type LadderState,
  type ModePin,
  modeInForce,
} from '../../core/policy/ladder-state.ts';
import { type ModeRecord, modeRecord } from '../../core/policy/mode-record.ts';
import type { Outcomes } from '../../core/policy/outcome-counts.ts';
import type { ServingMode } from '../../core/policy/serving-mode.ts';
import type { FleetReading, LadderTick } from '../../core/policy/tick-evidence.ts';
import type { EventToAppend, StoredEvent } from '../../io/postgres/control-events.ts';
import type { ModeWrite, ServingModeStore } from '../../io/postgres/serving-mode-store.ts';
import { effectEvent, pinnedEvent, unpinnedEvent } from './mode-events.ts';
import { SloCounts } from './slo-counts.ts';
import { restoreMode, storedState } from './stored-mode.ts';

/** What the keeper reads of others at a tick. */
export type FleetNow = Omit<FleetReading, 'burn'>;

export type ModeKeeperPorts = {
  readonly settings: LadderSettings;
  readonly store: ServingModeStore;
  /** Approved backends that are not drained, routable ones, gateway threads, database. */
  readonly fleet: () => FleetNow;
  /** Puts the mode in force for everyone who admits requests. */
  readonly publish: (mode: ServingMode, cooldownLeftMs: number) => void;
  /** Keeps an evaluation for the decision log. */
  readonly record: (at: Instant, evaluation: ModeRecord) => void;
  /** Told when a stored row was set aside. */
  readonly onProblem: (words: string) => void;
  /** A write failed; it is tried again at each tick. */
  readonly onWriteFailed: (error: unknown) => void;
};

export type NotedOutcomes = LadderTick['outcomes'];

/** A write of kind K2 whose answer was lost. */
type Doubt = { readonly id: string; readonly adopt: () => void };

const tripsMax = 100;

export class ModeKeeper {
  readonly #ports: ModeKeeperPorts;
  readonly #slo = new SloCounts();
  readonly #trips = new Set<string>();
  readonly #startedAt: Instant;
  #outcomes: NotedOutcomes = { requests: 0, failures: 0, slow: 0 };
  #probes = { good: 0, failed: 0 };
  #state: LadderState;
  /** Events of kind K1 that are in no write yet. */
  #events: EventToAppend[] = [];
  /** Text of the state that was written last. */
  #written = '';
  /** A write that is sent again until it is answered. */
  #unanswered: ModeWrite | undefined;
  #doubt: Doubt | undefined;
  /** Writes of kind K2 that wait or run. */
  #loosening = 0;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(ports: ModeKeeperPorts, startedAt: Instant) {
    this.#ports = ports;
    this.#startedAt = startedAt;
    this.#state = initialLadder(startedAt);
  }

  /** Goes on from what is stored; rejects when the database does not answer. */
  static async open(ports: ModeKeeperPorts, now: Instant): Promise<ModeKeeper> {
    const keeper = new ModeKeeper(ports, now);
    const stored = await ports.store.load();
    const { state, problem } = restoreMode(stored.row, now);
    if (problem !== undefined) {
      await ports.store.setAside(now);
      ports.onProblem(problem);
    }
    keeper.#slo.restore(stored.minutes, stored.days);
    keeper.#state = state;
    keeper.#written = stored.row === undefined || problem !== undefined ? '' : canonicalJson(state);
    keeper.#publish(now);
    return keeper;
  }

  get state(): LadderState {
    return this.#state;
  }

  get settings(): LadderSettings {
    return this.#ports.settings;
  }

  // ---- what is told between ticks ------------------------------------------------------------

  /**
   * Requests that ended: all, failed ones (5xx to the client), and late ones that did not fail. What
   * the serving mode refused belongs to none of them.
   */
  note({ requests, failures, slow }: NotedOutcomes): void {
    this.#outcomes = {
      requests: this.#outcomes.requests + requests,
      failures: this.#outcomes.failures + failures,
      slow: this.#outcomes.slow + slow,
    };
  }

  /** A backend stopped taking requests by itself; a drain by an operator is no trip. */
  tripped(backendId: string): void {
    if (this.#trips.size < tripsMax) this.#trips.add(backendId);
  }

  /** A health probe ended. */
  probed(isGood: boolean): void {
    const { good, failed } = this.#probes;
    this.#probes = isGood ? { good: good + 1, failed } : { good, failed: failed + 1 };
  }

  // ---- reading -------------------------------------------------------------------------------

  burn(now: Instant): readonly BurnReading[] {
    return readBurn(this.#slo.minutes, now, this.#ports.settings.slo);
  }

  get minutes(): SloCounts['minutes'] {
    return this.#slo.minutes;
  }

  /** Outcomes of the last `days` days. */
  period(now: Instant, days: number): Outcomes {
    return this.#slo.period(now, days);
  }

  fleet(now: Instant): FleetReading {
    return { ...this.#ports.fleet(), burn: this.burn(now) };
  }

  /** Time until the ladder may escalate again, ms. */
  cooldownLeftMs(now: Instant): number {
    const { mode, lastChange } = this.#state;
    if (lastChange === null) return 0;
    const cooldown = effectiveCooldown(mode, this.#ports.settings.minCooldownMs);
    return cooldownRemaining(lastChange, now, cooldown);
  }

  /** The newest events of the stream, newest first. */
  moves(limit: number): Promise<readonly StoredEvent[]> {
    return this.#ports.store.readMoves(limit);
  }

  // ---- evaluating ----------------------------------------------------------------------------

  /** One evaluation; resolves when what it had to write is written or has failed, and never rejects. */
  async tick(now: Instant): Promise<void> {
    if (this.#loosening > 0) return;
    const { pin } = this.#state;
    if (pin !== null && isPinOver(this.#state, now) && this.#ports.fleet().databaseThere) {
      const cause = { by: 'system', reason: 'its time is over', at: now };
      await this.#unpin(pin, cause).catch(this.#ports.onWriteFailed);
      if (this.#loosening > 0) return;
    }
    const before = this.#state;
    const tick = this.#takeTick(now);
    const step = stepLadder(this.#ports.settings, before, tick);
    const isLoosening = step.effects.some(({ kind }) => kind === 'mode_deescalated');
    const written = isLoosening
      ? this.#loosenBy(now, before, tick, step)
      : this.#apply(now, before, tick, step);
    await written.catch(this.#ports.onWriteFailed);
    this.#publish(now);
  }

  #takeTick(now: Instant): LadderTick {
    const outcomes = this.#outcomes;
    const probes = this.#probes;
    const trips = [...this.#trips];
    this.#outcomes = { requests: 0, failures: 0, slow: 0 };
    this.#probes = { good: 0, failed: 0 };
    this.#trips.clear();
    const bad = outcomes.failures + outcomes.slow;
    this.#slo.add(now, { total: Math.max(outcomes.requests, bad), bad });
    const uptimeMs = Math.max(0, now - this.#startedAt);
    return { ...this.fleet(now), at: now, uptimeMs, outcomes, probes, trips };
  }

  /** K1: in force at once, written as soon as that is possible. */
  #apply(now: Instant, before: LadderState, tick: LadderTick, step: LadderStep): Promise<void> {
    this.#adopt(step.state, now);
    this.#record(now, before, tick, step);
    for (const effect of step.effects) this.#events.push(effectEvent(effect, tick));
    return this.#inTurn(() => this.#flush(now));
  }

  /** K2 for a step down. */
  async #loosenBy(
    now: Instant,
    before: LadderState,
    tick: LadderTick,
    step: LadderStep,
  ): Promise<void> {
    const events = step.effects.map((effect) => effectEvent(effect, tick));
    const change = (state: LadderState) => (state === before ? step.state : undefined);
    if (await this.#change(now, events, change)) this.#record(now, before, tick, step);
  }

  #record(now: Instant, state: LadderState, tick: LadderTick, step: LadderStep): void {
    const { settings } = this.#ports;
    this.#ports.record(now, modeRecord({ settings, state, tick }, step));
  }

  // ---- operators -----------------------------------------------------------------------------

  /** Holds `pin.mode` in force; a pin that is there is replaced. Rejects when it cannot be written. */
  async pin(pin: ModePin, now: Instant): Promise<void> {
    const event = pinnedEvent(pin, modeInForce(this.#state));
    await this.#change(now, [event], (state) => ({ ...state, pin }));
  }

  /** Lifts the pin; without one nothing happens. Rejects when it cannot be written. */
  async unpin(by: string, reason: string, now: Instant): Promise<void> {
    const { pin } = this.#state;
    if (pin !== null) await this.#unpin(pin, { by, reason, at: now });
  }

  async #unpin(
    pin: ModePin,
    cause: { readonly by: string; readonly reason: string; readonly at: Instant },
  ): Promise<void> {
    const event = unpinnedEvent(pin, this.#state.mode, cause);
    await this.#change(cause.at, [event], (state) => ({ ...state, pin: null }));
  }

  // ---- writing -------------------------------------------------------------------------------

  /** Writes what is left to write, such as before the program ends. */
  async settled(now: Instant): Promise<void> {
    await this.#inTurn(() => this.#flush(now));
  }

  #adopt(state: LadderState, now: Instant): void {
    this.#state = state;
    this.#publish(now);
  }

  #publish(now: Instant): void {
    this.#ports.publish(modeInForce(this.#state), this.cooldownLeftMs(now));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#turn.then(work);
    this.#turn = run.catch(() => {});
    return run;
  }

  /** K2: the change with its events in one transaction, then in force; false when it has no place. */
  async #change(
    now: Instant,
    events: readonly EventToAppend[],
    change: (state: LadderState) => LadderState | undefined,
  ): Promise<boolean> {
    this.#loosening += 1;
    try {
      return await this.#inTurn(async () => {
        await this.#flush(now);
        const next = change(this.#state);
        if (next === undefined) return false;
        const write = this.#writeOf(next, now, events);
        const adopt = () => this.#adoptWritten(change(this.#state) ?? this.#state, now);
        try {
          await this.#ports.store.save(write);
        } catch (error) {
          this.#doubt = { id: write.id, adopt };
          throw error;
        }
        adopt();
        return true;
      });
    } finally {
      this.#loosening -= 1;
    }
  }

  #adoptWritten(state: LadderState, now: Instant): void {
    this.#written = canonicalJson(state);
    this.#adopt(state, now);
  }

  /** K3. */
  async #settle(): Promise<void> {
    if (this.#doubt !== undefined) {
      const last = await this.#ports.store.lastWriteId();
      const { id, adopt } = this.#doubt;
      this.#doubt = undefined;
      if (last === id) adopt();
    }
    if (this.#unanswered === undefined) return;
    await this.#ports.store.save(this.#unanswered);
    this.#unanswered = undefined;
  }

  /** Writes state, counts and events as far as they changed. */
  async #flush(now: Instant): Promise<void> {
    await this.#settle();
    const state = this.#state;
    const text = canonicalJson(state);
    const { minutes, days } = this.#slo.take();
    if (text === this.#written && minutes.length === 0 && this.#events.length === 0) return;
    const write = { ...this.#writeOf(state, now, this.#events), minutes, days };
    this.#events = [];
    this.#written = text;
    this.#unanswered = write;
    await this.#ports.store.save(write);
    this.#unanswered = undefined;
  }

  #writeOf(state: LadderState, now: Instant, events: readonly EventToAppend[]): ModeWrite {
    return {
      id: randomUUID(),
      mode: state.mode,
      since: state.since,
      at: now,
      ...storedState(state),
      minutes: [],
      days: [],
      ...SloCounts.firstSlots(now),
      events,
    };
  }
}
