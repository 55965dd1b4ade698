// The fleet at the control node: the production's holder of the registry, and the history of what
// it published, from which any gateway can be given what it misses. Each change gets the next
// version, its snapshot is stored by digest before a thread can decide on it, and then it is sent.

import type { BackendId } from '../../../src/base/brand.ts';
import { instant } from '../../../src/base/time.ts';
import type { Backend, Model } from '../../../src/core/backends/backend.ts';
import type { ProbeOutcome } from '../../../src/core/backends/health.ts';
import type { RoutingSettings, Target } from '../../../src/core/routing/snapshot.ts';
import type { Arena } from '../../../src/io/shared-memory/arena.ts';
import { Fleet, type FleetDelta } from '../../../src/services/routing/fleet.ts';
import { controlNode, type Ground, wallOf } from '../environment/ground.ts';
import type { BackendFacts } from './backend.ts';
import {
  type FleetEvent,
  fleetEventsOf,
  removalEvent,
  settingsEvent,
  targetEvent,
} from './fleet-event.ts';
import type { SnapshotStore } from './snapshot-store.ts';

const historyMax = 64;

function modelOf(id: string): Model {
  return {
    id,
    name: id,
    contextLength: 8192,
    supportsVision: id !== 'm-a',
    supportsTools: true,
    supportsJsonMode: true,
    maxOutputTokens: undefined,
  };
}

type FleetPorts = {
  readonly send: (event: FleetEvent) => void;
  readonly moved: (before: Backend, after: Backend) => void;
};

export class FleetDesk {
  readonly #ground: Ground;
  readonly #fleet: Fleet;
  readonly #store: SnapshotStore;
  readonly #send: (event: FleetEvent) => void;
  /** Fleet version that each of our versions stands on. */
  readonly #fleetVersions: number[] = [0];
  #history: readonly FleetEvent[] = [];
  /** Up to here the history has lost superseded events. */
  #compactedTo = 0;
  #version = 0;
  #settings: RoutingSettings;

  constructor(
    ground: Ground,
    arena: Arena,
    store: SnapshotStore,
    settings: RoutingSettings,
    ports: FleetPorts,
  ) {
    this.#ground = ground;
    this.#store = store;
    this.#settings = settings;
    this.#send = ports.send;
    const events = {
      onDelta: (delta: FleetDelta) => this.#onDelta(delta),
      onStatus: (moved: { readonly before: Backend; readonly after: Backend }) =>
        ports.moved(moved.before, moved.after),
    };
    this.#fleet = new Fleet(arena, events, () => instant(wallOf(ground, controlNode)));
  }

  get version(): number {
    return this.#version;
  }

  get settings(): RoutingSettings {
    return this.#settings;
  }

  get history(): readonly FleetEvent[] {
    return this.#history;
  }

  get backends(): readonly Backend[] {
    return this.#fleet.listBackends();
  }

  get targets(): readonly Target[] {
    return this.#fleet.targets();
  }

  find(id: string): Backend | undefined {
    return this.#fleet.getBackend(id as BackendId);
  }

  add(facts: BackendFacts): void {
    const record = this.#fleet.compose(facts.id as BackendId, {
      name: facts.id,
      url: `http://${facts.id}:8000`,
      type: 'vllm',
      source: 'static',
      priority: facts.priority,
      zone: undefined,
      tier: 1,
      capacity: facts.capacity,
      apiKeyEnv: undefined,
      metadata: {},
      approved: true,
      draining: false,
      simulated: true,
      models: facts.models.map(modelOf),
    });
    this.#fleet.insert(record);
  }

  remove(id: string): void {
    this.#fleet.remove(id);
  }

  setDraining(id: string, draining: boolean): void {
    this.#fleet.setDraining(id, draining);
  }

  configure(settings: RoutingSettings): void {
    this.#settings = settings;
    this.#publish([settingsEvent(this.#version + 1, settings)]);
  }

  applyProbe(id: BackendId, outcome: ProbeOutcome): void {
    this.#fleet.applyProbe(id, outcome, instant(wallOf(this.#ground, controlNode)));
  }

  /** A gateway says how far it is, so that slots of removed backends can be used again. */
  acknowledged(thread: number, version: number): void {
    this.#fleet.acknowledged(thread, this.#fleetVersions[version] ?? 0);
  }

  threadGone(thread: number): void {
    this.#fleet.threadGone(thread);
  }

  /** The sequences from..to, or undefined where some are compacted away. */
  window(from: number, to: number): readonly FleetEvent[] | undefined {
    if (from <= this.#compactedTo) return undefined;
    const events = this.#ground.parts.inSequenceWindow(this.#history, from, to);
    this.#ground.watch.replay.windowed(this.#history, from, to, events);
    return events;
  }

  #onDelta({ upsert, remove }: FleetDelta): void {
    let sequence = this.#version;
    const events = [
      ...upsert.map((target) => targetEvent(++sequence, target)),
      ...remove.map((id) => removalEvent(++sequence, id)),
    ];
    this.#publish(events);
  }

  #publish(events: readonly FleetEvent[]): void {
    for (const event of events) {
      this.#version = event.sequence;
      this.#fleetVersions[this.#version] = this.#fleet.version;
      this.#history = [...this.#history, event];
    }
    const targets = this.#fleet.targets();
    this.#store.published(this.#version, targets, this.#settings);
    this.#ground.watch.replay.published(this.#version, targets, this.#settings);
    for (const event of events) this.#send(event);
    if (this.#history.length > historyMax) this.#compact();
  }

  #compact(): void {
    const { parts, watch } = this.#ground;
    const kept = parts.compact(this.#history);
    if (!kept.ok) return;
    watch.replay.compacted(this.#history, kept.value);
    this.#history = fleetEventsOf(kept.value, this.#history);
    this.#compactedTo = this.#version;
  }
}
