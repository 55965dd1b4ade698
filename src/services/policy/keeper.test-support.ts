// For tests of the mode keeper: a store in memory that keeps JSON text, as a database would, and can
// be away or lose an answer; and a keeper with everything around it in the test's hands.

import { type Instant, instant } from '../../base/time.ts';
import { ladderSettings } from '../../core/policy/ladder-settings.ts';
import type { ModeRecord } from '../../core/policy/mode-record.ts';
import type { ServingMode } from '../../core/policy/serving-mode.ts';
import type { EventToAppend } from '../../io/postgres/control-events.ts';
import type {
  ModeWrite,
  ServingModeStore,
  SlotCounts,
  StoredMode,
} from '../../io/postgres/serving-mode-store.ts';
import { type FleetNow, ModeKeeper, type ModeKeeperPorts } from './mode-keeper.ts';

export const start = instant(1_700_000_040_000);
export const tickMs = 10_000;

export const keeperSettings = ladderSettings({
  failurePercent: 5,
  cooldownSeconds: 60,
  holdSeconds: 30,
  riskPercent: 60,
  graceSeconds: 0,
  objective: 0.5,
  minRequests: 50,
  minBad: 10,
});

export class MemoryStore implements ServingModeStore {
  readonly events: EventToAppend[] = [];
  readonly aside: string[] = [];
  saves = 0;
  /** `away`: nothing happens and the call fails; `deaf`: it happens and the call fails. */
  state: 'there' | 'away' | 'deaf' = 'there';
  row: { mode: string; state: unknown; pin: unknown; id: string } | undefined;
  readonly #minutes = new Map<number, SlotCounts>();
  readonly #days = new Map<number, SlotCounts>();

  load(): Promise<StoredMode> {
    return this.#answer(() => ({
      row: this.row,
      minutes: [...this.#minutes.values()],
      days: [...this.#days.values()],
    }));
  }

  save(write: ModeWrite): Promise<void> {
    return this.#answer(() => {
      if (this.row?.id === write.id) return;
      this.saves += 1;
      const kept: ModeWrite = JSON.parse(JSON.stringify(write));
      this.row = { mode: kept.mode, state: kept.state, pin: kept.pin, id: kept.id };
      for (const slot of kept.minutes) this.#minutes.set(slot.slot, slot);
      for (const slot of kept.days) this.#days.set(slot.slot, slot);
      this.events.push(...kept.events);
    });
  }

  lastWriteId(): Promise<string | undefined> {
    return this.#answer(() => this.row?.id);
  }

  setAside(at: number): Promise<void> {
    return this.#answer(() => {
      this.aside.push(`${at}`);
      this.row = undefined;
    });
  }

  readMoves(): Promise<never[]> {
    return this.#answer(() => []);
  }

  #answer<T>(act: () => T): Promise<T> {
    if (this.state === 'away') return Promise.reject(new Error('the database is away'));
    const answer = act();
    return this.state === 'deaf'
      ? Promise.reject(new Error('the answer was lost'))
      : Promise.resolve(answer);
  }

  get kinds(): readonly string[] {
    return this.events.map(({ kind }) => kind);
  }
}

/** A keeper on a store, with what it published and recorded. */
export class Bench {
  readonly published: ServingMode[] = [];
  readonly records: ModeRecord[] = [];
  readonly problems: string[] = [];
  readonly failures: string[] = [];
  fleet: FleetNow = { backends: { known: 3, routable: 3 }, gateway: 1, databaseThere: true };
  now: Instant = start;
  readonly #store: ServingModeStore;
  #keeper: ModeKeeper | undefined;

  constructor(store: ServingModeStore) {
    this.#store = store;
  }

  get keeper(): ModeKeeper {
    if (this.#keeper === undefined) throw new Error('the keeper is not open yet');
    return this.#keeper;
  }

  /** The mode that was put in force last. */
  get mode(): ServingMode | undefined {
    return this.published.at(-1);
  }

  async open(over: Partial<ModeKeeperPorts> = {}): Promise<this> {
    const ports: ModeKeeperPorts = {
      settings: keeperSettings,
      store: this.#store,
      fleet: () => this.fleet,
      publish: (mode) => this.published.push(mode),
      record: (_at, evaluation) => this.records.push(evaluation),
      onProblem: (words) => this.problems.push(words),
      onWriteFailed: (error) => this.failures.push(String(error)),
      ...over,
    };
    this.#keeper = await ModeKeeper.open(ports, this.now);
    return this;
  }

  /** One tick after requests of which some failed. */
  async tick(requests: number, failures = 0): Promise<void> {
    this.keeper.note({ requests, failures, slow: 0 });
    this.now = instant(this.now + tickMs);
    await this.keeper.tick(this.now);
  }

  async ticks(count: number, requests: number, failures = 0): Promise<void> {
    for (let index = 0; index < count; index++) await this.tick(requests, failures);
  }
}
