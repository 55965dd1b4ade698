// The fleet as one gateway knows it. Events come by messages that may be lost, doubled and out of
// order; a copy applies them in the order of their sequences and without a hole, keeps what came too
// early, and asks for what it misses.
//
//   C1  The version is the highest sequence up to which everything was applied.
//   C2  The state is that of a replay of everything up to the version (RD3), however it came.
//   C3  A request keeps the snapshot that it began with; the copy swaps whole objects.

import type {
  RoutingSettings,
  RoutingSnapshot,
  Target,
} from '../../../src/core/routing/snapshot.ts';
import type { Ground } from '../environment/ground.ts';
import { type FleetEvent, fleetEventsOf } from './fleet-event.ts';

export class SnapshotCopy {
  readonly #ground: Ground;
  readonly #thread: number;
  readonly #ask: (from: number, to: number) => void;
  readonly #targets = new Map<string, Target>();
  /** Everything applied since the last whole state, that state included. */
  #history: readonly FleetEvent[] = [];
  #early: readonly FleetEvent[] = [];
  #settings: RoutingSettings;
  #version = 0;
  #snapshot: RoutingSnapshot;

  constructor(
    ground: Ground,
    thread: number,
    settings: RoutingSettings,
    ask: (from: number, to: number) => void,
  ) {
    this.#ground = ground;
    this.#thread = thread;
    this.#ask = ask;
    this.#settings = settings;
    this.#snapshot = ground.parts.buildSnapshot(0, [], settings);
  }

  get version(): number {
    return this.#version;
  }

  get snapshot(): RoutingSnapshot {
    return this.#snapshot;
  }

  /** All events that its state stands on. */
  get history(): readonly FleetEvent[] {
    return this.#history;
  }

  /** A whole state as of `version`: what it has missed does not matter any more. */
  adopt(version: number, events: readonly FleetEvent[]): void {
    if (version <= this.#version) return;
    this.#targets.clear();
    this.#history = [];
    this.#applyAll(this.#ground.parts.orderBySequence(events), true);
    this.#version = version;
    this.#drainEarly();
    this.#rebuild();
  }

  /** Events as they come, in any order and number. */
  deliver(events: readonly FleetEvent[]): void {
    const { parts, conduct } = this.#ground;
    const known = new Set(this.#early.map(({ sequence }) => sequence));
    const news = parts
      .pendingEvents(events, known)
      .filter(({ sequence }) => sequence > this.#version || !conduct.appliesInOrder);
    if (news.length === 0) return;
    const fresh = news.map((event) => event as FleetEvent);
    if (!conduct.appliesInOrder) {
      this.#applyAll(fresh);
      this.#version = Math.max(this.#version, ...fresh.map(({ sequence }) => sequence));
      this.#rebuild();
      return;
    }
    const before = this.#version;
    this.#early = [...this.#early, ...fresh];
    this.#drainEarly();
    if (this.#version !== before) this.#rebuild();
  }

  /** The control node says how far it is; a copy that has not heard that much asks. */
  heardOf(version: number): void {
    if (version <= this.#version || !this.#ground.conduct.asksForMissing) return;
    this.#ask(this.#version + 1, version);
  }

  #drainEarly(): void {
    const ordered = this.#ground.parts.orderBySequence(this.#early);
    const ready: FleetEvent[] = [];
    const waiting: FleetEvent[] = [];
    let version = this.#version;
    for (const event of ordered) {
      if (event.sequence <= version) continue;
      if (event.sequence === version + 1) {
        version = event.sequence;
        ready.push(event);
      } else waiting.push(event);
    }
    this.#early = waiting;
    this.#applyAll(ready);
    this.#version = version;
  }

  #applyAll(events: readonly FleetEvent[], isWhole = false): void {
    this.#ground.watch.replay.applies(this.#thread, this.#version, events, isWhole);
    for (const { id, change } of events) {
      if (change.kind === 'target') this.#targets.set(id, change.target);
      else if (change.kind === 'removed') this.#targets.delete(id);
      else this.#settings = change.settings;
    }
    this.#history = [...this.#history, ...events];
    this.#shorten();
  }

  /** Superseded events of the history go once it is long (RD6). */
  #shorten(): void {
    if (this.#history.length < 96) return;
    const { parts, watch } = this.#ground;
    const kept = parts.compact(this.#history);
    if (!kept.ok) return;
    watch.replay.compacted(this.#history, kept.value);
    this.#history = fleetEventsOf(kept.value, this.#history);
  }

  #rebuild(): void {
    const targets = [...this.#targets.values()];
    this.#snapshot = this.#ground.parts.buildSnapshot(this.#version, targets, this.#settings);
    this.#ground.watch.replay.rebuilt(this.#thread, this.#snapshot);
  }
}
