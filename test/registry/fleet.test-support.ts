// The product's registry over a real arena, with a clock in the hand of the test.

import type { BackendId } from '../../src/base/brand.ts';
import { type Instant, instant } from '../../src/base/time.ts';
import type { Backend } from '../../src/core/backends/backend.ts';
import { Arena } from '../../src/io/shared-memory/arena.ts';
import {
  Fleet,
  type FleetDelta,
  type FleetSettings,
  type NewBackend,
} from '../../src/services/routing/fleet.ts';
import { newBackend } from './records.test-support.ts';

export class TestFleet {
  readonly arena = Arena.create({ capacity: 64, threads: 2 });
  readonly deltas: FleetDelta[] = [];
  readonly rebuilt: (readonly string[])[] = [];
  readonly fleet: Fleet;
  nowMs = Date.UTC(2026, 10, 21, 12);

  constructor(settings: FleetSettings = {}) {
    const now = (): Instant => instant(this.nowMs);
    const events = {
      onDelta: (delta: FleetDelta) => this.deltas.push(delta),
      onStatus: () => undefined,
      onRebuilt: (faults: readonly string[]) => this.rebuilt.push(faults),
    };
    this.fleet = new Fleet(this.arena, events, now, settings);
  }

  add(name: string, facts: Partial<NewBackend> = {}): Backend {
    const wanted = newBackend(name, facts);
    return this.fleet.insert(this.fleet.compose(this.fleet.idFor(name, wanted.url), wanted));
  }

  /** What a probe that ended so writes. */
  probed(
    id: BackendId,
    outcome: {
      readonly status: Backend['status'];
      readonly error?: string;
      readonly models?: Backend['models'];
    },
  ): void {
    this.nowMs += 1;
    const facts = {
      latencyMs: 1,
      models: outcome.models,
      capacity: undefined,
      metadata: undefined,
      runtime: undefined,
      busy: false,
    };
    this.fleet.applyProbe(
      id,
      {
        status: outcome.status,
        statusReason: undefined,
        lastError: outcome.error,
        facts: outcome.status === 'healthy' || outcome.models !== undefined ? facts : undefined,
      },
      instant(this.nowMs),
    );
  }

  /** Ids that a query for a model gives. */
  listed(model: string): string[] {
    return this.fleet.forModel(model).map(({ id }) => id);
  }
}
